"""Watched folders: each new image below them is found once, when it stands still."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from imghost.keep.seen import Seen
from imghost.models import Message
from imghost.sources.candidates import looks_like_an_image
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.finding import Finding
from imghost.sources.looking import Looking
from imghost.sources.memory import Memory
from imghost.sources.observing import Observing, Told
from imghost.sources.off_limits import NOTHING, OffLimits
from imghost.sources.roots import Roots
from imghost.sources.settling import RETRIES_S
from imghost.sources.tree import Tree
from imghost.survival import Survival, nobody

__all__ = ["FileFind", "Folders", "looks_like_an_image"]

Wish = Callable[[float], None]

_GATHER_S = 0.05
_ANSWER_S = 5.0


class Folders:
    """Watches folders, and calls `found` with each new image file, on its own thread.

    `found` and `tell` must return at once; `tell` is given what the user should know. Whoever is
    given a find says `settled` or `again` of it, from any thread: until it is settled it is found
    anew by the next run. `besides` are folders that are never looked into, `off_limits` files that
    are never opened; `expect` is told how many images are waited for from now on. The other methods
    may be called from any thread but this one's; what they ask for is done when they return, or
    soon if a drive does not answer.
    """

    def __init__(
        self,
        seen: Seen,
        found: Callable[[FileFind], None],
        tell: Callable[[Message], None],
        *,
        besides: Sequence[Path] = (),
        off_limits: OffLimits = NOTHING,
        expect: Callable[[int], object] = nobody,
        survive: Survival | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._survive = survive or Survival()
        self._clock = clock
        self._tell = tell
        self._expect = expect
        self._images = 0
        self._memory = Memory(seen)
        self._observing = Observing(self._told)
        self._roots = Roots(self._observing, tell)
        self._finding = Finding(self._memory, self._roots.of, found, off_limits)
        tree = Tree(str(folder.resolve()) for folder in besides)
        self._looking = Looking(self._roots, tree, self._finding, self._memory.marks)
        self._changed = threading.Condition()
        self._news: dict[str, tuple[Told, float]] = {}
        self._wishes: list[Wish] = []
        self._closing = threading.Event()
        # A daemon thread: a drive that does not answer must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="imghost-folders", daemon=True)

    def watch(self, folders: Sequence[Path], *, existing: bool) -> None:
        """Watch these folders and all below them, and no others any more.

        What is in a folder when that begins is left alone, or is new too if `existing`; what an
        earlier run found and did not settle is always new.
        """
        if not self._thread.is_alive():
            self._thread.start()
        self._ask(partial(self._looking.watch, folders, existing=existing))

    def problems(self) -> list[Message]:
        """What is wrong with watched folders now, and why files in them wait."""
        return [*self._roots.problems, *filter(None, [self._memory.problem])]

    def pause(self) -> None:
        """Hand on nothing; what was found before waits."""
        self._ask(self._pause)

    def resume(self) -> None:
        """Go on; what came since the pause is left alone."""
        self._ask(self._resume)

    def settled(self, find: FileFind) -> None:
        """The file was taken, or never will be: it is not found again unless it changes."""
        self._wish(partial(self._finding.settled, find))

    def again(self, find: FileFind) -> bool:
        """The file could not be decoded: have it found again when it stood still for longer.

        Whether it will be; if not, that was its last time, or it is gone, and it is settled.
        """
        there = stamp_of(str(find.path))
        is_over = there is None or (there == find.stamp and find.tries >= len(RETRIES_S))
        self._wish(partial(self._finding.settled if is_over else self._finding.again, find))
        return not is_over

    def close(self) -> None:
        """Watch nothing any more; what is not settled is found anew by the next run."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(_ANSWER_S)

    def _told(self, path: str, what: Told) -> None:
        with self._changed:
            self._news[path] = what, self._clock()
            self._changed.notify()

    def _wish(self, wish: Wish) -> None:
        with self._changed:
            self._wishes.append(wish)
            self._changed.notify()

    def _ask(self, wish: Wish) -> None:
        done = threading.Event()

        def ask(now: float) -> None:
            wish(now)
            done.set()

        self._wish(ask)
        if self._thread.is_alive():
            done.wait(_ANSWER_S)

    def _pause(self, _now: float) -> None:
        self._finding.is_paused = True

    def _resume(self, now: float) -> None:
        self._looking.look_at_all(now)
        self._finding.is_paused = False

    def _run(self) -> None:
        while not self._closing.is_set():
            self._survive(self._round, *self._awaited())
            self._closing.wait(_GATHER_S)  # what comes together is noted together
        self._survive(self._round, *self._taken())
        self._observing.close()

    def _round(self, news: Mapping[str, tuple[Told, float]], wishes: Sequence[Wish]) -> None:
        now = self._clock()
        for path, (what, since) in news.items():
            self._looking.told(path, what, now, since)
        for wish in wishes:
            wish(now)
        if self._closing.is_set():
            self._memory.write(now)
        else:
            self._looking.look(now)
            self._say_expected()
            self._hand_on(now)

    def _say_expected(self) -> None:
        before, self._images = self._images, self._finding.images
        if self._images > before and not self._finding.is_paused:
            self._expect(self._images - before)

    def _hand_on(self, now: float) -> None:
        had_problem = self._memory.problem is not None
        self._finding.hand_on(now)
        problem = self._memory.problem
        if problem and not had_problem and not self._closing.is_set():
            self._tell(problem)

    def _awaited(self) -> tuple[Mapping[str, tuple[Told, float]], Sequence[Wish]]:
        next_s = min(self._looking.next_at, self._finding.next_at) - self._clock()
        with self._changed:
            self._changed.wait_for(self._has_work, None if next_s == math.inf else max(0.0, next_s))
        return self._taken()

    def _has_work(self) -> bool:
        return bool(self._news or self._wishes or self._closing.is_set())

    def _taken(self) -> tuple[Mapping[str, tuple[Told, float]], Sequence[Wish]]:
        with self._changed:
            news, self._news = self._news, {}
            wishes, self._wishes = self._wishes, []
        return news, wishes
