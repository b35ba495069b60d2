"""The clipboard as commands use it, without a daemon: what is there, and a text put there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from imghost.clipboard import Held, Offer
from imghost.desktop.choice import open_clipboard
from imghost.desktop.clipboard_text import TextClipboard
from imghost.desktop.clipboard_x11 import X11Clipboard
from imghost.desktop.holder import hold
from imghost.errors import MachineError, SourceError

_POLL_S = 1.0


def held_now(environ: Mapping[str, str], max_bytes: int) -> Held:
    """What the desktop's clipboard holds. Raises SourceError if there is no clipboard."""
    try:
        with closing(open_clipboard(environ, _POLL_S)) as clipboard:
            return clipboard.read(max_bytes)
    except MachineError as exc:
        raise SourceError(exc.message.template, **exc.message.fields) from exc


def copy_text(environ: Mapping[str, str], text: str) -> None:
    """Put a text onto the clipboard, where it stays. Raises MachineError."""
    try:
        clipboard = open_clipboard(environ, _POLL_S)
    except MachineError:
        if any(map(environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
            raise
        clipboard = TextClipboard()  # where there is another kind of desktop, as below Windows
    with closing(clipboard):
        if isinstance(clipboard, X11Clipboard):  # there it lasts as long as who put it there
            hold(environ["DISPLAY"], text)
        else:
            clipboard.put(Offer(text))
