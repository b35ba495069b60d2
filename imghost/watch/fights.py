"""A program that puts its picture back, in ever new bytes, whenever a link took its place."""

from __future__ import annotations

import threading
from collections.abc import Callable

from imghost.pipeline import Ready
from imghost.watch.same_picture import SamePicture, Seen

TIMES_AT_MOST, WITHIN_S = 6, 30.0


class Fights:
    """What was copied lately, for the pictures of it that come too often; `clock` is monotonic.

    Safe from several threads at once.
    """

    def __init__(self, same_picture: SamePicture, clock: Callable[[], float]) -> None:
        self._same_picture = same_picture
        self._clock = clock
        self._lock = threading.Lock()
        self._lately: list[tuple[float, Seen]] = []

    def goes_on(self, ready: Ready) -> bool:
        """Whether this was copied so often, whatever its bytes, that no person can have done it.

        It is looked into only when there are as many of its size: that takes its time.
        """
        now, mine = self._clock(), Seen.of(ready)
        with self._lock:
            former = [
                (at, seen)
                for at, seen in self._lately
                if now - at < WITHIN_S and seen.size_px == mine.size_px
            ]
            self._lately = [*former, (now, mine)]
        if len(former) < TIMES_AT_MOST:
            return False
        if self._same_picture(former[-1][1], mine, ready):
            return True
        with self._lock:
            self._lately = [(now, mine)]
        return False
