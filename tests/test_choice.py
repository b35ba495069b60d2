"""Tests of which clipboard is chosen, and of what is said where there is none."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from imghost.clipboard import Offer
from imghost.desktop.choice import open_clipboard
from imghost.desktop.clipboard_text import TextClipboard
from imghost.errors import MachineError
from tests.fakes.watcher import Watcher

NO_DATA_CONTROL = "echo 'Watch mode requires a compositor that supports data-control' >&2; exit 1"


def program(folder: Path, name: str, does: str) -> None:
    """A small program of the shell."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def refused(environ: dict[str, str]) -> str:
    """What is said where no clipboard can be had."""
    with pytest.raises(MachineError) as caught:
        open_clipboard(environ, 0.5)
    assert caught.value.exit_code == 10
    return str(caught.value)


def test_a_machine_without_a_desktop_is_told_so() -> None:
    """On a server, or over ssh, it is said what is missing."""
    assert "DISPLAY" in refused({"PATH": "/usr/bin:/bin"})


def test_missing_programs_are_named(tmp_path: Path) -> None:
    """Wayland without wl-clipboard says what to install."""
    environ = {"PATH": str(tmp_path), "WAYLAND_DISPLAY": "wayland-0"}
    assert "install wl-clipboard" in refused(environ)


def test_a_desktop_that_tells_nothing_is_told_so(tmp_path: Path) -> None:
    """Wayland without data-control and without XWayland says what would help."""
    program(tmp_path, "wl-paste", NO_DATA_CONTROL)
    program(tmp_path, "wl-copy", "exit 0")
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "WAYLAND_DISPLAY": "wayland-0"}
    assert "install xwayland" in refused(environ)


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs; all that pyperclip finds of a Wayland desktop."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    program(tmp_path, "wl-paste", NO_DATA_CONTROL)
    return tmp_path


def test_the_last_resort_takes_text(desktop: Path) -> None:
    """A link reaches the program that pyperclip found; what was there is neither seen nor kept."""
    program(desktop, "wl-copy", f"cat > {desktop}/copied")
    clipboard = TextClipboard()
    clipboard.put(Offer("![](é)"))
    assert (desktop / "copied").read_text(encoding="utf-8") == "![](é)"
    assert not clipboard.replace(clipboard.read(1).mark, Offer("other"))
    watcher = Watcher(clipboard)
    clipboard.close()
    watcher.ended()
    assert (watcher.changes, watcher.error) == (0, None)


def test_a_program_that_hangs_is_left(desktop: Path) -> None:
    """The last resort has a time limit, which pyperclip has not."""
    program(desktop, "wl-copy", f"until [ -e {desktop}/done ]; do sleep 0.05; done; cat >/dev/null")
    with pytest.raises(MachineError):
        TextClipboard(limit_s=0.05).put(Offer("text"))
    (desktop / "done").touch()


def test_nothing_at_all_is_told(desktop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no desktop, and no program that takes text, the reason is told."""
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(MachineError) as caught:
        TextClipboard().put(Offer("text"))
    assert "there is no desktop" in str(caught.value)
