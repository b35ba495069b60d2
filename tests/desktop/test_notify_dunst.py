"""Notices as a real notification daemon shows them: dunst, on a display and a bus of its own."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.desktop.bus import DBUS, DBUS_PATH, call
from imghost.desktop.notify import Button, Notice, Notifier
from tests.fakes.buses import on_bus, running_bus
from tests.fakes.loop import Loop
from tests.fakes.notifications import NAME
from tests.fakes.program import eventually

_CONFIG = "[urgency_normal]\n    timeout = 4\n"


@pytest.fixture
def dunst(
    display: str, loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """It runs, and shows what is no question for some seconds."""
    config = tmp_path / "dunstrc"
    config.write_text(_CONFIG)
    with running_bus(tmp_path) as address, on_bus(loop, address) as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with subprocess.Popen(
            ["dunst", "-conf", config],
            env=os.environ | {"DISPLAY": display},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                asked = (DBUS, DBUS_PATH, f"{DBUS}.NameHasOwner", "s", NAME)
                eventually(lambda: loop.run(call(bus, *asked)) == [True])
                yield
            finally:
                process.terminate()


def _dunst(*words: str) -> str:
    return subprocess.run(["dunstctl", *words], capture_output=True, text=True, check=True).stdout


def test_a_question_stays_and_is_answered(dunst: None, loop: Loop) -> None:
    """What is told goes after its time; what is asked does not, and its button works."""
    pressed = threading.Event()
    notifier = Notifier(loop.loop)
    try:
        notifier.show(Notice("told", "a & b"))
        notifier.show(Notice("asked", "<b>", None, (Button("Yes", pressed.set),)))
        eventually(lambda: _dunst("count", "displayed").strip() == "2")
        eventually(lambda: _dunst("count", "displayed").strip() == "1")
        assert _dunst("count", "history").strip() == "1"
        _dunst("action", "0")
        eventually(pressed.is_set)
    finally:
        loop.run(notifier.close())
