"""imghost autostart: watch from the beginning of each session."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser

SUMMARY = "Start imghost watch with your session, or no longer."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("switch", choices=("on", "off"), help="on or off")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Write or remove what the desktop starts."""
    from imghost.desk import autostart_off, autostart_on

    if options.switch == "on":
        written = autostart_on(context.named_config, context.environ.get("IMGHOST_HOME", ""))
        context.console.tell("imghost starts with your session now: {place}", place=written.where)
        for variable in written.lacks:
            context.console.tell(
                "{variable} could not be written there: set it for your whole account, or imghost "
                "starts without it",
                variable=variable,
            )
    elif autostart_off():
        context.console.tell("imghost does not start with your session any more")
    else:
        context.console.tell("imghost did not start with your session")
    return Answer([])
