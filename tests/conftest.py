"""What every test may count on: an empty home, and nothing left behind."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from imghost.dirs import Dirs, find_dirs
from tests.fakes import bilibili
from tests.fakes.canaries import Listener, secrets_on_disk
from tests.fakes.program import Program

hypothesis.settings.register_profile("imghost", deadline=None)  # speed is the benchmark's
hypothesis.settings.load_profile("imghost")

_THREAD_END_S = 5.0
_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_CONFIG_HOME")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what a test logs be whole characters: it goes to the process that tells of all tests."""
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary home folder, below which imghost keeps everything; English, and no desktop."""
    root = tmp_path / "home"
    root.mkdir()
    for name in [n for n in os.environ if n.startswith("IMGHOST_") or n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in _DESKTOP:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("USERPROFILE", str(root))
    monkeypatch.setenv("IMGHOST_HOME", str(root / "imghost"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("IMGHOST_LOG", "debug")
    return root


@pytest.fixture
def dirs(home: Path) -> Dirs:
    """The folders below the temporary home."""
    return find_dirs(os.environ)


@pytest.fixture
def program(home: Path) -> Program:
    """The program, with no config at all."""
    return Program(home / "imghost")


@pytest.fixture
def fake(program: Program) -> Iterator[bilibili.FakeBilibili]:
    """A Bilibili on loopback to which everything goes."""
    with bilibili.FakeBilibili() as server:
        program.configure(**bilibili.settings(server))
        yield server


@pytest.fixture(autouse=True)
def no_leaks(home: Path) -> Iterator[None]:
    """Fail a test that leaves a thread or an unfinished file behind."""
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + _THREAD_END_S
    while (stray := set(threading.enumerate()) - before) and time.monotonic() < until:
        for thread in stray:
            thread.join(until - time.monotonic())
    assert not stray, f"threads left running: {sorted(t.name for t in stray)}"
    unfinished = [p for p in home.glob("imghost/data/tmp/*/*") if p.is_file()]
    assert not unfinished, f"unfinished files left: {unfinished}"


@pytest.fixture(autouse=True)
def no_secret_is_told(home: Path) -> Iterator[None]:
    """Fail a test in which a secret is logged, or written to where none belongs; at debug level."""
    listener, root, logger = Listener(), logging.getLogger(), logging.getLogger("imghost")
    former = logger.level
    root.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield
    root.removeHandler(listener)
    logger.setLevel(former)
    assert listener.told == []
    assert secrets_on_disk(home / "imghost") == []


@pytest.fixture(autouse=True)
def nothing_is_open_to_others(home: Path) -> Iterator[None]:
    """Fail a test in which a command, which runs under umask 0, writes what others could read."""
    former = os.umask(0o077)  # what the test itself writes is not looked for
    yield
    os.umask(former)
    root = home / "imghost"
    found = [path for path in root.rglob("*") if not path.is_symlink()]
    shown = [str(p.relative_to(root)) for p in found if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert shown == []
