"""Reading what another program holds on the clipboard, with limits of time and size."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO

from imghost.clipboard import NOT_HANDED_OVER, TOO_LARGE
from imghost.desktop.targets import LeftAlone
from imghost.desktop.x11_errands import Errands, L, Mail, Steps, arrival
from imghost.desktop.x11_events import NONE, Answered, Written
from imghost.desktop.x11_wire import Value, Wire

TARGETS_S = 2.0
PATIENCE_S = 5.0
_TARGETS_BYTES = 1 << 16
_MAX_TARGETS = 500
_BYTE_BITS = 8


class Requestors:
    """Our windows into which owners write; one for each reading that is under way.

    One whose reading was given up stays while its owner may still write there: programs are known
    to end over an error of a window that is gone, and the user's content with them.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._free: list[int] = []
        self._given_up: list[int] = []

    def take(self) -> int:
        """A window that nobody writes to."""
        return self._free.pop() if self._free else self._wire.new_window()

    def give_back(self, window: int, *, finished: bool) -> None:
        """Whether its reading has come to an end by itself."""
        (self._free if finished else self._given_up).append(window)

    def forget(self) -> None:
        """The clipboard has another owner."""
        for window in self._given_up:
            self._wire.destroy(window)
        self._given_up.clear()


class Reading:
    """One look at the clipboard; what it reads may raise LeftAlone.

    It ends at `until` on the monotonic clock, or as soon as `superseded`.
    """

    def __init__(
        self,
        wire: Wire,
        errands: Errands,
        requestors: Requestors,
        until: float,
        superseded: Callable[[], bool],
    ) -> None:
        self._wire = wire
        self._errands = errands
        self._requestors = requestors
        self._until = until
        self._superseded = superseded
        self._place = wire.atom("IMGHOST_SELECTION")
        self._incr = wire.atom("INCR")

    def targets(self) -> Steps[list[str]]:
        """The names of the formats that are offered."""
        value = yield from self._converted("TARGETS", _TARGETS_BYTES, TARGETS_S)
        return self._wire.names(value.numbers[:_MAX_TARGETS])

    def fetch(self, target: str, max_bytes: int) -> Steps[bytes]:
        """The bytes of one format."""
        value = yield from self._converted(target, max_bytes, PATIENCE_S)
        if value.item_bits != _BYTE_BITS:
            raise LeftAlone(NOT_HANDED_OVER)
        return value.data

    def _converted(self, target: str, max_bytes: int, patience_s: float) -> Steps[Value]:
        window, atom, finished = self._requestors.take(), self._wire.atom(target), False
        try:
            with self._errands.mail(window) as mail:
                self._wire.convert("CLIPBOARD", atom, window, self._place)
                answered = yield from self._letter(
                    mail, Answered, lambda letter: letter.target == atom, patience_s
                )
                value = yield from self._received(answered, mail, max_bytes)
                finished = True
                return value
        finally:
            self._requestors.give_back(window, finished=finished)

    def _received(self, answered: Answered, mail: Mail, max_bytes: int) -> Steps[Value]:
        value = self._taken(answered.window, answered.place, max_bytes)
        if not value:
            raise LeftAlone(NOT_HANDED_OVER)
        if value.kind != self._incr:
            return value
        if max(value.numbers, default=0) > max_bytes:
            raise LeftAlone(TOO_LARGE)
        return (yield from self._pieces(answered, mail, max_bytes))

    def _pieces(self, answered: Answered, mail: Mail, max_bytes: int) -> Steps[Value]:
        window, place = answered.window, answered.place
        whole, item_bits = BytesIO(), _BYTE_BITS
        while True:
            yield from self._letter(mail, Written, lambda new: new.place == place, PATIENCE_S)
            piece = self._taken(window, place, max_bytes - whole.tell())
            if piece and not piece.data:
                return Value(piece.kind, item_bits, whole.getvalue(), whole.tell())
            if piece:
                whole.write(piece.data)
                item_bits = piece.item_bits

    def _letter(
        self, mail: Mail, kind: type[L], fits: Callable[[L], bool], patience_s: float
    ) -> Steps[L]:
        until = min(self._until, time.monotonic() + patience_s)
        letter = yield from arrival(mail, kind, fits, until, given_up=self._superseded)
        if letter is None:
            raise LeftAlone(NOT_HANDED_OVER)
        return letter

    def _taken(self, window: int, place: int, max_bytes: int) -> Value | None:
        value = self._wire.take(window, place, max_bytes) if place != NONE else None
        if value and value.size_bytes > max_bytes:
            raise LeftAlone(TOO_LARGE)
        return value
