"""What was seen and not taken, with the reason, for a person who wonders."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from itertools import count

from imghost.models import Message
from imghost.values import dataclass

_KEPT = 50


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """One thing that was not taken; `at` is in seconds since the epoch.

    `number` tells it apart from the others. `thing` is what would be taken all the same, for who
    put it here to know; None is never taken.
    """

    number: int
    name: str
    reason: Message
    at: float
    thing: object = field(repr=False)


class LeftAlones:
    """The latest of them, the newest last; safe from several threads at once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._latest: deque[LeftAlone] = deque(maxlen=_KEPT)

    def add(self, name: str, reason: Message, thing: object = None) -> None:
        """This was left alone; `thing` would be taken at the user's word."""
        left = LeftAlone(next(self._numbers), name, reason, self._clock(), thing)
        self._latest.append(left)

    def drop(self, thing: object) -> None:
        """This is taken now."""
        for left in self.latest():
            if left.thing == thing:
                self.pop(left.number)

    def pop(self, number: int) -> LeftAlone | None:
        """One of them, which is none any more; None if it has gone already."""
        with suppress(StopIteration, ValueError):
            left = next(left for left in self.latest() if left.number == number)
            self._latest.remove(left)
            return left
        return None

    def latest(self) -> list[LeftAlone]:
        """What was left alone lately."""
        return list(self._latest)
