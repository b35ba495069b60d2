"""Owning the clipboard: what other programs paste is handed to them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from weakref import WeakValueDictionary

from imghost.clipboard import Offer
from imghost.desktop import targets
from imghost.desktop.x11_events import NONE, Answered, Asked, Taken
from imghost.desktop.x11_loop import Loop, Steps, arrival
from imghost.desktop.x11_wire import Wire

PATIENCE_S = 10.0
SAVE_S = 2.0
_PAIRS_BYTES = 4096
_UTF8 = "UTF8_STRING"
_TEXTS = (_UTF8, "text/plain;charset=utf-8", "text/plain", "TEXT")
_KINDS = {"TEXT": _UTF8}  # whose type is not their own name


def formats(offer: Offer) -> dict[str, bytes]:
    """What is offered, by the name of each format in which it can be had."""
    found: dict[str, bytes] = {}
    if offer.text:
        found |= dict.fromkeys(_TEXTS, offer.text.encode(errors="replace"))
        found["STRING"] = offer.text.encode("latin-1", errors="replace")
    if offer.picture:
        found[offer.mime_type] = offer.picture
    if offer.paths:
        found |= targets.copied(offer.paths)
    return found


class Owning:
    """What we put onto the clipboard, for as long as it is ours.

    `time_ms`: since when, in the server's time; None if it is not ours.
    """

    def __init__(self, wire: Wire, loop: Loop) -> None:
        self._wire = wire
        self._loop = loop
        self._values: dict[int, tuple[int, bytes | Sequence[int]]] = {}
        self._giving: WeakValueDictionary[tuple[int, int], Steps[None]] = WeakValueDictionary()
        self.formats: dict[str, bytes] = {}
        self.time_ms: int | None = None

    def claim(self, time_ms: int, offer: Offer) -> bool:
        """Put it there unless somebody copied since that time; whether it is there now."""
        if not self._wire.claim("CLIPBOARD", time_ms):
            return False
        atom = self._wire.atom
        self.formats, self.time_ms = formats(offer), time_ms
        self._values = {
            atom(name): (atom(_KINDS.get(name, name)), data) for name, data in self.formats.items()
        }
        everything = [*self._values, atom("TARGETS"), atom("TIMESTAMP"), atom("MULTIPLE")]
        self._values[atom("TARGETS")] = (atom("ATOM"), everything)
        self._values[atom("TIMESTAMP")] = (atom("INTEGER"), [time_ms])
        return True

    def lose(self) -> None:
        """Let go of it if somebody else owns the clipboard; we may have got it back meanwhile."""
        if self._wire.owner("CLIPBOARD") != self._wire.window:
            self._values, self.formats, self.time_ms = {}, {}, None

    def serve(self, asked: Asked) -> None:
        """Answer a program that pastes."""
        given = self._is_for_others(asked) and (
            self._give_several(asked.requestor, asked.place)
            if asked.target == self._wire.atom("MULTIPLE")
            else self._give(asked.requestor, asked.place, asked.target)
        )
        self._wire.answer(asked, asked.place if given else NONE)

    def save(self) -> Steps[None]:
        """Leave what is ours to the clipboard manager, if there is one."""
        if self.time_ms is None or self._wire.owner("CLIPBOARD_MANAGER") == NONE:
            return
        wire, window = self._wire, self._wire.window
        place, target = wire.atom("IMGHOST_SAVE"), wire.atom("SAVE_TARGETS")
        with self._loop.inbox(window) as inbox:
            wire.write(window, place, wire.atom("ATOM"), list(map(wire.atom, self.formats)))
            wire.convert("CLIPBOARD_MANAGER", target, window, place)
            until = time.monotonic() + SAVE_S
            yield from arrival(inbox, Answered, lambda answer: answer.target == target, until)

    def _is_for_others(self, asked: Asked) -> bool:
        """Not from a reading of ours that our own claim has overtaken."""
        ours = self._wire.same_program(asked.requestor, self._wire.window)
        return asked.selection == self._wire.atom("CLIPBOARD") and not ours

    def _give(self, window: int, place: int, target: int) -> bool:
        if target not in self._values:
            return False
        kind, items = self._values[target]
        if isinstance(items, bytes) and len(items) > self._wire.piece_bytes:
            if given_up := self._giving.get((window, place)):
                given_up.close()
            steps = self._giving[window, place] = self._give_pieces(window, place, kind, items)
            self._loop.start(steps)
        else:
            self._wire.write(window, place, kind, items)
        return True

    def _give_several(self, window: int, place: int) -> bool:
        value = self._wire.read(window, place, _PAIRS_BYTES)
        if not value:
            return False
        pairs = list(value.numbers)
        for n in range(0, len(pairs) - 1, 2):
            target, spot = pairs[n : n + 2]
            if spot == NONE or not self._give(window, spot, target):
                pairs[n + 1] = NONE
        self._wire.write(window, place, value.kind, pairs)
        return True

    def _give_pieces(self, window: int, place: int, kind: int, data: bytes) -> Steps[None]:
        step = self._wire.piece_bytes
        with self._loop.inbox(window) as inbox:
            self._wire.listen(window, on=True)
            self._wire.write(window, place, self._wire.atom("INCR"), [len(data)])
            for start in range(0, len(data) + step, step):  # the last one is empty: the end
                until = time.monotonic() + PATIENCE_S
                if not (yield from arrival(inbox, Taken, lambda it: it.place == place, until)):
                    break
                self._wire.write(window, place, kind, data[start : start + step])
        if not self._loop.has_inbox(window):
            self._wire.listen(window, on=False)
