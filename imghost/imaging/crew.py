"""Several decoding processes, so that a slow picture does not hold up all the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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

        workers = [child(patient=kept_free > 0) for _ in range(size - kept_free)]
        runners = [child(patient=False) for _ in range(kept_free)]
        self._children = (*workers, *runners)
        self._free, self._kept_free = workers, runners
        self._changed = threading.Condition()

    def prepare(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        """As `Child.prepare`, with its errors."""
        with self._one(self._free) as child:
            return child.prepare(data, name, recipe)

    def prepare_at_once(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        """The same, in a hurry."""
        with self._one(self._kept_free, self._free) as child:
            return child.prepare(data, name, recipe)

    def pixels(self, data: bytes, name: str) -> str:
        """As `Child.pixels`, with its errors; in a hurry."""
        with self._one(self._kept_free, self._free) as child:
            return child.pixels(data, name)

    def draw(self, original: Path, style: Style) -> Image:
        """As `Child.draw`, with its errors."""
        with self._one(self._free) as child:
            return child.draw(original, style)

    def expect(self, count: int) -> None:
        """So many pictures are about to come that are in no hurry: have their processes ready."""
        with self._changed:
            next_ones = self._free[-count:]
        for child in next_ones:
            child.warm()

    def reap_idle(self) -> None:
        """End those that had no work lately; to be called now and then."""
        for child in self._children:
            child.reap_idle()

    def close(self) -> None:
        """End them all, even in the middle of a picture."""
        for child in self._children:
            child.close()

    @contextmanager
    def _one(self, *places: list[Child]) -> Iterator[Child]:
        """The first child that is free, of the first of these places that has one."""
        with self._changed:
            self._changed.wait_for(lambda: any(places))
            home = next(filter(None, places))
            child = home.pop()
        try:
            yield child
        finally:
            with self._changed:
                home.append(child)
                self._changed.notify_all()
