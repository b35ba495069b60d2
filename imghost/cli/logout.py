"""imghost logout: forget the login."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.logging_in import log_out
from imghost.login import LoginFile

SUMMARY = "Forget the login at Bilibili."


def add_arguments(parser: Parser) -> None:
    """What it takes: nothing."""


def run(_options: argparse.Namespace, context: Context) -> Answer:
    """Forget it, and say what that does not undo."""
    for note in log_out(context.source, LoginFile(context.dirs.login)):
        context.console.tell(note)
    return Answer([])
