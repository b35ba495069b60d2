"""How large a sweep is, where its chance comes from, and the figures that it found."""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
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


@dataclass(frozen=True)
class End:
    """How tests ended: passed, failed or skipped; `why` they were skipped."""

    outcome: str
    why: str = ""
    is_sweep: bool = True


class LongForm:
    """The plugin by which `python -m tests.faults` makes sweeps large, and hears how all ended.

    `elsewhere` gives the rows that a test without a mark proves, by its node id.
    """

    def __init__(self, seed: int, elsewhere: Callable[[str], Sequence[int]]) -> None:
        self.seed = seed
        self.figures: list[Figure] = []
        self.ends: dict[int, Counter[End]] = defaultdict(Counter)
        self._elsewhere = elsewhere
        self._marked: dict[str, int] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """Be found by the sweeps."""
        config.stash[_FORM] = self

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Know the row of each sweep."""
        if marker := item.get_closest_marker("row"):
            self._marked[item.nodeid] = marker.args[0]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the tests of each row by how they ended."""
        if report.when != "call" and report.passed:
            return
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        row = self._marked.get(report.nodeid)
        for number in [row] if row else self._elsewhere(report.nodeid):
            self.ends[number][End(report.outcome, why.removeprefix("Skipped: "), bool(row))] += 1

    def missing(self, rows: Iterable[int]) -> list[str]:
        """What makes the form less than whole, which is to prove these rows."""
        skipped = [
            f"row {row}: {count} skipped: {end.why}"
            for row, ends in sorted(self.ends.items())
            for end, count in ends.items()
            if end.outcome == "skipped"
        ]
        unproved = [row for row in rows if not self._passed(row)]
        return [*skipped, *(f"row {row}: no test of it passed" for row in unproved)]

    def _passed(self, row: int) -> int:
        return sum(count for end, count in self.ends[row].items() if end.outcome == "passed")


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
