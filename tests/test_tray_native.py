"""The icons of Windows and macOS, on what pystray does there, and what all systems share."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from imghost.desktop.assets import asset
from imghost.desktop.menu_items import Icon, Item, Menu
from imghost.desktop.tray import Face, Tray
from imghost.desktop.tray_macos import mac_icon
from imghost.desktop.tray_windows import windows_icon
from imghost.models import Message

BASE: Any = Icon.__mro__[-2]  # pystray's own, below those of all systems; its dummy backend's too
LEFT, RIGHT, MOVED = 0x0202, 0x0205, 0x0200
PICTURE = Image.new("RGBA", (1, 1))


def _nothing() -> None:
    """A click that does nothing."""


def _named(*names: str) -> Menu:
    return Menu(*(Item(name, name, None) for name in names))


# -- Windows


class FakeWindows(BASE):  # type: ignore[misc]  # pystray has no types
    """pystray's icon on Windows, where it matters: a menu is destroyed as the next is made.

    `popped` are the menus that were opened; `while_open` happens as one is, `picks` is clicked.
    """

    _menu_handle: tuple[Menu, list[Callable[..., None]]] | None  # not before the first menu

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._messages: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.popped: list[list[str]] = []
        self.destroyed: list[Menu] = []
        self.shown: list[bool] = []
        self.while_open: Callable[[], None] = _nothing
        self.picks: int | None = None

    def happens(self, *messages: int) -> None:
        """What the person does with the mouse."""
        for message in messages:
            self._messages.put(message)

    def _show(self) -> None:
        self.shown.append(True)

    def _hide(self) -> None:
        self.shown.append(False)

    def _update_icon(self) -> None:
        self._icon_valid = True

    def _update_title(self) -> None:
        pass

    def _update_menu(self) -> None:
        self.threads.append(threading.current_thread())
        if former := getattr(self, "_menu_handle", None):
            self.destroyed.append(former[0])
        self._menu_handle = (self.menu, [self._handler(item) for item in self.menu])

    def _run(self) -> None:
        self._mark_ready()
        while (message := self._messages.get()) is not None:
            self._on_notify(0, message)
        self._hide()
        if self._menu_handle:
            self.destroyed.append(self._menu_handle[0])

    def _stop(self) -> None:
        self._messages.put(None)

    def _on_notify(self, wparam: int, lparam: int) -> None:
        if lparam == LEFT:
            self()
        elif self._menu_handle and lparam == RIGHT:
            menu, callbacks = self._menu_handle
            self.popped.append([item.text for item in menu])
            self.while_open()
            assert menu not in self.destroyed
            if self.picks is not None:
                callbacks[self.picks](self)


@pytest.fixture
def opened() -> list[None]:
    """How often a menu was about to be looked at."""
    return []


@pytest.fixture
def windows(opened: list[None]) -> Any:
    """The icon on Windows."""
    icon = windows_icon("imghost", lambda: opened.append(None), FakeWindows)
    icon.icon, icon.menu = PICTURE, _named("a")
    return icon


def _run(icon: Any, *messages: int) -> None:
    """Run it, with these messages, to its end."""

    def setup(icon: Any) -> None:
        icon.visible = True
        icon.happens(*messages)
        icon.stop()

    icon.run(setup)


def test_windows_menu_that_was_never_opened(windows: Any, opened: list[None]) -> None:
    """The mouse may move over the icon, which may end, before there ever was a menu."""
    _run(windows, MOVED)
    assert (windows.popped, opened) == ([], [])
    assert windows.shown == [True, False]


def test_windows_menu_is_made_when_it_is_opened(windows: Any, opened: list[None]) -> None:
    """By the thread that shows it, of what is so now; the same menu is not made again."""
    for names in ("b", "c"):
        windows.menu = _named(*names)
    _run(windows, RIGHT, MOVED, RIGHT)
    assert windows.popped == [["c"], ["c"]]
    assert windows.threads == [threading.main_thread()]
    assert len(opened) == 2


def test_windows_menu_stays_while_it_is_open(windows: Any) -> None:
    """A change does not take away the menu somebody looks at; it shows the next time."""
    windows.while_open = lambda: setattr(windows, "menu", _named("b"))
    _run(windows, RIGHT, RIGHT)
    assert windows.popped == [["a"], ["b"]]


def test_windows_clicks(windows: Any) -> None:
    """A click on a row does its thing, one on the icon what is the default."""
    clicked: list[str] = []
    windows.menu = Menu(
        Item("a", "a", lambda: clicked.append("a")),
        Item("b", "b", lambda: clicked.append("b"), default=True),
    )
    windows.picks = 0
    _run(windows, LEFT, RIGHT, LEFT)
    assert clicked == ["b", "a", "b"]


# -- macOS


class FakeApp:
    """NSApplication: `run` does what it was given, in turn, until it is stopped."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopped = False
        self.policy = -1

    def call_after(self, work: Callable[[], None]) -> None:
        """Have it done on the main thread."""
        self._work.put(work)

    def setActivationPolicy_(self, policy: int) -> None:  # noqa: N802 - Apple's name
        """Whether it stands in the Dock."""
        self.policy = policy

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopped:
            self._work.get()()

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True


class FakeBar:
    """NSStatusBar."""

    removed: object = None

    def removeStatusItem_(self, item: object) -> None:  # noqa: N802 - Apple's name
        """It is gone."""
        self.removed = item


class FakeMac(BASE):  # type: ignore[misc]  # pystray has no types
    """pystray's icon on macOS: what touches the desktop fails on any other thread."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._status_bar, self._status_item = FakeBar(), object()
        self.done: list[str] = []

    def _touch(self, what: str) -> None:
        assert threading.current_thread() is threading.main_thread(), what
        self.done.append(what)

    def _show(self) -> None:
        self._touch("shown")

    def _hide(self) -> None:
        self._touch("hidden")

    def _update_icon(self) -> None:
        self._touch("icon")
        self._icon_valid = self.visible

    def _update_title(self) -> None:
        self._touch(f"title {self.title}")

    def _update_menu(self) -> None:
        self._touch(f"menu {[item.text for item in self.menu]}")

    def _stop(self) -> None:
        self._touch("stopped")
        self._app.stop()

    def _run(self) -> None:
        raise AssertionError("it handles Ctrl-C itself")


@pytest.fixture
def mac(opened: list[None]) -> Any:
    """The icon on macOS."""
    app = FakeApp()
    icon = mac_icon("imghost", lambda: opened.append(None), FakeMac, app.call_after)
    icon._app = app  # noqa: SLF001 - pystray's
    icon.icon, icon.menu = PICTURE, _named("a")
    return icon


def test_mac_is_touched_by_its_main_thread_alone(mac: Any, opened: list[None]) -> None:
    """Whatever other threads change is done there, in their order, and then it ends."""

    def setup(mac: Any) -> None:
        mac.visible = True
        mac.title = "Paused"
        mac.menu = _named("b")
        mac.icon = Image.new("RGBA", (2, 2))
        mac.visible = False
        mac.stop()

    mac.run(setup)
    done = ["icon", "shown", "title Paused", "menu ['b']", "icon", "hidden", "stopped"]
    assert [what for what in mac.done if what != "menu ['a']"] == done
    assert len(opened) == 1


def test_mac_has_no_icon_in_the_dock(mac: Any) -> None:
    """It stands in the menu bar alone, and is gone from there at the end."""
    mac.run(lambda mac: mac.stop())
    assert mac._app.policy == 1  # noqa: SLF001 - pystray's
    assert mac._status_bar.removed is mac._status_item  # noqa: SLF001 - the same


@pytest.mark.parametrize("icon", ["windows", "mac"])
def test_what_these_systems_do_not_know(icon: str, request: pytest.FixtureRequest) -> None:
    """They need no panel, are shown by `run`, and are not made to be seen."""
    native = request.getfixturevalue(icon)
    native.begin()
    native.set_attention(wanted=True)
    assert native.problem is None
    assert not native.visible


# -- all systems


class FakeNative(BASE):  # type: ignore[misc]  # pystray has no types
    """An icon that is nowhere; showing it fails with `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("imghost")
        self._error = error
        self._ended = threading.Event()
        self.problem: Message | None = Message("nobody sees it")
        self.wanted: list[bool] = []
        self.icons = 0

    def begin(self) -> None:
        """It can be shown before `run`."""
        self.visible = True

    def set_attention(self, *, wanted: bool) -> None:
        """It is to be seen."""
        self.wanted.append(wanted)

    def _show(self) -> None:
        if self._error:
            raise self._error

    def _hide(self) -> None:
        pass

    def _update_icon(self) -> None:
        self.icons += 1
        self._icon_valid = True

    def _update_title(self) -> None:
        pass

    def _update_menu(self) -> None:
        pass

    def _run(self) -> None:
        self._mark_ready()
        self._ended.wait()

    def _stop(self) -> None:
        self.visible = False
        self._ended.set()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop, which these icons do not need."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


def _tray(loop: asyncio.AbstractEventLoop, native: FakeNative) -> Tray:
    return Tray(loop, _nothing, lambda *_: native)


@pytest.mark.parametrize("error", [None, OSError("no desktop"), TimeoutError()])
def test_it_runs_until(loop: asyncio.AbstractEventLoop, error: Exception | None) -> None:
    """It is shown until what it waits for has come, also where it cannot be shown."""
    native = FakeNative(error)
    seen: list[tuple[str, bool]] = []

    def until() -> None:
        seen.append((threading.current_thread().name, native.visible))

    _tray(loop, native).run(until)
    assert seen == [("imghost-icon", error is None)]
    assert not native.visible


def test_it_may_be_shown_before(loop: asyncio.AbstractEventLoop) -> None:
    """What begins early is told what is wrong with it early."""
    native = FakeNative()
    tray = _tray(loop, native)
    tray.begin()
    assert native.visible
    assert tray.problem == Message("nobody sees it")
    native.visible = False


def test_faces(loop: asyncio.AbstractEventLoop) -> None:
    """Each face is another picture, changed only when it is another; some want to be seen."""
    native = FakeNative()
    tray = _tray(loop, native)
    tray.begin()
    menu = _named("a")
    for face in (Face.IDLE, *Face, *Face, Face.PROBLEM):
        tray.show(face, f"now {face}", menu)
        assert native.title == f"now {face}"
        assert native.icon.size == (64, 64)
        tray.show(face, "still", None)
        assert native.menu is menu
    assert native.icons == 2 * len(Face)
    assert native.wanted == [False, False, False, True, True, False, *[False] * 3, True, True]
    native.visible = False


def test_the_same_menu_on_every_system() -> None:
    """Pystray passes our menu on as it is: texts, ticks, groups, submenus and the default."""
    clicked: list[str] = []
    items = [
        Item("a", "a & b", None, enabled=False),
        Item("c", "checked", _nothing, checked=True),
        Item("r", "radio", _nothing, checked=False, radio=True),
        Item("in", "in", _named("x", "y")),
        Item("d", "default", lambda: clicked.append("d"), default=True, picture=b"png"),
    ]
    menu = Menu(items[0], Menu.SEPARATOR, *items[1:], Menu.SEPARATOR)
    icon = FakeNative()
    icon.menu = menu
    assert icon.menu is menu
    assert list(icon.menu) == [items[0], Menu.SEPARATOR, *items[1:]]
    assert [(i.checked, i.radio, i.enabled, i.default) for i in items] == [
        (None, False, False, False),
        (True, False, True, False),
        (False, True, True, False),
        (None, False, True, False),
        (None, False, True, True),
    ]
    assert [item.text for item in items[3].submenu] == ["x", "y"]
    icon()
    assert clicked == ["d"]


@pytest.mark.parametrize(("system", "text"), [("win32", "a && b"), ("linux", "a & b")])
def test_an_ampersand_is_no_shortcut(
    monkeypatch: pytest.MonkeyPatch, system: str, text: str
) -> None:
    """Windows would take it for one."""
    monkeypatch.setattr("sys.platform", system)
    assert Item("a", "a & b", None).text == text


def test_the_face_is_in_the_file(loop: asyncio.AbstractEventLoop) -> None:
    """The picture is the one of its name, in all its sizes."""
    native = FakeNative()
    tray = _tray(loop, native)
    for face in Face:
        tray.show(face, "", None)
        with Image.open(asset(f"tray-{face}.ico")) as image:
            assert native.icon.ico.sizes() == image.info["sizes"]
            assert native.icon.tobytes() == image.tobytes()
