"""A connection to an X display: its selections, properties and windows, in plain types."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Any

from imghost.desktop.x11_connecting import connected, does_not_answer, reachable
from imghost.desktop.x11_events import Asked, Event, parsed
from imghost.errors import MachineError
from imghost.values import dataclass

_SLICE_BYTES = 1 << 20
_WORD_BYTES = 4
_WORD_BITS = 32
_BYTE_BITS = 8


@dataclass(frozen=True, slots=True)
class Value:
    """A property: its type, how wide its items are, its bytes, and how many there are."""

    kind: int
    item_bits: int
    data: bytes
    size_bytes: int

    @property
    def numbers(self) -> Sequence[int]:
        """Its items, if they are numbers of 32 bits."""
        return array("I", self.data) if self.item_bits == _WORD_BITS else ()


class Wire:
    """A connection; `wake` may be called by any thread, all else by one thread at a time.

    `window` is ours, to own selections with. `piece_bytes`: the largest property written at once.
    Raises MachineError if the display cannot be used or is gone. That windows of other programs
    are gone, at any time, is no error.
    """

    def __init__(self, display: str) -> None:
        self._display = display
        self._xlib = connected(display)
        self._was_cut = False
        self._names: dict[int, str] = {}
        self._woken, self._waker = socket.socketpair()
        self._woken.settimeout(0)
        self._waker.settimeout(0)
        with self.reachable():
            self._xlib.set_error_handler(lambda _error, _request: None)
            info = self._xlib.display.info
            self.piece_bytes = int(info.max_request_length * _WORD_BYTES) - 256
            self._client_mask = ~int(info.resource_id_mask)
            self.window = self.new_window()
            self._watch("CLIPBOARD")

    def atom(self, name: str) -> int:
        """The number of a name."""
        return int(self._xlib.get_atom(name))

    def names(self, atoms: Iterable[int]) -> list[str]:
        """The names of numbers; those without one are left out."""
        return [name for atom in atoms if (name := self._name(atom))]

    def same_program(self, one: int, other: int) -> bool:
        """Whether two windows belong to one program."""
        return one & self._client_mask == other & self._client_mask

    def new_window(self) -> int:
        """A window of ours that is never seen; we are told of its properties."""
        from Xlib import X

        root = self._xlib.screen().root
        mask = X.PropertyChangeMask
        return int(root.create_window(0, 0, 1, 1, 0, X.CopyFromParent, event_mask=mask).id)

    def destroy(self, window: int) -> None:
        """End a window of ours."""
        self._resource(window).destroy()

    def owner(self, selection: str) -> int:
        """The window that owns a selection, or NONE."""
        owner = self._xlib.get_selection_owner(self.atom(selection))
        return int(getattr(owner, "id", owner))

    def claim(self, selection: str, time_ms: int) -> bool:
        """Own a selection unless somebody does since a later time; whether we own it now."""
        self._resource(self.window).set_selection_owner(self.atom(selection), time_ms)
        return self.owner(selection) == self.window

    def convert(self, selection: str, target: int, window: int, place: int) -> None:
        """Ask a selection's owner for it in the format `target`, at a property of our window."""
        from Xlib import X

        self._resource(window).convert_selection(self.atom(selection), target, place, X.CurrentTime)

    def answer(self, asked: Asked, place: int) -> None:
        """Tell who asked where it is now; NONE: it is refused."""
        from Xlib.protocol.event import SelectionNotify

        requestor = self._resource(asked.requestor)
        requestor.send_event(
            SelectionNotify(
                time=asked.time_ms,
                requestor=requestor,
                selection=asked.selection,
                target=asked.target,
                property=place,
            )
        )

    def listen(self, window: int, *, on: bool) -> None:
        """Be told of the properties and the end of another program's window, or no more."""
        from Xlib import X

        mask = X.PropertyChangeMask | X.StructureNotifyMask if on else X.NoEventMask
        self._resource(window).change_attributes(event_mask=mask)

    def write(self, window: int, place: int, kind: int, items: bytes | Sequence[int]) -> None:
        """Write a property of bytes, or of numbers of 32 bits."""
        bits = _BYTE_BITS if isinstance(items, bytes) else _WORD_BITS
        self._resource(window).change_property(place, kind, bits, items)

    def read(self, window: int, place: int, max_bytes: int) -> Value | None:
        """A property, None if it is not there; of a larger one only how large it is."""
        data = bytearray()
        while part := self._part(window, place, len(data), max_bytes):
            data += part.value if part.format == _BYTE_BITS else part.value.tobytes()
            size_bytes = len(data) + part.bytes_after
            if size_bytes > max_bytes:
                return Value(part.property_type, part.format, b"", size_bytes)
            if not part.bytes_after:
                return Value(part.property_type, part.format, bytes(data), size_bytes)
        return None

    def take(self, window: int, place: int, max_bytes: int) -> Value | None:
        """The same, and delete it.

        In two steps, for if the event of its deletion precedes the property, the library takes
        seven times as long to join the parts in which it arrives.
        """
        if value := self.read(window, place, max_bytes):
            self._resource(window).delete_property(place)
        return value

    def events(self) -> Iterator[Event]:
        """What has arrived."""
        for _ in range(self._xlib.pending_events()):
            if event := parsed(self._xlib.next_event()):
                yield event

    def settle(self) -> bool:
        """Send all that was asked for; whether something has arrived meanwhile.

        By a round trip, for the library's `flush` leaves a part of what is large.
        """
        self._xlib.sync()
        return bool(self._xlib.pending_events())

    def wait(self, until: float) -> None:
        """Sleep until something arrives, `wake` is called, or the monotonic clock is there."""
        left_s = None if until == inf else max(0.0, until - time.monotonic())
        ready, _, _ = select.select([self._xlib, self._woken], [], [], left_s)
        if self._woken in ready:
            self._woken.recv(4096)

    def wake(self) -> None:
        """End another thread's `wait`."""
        with contextlib.suppress(BlockingIOError):  # it is full of such calls
            self._waker.send(b"\0")

    @contextlib.contextmanager
    def reachable(self) -> Iterator[None]:
        """Raises MachineError if the display is lost within."""
        try:
            with reachable(self._display):
                yield
        except MachineError as exc:
            if self._was_cut:
                raise does_not_answer(self._display) from exc
            raise

    def cut(self) -> None:
        """End the connection from any thread: whoever waits for the server's reply has an error."""
        self._was_cut = True
        with contextlib.suppress(OSError):
            self._xlib.display.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection, and with it all our windows."""
        self._waker.close()
        self._woken.close()
        with contextlib.suppress(MachineError), self.reachable():
            self._xlib.close()

    def _resource(self, window: int) -> Any:  # noqa: ANN401 - the library has no types
        return self._xlib.create_resource_object("window", window)

    def _part(self, window: int, place: int, start: int, end: int) -> Any:  # noqa: ANN401 - the same
        from Xlib import X
        from Xlib.error import XError

        length_bytes = min(_SLICE_BYTES, end - start + _WORD_BYTES - 1)
        words = (start // _WORD_BYTES, length_bytes // _WORD_BYTES)
        with contextlib.suppress(XError):  # the window is gone
            return self._resource(window).get_property(place, X.AnyPropertyType, *words)
        return None

    def _name(self, atom: int) -> str:
        from Xlib.error import XError

        if atom not in self._names:
            with contextlib.suppress(XError):  # there is no such atom
                self._names[atom] = self._xlib.get_atom_name(atom)
        return self._names.get(atom, "")

    def _watch(self, selection: str) -> None:
        from Xlib.ext import xfixes

        if not self._xlib.has_extension(xfixes.extname):
            self.close()
            raise MachineError(
                "display {display} does not tell when something is copied; use an X server with "
                "the XFixes extension",
                display=self._display,
            )
        self._xlib.xfixes_query_version()
        self._xlib.xfixes_select_selection_input(
            self._resource(self.window),
            self.atom(selection),
            xfixes.XFixesSetSelectionOwnerNotifyMask
            | xfixes.XFixesSelectionWindowDestroyNotifyMask
            | xfixes.XFixesSelectionClientCloseNotifyMask,
        )
