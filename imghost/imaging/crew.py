"""Several processes that draw, so that a slow picture does not hold up all the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue

from imghost.imaging.child import Child
from imghost.imaging.style import Style
from imghost.models import Image

_DEADLINE_S = 20.0  # somebody waits
_MEMORY_BYTES = 1 << 30  # of a process; an opaque PNG of 119 megapixels is drawn in half of it


class Crew:
    """`size` children; the one that worked last is asked first, so that the others may end.

    Safe from several threads at once; who finds all of them at work waits.
    """

    def __init__(
        self, size: int, *, deadline_s: float = _DEADLINE_S, memory_bytes: int = _MEMORY_BYTES
    ) -> None:
        self._children = [
            Child(deadline_s=deadline_s, memory_bytes=memory_bytes) for _ in range(size)
        ]
        self._free: LifoQueue[Child] = LifoQueue()
        for child in self._children:
            self._free.put(child)

    def draw(self, original: Path, style: Style) -> Image:
        """As `Child.draw`, with its errors."""
        with self._one() as child:
            return child.draw(original, style)

    def reap_idle(self) -> None:
        """End those that had no work lately; to be called now and then."""
        for child in self._children:
            child.reap_idle()

    def close(self) -> None:
        """End them all, even in the middle of a picture."""
        for child in self._children:
            child.close()

    @contextmanager
    def _one(self) -> Iterator[Child]:
        child = self._free.get()
        try:
            yield child
        finally:
            self._free.put(child)
