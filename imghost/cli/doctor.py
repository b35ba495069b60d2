"""imghost doctor: try everything, and say what to do where it fails."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import ConfigError

if TYPE_CHECKING:
    from imghost.doctor.trial import Case, Finding

SUMMARY = "Try everything that imghost needs, and say what to do where it fails."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("--yes", action="store_true", help="do not ask before a tiny picture is published")
    parser.add("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Ask where a picture may be published, then try one thing after the other."""
    from imghost.doctor.trial import exit_code

    found: list[Finding] = []
    case = _case(context, agrees_to_all=options.yes)
    return Answer(_items(case, context, found), exit_code=lambda: exit_code(found))


def _items(case: Case, context: Context, found: list[Finding]) -> Iterator[Item]:
    from imghost.doctor.trial import Verdict
    from imghost.doctor.trials import TRIALS

    console = context.console
    lines = {
        Verdict.FINE: "{title}: fine; {told}",
        Verdict.WRONG: "{title}: WRONG: {told}",
        Verdict.NOT_TRIED: "{title}: not tried: {told}",
    }
    for trial in TRIALS:
        console.bar(console.say("trying: {title}", title=trial.title))
        finding = trial.run(case)
        found.append(finding)
        told = {
            "name": finding.name,
            "verdict": str(finding.verdict),
            "told": console.say(finding.message),
        }
        line = console.say(lines[finding.verdict], title=finding.title, told=finding.message)
        yield Item(line, partial(dict, told))


def _case(context: Context, *, agrees_to_all: bool) -> Case:
    from dataclasses import replace

    from imghost.cli.client import status
    from imghost.doctor.hosts import hosts_that_publish
    from imghost.doctor.trial import Case

    try:
        config = context.config
    except ConfigError:  # its trial tells
        config = None
    case = Case(
        context.environ,
        context.dirs,
        context.source,
        config,
        context.daemon,
        context.helper is not None,
        status,
        frozenset(),
    )
    agreed = (name for name in hosts_that_publish(case) if agrees_to_all or _agrees(name, context))
    return replace(case, agreed=frozenset(agreed))


def _agrees(name: str, context: Context) -> bool:
    return context.console.asked and context.console.ask(
        "May a tiny picture be published at {host}, and be deleted again if {host} can? [y/N]",
        host=name,
    )
