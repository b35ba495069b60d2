"""Styled images: each is made once, for all who ask for it, and only as long as somebody does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from imghost.imaging.style import Style
from imghost.models import Image
from imghost.server.body import Body, Recent
from imghost.server.shelf import Shelf

AT_ONCE = 2
_MAX_FLIGHTS = 16
_MAX_WAITING = 64  # of the server's 200 connections; the others are left to commands and files

Make = Callable[[Path, Style], Image]


class BusyError(Exception):
    """So much is being made that nothing more is begun: ask again soon."""


class Renderings:
    """What `make` makes of an original and a style; kept on a shelf.

    Its methods belong to the thread of the event loop; `make` runs in others, two at once at most.
    """

    def __init__(self, shelf: Shelf, recent: Recent, make: Make) -> None:
        self._shelf = shelf
        self._recent = recent
        self._make = make
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._flights: dict[str, _Flight] = {}

    def held(self, original: Path, style: Style) -> Body | None:
        """The styled image if it is in memory."""
        name = _name(original, style)
        if body := self._recent.get(name):
            self._shelf.use(name)
        return body

    async def get(self, original: Path, style: Style) -> Body:
        """The styled image; who asks for it while it is made waits for the same one.

        If all who wait are cancelled before it is begun, it is not made at all. Raises BusyError,
        FileNotFoundError if the original is gone, OSError, and what `make` raises.
        """
        if body := self.held(original, style):
            return body
        name = _name(original, style)
        if sum(flight.waiting for flight in self._flights.values()) >= _MAX_WAITING:
            raise BusyError
        flight = self._flights.get(name) or self._begin(name, original, style)
        with self._waiting(name, flight):
            return await asyncio.shield(flight.task)

    def forget(self, original: Path) -> None:
        """Erase what was made of an original that is erased."""
        self._shelf.forget(f"{original.name}@")

    def _begin(self, name: str, original: Path, style: Style) -> _Flight:
        if len(self._flights) >= _MAX_FLIGHTS:
            raise BusyError
        self._flights[name] = flight = _Flight()
        flight.task = asyncio.create_task(self._found_or_made(flight, name, original, style))
        flight.task.add_done_callback(lambda _: self._landed(name, flight))
        return flight

    @contextmanager
    def _waiting(self, name: str, flight: _Flight) -> Iterator[None]:
        flight.waiting += 1
        try:
            yield
        finally:
            flight.waiting -= 1
            if not (flight.waiting or flight.begun):
                flight.task.cancel()
                self._remove(name, flight)  # at once: nobody must join it any more

    def _landed(self, name: str, flight: _Flight) -> None:
        self._remove(name, flight)
        if not flight.task.cancelled() and not flight.task.exception():
            self._recent.put(name, flight.task.result())

    def _remove(self, name: str, flight: _Flight) -> None:
        if self._flights.get(name) is flight:
            del self._flights[name]

    async def _found_or_made(
        self, flight: _Flight, name: str, original: Path, style: Style
    ) -> Body:
        found = await asyncio.to_thread(self._shelf.find, name, self._recent.max_item_bytes)
        if found:
            return found
        async with self._turns:
            flight.begun = True
            return await asyncio.to_thread(self._made, name, original, style)

    def _made(self, name: str, original: Path, style: Style) -> Body:
        image = self._make(original, style)
        self._shelf.keep(name, image)
        if not original.exists():  # erased meanwhile, perhaps after its renderings were forgotten
            self.forget(original)
            raise FileNotFoundError(original)
        return Body(image.mime_type, f'"{image.sha256}"', image.data)


class _Flight:
    """One rendering under way, and how many wait for it."""

    task: asyncio.Task[Body]

    def __init__(self) -> None:
        self.waiting = 0
        self.begun = False


def _name(original: Path, style: Style) -> str:
    return f"{original.name}@{hashlib.sha256(str(style).encode()).hexdigest()[:40]}"
