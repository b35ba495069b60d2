"""Notices, as a notification service on a real message bus gets them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.desktop.notify import Button, Notice, Notifier
from tests.fakes.buses import connections, on_bus, running_bus
from tests.fakes.loop import Loop, running_loop
from tests.fakes.notifications import NAME, Notifications, notification_service
from tests.fakes.program import eventually

MARKUP = "body-markup"


@pytest.fixture
def service(loop: Loop, bus: str) -> Iterator[Notifications]:
    """A notification service on that bus, which reads bodies as markup."""
    with notification_service(loop, bus, "actions", MARKUP) as service:
        yield service


@pytest.fixture
def notifier(loop: Loop, caplog: pytest.LogCaptureFixture) -> Iterator[Notifier]:
    """A notifier."""
    caplog.set_level(logging.DEBUG, "imghost")
    with _notifier(loop) as notifier:
        yield notifier


@contextmanager
def _notifier(loop: Loop, limit_s: float = 10.0) -> Iterator[Notifier]:
    notifier = Notifier(loop.loop, limit_s=limit_s)
    try:
        yield notifier
    finally:
        loop.run(notifier.close())


def _shown(service: Notifications, count: int) -> None:
    eventually(lambda: len(service.shown) == count)


def test_a_notice(notifier: Notifier, service: Notifications, tmp_path: Path) -> None:
    """Program, title, text and picture arrive."""
    picture = tmp_path / "图 1.png"
    notifier.show(Notice("Upload failed", "图 1.png: the disk is full", picture))
    _shown(service, 1)
    notice = service.shown[0]
    assert (notice.program, notice.title) == ("imghost", "Upload failed")
    assert notice.text == "图 1.png: the disk is full"
    assert notice.hints["image-path"] == picture.as_uri()
    assert (notice.actions, notice.timeout_ms) == ({}, -1)


@given(text=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters="\n")))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_is_never_markup(notifier: Notifier, service: Notifications, text: str) -> None:
    """A service that reads markup shows the very characters."""
    service.shown.clear()
    notifier.show(Notice("title", text))
    _shown(service, 1)
    assert service.shown[0].text == text


@pytest.mark.parametrize("text", ["<b>x</b> &amp; <img src=x>", "a & b", "1 < 2"])
def test_a_service_without_markup(notifier: Notifier, loop: Loop, bus: str, text: str) -> None:
    """A service that shows bodies as they are gets them as they are."""
    with notification_service(loop, bus) as service:
        notifier.show(Notice("title", text))
        _shown(service, 1)
        assert service.shown[0].body == text


@pytest.mark.parametrize(
    ("bad", "left"),
    [("\0", ""), ("\x1b[2J", "[2J"), ("\udcff", ""), ("\u202e", ""), ("\x85", "")],
)
def test_hidden_characters(notifier: Notifier, service: Notifications, bad: str, left: str) -> None:
    """What buses and XML refuse, or what steers terminals, is left out, and the notice comes."""
    notifier.show(Notice(f"ti{bad}tle", f"te{bad}xt"))
    _shown(service, 1)
    assert (service.shown[0].title, service.shown[0].text) == (f"ti{left}tle", f"te{left}xt")


def test_a_long_text(notifier: Notifier, service: Notifications) -> None:
    """A text that no screen holds is cut, even one that grows by being escaped."""
    notifier.show(Notice("t" * 5000, "&" * 5_000_000))
    _shown(service, 1)
    notice = service.shown[0]
    assert len(notice.title) == 100
    assert notice.text == "&" * 799 + "…"


def test_buttons(notifier: Notifier, service: Notifications, loop: Loop) -> None:
    """The button that a person clicks is pressed once, on the loop, and no other."""
    pressed: list[tuple[str, str]] = []

    def button(label: str) -> Button:
        return Button(label, lambda: pressed.append((label, threading.current_thread().name)))

    notifier.show(Notice("Upload 12 files?", "to bilibili", None, (button("Yes"), button("No"))))
    _shown(service, 1)
    assert [*service.shown[0].actions.values()] == ["Yes", "No"]
    loop.call(service.click, "No")
    eventually(lambda: bool(pressed))
    loop.call(service.click, "No")
    notifier.show(Notice("next", ""))
    _shown(service, 2)
    assert pressed == [("No", "test-loop")]


def test_a_question_stays(notifier: Notifier, service: Notifications, loop: Loop) -> None:
    """It does not go by itself; a click beside its buttons, or closing it, is no answer."""
    pressed = threading.Event()
    notifier.show(Notice("Upload?", "", None, (Button("Yes", pressed.set),)))
    _shown(service, 1)
    assert service.shown[0].timeout_ms == 0
    assert "default" not in service.shown[0].actions
    assert service.shown[0].hints["urgency"] == 1
    loop.call(service.dismiss)
    loop.call(service.invoked, 1, "9")
    loop.call(service.invoked, 1, "default")
    notifier.show(Notice("Upload?", "", None, (Button("Yes", pressed.set),)))
    _shown(service, 2)
    assert not pressed.is_set()


def test_a_question_that_is_shown_again(
    notifier: Notifier, service: Notifications, loop: Loop
) -> None:
    """Services keep what was closed, and its buttons still work."""
    pressed = threading.Event()
    notifier.show(Notice("Upload?", "", None, (Button("Yes", pressed.set),)))
    _shown(service, 1)
    loop.call(service.dismiss)
    loop.call(service.click, "Yes")
    eventually(pressed.is_set)


def test_a_service_without_buttons(notifier: Notifier, loop: Loop, bus: str) -> None:
    """A service that knows no buttons gets none, and the notice goes as any other."""
    with notification_service(loop, bus) as service:
        notifier.show(Notice("Upload?", "", None, (Button("Yes", lambda: None),)))
        _shown(service, 1)
        assert (service.shown[0].actions, service.shown[0].timeout_ms) == ({}, -1)


def test_a_button_that_fails(
    notifier: Notifier,
    service: Notifications,
    loop: Loop,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What a button raises stands in the log, and the next notice is shown."""

    def fail() -> None:
        raise IndexError

    notifier.show(Notice("title", "text", None, (Button("Now", fail),)))
    _shown(service, 1)
    loop.call(service.click, "Now")
    eventually(lambda: "IndexError" in caplog.text)
    notifier.show(Notice("title", "text"))
    _shown(service, 2)
    assert capfd.readouterr().err == ""


def test_one_after_the_other(notifier: Notifier, service: Notifications) -> None:
    """Notices are shown in the order in which they came."""
    for number in range(5):
        notifier.show(Notice(str(number), ""))
    _shown(service, 5)
    assert [notice.title for notice in service.shown] == list("01234")


def test_a_service_that_stalls(
    loop: Loop, service: Notifications, caplog: pytest.LogCaptureFixture
) -> None:
    """A service that does not answer holds nobody up; of many notices only a few wait."""
    caplog.set_level(logging.INFO, "imghost")
    service.stalls = True
    with _notifier(loop, limit_s=2.0) as notifier:
        for number in range(100):
            notifier.show(Notice(f"notice {number}", ""))
        assert caplog.text.count("was dropped") == 92
        eventually(lambda: caplog.text.count("was not shown") == 8)
        service.stalls = False
        eventually(lambda: not loop.call(lambda: len(notifier._tasks)))  # noqa: SLF001
        notifier.show(Notice("at last", ""))
        _shown(service, 1)
        assert service.shown[0].title == "at last"


def test_closing_while_a_service_stalls(loop: Loop, service: Notifications) -> None:
    """Closing does not wait for a service that does not answer."""
    service.stalls = True
    with _notifier(loop, limit_s=3600) as notifier:
        notifier.show(Notice("title", ""))
        assert loop.run(notifier.missing()) is None


def test_a_service_that_dies(notifier: Notifier, loop: Loop, bus: str) -> None:
    """The service that takes the place of one that died is told, and its clicks are heard."""
    pressed = threading.Event()
    for _ in range(2):
        pressed.clear()
        with notification_service(loop, bus, "actions") as service:
            notifier.show(Notice("title", "text", None, (Button("Yes", pressed.set),)))
            _shown(service, 1)
            loop.call(service.click, "Yes")
            eventually(pressed.is_set)


def test_another_bus(
    notifier: Notifier, loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a bus is survived; the next one is found."""
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        with running_bus(folder) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            with notification_service(loop, address) as service:
                notifier.show(Notice("title", "text"))
                _shown(service, 1)


def test_no_service(
    notifier: Notifier,
    loop: Loop,
    bus: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A desktop without a service is told apart, quietly; one that comes later is used."""
    problem = loop.run(notifier.missing())
    assert "install" in str(problem)
    notifier.show(Notice("title", "text"))
    eventually(lambda: "was not shown" in caplog.text)
    assert "Traceback" not in caplog.text
    assert capfd.readouterr().err == ""
    with notification_service(loop, bus) as service:
        assert loop.run(notifier.missing()) is None
        notifier.show(Notice("title", "text"))
        _shown(service, 1)


def test_no_bus(
    notifier: Notifier,
    loop: Loop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A machine without a desktop is told apart, quietly."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert "no desktop session" in str(loop.run(notifier.missing()))
    notifier.show(Notice("title", "text"))
    eventually(lambda: "was not shown" in caplog.text)
    assert "Traceback" not in caplog.text
    assert capfd.readouterr().err == ""


def test_a_service_that_is_started_when_needed(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that the bus can start counts as there; only a notice starts it."""
    started = tmp_path / "started"
    with running_bus(tmp_path, {NAME: f"/bin/touch {started}"}) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with _notifier(loop) as notifier:
            assert loop.run(notifier.missing()) is None
            assert not started.exists()
            notifier.show(Notice("title", "text"))
            eventually(started.exists)


def test_a_service_that_refuses(
    loop: Loop, bus: str, service: Notifications, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors of a service end in the log, and what is left of the try is given back."""
    caplog.set_level(logging.INFO, "imghost")
    with on_bus(loop, bus) as ours:
        before = connections(loop, ours)
        with _notifier(loop) as notifier:
            service.ails = True
            for number in range(1, 4):
                notifier.show(Notice("title", "text"))
                eventually(lambda: caplog.text.count("was not shown") == number)  # noqa: B023 - now
            assert connections(loop, ours) == before + 1
            service.ails = False
            notifier.show(Notice("title", "text"))
            _shown(service, 1)
            service.refuses = True
            notifier.show(Notice("title", "text"))
            eventually(lambda: caplog.text.count("was not shown") == 4)
            assert loop.run(notifier.missing()) is None
            assert connections(loop, ours) == before + 1
        eventually(lambda: connections(loop, ours) == before)


def test_nothing_reaches_standard_error(service: Notifications) -> None:
    """What the libraries have to say of a refused notice does not show up on a terminal."""
    service.refuses = True
    code = """if True:
        import asyncio, logging
        from imghost.desktop.notify import Notice, Notifier
        logging.getLogger("imghost").addHandler(logging.NullHandler())

        async def main():
            notifier = Notifier(asyncio.get_running_loop())
            for _ in range(2):
                notifier.show(Notice("title", "text"))
                await asyncio.sleep(0)
            await asyncio.gather(*notifier._tasks)
            await notifier.close()

        asyncio.run(main())
    """
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (result.stdout, result.stderr) == (b"", b"")


def test_after_the_end(loop: Loop, service: Notifications) -> None:
    """A notice that comes after the end is not shown, and harms nothing."""
    with _notifier(loop) as notifier:
        notifier.show(Notice("first", ""))
        _shown(service, 1)
    notifier.show(Notice("second", ""))
    loop.call(lambda: None)
    assert "_deliver" not in repr(loop.call(asyncio.all_tasks))
    with running_loop() as other:
        late = Notifier(other.loop)
    late.show(Notice("third", ""))
    assert len(service.shown) == 1


def test_nothing_heavy_is_imported_before_a_notice() -> None:
    """Whoever only may show notices loads neither the library nor the bus."""
    code = "import sys, imghost.desktop.notify, imghost.desktop.screen_lock; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"desktop_notifier", "dbus_fast"} & set(found)
