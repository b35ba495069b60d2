"""An X display of its own, and programs on it that paste."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from Xlib import X, Xatom, error
from Xlib.display import Display

from imghost.clipboard import Clipboard
from imghost.errors import MachineError

DEADLINE_S = 20.0


@contextmanager
def xvfb(*options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A display that nobody sees, by its name, and its server; anybody may connect."""
    told, tells = os.pipe()
    words = ["Xvfb", "-displayfd", str(tells), "-screen", "0", "640x480x24", "-ac", "-noreset"]
    server = subprocess.Popen(
        [*words, "-nolisten", "tcp", *options], pass_fds=[tells], stderr=subprocess.DEVNULL
    )
    os.close(tells)
    try:
        with os.fdopen(told, encoding="ascii") as file:
            number = file.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}", server
    finally:
        server.kill()
        server.wait(DEADLINE_S)


class Watcher:
    """Somebody who waits for a clipboard's changes, on a thread of its own."""

    def __init__(self, clipboard: Clipboard) -> None:
        self.changes = 0
        self.error: MachineError | None = None
        self._clipboard = clipboard
        self._thread = threading.Thread(target=self._watch, name="watcher")
        self._thread.start()

    def _watch(self) -> None:
        try:
            for _ in self._clipboard.changes():
                self.changes += 1
        except MachineError as exc:
            self.error = exc

    def ended(self) -> bool:
        """Whether no more changes will come."""
        self._thread.join(DEADLINE_S)
        return not self._thread.is_alive()


class Client:
    """A program on the display, with one window."""

    def __init__(self, display: str) -> None:
        self.x: Any = Display(display)
        self.x.set_error_handler(lambda _error, _request: None)
        self.window: Any = self.x.screen().root.create_window(
            0, 0, 1, 1, 0, X.CopyFromParent, event_mask=X.PropertyChangeMask
        )
        self.x.sync()

    def atom(self, name: str) -> int:
        """The number of a name."""
        return int(self.x.get_atom(name))

    def server_time(self) -> int:
        """The display's clock, in ms."""
        place = self.atom("FAKE_TIME")
        self.window.change_property(place, Xatom.STRING, 8, b"")
        return int(self.event(lambda it: it.type == X.PropertyNotify and it.atom == place).time)

    def event(self, fits: Callable[[Any], bool], limit_s: float = DEADLINE_S) -> Any:
        """The next event that fits; others are dropped."""
        until = time.monotonic() + limit_s
        while True:
            while self.x.pending_events():
                if fits(event := self.x.next_event()):
                    return event
            left_s = until - time.monotonic()
            assert left_s > 0, "the event did not come"
            select.select([self.x], [], [], left_s)

    def owner(self, selection: str = "CLIPBOARD") -> int:
        """The window that owns a selection, or 0."""
        owner = self.x.get_selection_owner(self.atom(selection))
        return int(getattr(owner, "id", owner))

    def close(self) -> None:
        """End the program."""
        with suppress(error.ConnectionClosedError):  # the display was gone before
            self.x.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Requestor(Client):
    """A program that pastes."""

    def ask(self, target: str, place: str = "PASTED", selection: str = "CLIPBOARD") -> Any:
        """Ask for a format; the property that was written, None if it was refused."""
        self.window.delete_property(self.atom(place))
        self.window.convert_selection(
            self.atom(selection), self.atom(target), self.atom(place), X.CurrentTime
        )
        if not self.event(lambda it: it.type == X.SelectionNotify).property:
            return None
        return self._take(place)

    def paste(self, target: str, selection: str = "CLIPBOARD") -> bytes | None:
        """All bytes of a format, by INCR if need be; None if it was refused."""
        value = self.ask(target, selection=selection)
        return value and self._whole(value, "PASTED")

    def piece(self, place: str = "PASTED", limit_s: float = DEADLINE_S) -> bytes:
        """The next piece of a format that comes in pieces; the last one is empty."""
        atom = self.atom(place)
        self.event(
            lambda it: (
                (it.type, getattr(it, "atom", 0), getattr(it, "state", 1))
                == (X.PropertyNotify, atom, X.PropertyNewValue)
            ),
            limit_s,
        )
        return bytes(self._take(place).value)

    def paste_several(self, *targets: str) -> dict[str, bytes]:
        """Several formats by MULTIPLE, each at a property of its name; refused ones are missing."""
        pairs = [atom for name in targets for atom in (self.atom(name), self.atom(name))]
        place = self.atom("SEVERAL")
        self.window.change_property(place, self.atom("ATOM_PAIR"), 32, pairs)
        self.window.convert_selection(
            self.atom("CLIPBOARD"), self.atom("MULTIPLE"), place, X.CurrentTime
        )
        assert self.event(lambda it: it.type == X.SelectionNotify).property == place
        given = self.window.get_full_property(place, X.AnyPropertyType).value[1::2]
        return {
            name: self._whole(self._take(name), name)
            for name, spot in zip(targets, given, strict=True)
            if spot
        }

    def _whole(self, value: Any, place: str) -> bytes:
        if value.property_type != self.atom("INCR"):
            return value.value if isinstance(value.value, bytes) else value.value.tobytes()
        return b"".join(iter(lambda: self.piece(place), b""))

    def _take(self, place: str) -> Any:
        value = self.window.get_property(self.atom(place), X.AnyPropertyType, 0, 1 << 24)
        self.window.delete_property(self.atom(place))  # apart, for the library is slow otherwise
        self.x.flush()
        return value
