"""Styled images: each is made once, by one worker, for all who ask for it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imghost.imaging.style import Style
from imghost.models import Image
from imghost.server.body import Body, Recent
from imghost.server.shelf import Shelf

_AT_ONCE = 2

Make = Callable[[bytes, str, Style], Image]


class Renderings:
    """What `make` makes of an original's bytes, its name and a style; kept on a shelf.

    Its methods belong to the thread of the event loop; `make` runs in workers, two at once at most.
    """

    def __init__(self, shelf: Shelf, recent: Recent, make: Make) -> None:
        self._shelf = shelf
        self._recent = recent
        self._make = make
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="imghost-render")
        self._flights: dict[str, asyncio.Task[Body]] = {}

    def close(self) -> None:
        """Begin nothing more; what is being made ends by itself."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def get(self, original: Path, style: Style) -> Body:
        """The styled image; who asks for it while it is made waits for the same one.

        Raises FileNotFoundError if the original is gone, OSError, and what `make` raises.
        """
        name = _name(original, style)
        if body := self._recent.get(name):
            self._shelf.use(name)
            return body
        flight = self._flights.get(name) or self._begin(name, original, style)
        return await asyncio.shield(flight)  # a client that leaves does not end it for the others

    def forget(self, original: Path) -> None:
        """Erase what was made of an original that is erased."""
        self._shelf.forget(f"{original.name}@")

    def _begin(self, name: str, original: Path, style: Style) -> asyncio.Task[Body]:
        flight = asyncio.create_task(self._found_or_made(name, original, style))
        flight.add_done_callback(lambda _: self._landed(name))
        self._flights[name] = flight
        return flight

    def _landed(self, name: str) -> None:
        flight = self._flights.pop(name)
        if not flight.cancelled() and not flight.exception():
            self._recent.put(name, flight.result())

    async def _found_or_made(self, name: str, original: Path, style: Style) -> Body:
        found = await asyncio.to_thread(self._shelf.find, name, self._recent.max_item_bytes)
        if found:
            return found
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, self._made, name, original, style)

    def _made(self, name: str, original: Path, style: Style) -> Body:
        image = self._make(original.read_bytes(), original.name, style)
        self._shelf.keep(name, image)
        if not original.exists():  # erased meanwhile, perhaps after its renderings were forgotten
            self.forget(original)
            raise FileNotFoundError(original)
        return Body(image.mime_type, f'"{image.sha256}"', image.data)


def _name(original: Path, style: Style) -> str:
    return f"{original.name}@{hashlib.sha256(str(style).encode()).hexdigest()[:40]}"
