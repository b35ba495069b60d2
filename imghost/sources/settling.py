"""Files wait here until they stand still, so that never half a file is taken."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator

from imghost.keep.seen import Stamp
from imghost.values import dataclass

LOOK_S = 0.3
"""How long a file stands still between two looks."""

RETRIES_S = (0.5, 1.0, 2.0, 4.0)
"""How long what could not be decoded stands still before it is tried again."""

_CLOSED_WITHIN_S = 30.0
_TWICE = (LOOK_S, LOOK_S)


@dataclass(frozen=True, slots=True)
class Still:
    """A file that stood still; `tries` is how often it was tried before.

    `since`: when it was last known to change, or to come.
    """

    path: str
    stamp: Stamp
    tries: int
    since: float


@dataclass(slots=True)
class _Waiting:
    stamp: Stamp
    waits_s: tuple[float, ...]
    tries: int
    since: float
    is_written: bool = False
    look_at: float = 0.0


class Settling:
    """The files that are waited for; times are seconds of a monotonic clock.

    A file stands still when two looks LOOK_S apart find no change. One that somebody writes to is
    looked at when it is closed, or 30 s after its last change. `since` is when what is noted
    happened, which may be known late.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._looks: list[tuple[float, str]] = []

    def __contains__(self, path: str) -> bool:
        return path in self._waiting

    @property
    def next_at(self) -> float:
        """When there is something to look at; infinity if nothing waits."""
        return self._looks[0][0] if self._looks else math.inf

    def begin(
        self, path: str, stamp: Stamp, now: float, since: float, *, age_s: float = 0.0
    ) -> None:
        """Wait for a file; one look is enough if its last change is already LOOK_S old."""
        waits_s = _TWICE if age_s < LOOK_S else (LOOK_S,)
        self._begin(path, now, _Waiting(stamp, waits_s, 0, since))

    def retry(self, still: Still, now: float) -> None:
        """Wait for a file that was tried so often, at most `len(RETRIES_S)` times."""
        waits_s = (RETRIES_S[still.tries - 1],)
        self._begin(still.path, now, _Waiting(still.stamp, waits_s, still.tries, still.since))

    def saw(self, path: str, stamp: Stamp, now: float, since: float) -> None:
        """A waiting file looks like this now; if it changed, its wait begins anew."""
        waiting = self._waiting[path]
        if waiting.stamp != stamp:
            if waiting.stamp.inode != stamp.inode:  # another file: nobody will close that one
                waiting.is_written = False
            waiting.stamp, waiting.waits_s, waiting.tries = stamp, _TWICE, 0
            waiting.since = since
            self._plan(path, waiting, now)

    def wrote(self, path: str, now: float, since: float, *, is_closed: bool) -> None:
        """Somebody wrote to a waiting file, or closed it after that."""
        waiting = self._waiting[path]
        waiting.is_written, waiting.since = not is_closed, since
        self._plan(path, waiting, now)

    def take(self, now: float, look: Callable[[str], Stamp | None]) -> list[Still]:
        """The files that stand still by now, which wait no longer.

        `look` gives a file's stamp, None if it is gone: then nobody waits for it either.
        """
        still = []
        for path in self._due(now):
            waiting, stamp = self._waiting[path], look(path)
            if stamp is None:
                del self._waiting[path]
            elif self._stood(path, waiting, stamp, now):
                del self._waiting[path]
                still.append(Still(path, stamp, waiting.tries, waiting.since))
        return still

    def _begin(self, path: str, now: float, waiting: _Waiting) -> None:
        self._waiting[path] = waiting
        self._plan(path, waiting, now)

    def _plan(self, path: str, waiting: _Waiting, now: float) -> None:
        wait_s = _CLOSED_WITHIN_S if waiting.is_written else waiting.waits_s[0]
        waiting.look_at = now + wait_s
        heapq.heappush(self._looks, (waiting.look_at, path))

    def _due(self, now: float) -> Iterator[str]:
        while self.next_at <= now:
            look_at, path = heapq.heappop(self._looks)
            waiting = self._waiting.get(path)
            if waiting and waiting.look_at == look_at:  # else it was planned anew since
                yield path

    def _stood(self, path: str, waiting: _Waiting, stamp: Stamp, now: float) -> bool:
        if stamp != waiting.stamp:
            self.saw(path, stamp, now, now)
            return False
        if not waiting.is_written:
            waiting.waits_s = waiting.waits_s[1:]
        waiting.is_written = False
        if waiting.waits_s:
            self._plan(path, waiting, now)
        return not waiting.waits_s
