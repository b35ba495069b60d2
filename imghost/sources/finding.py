"""Which files are new: noted, waited for until they stand still, and handed on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from imghost.errors import ImageError, SourceError
from imghost.keep.seen import Mark, Stamp
from imghost.sources.candidates import Verdict, judge, looks_like_an_image
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.memory import Memory
from imghost.sources.off_limits import NOTHING, OffLimits
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
        off_limits: OffLimits = NOTHING,
    ) -> None:
        self._memory = memory
        self._folder_of = folder_of
        self._found = found
        self._off_limits = off_limits
        self._settling = Settling()
        self._out: dict[str, FileFind] = {}
        self.images = 0
        """How many files with names of images were waited for so far."""
        self.is_paused = False

    @property
    def next_at(self) -> float:
        """When `hand_on` has something to do."""
        if self.is_paused or self._memory.next_at < math.inf:
            return self._memory.next_at
        return self._settling.next_at

    def see(self, path: str, stamp: Stamp, now: float, since: float | None = None) -> bool:
        """A file is there, or still there; whether that is news.

        `since`: when that was so, if it was not just now.
        """
        since = now if since is None else since
        if path in self._settling:
            self._settling.saw(path, stamp, now, since)
            return False
        if path in self._out or self._memory.is_old(path, stamp):
            return False
        if self.is_paused:
            self._memory.settle(path, stamp)
        else:
            self._await(path, stamp, now, since)
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
            self._await(path, stamp, now, now)
        elif is_newer and not is_settled:
            self.see(path, stamp, now)
        else:
            self._memory.leave(path, stamp)

    def wrote(self, path: str, now: float, since: float, *, is_closed: bool) -> None:
        """Somebody wrote to a file then, or closed it after that."""
        if path in self._settling:
            self._settling.wrote(path, now, since, is_closed=is_closed)

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
                self._settling.retry(Still(path, there, find.tries + 1, find.since), now)
            else:
                self._await(path, there, now, now)

    def keep(self, present: Collection[str]) -> None:
        """These files are in the watched folders, and no others."""
        self._memory.keep(present, self._is_gone)

    def _is_gone(self, path: str) -> bool:
        waits = path in self._settling or path in self._out
        return not waits and self._folder_of(path) is not None

    def _await(self, path: str, stamp: Stamp, now: float, since: float) -> None:
        self._memory.note_due(path, stamp)
        self.images += looks_like_an_image(path)
        self._settling.begin(path, stamp, now, since, age_s=time.time() - stamp.mtime_ns / 1e9)

    def _offer(self, still: Still, now: float) -> None:
        path, stamp, tries = still.path, still.stamp, still.tries
        if (folder := self._folder_of(path)) is None:
            return
        find = FileFind(folder, Path(path), stamp, tries, still.since, self._off_limits)
        verdict = _judged(find)
        if verdict is Verdict.UNSURE and tries < len(RETRIES_S):
            self._settling.retry(replace(still, tries=tries + 1), now)
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
    except ImageError:  # it is told when it is loaded
        return Verdict.IMAGE if looks_like_an_image(find.path.name) else Verdict.OTHER
    except SourceError:  # it changed just now, or whoever writes it shares it with nobody
        return Verdict.UNSURE


def _is_to_be_told(find: FileFind) -> bool:
    """Whether somebody will wonder what became of a file that could not be read."""
    return find.stamp.size_bytes > 0 and looks_like_an_image(find.path.name)
