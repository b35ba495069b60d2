"""imghost resume: take what is copied from now on."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser, minutes

SUMMARY = "Watch again; what was copied or saved meanwhile is left alone."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("minutes", nargs="?", type=minutes, help="for so many minutes only")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Have the daemon watch."""
    from imghost.cli.client import resume

    resume(context.running(), options.minutes)
    if options.minutes:
        context.console.tell("watching for {minutes} minutes", minutes=f"{options.minutes:g}")
    else:
        context.console.tell("watching")
    return Answer([])
