"""Our windows into which other programs write what we read."""

from __future__ import annotations

import time

from imghost.desktop.x11_events import Answered, Written
from imghost.desktop.x11_loop import Inbox, Loop, Steps, arrival
from imghost.desktop.x11_wire import Wire

DRAIN_S = 30.0
_MAX_GIVEN_UP = 20


class Requestors:
    """One window for each reading that is under way; `place` is the property to write to.

    A program that we gave up on goes on writing for a while, into the void: some serve nobody else
    before they have written all (xclip), and an error, since our window is gone, could end one, and
    the user's content with it.
    """

    def __init__(self, wire: Wire, loop: Loop) -> None:
        self._wire = wire
        self._loop = loop
        self._incr = wire.atom("INCR")
        self._free: list[int] = []
        self._given_up: set[int] = set()
        self.place = wire.atom("IMGHOST_SELECTION")

    def take(self) -> int:
        """A window that nobody writes to."""
        return self._free.pop() if self._free else self._wire.new_window()

    def give_back(self, window: int) -> None:
        """All has been written."""
        self._free.append(window)

    def give_up(self, window: int, *, answered: bool) -> None:
        """Its owner has not answered yet, or not written all pieces."""
        if len(self._given_up) < _MAX_GIVEN_UP:
            self._given_up.add(window)
            self._loop.start(self._drain(window, answered=answered))
        else:
            self._wire.destroy(window)

    def _drain(self, window: int, *, answered: bool) -> Steps[None]:
        until = time.monotonic() + DRAIN_S
        with self._loop.inbox(window) as inbox:
            ended = not answered and (yield from self._is_all(window, inbox, until))
            while not ended and (yield from arrival(inbox, Written, self._is_here, until)):
                piece = self._wire.take(window, self.place, max_bytes=0)
                ended = piece is not None and not piece.size_bytes
        self._given_up.remove(window)
        if ended:
            self.give_back(window)
        else:
            self._wire.destroy(window)

    def _is_all(self, window: int, inbox: Inbox, until: float) -> Steps[bool]:
        """Wait for the answer; False if it comes in pieces, or not at all."""
        if not (yield from arrival(inbox, Answered, lambda _: True, until)):
            return False
        value = self._wire.take(window, self.place, max_bytes=0)
        return value is None or value.kind != self._incr

    def _is_here(self, new: Written) -> bool:
        return new.place == self.place
