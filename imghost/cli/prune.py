"""imghost prune: make room by letting old originals go."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from imghost.cli.console import Answer, Console, Item
from imghost.cli.context import Context
from imghost.cli.history import span_s
from imghost.cli.parser import Parser
from imghost.errors import UsageError
from imghost.text import size_text

SUMMARY = "Delete old originals; links and history stay."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add(
        "--older-than",
        type=span_s,
        required=True,
        metavar="90d",
        help="only originals kept longer than this",
    )
    parser.add(
        "--all", action="store_true", help="also those that posts use, or whose links are dead"
    )
    parser.add("--yes", action="store_true", help="do not ask")
    parser.add("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Say how many originals that are and how large, ask, and delete them."""
    from imghost.forget import prunable, prune

    console = context.console
    with context.app() as app:
        found = prunable(app, options.older_than, use_all=options.all)
        told: dict[str, str | float] = {
            "n": len(found),
            "size": size_text(sum(found.values())),
        }
        console.tell("originals that can be deleted: {n}, {size} in all", **told)
        if found and not options.yes:
            if not console.asked:
                raise UsageError("nothing was deleted, for nobody can be asked here; add --yes")
            if not console.ask("Delete them? [y/N]"):
                return Answer([_item(console, {})], one=True)
        gone = prune(app, found, use_all=options.all)
    return Answer([_item(console, gone)], one=True)


def _item(console: Console, gone: Mapping[str, int]) -> Item:
    originals, size_bytes = len(gone), sum(gone.values())
    line = console.say("{n} originals deleted, {size}", n=originals, size=size_text(size_bytes))
    return Item(line, lambda: {"originals": originals, "size_bytes": size_bytes})
