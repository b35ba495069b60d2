"""imghost watch: the background process that turns copied pictures into links."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.report import Watching

SUMMARY = "Watch clipboard and folders: copy an image, paste a link."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("--no-clipboard", action="store_true", help="watch folders only")
    parser.add("--no-tray", action="store_true", help="show no icon in the tray")
    parser.add("--autostart", action="store_true", help="the session started it, not a person")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Watch until a signal or imghost stop."""
    from imghost.daemon import Daemon
    from imghost.desk import Watch

    context.start_log()
    watch = Watch(not options.no_clipboard, not options.no_tray, options.autostart)
    daemon = Daemon(context.dirs, context.source, context.config, context.console.say, watch)
    daemon.run(lambda url, watching: _tell(context, url, watching))
    context.console.tell("stopped")
    return Answer([])


def _tell(context: Context, url: str, watching: Watching) -> None:
    console, target = context.console, context.config.target()
    console.tell(
        "watching at {url}; new pictures go to {host}/{bucket}; Ctrl-C or imghost stop ends it",
        url=url,
        host=target.host,
        bucket=target.bucket,
    )
    if watching.pause_reason:
        console.tell("paused: {reason}; imghost resume goes on", reason=watching.pause_reason)
    for problem in watching.missing:
        console.tell("missing: {problem}", problem=problem)
