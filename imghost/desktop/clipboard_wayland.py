"""The clipboard of a Wayland desktop with data-control, by the programs of wl-clipboard."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256

from imghost.clipboard import Held, Offer
from imghost.desktop import targets
from imghost.desktop.wayland_calls import Watch, WaylandCalls
from imghost.values import dataclass

_TEXT = "text/plain"
_HANDS_OFF = "password"  # in the name of a format: a password manager's wish


@dataclass(frozen=True, slots=True)
class _Mark:
    """What was read, by its hash; nothing if nobody held anything, None if not all of it came."""

    content: bytes | None
    max_bytes: int


class WaylandClipboard:
    """The clipboard of the session that `environ` describes; keeps the contract of Clipboard.

    wl-copy offers one format: a text is offered without the picture that goes with it. Wayland
    knows no time of copying, so a mark is the content itself, and is compared just before
    wl-copy takes over: what somebody copies in the some 5 ms between is replaced.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._calls = WaylandCalls(environ)
        self._one_at_a_time = threading.Lock()
        self._put: bytes | None = None
        self._state = threading.Lock()
        self._watch: Watch | None = None
        self._closed = False

    def changes(self) -> Iterator[None]:
        """One for each time that somebody copied; several at once count as one."""
        old = 1 if self._calls.types() else 0
        with self._state:
            if self._closed:
                return
            watch = self._watch = self._calls.watch()
        try:
            for told in watch:
                if told > old:
                    yield
                old = 0
        finally:
            watch.stop()

    def read(self, max_bytes: int, *, wanted: bool = False) -> Held:
        """What is there now."""
        with self._one_at_a_time:
            held, content = self._look(max_bytes, wanted=wanted)
            if content != self._put:
                self._put = None
            return replace(held, mark=_Mark(content, max_bytes), ours=self._put is not None)

    def replace(self, mark: object, offer: Offer) -> bool:
        """Put the offer there if what was read at `mark` still is, or nothing any more."""
        with self._one_at_a_time:
            if not isinstance(mark, _Mark) or mark.content is None:
                return False
            _, content = self._look(mark.max_bytes)
            if content not in (mark.content, b""):
                return False
            self._copy(offer)
            return True

    def put(self, offer: Offer) -> None:
        """Put the offer there."""
        with self._one_at_a_time:
            self._copy(offer)

    def close(self) -> None:
        """End `changes`; what we put stays there by itself."""
        with self._state:
            self._closed = True
            if self._watch:
                self._watch.stop()

    def _look(self, max_bytes: int, *, wanted: bool = False) -> tuple[Held, bytes | None]:
        """What is there, and by what it is known again."""
        types = self._calls.types()
        reader = _Reader(self._calls, max_bytes)
        held = targets.held(None, types, reader, wanted=wanted)
        text = next((name for name in types if name.startswith(_TEXT)), "")
        if text and not (reader.asked or any(_HANDS_OFF in name.lower() for name in types)):
            with contextlib.suppress(targets.LeftAlone):
                reader(text)
        if not types:
            return replace(held, empty=True), b""
        return held, reader.content

    def _copy(self, offer: Offer) -> None:
        mime_type, data = _format(offer)
        self._calls.copy(mime_type, data)
        self._put = sha256(data).digest()


class _Reader:
    """Reads formats; `content` is the hash of all that was read, if all of it came."""

    def __init__(self, calls: WaylandCalls, max_bytes: int) -> None:
        self._calls = calls
        self._max_bytes = max_bytes
        self._digest = sha256()
        self.asked = False
        self.content: bytes | None = None

    def __call__(self, mime_type: str) -> bytes:
        self.asked, self.content = True, None
        data = self._calls.paste(mime_type, self._max_bytes)
        self._digest.update(data)
        self.content = self._digest.digest()
        return data


def _format(offer: Offer) -> tuple[str, bytes]:
    if offer.text:
        return _TEXT, offer.text.encode()
    if offer.picture:
        return offer.mime_type, offer.picture
    return targets.URI_LIST, targets.copied(offer.paths)[targets.URI_LIST]
