"""imghost config: make, find, show, edit, check and change the config file."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from imghost import config_file
from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.disk import is_there
from imghost.errors import ConfigError, UsageError
from imghost.links import check_format

SUMMARY = "Make, find, show, edit, check or change the config file."
_AT_START = {"language", "watch.poll_s", "limits.input_bytes"}
_ACTIONS = ("init", "path", "show", "edit", "check", "set")


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("action", choices=_ACTIONS, help="what to do")
    parser.add("key", nargs="?", default="", help="with set: such as link.format")
    parser.add("value", nargs="?", default=None, help="with set: its value; a secret is asked for")
    parser.add("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Do one of these."""
    if options.key and options.action != "set":
        raise UsageError(
            "config {action} takes no key and no value; only config set does", action=options.action
        )
    match options.action:
        case "init":
            config_file.create(context.config_file)
            return _path(context)
        case "path":
            return _path(context)
        case "show":
            return _show(context)
        case "edit":
            return _edit(context)
        case "check":
            return _check(context)
    return _set(options, context)


def _path(context: Context) -> Answer:
    path = str(context.config_file)
    return Answer([Item(path, lambda: path)], one=True)


def _show(context: Context) -> Answer:
    text = config_file.shown(context.source.written())
    return Answer([Item(text, lambda: json.loads(text))], one=True)


def _check(context: Context) -> Answer:
    link = context.source.load().link
    check_format(link.format, link.template)
    if is_there(context.config_file):
        line = context.console.say("{path} is fine", path=str(context.config_file))
    else:
        line = context.console.say("there is no config file; the defaults are fine")
    return Answer([Item(line, lambda: {"ok": True})], one=True)


def _edit(context: Context) -> Answer:
    if not is_there(context.config_file):
        config_file.create(context.config_file)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _DEFAULT_EDITOR
    try:
        subprocess.run(editing(editor, context.config_file), check=False)
    except (OSError, ValueError) as exc:
        raise UsageError(
            "the editor {editor} cannot be started; set EDITOR to another one", editor=editor
        ) from exc
    return _check(context)


def editing(editor: str, path: Path) -> str | list[str]:
    """The command by which an editor, as EDITOR names it, opens a file. Raises ValueError."""
    if sys.platform == "win32":  # where each program takes its command apart itself
        return f"{editor} {subprocess.list2cmdline([str(path)])}"
    return [*shlex.split(editor), str(path)]


def _set(options: argparse.Namespace, context: Context) -> Answer:
    if not options.key:
        raise UsageError("name a key and its value: imghost config set link.format html")
    if config_file.is_secret(options.key):
        if options.value is not None:
            raise UsageError(
                "{key} is a secret, and command lines can be seen by others; leave its value out "
                "and you are asked for it",
                key=options.key,
            )
        value = _secret(options.key, context)
    elif options.value is None:
        raise UsageError("name the value of {key} too", key=options.key)
    else:
        value = options.value
    config_file.change(context.config_file, options.key, value, context.environ)
    if not value:
        context.console.tell("{key} is empty now", key=options.key)
    elif options.key.startswith("server.") or options.key in _AT_START:
        context.console.tell("{key} is set; it counts when imghost starts again", key=options.key)
    else:
        context.console.tell("{key} is set; it counts from the next image on", key=options.key)
    return Answer([])


def _secret(key: str, context: Context) -> str:
    console = context.console
    if console.stdin is None:
        raise ConfigError(
            "the value of {key} is read from standard input, and there is none", key=key
        )
    try:
        return console.ask_hidden("{key} (not shown):", key=key)
    except EOFError:
        raise UsageError("no value was given; {key} stays as it is", key=key) from None


_DEFAULT_EDITOR = "notepad" if sys.platform == "win32" else "vi"
