"""The last resort: text onto whatever clipboard pyperclip finds a program for."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

from imghost.clipboard import Held, Offer
from imghost.desktop.limited import within
from imghost.errors import MachineError

_LIMIT_S = 4.0


class TextClipboard:
    """A clipboard that only takes text; what is there it does not see, so it replaces nothing."""

    def __init__(self, limit_s: float = _LIMIT_S) -> None:
        self._limit_s = limit_s
        self._closed = threading.Event()

    def changes(self) -> Iterator[None]:
        """None, until `close`."""
        self._closed.wait()
        yield from ()

    def read(self, max_bytes: int, *, wanted: bool = False) -> Held:  # noqa: ARG002 - the contract's
        """Nothing that can be told."""
        return Held(None)

    def replace(self, mark: object, offer: Offer) -> bool:  # noqa: ARG002 - the contract's
        """Never: whether somebody copied since is not known."""
        return False

    def put(self, offer: Offer) -> None:
        """Put the offer's text there. Raises MachineError."""
        import pyperclip

        try:
            copy, _ = pyperclip.determine_clipboard()
            within(self._limit_s, "clipboard", lambda: copy(offer.text))
        except (pyperclip.PyperclipException, OSError, subprocess.SubprocessError) as exc:
            raise MachineError(
                "no text can be put onto the clipboard, for there is no desktop: neither DISPLAY "
                "nor WAYLAND_DISPLAY is set"
            ) from exc

    def close(self) -> None:
        """End `changes`."""
        self._closed.set()
