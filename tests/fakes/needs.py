"""What the tests of real desktops run, and what of it is not installed here."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

X11 = ("Xvfb", "xclip")
GTK = "GTK 3 for the system's own Python"
DESKTOP = (*X11, GTK, "dbus-daemon")
WAYLAND = ("sway", "wl-copy", "wl-paste")
SOUND = ("pulseaudio", "pactl", "parec", "sox")

NEEDS = {
    "test_bus": ("dbus-daemon",),
    "test_chime": SOUND,
    "test_clipboard_wayland": (*WAYLAND, *X11),
    "test_clipboard_x11": (*X11, GTK),
    "test_clipboard_x11_owning": (*X11, "xsel"),
    "test_copying": (*DESKTOP, *WAYLAND),
    "test_login_terminal": ("Xvfb", "xterm", "zbarimg"),
    "test_doctor_desktop": (*X11, "dbus-daemon", *WAYLAND, *SOUND),
    "test_notify": ("dbus-daemon",),
    "test_notify_dunst": ("Xvfb", "dbus-daemon", "dunst", "dunstctl"),
    "test_screen_lock": ("dbus-daemon",),
    "test_tray_bus": ("dbus-daemon",),
    "test_tray_panel": (*X11, "dbus-daemon", "xfce4-panel", "openbox"),
    "test_watch_by_mistake": (*DESKTOP, "strace"),
    "test_watch_sound": (*DESKTOP, *SOUND),
    "test_watch_wayland": (*DESKTOP, *WAYLAND),
}
"""By the name of the test's module; DESKTOP for all others."""


def missing(module: str) -> list[str]:
    """What a module's tests need and this machine has not."""
    if sys.platform != "linux":
        return ["Linux"]
    needs = NEEDS.get(module.rpartition(".")[2], DESKTOP)
    return [what for what in needs if not (_has_gtk() if what is GTK else shutil.which(what))]


def may_skip() -> bool:
    """Whether a test may be left out for what this machine lacks; in CI none may."""
    return os.environ.get("IMGHOST_TESTS_SKIP") != "nothing"


@functools.cache
def _has_gtk() -> bool:
    try:
        command = ["/usr/bin/python3", "-c", "import gi; gi.require_version('Gtk', '3.0')"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def linux_alone(items: Iterable[pytest.Item], folder: Path, why: str) -> None:
    """Skip the tests of a folder elsewhere, but for those of its rows."""
    if sys.platform == "linux":
        return
    for item in items:
        if item.path.parent == folder and item.path.stem != "test_rows":
            item.add_marker(pytest.mark.skip(reason=why))
