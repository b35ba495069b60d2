"""What was seen and not taken, with the reason, for a person who wonders."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field, replace
from itertools import count

from imghost.models import Message
from imghost.values import dataclass

_KEPT = 50
_MAX_HELD_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """One thing that was not taken; `at` is in seconds since the epoch.

    `number` tells it apart from the others. `thing` is what would be taken all the same, for who
    put it here to know, and holds so many bytes in memory; None is never taken.
    """

    number: int
    name: str
    reason: Message
    at: float
    thing: object = field(repr=False)
    held_bytes: int = 0


class LeftAlones:
    """The latest of them, the newest last; safe from several threads at once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._latest: deque[LeftAlone] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, name: str, reason: Message, thing: object = None, held_bytes: int = 0) -> None:
        """This was left alone; `thing` would be taken at the user's word.

        Of those that hold more than 100 MB together the older ones cannot be taken any more.
        """
        left = LeftAlone(next(self._numbers), name, reason, self._clock(), thing, held_bytes)
        with self._lock:
            held = left.held_bytes
            for place in reversed(range(len(self._latest))):
                held += self._latest[place].held_bytes
                if held > _MAX_HELD_BYTES and self._latest[place].held_bytes:
                    self._latest[place] = replace(self._latest[place], thing=None, held_bytes=0)
            self._latest.append(left)

    def drop(self, thing: object) -> None:
        """This is taken now."""
        for left in self.latest():
            if left.thing == thing:
                self.pop(left.number)

    def pop(self, number: int) -> LeftAlone | None:
        """One of them, which is none any more; None if it has gone already."""
        with self._lock, suppress(StopIteration):
            left = next(left for left in self._latest if left.number == number)
            self._latest.remove(left)
            return left
        return None

    def latest(self) -> list[LeftAlone]:
        """What was left alone lately."""
        with self._lock:
            return list(self._latest)
