"""A program that puts its picture back, in ever new bytes, whenever a link took its place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from imghost.errors import ImghostError
from imghost.models import Record
from imghost.pipeline import Ready

TIMES_AT_MOST, WITHIN_S = 6, 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Copy:
    at: float
    original: str
    sha256: str
    size_px: tuple[int, int]
    pixels: str | None = None


class Fights:
    """What was copied lately, for the pictures of it that come too often; `clock` is monotonic.

    `pixels` gives the digest of an image's pixels, by its bytes and name; `read` an original's
    bytes, by its hash. Safe from several threads at once.
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
        self._lately: list[_Copy] = []

    def goes_on(self, ready: Ready) -> bool:
        """Whether this was copied so often, whatever its bytes, that no person can have done it.

        It is looked into only when there are as many of its size: that takes its time.
        """
        mine = self._copy(ready)
        with self._lock:
            former = [
                copy
                for copy in self._lately
                if mine.at - copy.at < WITHIN_S and copy.size_px == mine.size_px
            ]
            self._lately = [*former, mine]
        if len(former) < TIMES_AT_MOST or self._is_same(former[-1], mine, ready):
            return len(former) >= TIMES_AT_MOST
        with self._lock:
            self._lately = [mine]
        return False

    def _copy(self, ready: Ready) -> _Copy:
        made = ready.made if isinstance(ready.made, Record) else ready.made.image
        size_px = (made.width_px, made.height_px)
        return _Copy(self._clock(), ready.original, made.sha256, size_px)

    def _is_same(self, former: _Copy, mine: _Copy, ready: Ready) -> bool:
        if former.sha256 == mine.sha256:
            return True
        try:
            if former.pixels is None:
                former.pixels = self._pixels(self._read(former.original), former.original)
            mine.pixels = self._pixels(ready.data, ready.found.name)
        except ImghostError as exc:  # then it is not known to be the same
            log.info("%s", exc)
            return False
        return bool(mine.pixels) and mine.pixels == former.pixels
