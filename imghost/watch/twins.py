"""One picture found twice: screenshot tools save a file and fill the clipboard with it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from imghost.errors import ImghostError
from imghost.models import Record, Target
from imghost.pipeline import Ready

WITHIN_S = 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Sighting:
    """A picture that was found at a time, as one of its kind: a file, or a clipboard's content.

    `way` is where it goes and what is made of it for that. `record_id` is its row's once it is
    `settled`, 0 if it has none of its own.
    """

    number: int
    at: float
    way: tuple[Target, str]
    size_px: tuple[int, int]
    original: str
    record_id: int = 0
    settled: threading.Event = field(default_factory=threading.Event)
    pixels: str | None = None


class Twins:
    """What was found lately, and is found at this moment.

    Only finds of different kinds that go the same way can be one picture. `pixels` gives the digest
    of an image's pixels, "" if it has none, by its bytes and name; `read` an original's bytes, by
    its hash. `clock` is monotonic. Safe from several threads at once.
    """

    def __init__(
        self,
        pixels: Callable[[bytes, str], str],
        read: Callable[[str], bytes],
        clock: Callable[[], float],
    ) -> None:
        self._pixels = pixels
        self._read = read
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
                and (other.way, other.size_px) == (mine.way, mine.size_px)
            ]
        for other in others:
            other.settled.wait()
            if other.record_id and self._is_same(other, mine, ready):
                return other.record_id
        return None

    def _begun(self, ready: Ready, *, is_file: bool) -> Sighting:
        way, made = (ready.target, ready.recipe), ready.made
        seen = made if isinstance(made, Record) else made.image
        with self._lock:
            now = self._clock()
            for lately in self._lately.values():
                while lately and now - lately[0].at > WITHIN_S:
                    lately.popleft()
            self._number += 1
            size_px = (seen.width_px, seen.height_px)
            mine = Sighting(self._number, now, way, size_px, ready.original)
            self._lately[is_file].append(mine)
        return mine

    def _is_same(self, other: Sighting, mine: Sighting, ready: Ready) -> bool:
        if other.original == mine.original:
            return True
        if mine.pixels is None:
            mine.pixels = self._digest(lambda: ready.data, ready.found.name)
        if other.pixels is None:
            other.pixels = self._digest(lambda: self._read(other.original), other.original)
        return bool(mine.pixels) and mine.pixels == other.pixels

    def _digest(self, load: Callable[[], bytes], name: str) -> str:
        try:
            return self._pixels(load(), name)
        except ImghostError as exc:  # then it is not known to be the same
            log.info("%s", exc)
            return ""
