"""imghost stop: end the background process."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.door import daemon_lock
from imghost.errors import DaemonError

SUMMARY = "End the running imghost."
_STOP_S = 10.0


def add_arguments(parser: Parser) -> None:
    """What it takes: nothing."""


def run(_options: argparse.Namespace, context: Context) -> Answer:
    """Ask it to end, and wait until it has."""
    door = context.daemon
    if door is None:
        raise DaemonError("there is nothing to stop: no imghost is running")
    from imghost.cli.client import stop

    stop(door)
    with daemon_lock(context.dirs) as lock:
        if not lock.acquire(shared=True, wait_s=_STOP_S):
            raise DaemonError(
                "imghost (process {pid}) has not ended after {wait_s} s; end that process",
                pid=door.pid,
                wait_s=_STOP_S,
            )
    context.console.tell("stopped")
    return Answer([])
