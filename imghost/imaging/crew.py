"""Several decoding processes, so that a slow picture does not hold up all the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue
from threading import BoundedSemaphore

from imghost.imaging.child import Child
from imghost.imaging.prepare import Prepared, Recipe
from imghost.imaging.style import Style
from imghost.models import Image


class Crew:
    """`size` children; the one that worked last is asked first, so that the others may end.

    Safe from several threads at once; who finds all of them at work waits. `kept_free` of them
    are for what is in a hurry: no other work gets them.
    """

    def __init__(
        self, size: int, *, deadline_s: float, memory_bytes: int, kept_free: int = 0
    ) -> None:
        self._children = [
            Child(deadline_s=deadline_s, memory_bytes=memory_bytes) for _ in range(size)
        ]
        self._free: LifoQueue[Child] = LifoQueue()
        for child in self._children:
            self._free.put(child)
        self._unhurried = BoundedSemaphore(size - kept_free)

    def prepare(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        """As `Child.prepare`, with its errors."""
        with self._unhurried, self._one() as child:
            return child.prepare(data, name, recipe)

    def prepare_at_once(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        """The same, in a hurry."""
        with self._one() as child:
            return child.prepare(data, name, recipe)

    def pixels(self, data: bytes, name: str) -> str:
        """As `Child.pixels`, with its errors; in a hurry."""
        with self._one() as child:
            return child.pixels(data, name)

    def draw(self, original: Path, style: Style) -> Image:
        """As `Child.draw`, with its errors."""
        with self._unhurried, self._one() as child:
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
