"""The tray's icon and menu on a real message bus, as panels of several desktops read them."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, Variant
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from imghost.desktop.assets import asset
from imghost.desktop.bus import BusError, call, connect, disconnect
from imghost.desktop.dbusmenu import MENU_PATH, DBusMenu
from imghost.desktop.menu_items import Icon, Item, Menu
from imghost.desktop.menu_rows import Rows
from imghost.desktop.panel import NO_PANEL, NO_SESSION, speak_to_panels
from imghost.desktop.panel_icon import PanelIcon
from imghost.desktop.sni import NotifierItem
from tests.fakes.buses import connections, flood, on_bus, running_bus
from tests.fakes.loop import Loop, running_loop
from tests.fakes.notifier_watcher import (
    ITEM_PATH,
    PANELS,
    ROOT,
    GnomePanel,
    KdePanel,
    NotifierWatcher,
    Panel,
    Seen,
    notifier_watcher,
    seen_in,
)
from tests.fakes.pictures import png
from tests.fakes.program import eventually

BUS = "DBUS_SESSION_BUS_ADDRESS"
TOO_MANY = 0x7FFFFFFF
SIZES = [16, 20, 22, 24, 32, 48, 64]
ITEM_TYPES = {
    "Category": "s",
    "Id": "s",
    "Title": "s",
    "Status": "s",
    "WindowId": "i",
    "IconName": "s",
    "IconThemePath": "s",
    "IconPixmap": "a(iiay)",
    "OverlayIconName": "s",
    "OverlayIconPixmap": "a(iiay)",
    "AttentionIconName": "s",
    "AttentionIconPixmap": "a(iiay)",
    "AttentionMovieName": "s",
    "ToolTip": "(sa(iiay)ss)",
    "ItemIsMenu": "b",
    "Menu": "o",
}
MENU_TYPES = {"Version": "u", "Status": "s", "TextDirection": "s", "IconThemePath": "as"}
ROW_TYPES = {
    "label": "s",
    "type": "s",
    "toggle-type": "s",
    "children-display": "s",
    "enabled": "b",
    "visible": "b",
    "toggle-state": "i",
    "icon-data": "ay",
}


@dataclass
class Desktop:
    """The icon, and the panels that look at it; `seen` counts how often its menu was looked at."""

    loop: Loop
    address: str
    icon: PanelIcon
    watcher: NotifierWatcher
    seen: list[None]

    @contextmanager
    def panel(self, kind: type[Panel] = GnomePanel) -> Iterator[Panel]:
        """A panel that has just started."""
        with on_bus(self.loop, self.address) as bus:
            panel = kind(bus, self.watcher.items[-1][0])
            self.loop.run(panel.start())
            yield panel

    def show(self, *items: Any) -> Menu:
        """Have this menu."""
        self.icon.menu = Menu(*items)
        return self.icon.menu


@contextmanager
def _icon(loop: Loop, opening: Callable[[], None] = lambda: None) -> Iterator[PanelIcon]:
    with Image.open(asset("tray-idle.ico")) as image:
        icon = PanelIcon("imghost", loop.loop, opening)
        icon.icon, icon.title = image, "Watching"
        icon.menu = Menu(Item("about", "About", None))
        icon.begin()
        try:
            yield icon
        finally:
            icon.visible = False


@pytest.fixture
def desktop(loop: Loop, bus: str) -> Iterator[Desktop]:
    """A desktop on which the icon is shown."""
    seen: list[None] = []
    with notifier_watcher(loop, bus) as watcher, _icon(loop, lambda: seen.append(None)) as icon:
        eventually(lambda: len(watcher.items) == 1)
        yield Desktop(loop, bus, icon, watcher, seen)


def _nothing() -> None:
    """A click that does nothing."""


# -- the icon


def test_it_registers_as_what_it_is_called_on_the_bus(desktop: Desktop) -> None:
    """The icon is registered by the name of its connection, and nobody misses it."""
    ((name, path),) = desktop.watcher.items
    assert name.startswith(":")
    assert path == ITEM_PATH
    assert desktop.icon.problem is None


def test_every_property_is_there(desktop: Desktop) -> None:
    """Panels find each property of the interface, with its type, and it makes sense."""
    with desktop.panel() as panel:
        found = desktop.loop.run(panel.item())
        assert {name: value.signature for name, value in found.items()} == ITEM_TYPES
        values = {name: value.value for name, value in found.items()}
        assert (values["Category"], values["Id"]) == ("ApplicationStatus", "imghost")
        assert (values["Status"], values["Title"]) == ("Active", "imghost")
        assert values["IconName"] == values["AttentionIconName"] == ""
        assert values["ToolTip"] == ("", [], "Watching", "")
        assert values["ItemIsMenu"] is False
        assert values["Menu"] == MENU_PATH


def test_the_menu_says_what_it_is(desktop: Desktop) -> None:
    """Panels find version 3 of the menu's interface, with each property."""
    with desktop.panel() as panel, on_bus(desktop.loop, desktop.address) as bus:
        who = desktop.watcher.items[0][0]
        method = "org.freedesktop.DBus.Properties.GetAll"
        asked = call(bus, who, MENU_PATH, method, "s", "com.canonical.dbusmenu")
        (found,) = desktop.loop.run(asked)
        assert {name: value.signature for name, value in found.items()} == MENU_TYPES
        assert found["Version"].value == 3
        assert panel.below[ROOT]


@pytest.mark.parametrize("face", ["idle", "working", "ready", "paused", "asking", "problem"])
def test_pixmaps(desktop: Desktop, face: str) -> None:
    """A picture goes out in each size for panels, as ARGB, the first byte first."""
    with Image.open(asset(f"tray-{face}.ico")) as image, desktop.panel() as panel:
        desktop.icon.icon = image
        pixmaps = desktop.loop.run(panel.item())["IconPixmap"].value
        assert [(width, height) for width, height, _ in pixmaps] == [
            (n, n) for n in SIZES if n <= 48
        ]
        for width, height, data in pixmaps:
            assert len(data) == 4 * width * height
            assert data[0] == 0, "a corner is clear"
            middle = (width // 2, height // 6)
            red, green, blue, alpha = image.ico.getimage((width, height)).getpixel(middle)  # type: ignore[attr-defined]  # of Pillow's icons
            at = 4 * (middle[1] * width + middle[0])
            assert tuple(data[at : at + 4]) == (alpha, red, green, blue)
            assert alpha == 255


def test_a_picture_of_one_size(desktop: Desktop) -> None:
    """Any other picture goes out in its size."""
    with desktop.panel() as panel:
        desktop.icon.icon = Image.new("RGBA", (2, 1), (1, 2, 3, 4))
        assert desktop.loop.run(panel.item())["IconPixmap"].value == [(2, 1, b"\4\1\2\3" * 2)]


def test_changes_of_the_icon_are_told(desktop: Desktop) -> None:
    """Picture, words and state are each told when they change, and only then."""
    with desktop.panel() as panel:
        eventually(lambda: {"NewStatus", "NewIcon"} <= {name for name, _ in panel.signals})
        panel.signals.clear()
        desktop.icon.title = "Paused"
        assert _signals(desktop, panel) == ["NewToolTip"]
        desktop.icon.icon = Image.new("RGBA", (2, 1))
        assert _signals(desktop, panel) == ["NewIcon"]
        desktop.icon.set_attention(wanted=True)
        desktop.icon.icon = Image.new("RGBA", (1, 2))
        assert set(_signals(desktop, panel)) == {"NewStatus", "NewIcon", "NewAttentionIcon"}
        values = desktop.loop.run(panel.item())
        assert values["Status"].value == "NeedsAttention"
        assert values["AttentionIconPixmap"].value == values["IconPixmap"].value
        desktop.icon.title = "Paused"
        assert _signals(desktop, panel) == []
        desktop.icon.set_attention(wanted=False)
        desktop.icon.icon = Image.new("RGBA", (2, 1))
        assert desktop.loop.run(panel.item())["AttentionIconPixmap"].value == []


def test_the_state_is_told_again_to_panels_that_were_not_ready(desktop: Desktop) -> None:
    """Soon after it is registered the icon tells that it is there, for those who missed it."""
    with desktop.panel() as panel:
        eventually(lambda: {"NewStatus", "NewIcon"} <= {name for name, _ in panel.signals})
        assert panel.heard("NewStatus") == [["Active"]]


@pytest.mark.parametrize(
    ("title", "shown"), [("a & <b>", "a + (b)"), ("a_b·图", "a_b·图"), ("\udc80\0", "\\udc80\\x00")]
)
def test_words_are_no_markup(desktop: Desktop, title: str, shown: str) -> None:
    """The tip reads the same where markup is understood and where it is not."""
    with desktop.panel() as panel:
        desktop.icon.title = title
        assert desktop.loop.run(panel.item())["ToolTip"].value == ("", [], shown, "")


def test_other_clicks_do_nothing(desktop: Desktop) -> None:
    """The wheel and the other buttons are answered, and harm nothing."""
    who = desktop.watcher.items[0][0]
    with on_bus(desktop.loop, desktop.address) as bus:
        for name, signature, *words in (
            ("SecondaryActivate", "ii", 0, 0),
            ("ContextMenu", "ii", 0, 0),
            ("Scroll", "is", 120, "Vertical"),
        ):
            method = f"org.kde.StatusNotifierItem.{name}"
            assert desktop.loop.run(call(bus, who, ITEM_PATH, method, signature, *words)) == []


# -- panels that come and go


def test_a_panel_that_starts_again(loop: Loop, bus: str) -> None:
    """The icon is registered again under its name, and is missed in between."""
    with _icon(loop) as icon:
        assert icon.problem is NO_PANEL
        names = set()
        for _ in range(2):
            with notifier_watcher(loop, bus) as watcher:
                eventually(lambda: len(watcher.items) == 1)
                names.add(watcher.items[0])
                assert icon.problem is None
            eventually(lambda: icon.problem is NO_PANEL)
        assert len(names) == 1


def test_a_panel_that_is_replaced(desktop: Desktop) -> None:
    """A watcher that takes another's place without a gap gets the icon too, and back."""
    with notifier_watcher(desktop.loop, desktop.address) as other:
        eventually(lambda: len(other.items) == 1)
        assert other.items == desktop.watcher.items
    eventually(lambda: len(desktop.watcher.items) == 2)
    assert desktop.icon.problem is None


def test_a_panel_that_is_not_ready(loop: Loop, bus: str) -> None:
    """A watcher that fails at first is asked again."""
    with notifier_watcher(loop, bus, refusals=2) as watcher, _icon(loop):
        eventually(lambda: len(watcher.items) == 1)


def test_no_bus(loop: Loop) -> None:
    """Without a session there is no icon; that is told, and no change harms."""
    with _icon(loop) as icon:
        assert icon.problem is NO_SESSION
        icon.title = "Paused"
        icon.menu = Menu(Item("quit", "Quit", None, checked=True))
        icon.set_attention(wanted=True)


def test_a_bus_that_is_lost(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The end of the session is told at once, and harms nothing."""
    with ExitStack() as stack:
        with running_bus(tmp_path) as address:
            monkeypatch.setenv(BUS, address)
            icon = stack.enter_context(_icon(loop))
            assert icon.problem is NO_PANEL
            began = time.monotonic()
        eventually(lambda: icon.problem is NO_SESSION)
        assert time.monotonic() - began < 5
        icon.title = "Paused"
        icon.menu = Menu(Item("quit", "Quit", None))
    assert "Traceback" not in caplog.text


def test_a_flood_does_not_cost_the_icon(
    loop: Loop, bus: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks without end and reads no answer harms neither the icon nor the log."""
    with notifier_watcher(loop, bus) as watcher, _icon(loop) as icon:
        icon.menu = Menu(*(Item(str(n), f"row {n}" * 20, None) for n in range(40)))
        eventually(lambda: len(watcher.items) == 1)
        service = watcher.items[0][0]
        with (
            flood(bus, service, MENU_PATH, "com.canonical.dbusmenu", 3000),
            on_bus(loop, bus) as ours,
        ):
            panel = GnomePanel(ours, service)
            loop.run(panel.start())
            assert loop.run(panel.look()) == seen_in(icon.menu)
        assert icon.problem is None
        assert len(watcher.items) == 1
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_nothing_is_sent_to_a_bus_that_is_gone(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what finds that out nor what comes after it: its file's number may be another's."""

    async def send_and_lose() -> None:
        with ExitStack() as stack:
            monkeypatch.setenv(BUS, stack.enter_context(running_bus(tmp_path)))
            bus = await connect("session")
            stack.close()  # which its reader has not seen yet
            for _ in range(3):
                bus.send(Message.new_signal("/a", "a.b", "C"))
            assert not bus.connected
            with socket.socket() as other:
                assert bus.send(Message.new_signal("/a", "a.b", "C")).cancelled()
                assert not asyncio.get_running_loop().remove_writer(other.fileno())
            await disconnect(bus)

    loop.run(send_and_lose())
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_lost_connection_is_made_again_soon(
    loop: Loop, bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be a bus all the same, so nobody waits as for one that is not there."""
    (tmp_path / "first").mkdir()
    with ExitStack() as stack:
        monkeypatch.setenv(BUS, stack.enter_context(running_bus(tmp_path / "first")))
        item = NotifierItem("imghost", _nothing)
        menu = DBusMenu(Rows(_Unshown("imghost")), _nothing)
        problems: list[object] = []
        with loop.doing(speak_to_panels(item, menu, problems.append, again_s=600)):
            eventually(lambda: problems == [NO_PANEL])
            monkeypatch.setenv(BUS, bus)
            with notifier_watcher(loop, bus) as watcher:
                stack.close()
                eventually(lambda: len(watcher.items) == 1)


def test_another_bus(loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next session's panel gets the same icon, with the menu of now."""
    menu = DBusMenu(Rows(_Unshown("imghost")), _nothing)
    item = NotifierItem("imghost", _nothing)
    problems: list[object] = []
    monkeypatch.setenv(BUS, "unix:path=/nowhere/bus")
    with loop.doing(speak_to_panels(item, menu, problems.append, again_s=0.05)):
        for number in range(2):
            folder = tmp_path / str(number)
            folder.mkdir()
            eventually(lambda: problems[-1:] == [NO_SESSION])
            with running_bus(folder) as address, notifier_watcher(loop, address) as watcher:
                monkeypatch.setenv(BUS, address)
                eventually(lambda: len(watcher.items) == 1)
                assert problems[-1] is None
                shown = Menu(Item("a", f"{number}", None))
                loop.call(menu.show, shown)
                with on_bus(loop, address) as connection:
                    panel = GnomePanel(connection, watcher.items[0][0])
                    loop.run(panel.start())
                    assert loop.run(panel.look()) == seen_in(shown)


def test_a_hidden_icon_leaves_the_bus(loop: Loop, bus: str) -> None:
    """Its connection ends with it, and it can be shown again."""
    with on_bus(loop, bus) as ours, notifier_watcher(loop, bus) as watcher:
        before = connections(loop, ours)
        with _icon(loop) as icon:
            for count in (1, 2):
                eventually(lambda: len(watcher.items) == count)  # noqa: B023 - now
                icon.visible = False
                eventually(lambda: connections(loop, ours) == before)
                icon.visible = True


def test_run_and_stop(loop: Loop, bus: str) -> None:
    """It runs until it is stopped, and `setup` may show it."""
    with notifier_watcher(loop, bus) as watcher:
        icon = PanelIcon("imghost", loop.loop, _nothing)
        icon.icon = Image.new("RGBA", (2, 1))

        def setup(icon: PanelIcon) -> None:
            icon.visible = True
            eventually(lambda: len(watcher.items) == 1)
            icon.stop()

        icon.run(setup)
        assert not icon.visible


def test_it_ends_though_the_loop_is_gone(bus: str) -> None:
    """Hiding and stopping it when nothing of ours runs any more is harmless."""
    with running_loop() as loop:
        icon = PanelIcon("imghost", loop.loop, _nothing)
        icon.icon = Image.new("RGBA", (2, 1))
        icon.visible = True
    icon.title = "late"
    icon.run(lambda icon: icon.stop())
    assert not icon.visible


# -- the menu


def _full(clicked: Callable[[str], None] = lambda _: None, chosen: str = "png") -> Menu:
    def radio(name: str) -> Item:
        click = partial(clicked, name)
        return Item(name, name, click, checked=name == chosen, radio=True)

    deep = Menu(Item("deeper", "Deeper", Menu(Item("leaf", "Leaf", partial(clicked, "leaf")))))
    return Menu(
        Item("state", "Watching · my_first_images", None, enabled=False),
        Menu.SEPARATOR,
        Item("format", "Format", Menu(*map(radio, ("png", "jpeg", "_x__y_")))),
        Item("deep", "Deep", deep),
        Item("empty", "Empty", Menu()),
        Menu.SEPARATOR,
        Item("pause", "Pause", partial(clicked, "pause"), checked=False),
        Item("recent", "Recent", partial(clicked, "recent"), picture=png()),
        Item("open", "Open gallery", partial(clicked, "open"), default=True),
    )


@pytest.mark.parametrize("kind", PANELS)
def test_a_menu_with_everything(desktop: Desktop, kind: type[Panel]) -> None:
    """Each kind of panel shows submenus, groups, checks, lines, pictures and what is disabled."""
    desktop.icon.menu = _full()
    with desktop.panel(kind) as panel:
        seen = desktop.loop.run(panel.look())
        assert seen == seen_in(_full())
        assert [row.kind for row in seen] == [
            "item",
            "separator",
            "submenu",
            "submenu",
            "separator",
            "checkmark",
            "item",
            "item",
        ]
        assert seen[0] == Seen("item", "Watching · my_first_images", enabled=False)
        assert [row.state for row in seen[2].rows] == [True, False, False]
        assert seen[3].rows[0].rows == (Seen("item", "Leaf"),)
        assert seen[6].picture == png()
        assert panel.told[panel.number("Watching · my__first__images")]


@pytest.mark.parametrize("kind", PANELS)
def test_pystrays_own_items(desktop: Desktop, kind: type[Panel]) -> None:
    """Items without keys are shown too, but those that are hidden."""
    from pystray import MenuItem

    menu = desktop.show(
        MenuItem("a", None),
        MenuItem("hidden", None, visible=False),
        MenuItem("b", Menu(MenuItem("c", None, checked=lambda _: True))),
    )
    with desktop.panel(kind) as panel:
        assert desktop.loop.run(panel.look()) == seen_in(menu)
        assert "hidden" not in str(panel.told)


def test_types_of_what_is_told(desktop: Desktop) -> None:
    """Each property of a row has the type that panels expect, and all of its kind are told."""
    desktop.icon.menu = _full()
    with desktop.panel() as panel, on_bus(desktop.loop, desktop.address) as bus:
        who = desktop.watcher.items[0][0]
        method = "com.canonical.dbusmenu.GetGroupProperties"
        (rows,) = desktop.loop.run(call(bus, who, MENU_PATH, method, "aias", [], []))
        for number, told in rows:
            assert {n: v.signature for n, v in told.items()} == {n: ROW_TYPES[n] for n in told}
            needed = {"visible"} if "type" in told else {"label", "enabled", "visible"}
            assert number == ROOT or needed <= told.keys()
            assert ("toggle-type" in told) == ("toggle-state" in told)
        assert {number for number, _ in rows} == panel.told.keys()


@given(text=st.text(st.characters(exclude_categories=[])))
@example("\0")
@example("\udc80")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_is_told(desktop: Desktop, text: str) -> None:
    """Whatever a file is called, the bus takes it, and the panel shows it in one line."""
    menu = desktop.show(Item("a", text, None))
    with desktop.panel() as panel:
        assert desktop.loop.run(panel.look()) == seen_in(menu)
        assert "\n" not in panel.seen(ROOT)[0].label


@pytest.mark.parametrize("kind", PANELS)
def test_clicks(desktop: Desktop, kind: type[Panel]) -> None:
    """A click does what the row says, at any depth, and a click on the icon what is the default."""
    clicked: list[str] = []
    desktop.icon.menu = _full(clicked.append)
    with desktop.panel(kind) as panel:
        desktop.loop.run(panel.look())
        for label in ("Pause", "jpeg", "Leaf"):
            desktop.loop.run(panel.click(panel.number(label)))
        desktop.loop.run(panel.activate())
        eventually(lambda: clicked == ["pause", "jpeg", "leaf", "open"])


@pytest.mark.parametrize("kind", PANELS)
def test_a_click_that_changes_nothing(desktop: Desktop, kind: type[Panel]) -> None:
    """A tick that a panel set by itself goes, if it was not to be."""
    desktop.icon.menu = _full()
    with desktop.panel(kind) as panel:
        desktop.loop.run(panel.look())
        for label in ("Pause", "jpeg"):
            desktop.loop.run(panel.click(panel.number(label)))
        assert desktop.loop.run(panel.look()) == seen_in(_full())


@pytest.mark.parametrize("kind", PANELS)
def test_a_click_that_ticks(desktop: Desktop, kind: type[Panel]) -> None:
    """A group's dot goes where it was clicked."""

    def choose(name: str) -> None:
        desktop.icon.menu = _full(choose, name)

    choose("png")
    with desktop.panel(kind) as panel:
        desktop.loop.run(panel.look())
        desktop.loop.run(panel.click(panel.number("jpeg")))
        assert desktop.loop.run(panel.look()) == seen_in(_full(chosen="jpeg"))


def test_a_row_that_has_just_gone(desktop: Desktop) -> None:
    """A click on a row that is not there any more does its own thing, never another's."""
    clicked: list[str] = []
    desktop.show(*(Item(name, name, partial(clicked.append, name)) for name in "abc"))
    with desktop.panel() as panel:
        gone = panel.number("b")
        desktop.show(*(Item(name, name, partial(clicked.append, name)) for name in "cd"))
        desktop.loop.run(panel.click(gone))
        eventually(lambda: clicked == ["b"])


def test_a_click_that_fails(desktop: Desktop, caplog: pytest.LogCaptureFixture) -> None:
    """An error of one click is logged, and the next is heard."""
    clicked = threading.Event()
    desktop.show(Item("a", "a", lambda: 1 // 0), Item("b", "b", clicked.set))
    with desktop.panel() as panel, caplog.at_level(logging.ERROR):
        for label in "ab":
            desktop.loop.run(panel.click(panel.number(label)))
        eventually(clicked.is_set)
    assert "ZeroDivisionError" in caplog.text


def test_numbers_stay(desktop: Desktop) -> None:
    """Rows keep their numbers while others come and go; no number means two things, ever."""
    desktop.show(Item("a", "a", None), Item("b", "b", None))
    with desktop.panel() as panel:
        a, b = panel.number("a"), panel.number("b")
        desktop.show(Item("new", "new", None), Item("b", "other", None, enabled=False))
        desktop.loop.run(panel.look())
        assert panel.below[ROOT] == [panel.number("new"), b]
        desktop.show(Item("a", "a", None), Item("b", "b", None, checked=True))
        desktop.loop.run(panel.look())
        assert not {a, b} & set(panel.below[ROOT])


def test_changed_words_and_ticks_are_told_alone(desktop: Desktop) -> None:
    """What changes of a row is told as that, no layout is; what did not change is not told."""
    desktop.show(Item("a", "a", None), Item("b", "b", None, checked=False), Item("c", "c", None))
    with desktop.panel() as panel:
        desktop.show(Item("a", "A", None), Item("b", "b", None, checked=True), Item("c", "c", None))
        ((changed, removed),) = _heard(desktop, panel, "ItemsPropertiesUpdated")
        assert [(told["label"], told.get("toggle-state")) for _, told in changed] == [
            ("A", None),
            ("b", 1),
        ]
        assert removed == []
        desktop.show(Item("a", "A", None), Item("b", "b", None, checked=True), Item("c", "c", None))
        assert _signals(desktop, panel) == []
        assert panel.heard("LayoutUpdated") == []


def test_changed_menus_are_told_the_root_last(desktop: Desktop) -> None:
    """Each menu with other rows is named once, the inner ones first, with a growing number."""

    def shown(*names: str) -> None:
        inner = Item("in", "in", Menu(*(Item(name, name, None) for name in names)))
        still = Item("still", "still", Menu(Item("s", "s", None)))
        outer = Item("out", "out", Menu(inner, *(Item(name, name, None) for name in names)))
        desktop.show(outer, still, *(Item(name, name, None) for name in names))

    shown("a")
    with desktop.panel() as panel:
        inner, outer = panel.number("in"), panel.number("out")
        last = 0
        for names in (("a", "b"), ("b", "a"), ("b",)):
            shown(*names)
            told = _heard(desktop, panel, "LayoutUpdated")
            assert [parent for _, parent in told] == [inner, outer, ROOT]
            (revision,) = {number for number, _ in told}
            assert revision > last
            last = revision
            assert desktop.loop.run(panel.ask("GetLayout", "iias", ROOT, 0, []))[0] == last
        shown("b", "c")
        assert len(_heard(desktop, panel, "LayoutUpdated")) == 3


def test_a_picture_that_goes(desktop: Desktop) -> None:
    """A row that loses its picture is told as another one: panels keep what is not told again."""
    desktop.show(Item("a", "a", None))
    with desktop.panel() as panel:
        without = panel.number("a")
        desktop.show(Item("a", "a", None, picture=png()))
        desktop.loop.run(panel.look())
        assert panel.number("a") == without
        menu = desktop.show(Item("a", "a", None))
        assert desktop.loop.run(panel.look()) == seen_in(menu)
        assert panel.number("a") != without


def test_whether_it_must_be_fetched_again(desktop: Desktop) -> None:
    """Until a panel has fetched what changed, it is told to; and each look is noticed."""
    desktop.show(Item("in", "in", Menu(Item("a", "a", None))))
    with desktop.panel() as panel:
        inner = panel.number("in")
        ask = partial(_ask, desktop, panel)
        assert ask("AboutToShow", "i", inner) == [False]
        desktop.show(Item("in", "in", Menu(Item("b", "b", None))))
        desktop.seen.clear()
        assert ask("AboutToShow", "i", inner) == [True]
        assert ask("AboutToShowGroup", "ai", [inner, ROOT, TOO_MANY]) == [[inner], [TOO_MANY]]
        assert desktop.seen
        ask("GetLayout", "iias", ROOT, 1, [])
        assert ask("AboutToShow", "i", inner) == [True]
        ask("GetLayout", "iias", inner, 0, [])
        assert ask("AboutToShow", "i", inner) == [True]
        ask("GetLayout", "iias", inner, 1, [])
        assert ask("AboutToShow", "i", inner) == [False]
        assert ask("AboutToShow", "i", TOO_MANY) == [False]


def test_a_change_that_kde_does_not_hear_of(desktop: Desktop) -> None:
    """KDE drops what is told after it fetched a submenu; it is told again at the next opening."""
    desktop.show(Item("in", "in", Menu(Item("a", "a", None))))
    with desktop.panel(KdePanel) as panel:
        inner = panel.number("in")
        desktop.loop.run(panel.open(inner))
        desktop.loop.run(panel.close())
        menu = desktop.show(Item("in", "in", Menu(Item("b", "b", None))))
        desktop.loop.run(panel.settle())
        assert panel.seen(inner) == (Seen("item", "a"),)
        assert desktop.loop.run(panel.look()) == seen_in(menu)


def test_numbers_nobody_knows(desktop: Desktop) -> None:
    """Unknown rows are left out or named as such; asking for their layout is a wrong argument."""
    with desktop.panel() as panel:
        about = panel.number("About")
        ask = partial(_ask, desktop, panel)
        for method, signature, *words in (
            ("GetLayout", "iias", TOO_MANY, -1, []),
            ("GetProperty", "is", TOO_MANY, "label"),
            ("GetProperty", "is", about, "icon-data"),
        ):
            with pytest.raises(BusError, match="InvalidArgs"):
                ask(method, signature, *words)
        nothing = Variant("y", 0)
        assert ask("Event", "isvu", TOO_MANY, "clicked", nothing, 0) == []
        assert ask("Event", "isvu", about, "hovered", nothing, 0) == []
        events = [(TOO_MANY, "clicked", nothing, 0), (about, "x-other", nothing, 0)]
        assert ask("EventGroup", "a(isvu)", events) == [[TOO_MANY]]
        assert ask("GetProperty", "is", about, "label") == ["About"]


def test_rows_come_in_the_order_in_which_they_were_asked(desktop: Desktop) -> None:
    """Also the root's, and those that are unknown are left out; none named means all."""
    desktop.show(*(Item(name, name, None) for name in "abc"))
    with desktop.panel() as panel:
        a, b, c = (panel.number(name) for name in "abc")
        ask = partial(_ask, desktop, panel)
        (rows,) = ask("GetGroupProperties", "aias", [c, ROOT, TOO_MANY, a, b], ["label", "type"])
        assert rows == [
            (c, {"label": "c"}),
            (ROOT, {}),
            (a, {"label": "a"}),
            (b, {"label": "b"}),
        ]
        assert [row for row, _ in ask("GetGroupProperties", "aias", [], [])[0]] == [ROOT, a, b, c]


@pytest.mark.parametrize("last", [Menu(), Menu(Item("in", "in", Menu(Item("z", "z", None))))])
def test_rows_do_not_move_under_the_pointer(desktop: Desktop, last: Menu) -> None:
    """While a submenu is open, other rows wait until it is closed; words still change after."""
    menu = desktop.show(Item("in", "in", Menu(Item("a", "a", None))))
    with desktop.panel() as panel:
        inner = panel.number("in")
        desktop.loop.run(panel.open(ROOT))
        desktop.loop.run(panel.open(inner))
        for changed in (Menu(Item("b", "b", None)), last):
            desktop.icon.menu = changed
            desktop.loop.run(panel.settle())
            assert panel.seen(ROOT) == seen_in(menu)
        assert panel.heard("LayoutUpdated") == []
        desktop.loop.run(panel.close())
        assert desktop.loop.run(panel.look()) == seen_in(last)


@pytest.mark.parametrize("is_clicked", [True, False])
def test_panels_that_do_not_say_that_they_close(desktop: Desktop, *, is_clicked: bool) -> None:
    """A click closes what was open, and so does opening the menu anew: nothing stale is seen."""
    clicked: list[str] = []
    inner, other = Item("a", "a", lambda: clicked.append("a")), Item("b", "b", None)
    desktop.show(Item("state", "before", None), Item("in", "in", Menu(inner)))
    with desktop.panel() as panel:
        asked = partial(_ask, desktop, panel)
        number = panel.number("in")
        asked("AboutToShow", "i", ROOT)
        asked("Event", "isvu", number, "opened", Variant("s", ""), 0)
        if is_clicked:
            asked("Event", "isvu", panel.number("a"), "clicked", Variant("s", ""), 0)
            eventually(lambda: clicked == ["a"])
        menu = desktop.show(Item("state", "after", None), Item("in", "in", Menu(inner, other)))
        if not is_clicked:
            desktop.loop.run(panel.settle())
            assert panel.heard("LayoutUpdated") == []
            (changed, _) = panel.heard("ItemsPropertiesUpdated")[-1]
            assert [told["label"] for _, told in changed] == ["after"]
        asked("AboutToShow", "i", ROOT)
        assert desktop.loop.run(panel.look()) == seen_in(menu)


def test_the_open_menu_itself_changes(desktop: Desktop) -> None:
    """Panels that are told of an open menu, but no submenu, show what comes at once."""
    with desktop.panel() as panel:
        desktop.loop.run(panel.open(ROOT))
        menu = desktop.show(Item("b", "b", None))
        desktop.loop.run(panel.settle())
        assert panel.seen(ROOT) == seen_in(menu)


def test_a_submenu_that_is_never_closed(
    loop: Loop, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows wait no longer than they are said to, though nobody tells that the submenu closed."""

    async def connected() -> Any:
        return await connect("session")

    menu = DBusMenu(Rows(_Unshown("imghost")), _nothing, held_s=1.5)
    connection = loop.run(connected())
    loop.call(connection.export, MENU_PATH, menu)
    try:
        loop.call(menu.show, Menu(Item("in", "in", Menu(Item("a", "a", None)))))
        with on_bus(loop, bus) as ours:
            panel = GnomePanel(ours, connection.unique_name)
            loop.run(panel.start())
            for name in ("b", "c"):
                panel.signals.clear()
                loop.run(panel.open(ROOT))
                loop.run(panel.open(panel.number("in")))
                shown = Menu(Item("in", "in", Menu(Item(name, name, None))))
                loop.call(menu.show, shown)
                loop.run(panel.settle())
                assert panel.heard("LayoutUpdated") == []
                eventually(lambda: bool(panel.signals))
                assert loop.run(panel.look()) == seen_in(shown)
                loop.call(menu.close)
    finally:
        loop.run(disconnect(connection))


# -- whatever happens, in which order ever

LABELS = st.sampled_from(["a", "_", "a_b", "__", "图 1.png", "A & <b>", ""])
PICTURES = st.sampled_from([b"", png()])


@st.composite
def _menus(draw: st.DrawFn, depth: int = 2) -> list[Any]:
    """The items of a menu; those of one key are mostly, but not always, of one kind."""
    kinds = st.sampled_from(["item", "check", "radio", "line", "menu"][: 5 if depth else 4])
    keys = draw(st.lists(st.sampled_from("abcdmn"), min_size=1, max_size=5, unique=True))
    found = (("menu" if depth and key in "mn" else draw(kinds)) for key in keys)
    return [_item(draw, key, kind, depth) for key, kind in zip(keys, found, strict=True)]


def _item(draw: st.DrawFn, key: str, kind: str, depth: int) -> Any:
    if kind == "line":
        return Menu.SEPARATOR
    if kind == "menu":
        return Item(key, draw(LABELS), Menu(*draw(_menus(depth - 1))))
    return Item(
        key,
        draw(LABELS),
        None,
        checked=None if kind == "item" else draw(st.booleans()),
        radio=kind == "radio",
        enabled=draw(st.booleans()),
        picture=draw(PICTURES),
    )


ACTS = st.lists(
    st.sampled_from(["settle", "open", "open deeper", "close", "click", "look"]), max_size=4
)
STEPS = st.lists(st.tuples(_menus(), ACTS), min_size=2, max_size=6)


async def _act(panel: Panel, act: str) -> None:
    below = panel.below.get(panel.opened[-1], []) if panel.opened else []
    menus = [n for n in below if "children-display" in panel.told[n]]
    if act == "settle":
        await panel.settle()
    elif act == "close":
        await panel.close()
    elif act == "look" and not panel.opened:
        await panel.look()
    elif act == "click" and below and below[0] in panel.told:
        await panel.click(below[0])
    elif act == "open" and not panel.opened:
        await panel.open(ROOT)
    elif act == "open deeper" and menus:
        await panel.open(menus[0])


@pytest.mark.parametrize("kind", PANELS)
def test_every_panel_shows_the_menu_of_now(desktop: Desktop, kind: type[Panel]) -> None:
    """After whatever menus, openings and clicks, what is seen is what was shown last."""

    @seed(4)
    @given(steps=STEPS)
    @settings(max_examples=40, deadline=None, database=None)
    def shows(steps: list[Any]) -> None:
        menu = desktop.show(Item("about", "About", None))
        with desktop.panel(kind) as panel:
            for items, acts in steps:
                menu = desktop.show(*items)
                for act in acts:
                    desktop.loop.run(_act(panel, act))
            desktop.loop.run(panel.close())
            assert desktop.loop.run(panel.look()) == seen_in(menu)
            assert desktop.loop.run(panel.look()) == seen_in(menu)

    shows()


class _Unshown(Icon):  # type: ignore[misc]  # pystray has no types
    """An icon whose menu is told by other means."""

    def _update_menu(self) -> None:
        pass


def _ask(desktop: Desktop, panel: Panel, method: str, signature: str, *words: object) -> Any:
    return desktop.loop.run(panel.ask(method, signature, *words))


def _heard(desktop: Desktop, panel: Panel, name: str) -> list[list[Any]]:
    """What came with the signals of this name until now."""
    desktop.loop.run(panel.settle())
    return panel.heard(name)


def _signals(desktop: Desktop, panel: Panel) -> list[str]:
    """The names of all signals that came since."""
    desktop.loop.run(panel.settle())
    names = [name for name, _ in panel.signals]
    panel.signals.clear()
    return names
