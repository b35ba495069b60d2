"""imghost retry: the user's word that something changed."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser, whole_number
from imghost.errors import ConfigError, HostError, LoginExpired, SomeFailed
from imghost.models import Message, Record, State

if TYPE_CHECKING:
    from imghost.app import App

SUMMARY = "Try again to send what waits, or the uploads with these ids."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add(
        "ids", nargs="*", type=whole_number, metavar="ID", help="also those that failed or ask"
    )


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Have the daemon try, or try here until nothing more may be sent."""
    if context.helper:
        from imghost.cli.client import retry

        retry(context.helper, options.ids)
        context.console.tell("trying again; see imghost status")
        return Answer([])
    with context.app() as app:
        app.retry(options.ids)
        failures = app.drain()
        counts = app.journal.counts()
        context.console.tell(
            "tried: {queued} still queued, {failed} failed; imghost status tells why",
            queued=counts[State.QUEUED],
            failed=counts[State.FAILED],
        )
        asked = {record_id: app.journal.look_up(record_id) for record_id in options.ids}
        failed = [one for one in asked.values() if one and one.state is State.FAILED]
        waits = app.journal.in_states(State.QUEUED, limit=1)
        for record in (*failed, *waits):
            context.console.tell(
                "{name}: {problem}", name=record.name, problem=record.reason or Message("queued")
            )
        code = _code(app, waits[0]) if waits else 0
    if failed:
        failure = SomeFailed if len(asked) > 1 else failures.get(failed[0].id, HostError)
        code = failure.exit_code
    return Answer([], exit_code=lambda: code)


def _code(app: App, waits: Record) -> int:
    """Whether it waits for a setting, a login, or for its host."""
    try:
        app.pipeline().hosts(waits.host)
    except ConfigError as exc:
        return exc.exit_code
    is_held = math.isinf(app.outbox.waits_s(waits))
    return (LoginExpired if is_held else HostError).exit_code
