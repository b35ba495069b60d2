"""The clipboard of macOS."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from imghost.clipboard import MARKED, TOO_LARGE, Held, Offer
from imghost.desktop import targets
from imghost.desktop.macos_calls import FILE_URL, MacCalls
from imghost.desktop.polled import PolledClipboard

_LIMIT_S = 4.0
_TEXT = "public.utf8-plain-text"
_TYPES: Mapping[str, str] = {
    "image/png": "public.png",
    "image/webp": "org.webmproject.webp",
    "image/jpeg": "public.jpeg",
    "image/gif": "com.compuserve.gif",
    "image/bmp": "com.microsoft.bmp",
    "image/tiff": "public.tiff",
    "image/heic": "public.heic",
    "image/avif": "public.avif",
    "text/plain": _TEXT,
}
_HANDS_OFF = frozenset({"org.nspasteboard.ConcealedType", "org.nspasteboard.TransientType"})


class Calls(Protocol):
    """What is asked of macOS."""

    def count(self) -> int:
        """How often the pasteboard got another owner."""
        ...

    def types(self) -> tuple[str, ...]:
        """The uniform type identifiers of what is offered."""
        ...

    def get(self, kind: str, limit_bytes: int) -> bytes:
        """The first bytes of this type; none if it is not handed over. May block."""
        ...

    def file_paths(self) -> tuple[str, ...]:
        """The absolute paths of the files that are offered, in their order. May block."""
        ...

    def put(self, contents: Mapping[str, bytes]) -> int:
        """Own the pasteboard, and offer this; the new count, or 0 if it went to another at once."""
        ...

    def put_files(self, paths: Iterable[str]) -> int:
        """As `put`, with files."""
        ...


class MacClipboard(PolledClipboard):
    """The general pasteboard of this session; keeps the contract of Clipboard.

    macOS has no way to look and replace in one step: what somebody copies in the microseconds
    between is replaced.
    """

    def __init__(
        self, poll_s: float, calls: Calls | None = None, limit_s: float = _LIMIT_S
    ) -> None:
        super().__init__(poll_s, limit_s)
        self._calls = calls or MacCalls()
        self._ours = 0

    def _count(self) -> int:
        return self._calls.count()

    def _read(self, max_bytes: int, *, wanted: bool) -> Held:
        mark, types = self._count(), self._calls.types()
        held = self._taken(mark, types, max_bytes, wanted=wanted)
        return dataclasses.replace(held, ours=mark == self._ours, empty=not types)

    def _write(self, offer: Offer, may: Callable[[], bool]) -> bool:
        if not may():
            return False
        if offer.paths:
            self._ours = self._calls.put_files(offer.paths)
        else:
            self._ours = self._calls.put(_contents(offer))
        return bool(self._ours)

    def _taken(self, mark: int, types: tuple[str, ...], max_bytes: int, *, wanted: bool) -> Held:
        def fetch(mime_type: str) -> bytes:
            data = self._calls.get(_TYPES[mime_type], max_bytes + 1)
            if len(data) > max_bytes:
                raise targets.LeftAlone(TOO_LARGE)
            return data

        offered = [mime_type for mime_type, kind in _TYPES.items() if kind in types]
        files = FILE_URL in types
        if (files or {*offered} - {"text/plain"}) and _HANDS_OFF.intersection(types):
            return Held(mark, reason=MARKED)
        if files and (paths := self._calls.file_paths()):
            return Held(mark, paths=paths)
        return targets.held(mark, offered, fetch, wanted=wanted)


def _contents(offer: Offer) -> Mapping[str, bytes]:
    """The offer as macOS programs read it: bytes by their types."""
    contents = {}
    if offer.text:
        contents[_TEXT] = offer.text.encode()
    if offer.picture:
        contents[_TYPES.get(offer.mime_type, offer.mime_type)] = offer.picture
    return contents
