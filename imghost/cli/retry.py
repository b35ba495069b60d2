"""imghost retry: the user's word that something changed."""

from __future__ import annotations

import argparse
import math

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser, whole_number
from imghost.errors import HostError, LoginExpired
from imghost.models import Message, State

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
        app.drain()
        counts = app.journal.counts()
        context.console.tell(
            "tried: {queued} still queued, {failed} failed; imghost status tells why",
            queued=counts[State.QUEUED],
            failed=counts[State.FAILED],
        )
        waits = app.journal.in_states(State.QUEUED, limit=1)
        for record in waits:
            context.console.tell(
                "{name}: {problem}", name=record.name, problem=record.reason or Message("queued")
            )
        held = any(math.isinf(app.outbox.waits_s(record)) for record in waits)
    code = (LoginExpired if held else HostError).exit_code if waits else 0
    return Answer([], exit_code=lambda: code)
