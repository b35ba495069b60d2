"""Command-line arguments, with help and errors in the user's language."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from imghost.errors import UsageError
from imghost.text import Speaker

_HOUR_S = 3600.0

_ERRORS = (
    (r"unrecognized arguments: (?P<words>.*)", "unknown: {words}; see {command} --help"),
    (
        r"the following arguments are required: (?P<words>.*)",
        "{words} must be given; see {command} --help",
    ),
    (r"argument (?P<name>.*): expected .*", "{name} needs a value after it; see {command} --help"),
    (
        r"argument (?P<name>.*): invalid choice: (?P<value>.*) \(choose from (?P<known>.*)\)",
        "{name} cannot be {value}; choose from {known}",
    ),
    (
        r"argument (?P<name>.*): invalid span_s value: (?P<value>.*)",
        "{name} cannot be {value}; write it as 30m, 1h or 7d",
    ),
    (
        r"argument (?P<name>.*): invalid minutes value: (?P<value>.*)",
        "{name} cannot be {value}; write a number of minutes, such as 30",
    ),
    (
        r"argument (?P<name>.*): invalid .* value: (?P<value>.*)",
        "{name} cannot be {value}; see {command} --help",
    ),
)
"""What argparse says, and how we say it."""


def whole_number(text: str) -> int:
    """A number as the journal can hold it. Raises ValueError."""
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError(text)
    return number


def minutes(text: str) -> float:
    """A time of more than nothing, up to a year. Raises ValueError."""
    from imghost.server.asked import MAX_MINUTES

    number = float(text)
    if not 0 < number <= MAX_MINUTES:
        raise ValueError(text)
    return number


def seconds(text: str) -> float:
    """A time to wait, up to an hour. Raises ValueError."""
    number = float(text)
    if not 0 <= number <= _HOUR_S:
        raise ValueError(text)
    return number


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks; its mistakes are UsageErrors."""

    def __init__(self, prog: str, summary: str, say: Speaker) -> None:
        super().__init__(
            prog=prog,
            description=say(summary),
            add_help=False,
            allow_abbrev=False,
            formatter_class=lambda prog: _Formatter(prog, say("usage:") + " "),
        )
        self.say = say
        self.group = self.add_argument_group(say("arguments"))
        self.add("-h", "--help", action="help", help="show this help and end")

    def add(self, *names: str, help: str, **options: Any) -> None:  # noqa: A002, ANN401 - as argparse
        """Add an argument; its help is translated."""
        self.group.add_argument(*names, help=self.say(help), **options)

    def add_output(self) -> None:
        """Add how results are told."""
        self.add("--json", action="store_true", help="print JSON")
        self.add("--quiet", action="store_true", help="say only what went wrong")

    def add_target(self, wait_s: float) -> None:
        """Add where pictures go, and how long that is tried unless the user says so."""
        self.add("--host", default="", help="where to, instead of the configured host")
        self.add("--bucket", default="", help="the host's bucket")
        self.add(
            "--wait",
            type=seconds,
            default=wait_s,
            help="how long to try a failing host again, in seconds",
        )

    def parse(self, words: list[str]) -> argparse.Namespace:
        """The arguments, inputs and options in whatever order. Raises UsageError."""
        try:
            return self.parse_args(words)
        except UsageError:
            return self.parse_intermixed_args(words)  # slower, and seldom needed

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found wrong as a UsageError."""
        for pattern, template in _ERRORS:
            if found := re.fullmatch(pattern, message, re.DOTALL):
                raise UsageError(template, **found.groupdict(), command=self.prog)
        raise UsageError("{detail}; see {command} --help", detail=message, command=self.prog)


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str, usage: str) -> None:
        super().__init__(prog, max_help_position=30)
        self._usage = usage

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, prefix or self._usage)
