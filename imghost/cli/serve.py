"""imghost serve: the server alone, for a machine without a desktop."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser

SUMMARY = "Serve the built-in host's images and send what waits, until stopped."


def add_arguments(parser: Parser) -> None:
    """What it takes: nothing."""


def run(_options: argparse.Namespace, context: Context) -> Answer:
    """Serve until a signal or imghost stop."""
    from imghost.daemon import Daemon

    console = context.console
    context.start_log()
    daemon = Daemon(context.dirs, context.source, context.config, console.say, tell=console.tell)
    daemon.run(
        lambda url, _: console.tell("serving at {url}; Ctrl-C or imghost stop ends it", url=url)
    )
    console.tell("stopped")
    return Answer([])
