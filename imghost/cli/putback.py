"""imghost putback: the picture again, instead of its link."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser

SUMMARY = "Put back onto the clipboard the picture that its link replaced."


def add_arguments(parser: Parser) -> None:
    """What it takes: nothing."""


def run(_options: argparse.Namespace, context: Context) -> Answer:
    """Have the daemon put it back."""
    from imghost.cli.client import put_back

    put_back(context.running())
    context.console.tell("the picture is on the clipboard again")
    return Answer([])
