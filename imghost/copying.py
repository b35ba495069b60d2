"""The clipboard as people ask for it: what is there, and a text put there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from imghost.clipboard import Held, Offer
from imghost.desktop.choice import open_clipboard
from imghost.desktop.clipboard_text import TextClipboard
from imghost.desktop.clipboard_x11 import X11Clipboard
from imghost.desktop.holder import hold
from imghost.errors import MachineError, SourceError
from imghost.server.asked import BytesInput, FileInput, Input, UploadedInput
from imghost.sources.files import may_be_image
from imghost.sources.off_limits import OffLimits

_POLL_S = 1.0


def held_now(environ: Mapping[str, str], max_bytes: int) -> Held:
    """What the desktop's clipboard holds. Raises SourceError if there is no clipboard."""
    try:
        with closing(open_clipboard(environ, _POLL_S)) as clipboard:
            return clipboard.read(max_bytes)
    except MachineError as exc:
        raise SourceError(exc.message.template, **exc.message.fields) from exc


def inputs_of(held: Held, off_limits: OffLimits) -> tuple[Input, ...]:
    """The images that the clipboard holds, if any, to upload because the user asks for it.

    Raises SourceError if what is there is left alone.
    """
    if held.reason:
        raise SourceError("what is on the clipboard is left alone: {reason}", reason=held.reason)
    if held.bitmap:
        return (BytesInput("", held.bitmap),)
    return tuple(FileInput(path) for path in held.paths if may_be_image(path, off_limits))


def replaced_inputs(record_ids: Sequence[int]) -> tuple[Input, ...]:
    """The uploads of a watcher whose links stand where the images were. Raises SourceError."""
    if not record_ids:
        raise SourceError("there is no image on the clipboard; copy one first")
    return tuple(map(UploadedInput, record_ids))


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
