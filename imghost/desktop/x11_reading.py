"""Reading what another program holds on the clipboard, with limits of time and size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from io import BytesIO

from imghost.clipboard import NOT_HANDED_OVER, TOO_LARGE
from imghost.desktop.targets import LeftAlone
from imghost.desktop.x11_events import NONE, Answered, Written
from imghost.desktop.x11_loop import Inbox, Loop, Steps, W, arrival
from imghost.desktop.x11_requestors import Requestors
from imghost.desktop.x11_wire import Value, Wire

TARGETS_S = (0.5, 1.5)  # asked again, for some do not hear us while they serve another (xclip)
DATA_S = (2.0, 5.0)
PROGRESS_S = 5.0
_TARGETS_BYTES = 1 << 16
_MAX_TARGETS = 500
_BYTE_BITS = 8


class Reading:
    """One look at the clipboard; what it reads may raise LeftAlone.

    It ends at `until` on the monotonic clock, or as soon as `superseded`.
    """

    def __init__(
        self,
        wire: Wire,
        loop: Loop,
        requestors: Requestors,
        until: float,
        superseded: Callable[[], bool],
    ) -> None:
        self._wire = wire
        self._loop = loop
        self._requestors = requestors
        self._until = until
        self._superseded = superseded
        self._incr = wire.atom("INCR")

    def targets(self) -> Steps[list[str]]:
        """The names of the formats that are offered."""
        value = yield from self._converted("TARGETS", _TARGETS_BYTES, TARGETS_S)
        return self._wire.names(value.numbers[:_MAX_TARGETS])

    def fetch(self, target: str, max_bytes: int) -> Steps[bytes]:
        """The bytes of one format."""
        value = yield from self._converted(target, max_bytes, DATA_S)
        if value.item_bits != _BYTE_BITS:
            raise LeftAlone(NOT_HANDED_OVER)
        return value.data

    def _converted(self, target: str, max_bytes: int, waits_s: Iterable[float]) -> Steps[Value]:
        atom = self._wire.atom(target)
        for wait_s in waits_s:
            window = self._requestors.take()
            with self._loop.inbox(window) as inbox:
                self._wire.convert("CLIPBOARD", atom, window, self._requestors.place)
                answered = yield from self._event(
                    inbox, Answered, lambda event: event.target == atom, wait_s
                )
                if answered:
                    return (yield from self._received(answered, inbox, max_bytes))
            self._requestors.give_up(window, answered=False)
            if self._superseded():
                break
        raise LeftAlone(NOT_HANDED_OVER)

    def _received(self, answered: Answered, inbox: Inbox, max_bytes: int) -> Steps[Value]:
        window, place = answered.window, answered.place
        value = self._wire.take(window, place, max_bytes) if place != NONE else None
        if value and value.kind == self._incr:
            try:
                value = yield from self._pieces(value, answered, inbox, max_bytes)
            except LeftAlone:
                self._requestors.give_up(window, answered=True)
                raise
        self._requestors.give_back(window)
        if value is None:
            raise LeftAlone(NOT_HANDED_OVER)
        return self._allowed(value, max_bytes)

    def _pieces(
        self, announced: Value, answered: Answered, inbox: Inbox, max_bytes: int
    ) -> Steps[Value]:
        if max(announced.numbers, default=0) > max_bytes:
            raise LeftAlone(TOO_LARGE)
        window, place = answered.window, answered.place
        whole, item_bits = BytesIO(), _BYTE_BITS
        while (yield from self._event(inbox, Written, lambda new: new.place == place, PROGRESS_S)):
            room = max_bytes - whole.tell()
            if piece := self._wire.take(window, place, room):
                if not self._allowed(piece, room).data:
                    return Value(piece.kind, item_bits, whole.getvalue(), whole.tell())
                whole.write(piece.data)
                item_bits = piece.item_bits
        raise LeftAlone(NOT_HANDED_OVER)

    def _allowed(self, value: Value, max_bytes: int) -> Value:
        if value.size_bytes > max_bytes:
            raise LeftAlone(TOO_LARGE)
        return value

    def _event(
        self, inbox: Inbox, kind: type[W], fits: Callable[[W], bool], wait_s: float
    ) -> Steps[W | None]:
        until = min(self._until, time.monotonic() + wait_s)
        return (yield from arrival(inbox, kind, fits, until, given_up=self._superseded))
