"""imghost status: what imghost does, and what waits."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from imghost.account import time_left
from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import DaemonError
from imghost.report import Watching, status_json
from imghost.text import Speaker, size_text

_LEFT_SHOWN = 5
SUMMARY = "Tell what imghost does, and what waits."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("--json", action="store_true", help="print JSON")


def run(_options: argparse.Namespace, context: Context) -> Answer:
    """Ask the daemon; without one, tell what is kept, and exit as a stopped one."""
    if context.daemon:
        from imghost.cli.client import status

        told, code = dict(status(context.daemon)), 0
    else:
        with context.app() as app:
            told, code = (
                status_json(app, Watching("stopped"), context.console.say),
                DaemonError.exit_code,
            )
    lines = "\n".join(_lines(told, context.console.say))
    return Answer([Item(lines, lambda: told)], one=True, exit_code=lambda: code)


def _lines(told: dict[str, Any], say: Speaker) -> Iterator[str]:
    states = {
        "watching": "watching",
        "paused": "paused: {reason}; imghost resume goes on",
        "serving": "serving",
        "stopped": "stopped; imghost watch starts it",
    }
    yield say(states[told["state"]], reason=told["pause_reason"])
    if told["changes_at"]:
        turn = "it watches again at {at}" if told["paused"] else "it pauses at {at}"
        yield say(turn, at=told["changes_at"])
    if told["problem"]:
        yield say("the config is wrong: {problem}", problem=told["problem"])
    yield say(
        "new images go to {host}/{bucket}, links as {format} {style}",
        **{key: told[key] for key in ("host", "bucket", "format", "style")},
    ).rstrip()
    yield say(
        "{done} done, {queued} queued, {uploading} uploading, {asking} asking, {failed} failed; "
        "{size} of originals kept",
        **told["counts"],
        size=size_text(told["kept_bytes"]),
    )
    yield from _login_lines(told["login"], say)
    for row in told["waiting"]:
        yield say("waiting: {id} {name}: {reason}", **{k: row[k] for k in ("id", "name", "reason")})
    for left in told["left_alone"][-_LEFT_SHOWN:]:
        minute = left["at"][:16].replace("T", " ")
        yield say("left alone at {at}: {name}: {reason}", **left | {"at": minute})
    if told["autostart"]:
        yield say("it starts with your session")
    for problem in told["missing"]:
        yield say("missing: {problem}", problem=problem)


def _login_lines(login: dict[str, Any], say: Speaker) -> Iterator[str]:
    account = f"{login['host']} ({login['name']})" if login["name"] else login["host"]
    days = login["days_left"]
    if login["wanted"]:
        yield say("{host} wants you to log in: imghost login", host=login["wanted"])
    elif days == 0:
        yield say("the login at {account} has ended: imghost login", account=account)
    elif days is not None:
        yield say("logged in to {account}, {left}", account=account, left=time_left(days))
    elif account:
        yield say("logged in to {account}", account=account)
