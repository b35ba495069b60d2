"""imghost pause: take nothing for a while."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser, minutes

SUMMARY = "Take nothing that is copied or saved, until imghost resume."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("minutes", nargs="?", type=minutes, help="for so many minutes only")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Have the daemon pause."""
    from imghost.cli.client import pause

    pause(context.running(), options.minutes)
    if options.minutes:
        context.console.tell("paused for {minutes} minutes", minutes=f"{options.minutes:g}")
    else:
        context.console.tell("paused; imghost resume goes on")
    return Answer([])
