"""The clipboard of Windows."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from imghost.clipboard import CUT, MARKED, TOO_LARGE, Held, Offer
from imghost.desktop import targets, windows_formats
from imghost.desktop.polled import PolledClipboard
from imghost.errors import MachineError

_LIMIT_S = 4.0
_OPEN_TRIES = 100
_OPEN_WAIT_S = 0.01

_FILES, _BITMAP, _TEXT = "CF_HDROP", "CF_DIB", "CF_UNICODETEXT"
_NAMES: Mapping[str, tuple[str, ...]] = {
    "image/png": ("PNG", "image/png"),
    "image/webp": ("image/webp",),
    "image/jpeg": ("JFIF", "image/jpeg"),
    "image/gif": ("GIF", "image/gif"),
    "image/bmp": (_BITMAP,),
    "text/plain": (_TEXT,),
}
"""What programs call formats; the bitmap and the text are made by Windows from their relatives."""

_OURS = "imghost"
_EFFECT = "Preferred DropEffect"
_COPY, _MOVE = 1, 2
_HANDS_OFF = ("ExcludeClipboardContentFromMonitorProcessing", "Clipboard Viewer Ignore")
_HISTORY = "CanIncludeInClipboardHistory"
_NUMBER_BYTES = 4


class Calls(Protocol):
    """What is asked of Windows; formats go by name, standard ones as CF_..."""

    def sequence(self) -> int:
        """How often the clipboard changed; 0 where this process may not look."""
        ...

    def open(self) -> bool:
        """Shut others out until `close` on the same thread; False while another program does."""
        ...

    def close(self) -> None:
        """Let others in."""
        ...

    def is_empty(self) -> bool:
        """Whether nothing is there."""
        ...

    def has(self, name: str) -> bool:
        """Whether this format is there, or Windows makes it from what is."""
        ...

    def get(self, name: str, limit_bytes: int) -> bytes:
        """The first bytes of this format; none if it is not handed over. May block."""
        ...

    def empty(self) -> None:
        """Throw away what is there, and own the clipboard. May block. Raises OSError."""
        ...

    def set(self, name: str, data: bytes) -> None:
        """Put this there. Raises OSError."""
        ...


class WindowsClipboard(PolledClipboard):
    """The clipboard of this Windows session; keeps the contract of Clipboard.

    What is ours carries a format of our own. Looking and replacing is one step, for nobody else
    can copy while the clipboard is open.
    """

    def __init__(
        self, poll_s: float, calls: Calls | None = None, limit_s: float = _LIMIT_S
    ) -> None:
        super().__init__(poll_s, limit_s)
        self._calls = calls or _system_calls()
        self._rendered = 0
        self._frozen: int | None = None

    def _count(self) -> int:
        if self._frozen is not None:
            return self._frozen
        if not (number := self._calls.sequence()):
            raise MachineError(
                "this process may not use the clipboard; start imghost in the session of the user "
                "who is logged in"
            )
        return number - self._rendered

    def _read(self, max_bytes: int, *, wanted: bool) -> Held:
        with self._opened(), self._uncounted() as count:
            held = self._taken(max_bytes, wanted=wanted)
            ours, empty = self._calls.has(_OURS), self._calls.is_empty()
            return dataclasses.replace(held, mark=count, ours=ours, empty=empty)

    @contextlib.contextmanager
    def _uncounted(self) -> Iterator[int]:
        """The count; it stands still though owners make what we ask for, which Windows counts."""
        self._frozen = count = self._count()
        try:
            yield count
        finally:
            self._rendered = self._calls.sequence() - count
            self._frozen = None

    def _write(self, offer: Offer, may: Callable[[], bool]) -> bool:
        contents = _contents(offer)
        with self._opened():
            if not may():
                return False
            self._calls.empty()
            for name, data in contents.items():
                self._calls.set(name, data)
            return True

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        """Alone with the clipboard. Raises TimeoutError if another program keeps it open."""
        for _ in range(_OPEN_TRIES):
            if self._calls.open():
                break
            time.sleep(_OPEN_WAIT_S)
        else:
            raise TimeoutError
        try:
            yield
        finally:
            self._calls.close()

    def _taken(self, max_bytes: int, *, wanted: bool) -> Held:
        names = {
            mime_type: name
            for mime_type, names in _NAMES.items()
            for name in reversed(names)
            if self._calls.has(name)
        }
        files = self._calls.has(_FILES)
        if (files or names.keys() - {"text/plain"}) and self._is_marked():
            return Held(None, reason=MARKED)
        if files and not wanted and self._number(_EFFECT) & _MOVE:
            return Held(None, reason=CUT)
        if files and (paths := windows_formats.paths(self._calls.get(_FILES, max_bytes))):
            return Held(None, paths=paths)

        def fetch(mime_type: str) -> bytes:
            return self._bitmap(names[mime_type], max_bytes)

        return targets.held(None, names, fetch, wanted=wanted)

    def _is_marked(self) -> bool:
        if any(self._calls.has(name) for name in _HANDS_OFF):
            return True
        return self._calls.has(_HISTORY) and not self._number(_HISTORY)

    def _number(self, name: str) -> int:
        return int.from_bytes(self._calls.get(name, _NUMBER_BYTES), "little")

    def _bitmap(self, name: str, max_bytes: int) -> bytes:
        data = self._calls.get(name, max_bytes + 1)
        if len(data) > max_bytes:
            raise targets.LeftAlone(TOO_LARGE)
        return windows_formats.bmp(data) if name == _BITMAP else data


def _contents(offer: Offer) -> Mapping[str, bytes]:
    """The offer as Windows programs read it: bytes by the names of formats."""
    contents = {_OURS: b"\1"}
    if offer.text:
        contents[_TEXT] = windows_formats.text(offer.text)
    if offer.picture:
        contents[_NAMES.get(offer.mime_type, (offer.mime_type,))[0]] = offer.picture
        contents[_BITMAP] = windows_formats.dib(offer.picture)
    if offer.paths:
        contents[_FILES] = windows_formats.drop_files(offer.paths)
        contents[_EFFECT] = _COPY.to_bytes(_NUMBER_BYTES, "little")
    return {name: data for name, data in contents.items() if data}


def _system_calls() -> Calls:
    if sys.platform != "win32":
        raise MachineError("the clipboard of Windows exists on Windows alone")
    from imghost.desktop.windows_calls import WindowsCalls

    return WindowsCalls()
