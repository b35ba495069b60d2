"""One picture found twice: screenshot tools save a file and fill the clipboard with it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from imghost.errors import ImghostError
from imghost.models import Record, Target
from imghost.pipeline import Ready

WITHIN_S = 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Find:
    """What was found at a time; `way` is where it goes and what is made of it for that."""

    at: float
    is_file: bool
    way: tuple[Target, str]
    size_px: tuple[int, int]
    original: str
    record_id: int
    pixels: str | None = None


class Twins:
    """What was found lately.

    Only finds of different kinds, a file and a clipboard's content, that go the same way can be one
    picture. `pixels` gives the digest of an image's pixels, "" if it has none, by its bytes and
    name; `read` an original's bytes, by its hash. `clock` is monotonic. Safe from several threads
    at once.
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
        self._lately: deque[_Find] = deque()

    def note(self, ready: Ready, record_id: int, *, is_file: bool) -> None:
        """This was found just now, and accepted as the row with this id."""
        way = (ready.target, ready.recipe)
        find = _Find(self._clock(), is_file, way, _size_px(ready), ready.original, record_id)
        with self._lock:
            self._drop_old()
            self._lately.append(find)

    def of(self, ready: Ready, *, is_file: bool) -> int | None:
        """The id of the row of the same picture, found the other way lately."""
        way, size_px = (ready.target, ready.recipe), _size_px(ready)
        with self._lock:
            self._drop_old()
            others = [
                find
                for find in self._lately
                if find.is_file != is_file and find.way == way and find.size_px == size_px
            ]
        for find in others:
            if find.original == ready.original:
                return find.record_id
        wanted = self._digest(lambda: ready.data, ready.found.name) if others else ""
        return next((f.record_id for f in others if wanted and self._pixels_of(f) == wanted), None)

    def _pixels_of(self, find: _Find) -> str:
        if find.pixels is None:
            find.pixels = self._digest(lambda: self._read(find.original), find.original)
        return find.pixels

    def _digest(self, load: Callable[[], bytes], name: str) -> str:
        try:
            return self._pixels(load(), name)
        except ImghostError as exc:  # then it is not known to be the same
            log.info("%s", exc)
            return ""

    def _drop_old(self) -> None:
        while self._lately and self._clock() - self._lately[0].at > WITHIN_S:
            self._lately.popleft()


def _size_px(ready: Ready) -> tuple[int, int]:
    made = ready.made if isinstance(ready.made, Record) else ready.made.image
    return made.width_px, made.height_px
