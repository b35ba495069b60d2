"""How large a sweep is, where its chance comes from, and the figures that it found."""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

import pytest

T = TypeVar("T")

QUICK_SEED = 1
_PATIENCE = 4


@dataclass(frozen=True)
class Figure:
    """What one sweep saw: after `events` things, `checked` pictures were there, none was lost.

    `twice`: how many of them a host got twice, None where that was not counted. `longest_s` is the
    longest time from an event until all was well again, None if that was not measured; `more` is
    any further figure, in words.
    """

    row: int
    what: str
    events: int
    checked: int
    twice: int | None = None
    longest_s: float | None = None
    more: str = ""


@dataclass
class Trial:
    """One sweep for a row of the fault table; `chance` is all the chance that it may use."""

    row: int
    seed: int
    is_long: bool
    figures: list[Figure]
    chance: random.Random = field(init=False)
    longest_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.row} {self.seed}")

    def size(self, quick: T, long: T) -> T:
        """How many, in the form that runs."""
        return long if self.is_long else quick

    def bound_s(self, figure_s: float) -> float:
        """The fault table's figure in the long form, which has the machine for itself.

        The quick form runs wherever the tests run, beside whatever: it sees what hangs.
        """
        return figure_s if self.is_long else _PATIENCE * figure_s

    @contextmanager
    def recovering(self) -> Iterator[None]:
        """Until all is well again: the longest of these times is a figure."""
        begun = monotonic()
        yield
        self.longest_s = max(self.longest_s, monotonic() - begun)

    def note(
        self, what: str, events: int, *, checked: int, twice: int | None = None, more: str = ""
    ) -> None:
        """Have the figures in the table; a sweep in which nothing happened proves nothing.

        `checked`: how many pictures `Home.check` found to be well, 0 where none was accepted.
        """
        assert events > 0
        longest_s = self.longest_s or None
        self.figures.append(Figure(self.row, what, events, checked, twice, longest_s, more))


class LongForm:
    """The plugin by which `python -m tests.faults` makes sweeps large, and hears their figures.

    `rows` gives the rows that a test proves, by its node id.
    """

    def __init__(self, seed: int, rows: Callable[[str], Iterable[int]]) -> None:
        self.seed = seed
        self.figures: list[Figure] = []
        self.passed: dict[int, int] = defaultdict(int)
        self.failed: dict[int, int] = defaultdict(int)
        self._rows = rows

    def pytest_configure(self, config: pytest.Config) -> None:
        """Be found by the sweeps."""
        config.stash[_FORM] = self

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the tests of each row by how they ended."""
        if report.when == "call" or report.failed:
            counts = self.passed if report.passed else self.failed
            for row in self._rows(report.nodeid):
                counts[row] += 1


def trial_for(request: pytest.FixtureRequest) -> Trial:
    """The trial of a test that is marked with its row; how to repeat it is printed if it fails."""
    marker = request.node.get_closest_marker("row")
    assert marker, "a sweep says which row of the fault table it is for"
    form = request.config.stash.get(_FORM, None)
    seed = form.seed if form else QUICK_SEED
    again = f"python -m tests.faults --seed {seed} {request.node.nodeid}"
    sys.stdout.write(f"{again}\n" if form else f"seed {seed}, quick form\n")
    return Trial(marker.args[0], seed, form is not None, form.figures if form else [])


_FORM = pytest.StashKey[LongForm]()
