"""The clipboard of X11, by its own protocol: no helper program, no polling."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from math import inf
from typing import cast

from imghost.clipboard import TOO_LARGE, Held, Offer
from imghost.desktop import targets
from imghost.desktop.targets import LeftAlone
from imghost.desktop.x11_events import NONE, Asked, Changed, Cleared, Written
from imghost.desktop.x11_guard import cut_after
from imghost.desktop.x11_loop import Loop, Steps, arrival
from imghost.desktop.x11_owning import Owning
from imghost.desktop.x11_reading import Reading
from imghost.desktop.x11_requestors import Requestors
from imghost.desktop.x11_wire import Wire
from imghost.errors import MachineError
from imghost.values import dataclass

READ_S = 10.0
_SERVER_S = 2.0
_LIMIT_S = 15.0
_REPLY_S = 6.0
_CLOSE_S = 2.5


@dataclass(slots=True)
class _Last:
    """The last change of the clipboard's owner.

    `time_ms` is the server's. `vanished`: it has no owner, for the last one's window is gone.
    `inherited`: the one before had vanished so. `count`: of changes since the start.
    """

    owner: int = NONE
    time_ms: int = 0
    vanished: bool = False
    inherited: bool = False
    count: int = 0

    def note(self, change: Changed) -> None:
        self.inherited = self.vanished and not change.vanished
        self.owner, self.time_ms, self.vanished = change.owner, change.time_ms, change.vanished
        self.count += 1


class X11Clipboard:
    """A Clipboard (its docstring is the contract) on an X display, named as in DISPLAY.

    A mark is the server's time of the last change, in ms. Whatever thread waits for one of its
    methods serves the programs that paste from us; so it is answered while `changes` is iterated.
    Raises MachineError if there is no such display; a server that hangs for `reply_s` is gone.
    """

    def __init__(self, display: str, reply_s: float = _REPLY_S) -> None:
        self._wire = Wire(display)
        self._loop = Loop(self._wire, self._handle, reply_s)
        self._owning = Owning(self._wire, self._loop)
        self._requestors = Requestors(self._wire, self._loop)
        self._last = _Last()
        self._told = 0
        self._closing = False
        try:
            self._loop.run(self._begin())
        except MachineError:
            self._loop.close(_SERVER_S)
            raise

    def changes(self) -> Iterator[None]:
        """One for each change of its owner; several that come at once are one."""
        while self._is_changed():
            yield

    def read(self, max_bytes: int, *, wanted: bool = False) -> Held:
        """What is there now, within ten seconds; a bitmap that is larger is left alone."""
        return self._loop.run(self._read(max_bytes, wanted=wanted), _LIMIT_S)

    def replace(self, mark: object, offer: Offer) -> bool:
        """Put the offer there unless somebody copied since `mark`; whether it is there now."""
        return self._loop.run(self._replace(mark, offer), _LIMIT_S)

    def put(self, offer: Offer) -> None:
        """Put the offer there, whatever was."""
        self._loop.run(self._put(offer), _LIMIT_S)

    def close(self) -> None:
        """End `changes`, and leave what we put there to a clipboard manager if there is one."""
        self._closing = True
        with cut_after(_CLOSE_S, self._wire.cut):  # a server that hangs is not waited for
            with suppress(MachineError):
                self._loop.run(self._owning.save(), _CLOSE_S)
            self._loop.close(_SERVER_S)

    def _handle(self, event: Changed | Cleared | Asked) -> None:
        match event:
            case Asked():
                self._owning.serve(event)
            case Cleared():
                self._owning.lose()
            case Changed():
                self._last.note(event)

    def _begin(self) -> Steps[None]:
        now_ms = yield from self._server_time()
        if not self._last.count:
            self._last.owner, self._last.time_ms = self._wire.owner("CLIPBOARD"), now_ms

    def _is_changed(self) -> bool:
        try:
            return self._loop.run(self._next_change())
        except MachineError:
            if self._closing:
                return False
            raise

    def _next_change(self) -> Steps[bool]:
        while self._last.count == self._told and not self._closing:
            yield inf
        self._told = self._last.count
        return not self._closing

    def _replace(self, mark: object, offer: Offer) -> Steps[bool]:
        yield from ()
        if not isinstance(mark, int) or self._owning.time_ms not in {None, mark}:
            return False  # the server would not tell: what it leaves as it is, is ours already
        return self._owning.claim(mark, offer)

    def _put(self, offer: Offer) -> Steps[None]:
        self._owning.claim((yield from self._server_time()), offer)

    def _server_time(self) -> Steps[int]:
        """The server tells it with each property that is written."""
        window, place = self._wire.window, self._wire.atom("IMGHOST_TIME")
        until = time.monotonic() + _SERVER_S
        with self._loop.inbox(window) as inbox:
            self._wire.write(window, place, self._wire.atom("INTEGER"), [])
            written = yield from arrival(inbox, Written, lambda new: new.place == place, until)
        if written is None:
            raise MachineError("the clipboard does not answer; try again")
        return written.time_ms

    def _read(self, max_bytes: int, *, wanted: bool) -> Steps[Held]:
        until = time.monotonic() + READ_S
        yield 0.0  # so that what the display has told by now is heard first
        while True:
            past = partial(self._is_past, self._last.count)
            reading = Reading(self._wire, self._loop, self._requestors, until, past)
            held = yield from self._look(reading, max_bytes, wanted=wanted)
            if self._closing or not past() or time.monotonic() >= until:
                return held

    def _is_past(self, count: int) -> bool:
        return self._closing or self._last.count != count

    def _look(self, reading: Reading, max_bytes: int, *, wanted: bool) -> Steps[Held]:
        owner, mark = self._last.owner, self._last.time_ms
        if owner == NONE:
            return Held(mark, empty=True)
        if owner == self._wire.window:
            return replace(self._ours(mark, max_bytes), ours=True)
        inherited = self._last.inherited or self._is_manager(owner)
        held = yield from self._theirs(reading, mark, max_bytes, wanted=wanted)
        return replace(held, inherited=inherited)

    def _ours(self, mark: int, max_bytes: int) -> Held:
        def fetch(name: str) -> bytes:
            if len(self._owning.formats[name]) > max_bytes:
                raise LeftAlone(TOO_LARGE)
            return self._owning.formats[name]

        return targets.held(mark, self._owning.formats, fetch)

    def _theirs(self, reading: Reading, mark: int, max_bytes: int, *, wanted: bool) -> Steps[Held]:
        try:
            offered = yield from reading.targets()
        except LeftAlone:  # nobody knows whether it is an image
            return Held(mark)
        rules = targets.taking(mark, offered, wanted=wanted)
        try:
            name = next(rules)
            while True:
                name = rules.send((yield from reading.fetch(name, max_bytes)))
        except StopIteration as end:
            return cast("Held", end.value)
        except LeftAlone as exc:
            return Held(mark, reason=exc.reason)

    def _is_manager(self, owner: int) -> bool:
        manager = self._wire.owner("CLIPBOARD_MANAGER")
        return manager != NONE and self._wire.same_program(manager, owner)
