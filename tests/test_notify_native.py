"""Notices on Windows and macOS, as desktop-notifier is asked for them."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.desktop.notify import Button, Notice, Notifier
from tests.fakes import desktop_notifier
from tests.fakes.desktop_notifier import DesktopNotifier
from tests.fakes.loop import Loop, running_loop
from tests.fakes.program import eventually


@pytest.fixture
def loop() -> Iterator[Loop]:
    """The loop on which all of it happens."""
    with running_loop() as loop:
        yield loop


@pytest.fixture(params=["darwin", "win32"])
def notifier(
    request: pytest.FixtureRequest, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notifier]:
    """A notifier on each of these systems."""
    monkeypatch.setitem(sys.modules, "desktop_notifier", desktop_notifier)
    monkeypatch.setattr(DesktopNotifier, "sent", ())
    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", request.param)
        notifier = Notifier(loop.loop)
    yield notifier
    loop.run(notifier.close())


def test_a_notice(notifier: Notifier, tmp_path: Path) -> None:
    """Title, text, picture and buttons arrive; a button is pressed on the loop."""
    pressed: list[str] = []
    button = Button("Yes", lambda: pressed.append(threading.current_thread().name))
    notifier.show(Notice("Upload?", "a & b", tmp_path / "a.png", (button,)))
    eventually(lambda: len(DesktopNotifier.sent) == 1)
    (sent,) = DesktopNotifier.sent
    assert (sent.title, sent.message) == ("Upload?", "a & b")
    assert sent.attachment
    assert sent.attachment.path == tmp_path / "a.png"
    assert [button.title for button in sent.buttons] == ["Yes"]
    sent.buttons[0].on_pressed()
    eventually(lambda: pressed == ["test-loop"])


def test_a_system_without_notices(
    notifier: Notifier,
    loop: Loop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """That is told with what to do, and trying ends in the log."""
    caplog.set_level(logging.INFO, "imghost")
    assert loop.run(notifier.missing()) is None
    monkeypatch.setattr(DesktopNotifier, "cannot", True)
    assert "macOS" in str(loop.run(notifier.missing()))
    notifier.show(Notice("title", "text"))
    eventually(lambda: "not taken" in caplog.text)
