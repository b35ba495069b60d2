"""One picture found twice: screenshot tools save a file and fill the clipboard with it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from imghost.models import Record

WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class _Find:
    at: float
    is_file: bool
    record: Record


class Twins:
    """What was found lately; `pixels` gives the digest of an original's pixels, by its hash.

    Only finds of different kinds, a file and a clipboard's content, can be one picture. `clock` is
    monotonic. Safe from several threads at once.
    """

    def __init__(self, pixels: Callable[[str], str], clock: Callable[[], float]) -> None:
        self._pixels = pixels
        self._clock = clock
        self._lock = threading.Lock()
        self._lately: deque[_Find] = deque()

    def note(self, record: Record, *, is_file: bool) -> None:
        """This was found and accepted just now."""
        with self._lock:
            self._lately.append(_Find(self._clock(), is_file, record))
            self._drop_old()

    def of(
        self, size_px: tuple[int, int], digest: Callable[[], str], *, is_file: bool
    ) -> Record | None:
        """The row of the same picture, found the other way lately.

        `digest` gives the digest of the pixels in question; it is asked for only if need be.
        """
        with self._lock:
            self._drop_old()
            others = [
                find.record
                for find in self._lately
                if find.is_file != is_file
                and (find.record.width_px, find.record.height_px) == size_px
            ]
        if not others:
            return None
        wanted = digest()
        return next((r for r in others if wanted and self._pixels(r.original) == wanted), None)

    def _drop_old(self) -> None:
        while self._lately and self._clock() - self._lately[0].at > WITHIN_S:
            self._lately.popleft()
