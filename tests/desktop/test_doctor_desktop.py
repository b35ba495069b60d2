"""imghost doctor on real desktops: what it finds there, and that it leaves all as it is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pictures
from tests.fakes.buses import running_bus
from tests.fakes.frozen import freeze
from tests.fakes.loop import running_loop
from tests.fakes.notifications import notification_service
from tests.fakes.notifier_watcher import notifier_watcher
from tests.fakes.person import Person
from tests.fakes.program import Program
from tests.fakes.sound_server import SoundServer
from tests.fakes.wayland import Session, sway
from tests.fakes.x11 import xvfb
from tests.fakes.x11_owners import Conduct, Owner

MACHINE = 10


@pytest.fixture(scope="module")
def sound_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    """A sound server for this file's tests."""
    server = SoundServer(tmp_path_factory.mktemp("sound"))
    with server.running():
        yield server


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A desktop of Wayland."""
    with sway() as found:
        yield found


@pytest.fixture(autouse=True)
def silent(program: Program, sound_server: SoundServer) -> None:
    """The program on a desktop with sound, and links of its own."""
    program.environ["PULSE_SERVER"] = sound_server.address
    program.configure(server={"port": 36677}, chime={"enabled": True, "volume": 0.5})


def _found(program: Program) -> tuple[int, dict[str, dict[str, Any]]]:
    result = program.run("doctor", "--json")
    assert result.err == ""
    return result.code, {one["name"]: one for one in result.json}


def test_a_desktop_with_everything_is_fine(
    program: Program, person: Person, sound_server: SoundServer, tmp_path: Path
) -> None:
    """What is on the clipboard stays, the sound is heard, and nothing is shown."""
    person.copy(pictures.png())
    owner = person.owner()
    (folder := tmp_path / "bus").mkdir()
    recording = sound_server.recording()
    with running_loop() as loop, running_bus(folder) as address:
        program.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        with (
            notifier_watcher(loop, address) as watcher,
            notification_service(loop, address) as service,
        ):
            code, found = _found(program)
            assert service.shown == []
            assert watcher.items == []
    names = ("clipboard", "sound", "tray", "notices")
    assert [found[name]["verdict"] for name in names] == ["fine"] * 4
    assert code == 0
    assert found["clipboard"]["told"] == "it can be read: there is an image"
    assert person.owner() == owner
    assert person.pasted("image/png") == pictures.png()
    assert 0.2 < recording.heard().length_s < 0.6


@pytest.mark.parametrize(
    ("mime_type", "content", "told"),
    [
        ("UTF8_STRING", b"words", "no image now"),
        ("text/uri-list", b"file:///a.png\r\n", "there are files"),
        ("image/svg+xml", b"<svg/>", "SVG"),
    ],
)
def test_whatever_is_on_the_clipboard_stays(
    program: Program, person: Person, mime_type: str, content: bytes, told: str
) -> None:
    """Text, files and what imghost leaves alone are told, and can still be pasted."""
    person.copy(content, mime_type)
    _, found = _found(program)
    assert found["clipboard"]["verdict"] == "fine"
    assert told in found["clipboard"]["told"]
    assert person.pasted(mime_type) == content


def test_who_never_hands_over_holds_nobody_up(program: Program, display: str) -> None:
    """A program that stalls in the middle of the clipboard's picture costs seconds, no more."""
    formats = {"image/png": pictures.png() * 2000}
    with Owner(display, formats, Conduct(stalls_after=1)):
        _, found = _found(program)
    assert found["clipboard"]["verdict"] == "fine"
    assert "did not hand it over" in found["clipboard"]["told"]


def test_what_is_missing_is_told(program: Program, home: Path, sound_server: SoundServer) -> None:
    """No panel, no service for notices, a dead sound server: each with what to do."""
    program.environ["PULSE_SERVER"] = f"unix:{home / 'nowhere'}"
    (folder := home / "bus").mkdir()
    with running_bus(folder) as address:
        program.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        code, found = _found(program)
    assert code == MACHINE
    assert "AppIndicator extension" in found["tray"]["told"]
    assert "such as dunst" in found["notices"]["told"]
    assert "chime.enabled" in found["sound"]["told"]
    _, found = _found(program)
    assert found["tray"]["told"] == "tray: no desktop session was found here, so there is no icon"


def test_a_display_that_is_gone_is_told(program: Program) -> None:
    """DISPLAY names none: it says so, and the rest is tried."""
    program.environ["DISPLAY"] = ":987"
    code, found = _found(program)
    assert (code, found["clipboard"]["verdict"]) == (MACHINE, "wrong")
    assert ":987" in found["clipboard"]["told"]
    assert found["autostart"]["verdict"] == "fine"


def test_a_server_that_hangs_holds_nobody_up(program: Program) -> None:
    """An X server that answers nothing any more is wrong after some seconds."""
    with xvfb() as (name, server):
        program.environ["DISPLAY"] = name
        freeze(server.pid)
        try:
            code, found = _found(program)
        finally:
            server.send_signal(signal.SIGCONT)
    assert found["clipboard"]["verdict"] == "wrong"
    assert code == MACHINE


def test_the_clipboard_of_wayland(program: Program, session: Session) -> None:
    """It is read by wl-paste, and stays."""
    names = ("WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
    program.environ |= {"DISPLAY": ""} | {name: session.environ[name] for name in names}
    session.copy("image/png", pictures.png())
    _, found = _found(program)
    assert found["clipboard"]["told"] == "it can be read: there is an image"
    assert session.run("wl-paste", "-t", "image/png") == pictures.png()
