"""One picture found twice: screenshot tools save a file and fill the clipboard with it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field

from imghost.models import Target
from imghost.pipeline import Ready
from imghost.values import dataclass
from imghost.watch.same_picture import SamePicture, Seen

WITHIN_S = 30.0


@dataclass(slots=True, eq=False)
class Sighting:
    """A picture that was found at a time, as one of its kind: a file, or a clipboard's content.

    `way` is where it goes and what is made of it for that. `record_id` is its row's once it is
    `settled`, 0 if it has none of its own.
    """

    number: int
    at: float
    way: tuple[Target, str]
    seen: Seen
    record_id: int = 0
    settled: threading.Event = field(default_factory=threading.Event)


class Twins:
    """What was found lately, and is found at this moment.

    Only finds of different kinds that go the same way can be one picture. `clock` is monotonic.
    Safe from several threads at once.
    """

    def __init__(self, same_picture: SamePicture, clock: Callable[[], float]) -> None:
        self._same_picture = same_picture
        self._clock = clock
        self._lock = threading.Lock()
        self._number = 0
        self._lately: dict[bool, deque[Sighting]] = {True: deque(), False: deque()}

    @contextmanager
    def sighting(self, ready: Ready, *, is_file: bool) -> Iterator[Sighting]:
        """This is found just now; it has its row at the end, or none."""
        mine = self._begun(ready, is_file=is_file)
        try:
            yield mine
        finally:
            mine.settled.set()

    def of(self, mine: Sighting, ready: Ready, *, is_file: bool) -> int | None:
        """The id of the row of the same picture, found the other way before, but lately.

        If that one is not yet settled, it is waited for.
        """
        with self._lock:
            others = [
                other
                for other in self._lately[not is_file]
                if other.number < mine.number
                and (other.way, other.seen.size_px) == (mine.way, mine.seen.size_px)
            ]
        for other in others:
            other.settled.wait()
            if other.record_id and self._same_picture(other.seen, mine.seen, ready):
                return other.record_id
        return None

    def _begun(self, ready: Ready, *, is_file: bool) -> Sighting:
        way = (ready.target, ready.recipe)
        with self._lock:
            now = self._clock()
            for lately in self._lately.values():
                while lately and now - lately[0].at > WITHIN_S:
                    lately.popleft()
            self._number += 1
            mine = Sighting(self._number, now, way, Seen.of(ready))
            self._lately[is_file].append(mine)
        return mine
