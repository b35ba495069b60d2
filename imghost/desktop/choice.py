"""Which clipboard this desktop has."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from imghost.clipboard import Clipboard
from imghost.errors import MachineError


def open_clipboard(environ: Mapping[str, str], poll_s: float) -> Clipboard:
    """The clipboard of the desktop session that `environ` describes.

    Looked at each `poll_s` where the system does not tell of changes. Raises MachineError, which
    says what is missing and how to get it.
    """
    if sys.platform == "win32":
        from imghost.desktop.clipboard_windows import WindowsClipboard

        return WindowsClipboard(poll_s)
    if sys.platform == "darwin":
        from imghost.desktop.clipboard_macos import MacClipboard

        return MacClipboard(poll_s)
    return _free_desktop(environ)


def _free_desktop(environ: Mapping[str, str]) -> Clipboard:
    from imghost.desktop.wayland_calls import WaylandCalls

    wayland = environ.get("WAYLAND_DISPLAY")
    calls = WaylandCalls(environ)
    if wayland and calls.are_installed() and calls.can_watch():
        from imghost.desktop.clipboard_wayland import WaylandClipboard

        return WaylandClipboard(environ)
    if display := environ.get("DISPLAY"):  # XWayland's, where the Wayland desktop tells too little
        from imghost.desktop.clipboard_x11 import X11Clipboard

        return X11Clipboard(display)
    if wayland and not calls.are_installed():
        raise MachineError(
            "the clipboard needs the programs wl-copy and wl-paste; install wl-clipboard with "
            "your system's package manager"
        )
    if wayland:
        raise MachineError(
            "this Wayland desktop does not let programs watch the clipboard, and there is no "
            "XWayland; install xwayland, or log in to an X11 session"
        )
    raise MachineError(
        "there is no desktop, so no clipboard: neither DISPLAY nor WAYLAND_DISPLAY is set; start "
        "imghost inside a desktop session"
    )
