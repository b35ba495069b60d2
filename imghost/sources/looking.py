"""Where and when watched folders are looked into: where the system tells, and now and then."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from imghost.errors import MachineError
from imghost.keep.seen import Mark, Stamp
from imghost.sources.candidates import is_passed_over
from imghost.sources.file_find import stamp_of
from imghost.sources.finding import Finding
from imghost.sources.observing import Told
from imghost.sources.roots import Arrival, Roots
from imghost.sources.tree import Tree

_LOOK_S, _LOOK_AT_ALL_S = 60.0, 600.0
_SHORT_LOOK_S, _SHORT_LOOK_AT_ALL_S = 3.0, 60.0
_MISSING_S = 1.0
_CHECK_S = 5.0  # nobody tells that a watched folder itself was moved away
_BURST, _SOON_S = 500, 2.0
_TOLD_WITHIN_S = 10.0

log = logging.getLogger(__name__)


class Looking:
    """Shows the files of watched folders to `finding`; `marks` gives what is remembered of them.

    The system may miss something, and does not tell of what happens on the other side of network
    drives: so folders that changed are looked into each minute, and all of them every ten. What
    that finds and nobody told of shows that it is time to ask the system anew. For one thread;
    `now` is its monotonic clock, in seconds.
    """

    def __init__(
        self, roots: Roots, tree: Tree, finding: Finding, marks: Callable[[], Mapping[str, Mark]]
    ) -> None:
        self._roots = roots
        self._tree = tree
        self._finding = finding
        self._marks = marks
        self._arrivals: list[Arrival] = []
        self._takes_existing = False
        self._told = 0
        self._check_at = self._look_at = self._look_at_all_at = math.inf

    @property
    def next_at(self) -> float:
        """When `look` has something to do."""
        return min(self._check_at, self._look_at)

    def watch(self, folders: Sequence[Path], now: float, *, existing: bool) -> None:
        """Look into these folders; `existing`: what is in them is new, unless it was found once."""
        self._takes_existing = existing
        self._roots.change(folders)
        for folder in self._tree:
            if self._roots.of(folder) is None:
                self._tree.leave(folder)
        self._check(now)
        self._begin(now)
        self._plan(now, at_all=True)

    def told(self, path: str, what: Told, now: float, since: float) -> None:
        """The system tells of a path what happened then."""
        self._told += 1
        if self._told == _BURST:  # it may have lost some
            self._look_at_all_at = self._look_at = min(self._look_at, now + _SOON_S)
        folder, name = os.path.split(path)
        if what is Told.FOLDER_GONE:
            self._roots.gone(path)
            self._check_at = now
        elif what is Told.FOLDER:
            self._told_of_folder(path, now, since)
        elif folder not in self._tree:
            self._told_of_folder(folder, now, since)
        elif not is_passed_over(name) and (stamp := stamp_of(path)):
            self._finding.see(path, stamp, now, since)
            if what is not Told.APPEARED:
                self._finding.wrote(path, now, since, is_closed=what is Told.CLOSED)

    def look(self, now: float) -> None:
        """Do what is due."""
        if now >= self._look_at:
            self._look(now, at_all=now >= self._look_at_all_at)
        elif now >= self._check_at:
            self._check(now)

    def look_at_all(self, now: float) -> None:
        """Look at every file."""
        self._look(now, at_all=True)

    def _look(self, now: float, *, at_all: bool) -> None:
        self._check(now)
        missed = self._see_all(now) if at_all else self._see(self._tree.look_around(), now)
        self._begin(now)
        self._plan(now, at_all=at_all)
        if not self._roots.is_short and any(map(_should_have_been_told, missed)):
            self._roots.observe_anew()
            self._look_at = now + _SOON_S

    def _see_all(self, now: float) -> list[str]:
        present: dict[str, Stamp] = {}
        failures = self._tree.failures
        for root in filter(self._tree.__contains__, self._roots.outermost):
            present.update(self._tree.look_into(root, thoroughly=True))
        news = self._see(present.items(), now)
        if self._tree.failures == failures:  # else what is old would be new again some day
            self._finding.keep(present.keys())
        return news

    def _plan(self, now: float, *, at_all: bool) -> None:
        self._told = 0
        self._look_at = now + (_SHORT_LOOK_S if self._roots.is_short else _LOOK_S)
        if at_all:
            look_at_all_s = _SHORT_LOOK_AT_ALL_S if self._roots.is_short else _LOOK_AT_ALL_S
            self._look_at_all_at = now + look_at_all_s

    def _check(self, now: float) -> None:
        for arrival in self._roots.check():
            self._tree.leave(arrival.path)
            self._arrivals.append(arrival)
        self._check_at = now + (_CHECK_S if self._roots.is_complete else _MISSING_S)
        if self._roots.is_short:
            self._look_at = min(self._look_at, now + _SHORT_LOOK_S)
        self._begin(now)

    def _begin(self, now: float) -> None:
        """Look into what arrived."""
        self._arrivals += map(Arrival, self._tree.apart)
        self._tree.apart.clear()
        try:
            while self._arrivals:
                self._begin_with(self._arrivals[0], self._marks(), now)
                del self._arrivals[0]
        except MachineError as exc:
            log.warning("a watched folder is not looked into yet: %s", exc)
            self._check_at = min(self._check_at, now + _MISSING_S)

    def _begin_with(self, arrival: Arrival, marks: Mapping[str, Mark], now: float) -> None:
        """What is there is old unless it came after the arrival's time, or is to be taken."""
        for path, stamp in self._tree.look_into(arrival.path, thoroughly=True):
            self._finding.see_arrived(
                path,
                stamp,
                marks.get(path),
                now,
                is_wanted=self._takes_existing,
                is_newer=arrival.since < math.inf and _came_at(path) > arrival.since,
            )

    def _told_of_folder(self, folder: str, now: float, since: float) -> None:
        while folder not in self._tree:  # a new one: what is around it has changed
            around = os.path.split(folder)[0]
            if around == folder:
                return
            folder = around
        self._see(self._tree.look_into(folder), now, since)

    def _see(
        self, files: Iterable[tuple[str, Stamp]], now: float, since: float | None = None
    ) -> list[str]:
        """See them all; which of them are news."""
        return [path for path, stamp in files if self._finding.see(path, stamp, now, since)]


def _should_have_been_told(path: str) -> bool:
    return _came_at(path) < time.time() - _TOLD_WITHIN_S


def _came_at(path: str) -> float:
    """When a file came to be where it is, or was changed; of one that is gone, not a number."""
    try:
        return os.lstat(path).st_ctime
    except OSError:
        return math.nan
