"""What was seen and not taken, with the reason, for a person who wonders."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from imghost.models import Message

_KEPT = 50


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """One thing that was not taken; `at` is in seconds since the epoch."""

    name: str
    reason: Message
    at: float


class LeftAlones:
    """The latest of them, the newest last; safe from several threads at once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._latest: deque[LeftAlone] = deque(maxlen=_KEPT)

    def add(self, name: str, reason: Message) -> None:
        """This was left alone."""
        self._latest.append(LeftAlone(name, reason, self._clock()))

    def latest(self) -> list[LeftAlone]:
        """What was left alone lately."""
        return list(self._latest)
