"""The lock of the screen, told on real buses by screen savers and a login manager."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from imghost.desktop.screen_lock import watch_screen_lock
from tests.fakes.buses import connections, running_bus
from tests.fakes.loop import Loop
from tests.fakes.program import eventually
from tests.fakes.screens import login_manager, screen_saver


@pytest.fixture
def session_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus."""
    folder = tmp_path / "session"
    folder.mkdir()
    with running_bus(folder) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def system_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A system bus."""
    folder = tmp_path / "system"
    folder.mkdir()
    with running_bus(folder) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address


@pytest.fixture(autouse=True)
def no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test has one, there is none."""
    for which in ("SESSION", "SYSTEM"):
        monkeypatch.setenv(f"DBUS_{which}_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")


@contextmanager
def _watching(loop: Loop) -> Iterator[list[bool]]:
    changes: list[bool] = []
    with loop.doing(watch_screen_lock(changes.append)):
        yield changes


def _said(changes: list[bool], say: Callable[[], object], expected: list[bool]) -> None:
    """Say it until it is heard: the watcher may have only begun."""

    def heard() -> bool:
        say()
        return changes == expected

    eventually(heard)


@pytest.mark.parametrize("who", ["freedesktop", "gnome", "cinnamon", "mate", "xfce"])
def test_screen_savers(loop: Loop, session_bus: str, who: str) -> None:
    """Each desktop's screen saver is heard, without a system bus too."""
    with screen_saver(loop, session_bus, who) as saver, _watching(loop) as changes:
        _said(changes, lambda: loop.call(saver.says, True), [True])
        _said(changes, lambda: loop.call(saver.says, False), [True, False])


def test_a_screen_saver_that_dies(loop: Loop, session_bus: str) -> None:
    """The lock ends with the program that told of it: nobody else would ever tell its end."""
    with _watching(loop) as changes:
        with screen_saver(loop, session_bus, "mate") as saver:
            _said(changes, lambda: loop.call(saver.says, True), [True])
        eventually(lambda: changes == [True, False])


def test_what_is_no_screen_saver(loop: Loop, session_bus: str) -> None:
    """Other programs' signals of the same name mean something else."""
    with (
        screen_saver(loop, session_bus, "example") as other,
        screen_saver(loop, session_bus, "mate") as saver,
        _watching(loop) as changes,
    ):
        _said(changes, lambda: loop.call(saver.says, True), [True])
        loop.call(other.says, True)
        _said(changes, lambda: loop.call(saver.says, False), [True, False])


def test_our_login_session(loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the desktop tells the login manager of our session is heard, and nothing else."""
    changes: list[bool] = []
    with ExitStack() as after_the_bus:
        with running_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            bus, ours, other = after_the_bus.enter_context(login_manager(loop, address))
            task = after_the_bus.enter_context(loop.doing(watch_screen_lock(changes.append)))
            _said(changes, lambda: loop.call(ours.says, locked=True), [True])
            loop.call(ours.says, locked=False)
            loop.call(other.says, locked=True)
            loop.call(other.says, locked=False)
            loop.call(ours.wish)
            loop.call(ours.says, locked=True)
            assert connections(loop, bus)  # by now the daemon has passed all of it on
        eventually(task.done)
    assert changes == [True, False, True]


def test_locked_already(loop: Loop, system_bus: str) -> None:
    """A screen that is locked when the watch begins counts."""
    with (
        login_manager(loop, system_bus, locked=True) as (_, ours, _),
        _watching(loop) as changes,
    ):
        eventually(lambda: changes == [True])
        loop.call(ours.says, locked=False)
        eventually(lambda: changes == [True, False])


def test_told_twice(loop: Loop, session_bus: str, system_bus: str) -> None:
    """A desktop that tells it in both ways locks once, and unlocks when both say so."""
    with (
        screen_saver(loop, session_bus, "gnome") as saver,
        login_manager(loop, system_bus) as (bus, ours, _),
        _watching(loop) as changes,
    ):
        _said(changes, lambda: loop.call(ours.says, locked=True), [True])
        _said(changes, lambda: loop.call(ours.says, locked=False), [True, False])
        _said(changes, lambda: loop.call(saver.says, True), [True, False, True])
        loop.call(ours.says, locked=True)
        assert connections(loop, bus)  # by now the daemon has passed it on
        loop.call(saver.says, False)
        assert connections(loop, saver.bus)
        assert changes == [True, False, True]
        _said(changes, lambda: loop.call(ours.says, locked=False), [True, False, True, False])


def test_no_bus(loop: Loop) -> None:
    """Where there is no bus it ends by itself, quietly."""
    with loop.doing(watch_screen_lock(lambda _: None)) as task:
        eventually(task.done)


def test_a_bus_without_a_login_manager(loop: Loop, system_bus: str) -> None:
    """So it does where the system bus knows no login manager."""
    with loop.doing(watch_screen_lock(lambda _: None)) as task:
        eventually(task.done)


def test_a_bus_that_ends(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A bus that goes away ends the watch, and nothing reaches standard error."""
    changes: list[bool] = []
    with ExitStack() as after_the_bus:
        with running_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            saver = after_the_bus.enter_context(screen_saver(loop, address, "gnome"))
            watch = loop.doing(watch_screen_lock(changes.append))
            task = after_the_bus.enter_context(watch)
            _said(changes, lambda: loop.call(saver.says, True), [True])
        eventually(task.done)
    assert capfd.readouterr().err == ""


def test_a_bus_that_hangs(loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that never answers can be left at any time."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "hangs"))
        server.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'hangs'}")
        with loop.doing(watch_screen_lock(lambda _: None)), server.accept()[0] as connection:
            assert connection.recv(1) == b"\0"
