"""Several decoding processes, so that a slow picture does not hold up all the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue

from imghost.imaging.child import Child
from imghost.imaging.prepare import Prepared, Recipe
from imghost.imaging.style import Style
from imghost.models import Image


class Crew:
    """`size` children; the one that worked last is asked first, so that the others may end.

    Safe from several threads at once; who finds all of them at work waits. `kept_free` of them
    are for what is in a hurry: no other work gets them, and the others are patient then.
    """

    def __init__(
        self, size: int, *, deadline_s: float, memory_bytes: int, kept_free: int = 0
    ) -> None:
        def child(*, patient: bool) -> Child:
            return Child(deadline_s=deadline_s, memory_bytes=memory_bytes, patient=patient)

        self._workers = [child(patient=kept_free > 0) for _ in range(size - kept_free)]
        self._runners = [child(patient=False) for _ in range(kept_free)]
        self._free = _queue(self._workers)
        self._kept_free = _queue(self._runners) if kept_free else self._free

    def prepare(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        """As `Child.prepare`, with its errors."""
        with _one(self._free) as child:
            return child.prepare(data, name, recipe)

    def prepare_at_once(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        """The same, in a hurry."""
        with _one(self._kept_free, self._free) as child:
            return child.prepare(data, name, recipe)

    def pixels(self, data: bytes, name: str) -> str:
        """As `Child.pixels`, with its errors; in a hurry."""
        with _one(self._kept_free, self._free) as child:
            return child.pixels(data, name)

    def draw(self, original: Path, style: Style) -> Image:
        """As `Child.draw`, with its errors."""
        with _one(self._free) as child:
            return child.draw(original, style)

    def expect(self, count: int) -> None:
        """So many pictures are about to come that are in no hurry: have their processes ready."""
        next_ones: list[Child] = []
        with suppress(Empty):
            while len(next_ones) < count:
                next_ones.append(self._free.get_nowait())
        for child in reversed(next_ones):
            child.warm()
            self._free.put(child)

    def reap_idle(self) -> None:
        """End those that had no work lately; to be called now and then."""
        for child in (*self._workers, *self._runners):
            child.reap_idle()

    def close(self) -> None:
        """End them all, even in the middle of a picture."""
        for child in (*self._workers, *self._runners):
            child.close()


def _queue(children: Iterable[Child]) -> LifoQueue[Child]:
    queue: LifoQueue[Child] = LifoQueue()
    for child in children:
        queue.put(child)
    return queue


@contextmanager
def _one(first: LifoQueue[Child], *others: LifoQueue[Child]) -> Iterator[Child]:
    """A child that is free, of the first queue if it can be; where none is, the first queue's."""
    for home in (first, *others):
        with suppress(Empty):
            child = home.get_nowait()
            break
    else:
        home = first
        child = home.get()
    try:
        yield child
    finally:
        home.put(child)
