"""Which files are new: noted, waited for until they stand still, and handed on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from pathlib import Path

from imghost.errors import SourceError
from imghost.keep.seen import Mark, Stamp
from imghost.sources.candidates import Verdict, judge, looks_like_an_image
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.memory import Memory
from imghost.sources.settling import RETRIES_S, Settling, Still


class Finding:
    """Hands each new file to `found`; `folder_of` gives the watched folder around a path.

    For one thread; `now` is its monotonic clock, in seconds. While `is_paused`, nothing is handed
    on, and what comes is old at once.
    """

    def __init__(
        self,
        memory: Memory,
        folder_of: Callable[[str], Path | None],
        found: Callable[[FileFind], None],
    ) -> None:
        self._memory = memory
        self._folder_of = folder_of
        self._found = found
        self._settling = Settling()
        self._out: dict[str, FileFind] = {}
        self.is_paused = False

    @property
    def next_at(self) -> float:
        """When `hand_on` has something to do."""
        if self.is_paused or self._memory.next_at < math.inf:
            return self._memory.next_at
        return self._settling.next_at

    def see(self, path: str, stamp: Stamp, now: float) -> bool:
        """A file is there, or still there; whether that is news."""
        if path in self._settling:
            self._settling.saw(path, stamp, now)
            return False
        if path in self._out or self._memory.is_old(path, stamp):
            return False
        if self.is_paused:
            self._memory.settle(path, stamp)
        else:
            self._await(path, stamp, now)
        return True

    def see_arrived(
        self,
        path: str,
        stamp: Stamp,
        mark: Mark | None,
        now: float,
        *,
        is_wanted: bool,
        is_newer: bool,
    ) -> None:
        """A file is in a folder that was not there, or not watched; its mark is from earlier.

        `is_wanted`: also what is old is new. `is_newer`: it is younger than the last look for it.
        """
        is_settled = mark is not None and not mark.is_due and mark.stamp.resembles(stamp)
        if path in self._settling or path in self._out:
            self.see(path, stamp, now)
        elif (mark and mark.is_due) or (is_wanted and not is_settled):
            self._await(path, stamp, now)
        elif is_newer and not is_settled:
            self.see(path, stamp, now)
        else:
            self._memory.leave(path, stamp)

    def wrote(self, path: str, now: float, *, is_closed: bool) -> None:
        """Somebody writes to a file, or has closed it after that."""
        if path in self._settling:
            self._settling.wrote(path, now, is_closed=is_closed)

    def hand_on(self, now: float) -> None:
        """Hand on what stands still, once all that was found is noted."""
        if self._memory.write(now) and not self.is_paused:
            for still in self._settling.take(now, stamp_of):
                self._offer(still, now)

    def settled(self, find: FileFind, now: float) -> None:
        """Whoever got the find is done with it."""
        if path := self._back(find):
            there = stamp_of(path)
            if there is None:
                self._memory.forget(path)  # a file of another name may have its stamp
            else:
                self._memory.settle(path, find.stamp)
                self.see(path, there, now)

    def again(self, find: FileFind, now: float) -> None:
        """Whoever got the find wants it later."""
        if (path := self._back(find)) and (there := stamp_of(path)):
            if there == find.stamp:
                self._settling.retry(path, there, now, find.tries + 1)
            else:
                self._await(path, there, now)

    def keep(self, present: Collection[str]) -> None:
        """These files are in the watched folders, and no others."""
        self._memory.keep(present, self._is_gone)

    def _is_gone(self, path: str) -> bool:
        waits = path in self._settling or path in self._out
        return not waits and self._folder_of(path) is not None

    def _await(self, path: str, stamp: Stamp, now: float) -> None:
        self._memory.note_due(path, stamp)
        self._settling.begin(path, stamp, now, age_s=time.time() - stamp.mtime_ns / 1e9)

    def _offer(self, still: Still, now: float) -> None:
        path, stamp, tries = still.path, still.stamp, still.tries
        if (folder := self._folder_of(path)) is None:
            return
        find = FileFind(folder, Path(path), stamp, tries)
        verdict = _judged(find)
        if verdict is Verdict.UNSURE and tries < len(RETRIES_S):
            self._settling.retry(path, stamp, now, tries + 1)
        elif verdict is Verdict.IMAGE or (verdict is Verdict.UNSURE and _is_to_be_told(find)):
            self._out[path] = find
            self._found(find)
        else:
            self._memory.settle(path, stamp)

    def _back(self, find: FileFind) -> str:
        """The path of a find that was handed on, which it is no longer; empty for any other."""
        path = str(find.path)
        if self._out.get(path) != find:
            return ""
        del self._out[path]
        return path


def _judged(find: FileFind) -> Verdict:
    try:
        return judge(find.path.name, find.head())
    except SourceError:  # it changed just now, or whoever writes it shares it with nobody
        return Verdict.UNSURE


def _is_to_be_told(find: FileFind) -> bool:
    """Whether somebody will wonder what became of a file that could not be read."""
    return find.stamp.size_bytes > 0 and looks_like_an_image(find.path.name)
