"""Programs that hold an X clipboard: honest ones, slow ones, broken ones, and a manager."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from Xlib import X, Xatom, error
from Xlib.protocol.event import SelectionNotify

from tests.fakes.x11 import DEADLINE_S, Client, Requestor

PIECE_BYTES = 200_000
NEVER = 1 << 30


@dataclass(frozen=True)
class Conduct:
    """How a program behaves when it is asked for what it holds.

    `refuses` these formats, is `silent` when asked for these, `deaf_to` so many first requests. Of
    what comes in pieces it writes so many, then `stalls_after` or `dies_after` them; it `announces`
    this size; each piece takes it `piece_s`. `item_bits` of what it writes.
    """

    refuses: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    deaf_to: int = 0
    stalls_after: int = NEVER
    dies_after: int = NEVER
    announces: int = -1
    piece_s: float = 0.0
    piece_bytes: int = PIECE_BYTES
    item_bits: int = 8


HONEST = Conduct()


class Owner(Client):
    """A program that has copied something, until it is closed or dies."""

    def __init__(
        self,
        display: str,
        formats: Mapping[str, bytes],
        conduct: Conduct = HONEST,
        *,
        selection: str = "CLIPBOARD",
        time_ms: int = X.CurrentTime,
    ) -> None:
        super().__init__(display)
        self.formats = dict(formats)
        self._copied = threading.Event()
        self.asked: list[str] = []
        self.pieces = 0
        self._conduct = conduct
        self._pending: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._stops, self._stop = socket.socketpair()
        self.own(selection, time_ms)
        self._thread = threading.Thread(target=self._run, name="fake-owner")
        self._thread.start()

    def copy(self, formats: Mapping[str, bytes]) -> None:
        """Copy something else."""
        self.formats = dict(formats)
        self._copied.clear()
        self._stop.send(b"copy")
        assert self._copied.wait(DEADLINE_S)

    def own(self, selection: str, time_ms: int = X.CurrentTime) -> None:
        """Take a selection, if the display agrees."""
        self.window.set_selection_owner(self.atom(selection), time_ms)
        self.x.sync()

    def close(self) -> None:
        """End the program, and with it what it holds."""
        self._stop.close()
        self._thread.join(DEADLINE_S)
        self._stops.close()
        super().close()

    def _run(self) -> None:
        try:
            while self._waits():
                while self.x.pending_events():
                    self.serve(self.x.next_event())
                    self.x.sync()
        except error.ConnectionClosedError:  # it died, or the display did
            pass

    def _waits(self) -> bool:
        if self.x.pending_events():
            return True
        ready, _, _ = select.select([self.x, self._stops], [], [])
        if self._stops in ready:
            if not self._stops.recv(100):
                return False
            self.own("CLIPBOARD")
            self._copied.set()
        return True

    def serve(self, event: Any) -> None:
        """Answer whoever pastes."""
        if event.type == X.SelectionRequest:
            name = self.x.get_atom_name(event.target)
            self.asked.append(name)
            if name not in self._conduct.silent and len(self.asked) > self._conduct.deaf_to:
                self._answer(event, name)
        elif event.type == X.PropertyNotify and event.state == X.PropertyDelete:
            self._write_piece(event.window, event.atom)

    def _answer(self, event: Any, name: str) -> None:
        refused = name in self._conduct.refuses
        place = X.NONE if refused or not self._write(event, name) else event.property
        answer = SelectionNotify(
            time=event.time,
            requestor=event.requestor,
            selection=event.selection,
            target=event.target,
            property=place,
        )
        event.requestor.send_event(answer)

    def _write(self, event: Any, name: str) -> bool:
        requestor, place = event.requestor, event.property
        if name == "TARGETS":
            names = [self.atom(name) for name in ("TARGETS", *self.formats)]
            requestor.change_property(place, Xatom.ATOM, 32, names)
        elif name not in self.formats:
            return False
        elif len(self.formats[name]) <= self._conduct.piece_bytes:
            self._put(requestor, place, self.atom(name), self.formats[name])
        else:
            data, announced = self.formats[name], self._conduct.announces
            requestor.change_attributes(event_mask=X.PropertyChangeMask)
            size = len(data) if announced < 0 else announced
            requestor.change_property(place, self.atom("INCR"), 32, [size])
            self._pending[requestor.id, place] = (self.atom(name), data)
        return True

    def _put(self, requestor: Any, place: int, kind: int, data: bytes) -> None:
        bits, mode = self._conduct.item_bits, X.PropModeReplace
        for start in range(0, max(1, len(data)), PIECE_BYTES):
            requestor.change_property(place, kind, bits, data[start : start + PIECE_BYTES], mode)
            mode = X.PropModeAppend

    def _write_piece(self, requestor: Any, place: int) -> None:
        if (requestor.id, place) not in self._pending or self.pieces >= self._conduct.stalls_after:
            return
        if self.pieces >= self._conduct.dies_after:
            self.x.close()
            return
        threading.Event().wait(self._conduct.piece_s)
        kind, data = self._pending[requestor.id, place]
        piece, rest = data[: self._conduct.piece_bytes], data[self._conduct.piece_bytes :]
        self._put(requestor, place, kind, piece)
        self.pieces += 1
        self._pending[requestor.id, place] = (kind, rest)
        if not piece:
            del self._pending[requestor.id, place]


class Manager(Owner):
    """A clipboard manager: keeps what programs leave to it when they end."""

    def __init__(self, display: str, conduct: Conduct = HONEST) -> None:
        self._display = display
        super().__init__(display, {}, conduct, selection="CLIPBOARD_MANAGER")

    def _write(self, event: Any, name: str) -> bool:
        if name != "SAVE_TARGETS":
            return super()._write(event, name)
        wanted = event.requestor.get_full_property(event.property, Xatom.ATOM).value
        with Requestor(self._display) as requestor:
            self.formats = requestor.paste_several(*map(self.x.get_atom_name, wanted))
        self.own("CLIPBOARD")
        return True
