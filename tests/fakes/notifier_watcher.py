"""A desktop's StatusNotifierWatcher, and panels that read icons and menus as real ones do.

What each panel asks and ignores was read in the sources of KDE's plasma-workspace, of libdbusmenu
(XFCE, waybar) and of GNOME's AppIndicator extension.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from dbus_fast import DBusError, Message, MessageType, NameFlag, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusInt32, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal
from dbus_fast.unpack import unpack_variants

from imghost.desktop.bus import BusError, call, listen
from imghost.desktop.menu_items import Menu
from tests.fakes.buses import on_bus
from tests.fakes.loop import Loop

NAME, PATH = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
ITEM, ITEM_PATH = "org.kde.StatusNotifierItem", "/StatusNotifierItem"
MENU, MENU_PATH = "com.canonical.dbusmenu", "/MenuBar"
ROOT = 0
_KINDS = frozenset({"type", "toggle-type", "children-display"})
Nothing = Annotated[None, DBusSignature("")]
Strings = Annotated[list[str], DBusSignature("as")]


class NotifierWatcher(ServiceInterface):
    """`org.kde.StatusNotifierWatcher`: `items` are who registered and where, in order.

    It fails the first `refusals` times.
    """

    def __init__(self, refusals: int) -> None:
        super().__init__(NAME)
        self.refusals = refusals
        self.items: list[tuple[str, str]] = []
        self._sender = ""

    def hear(self, message: Message) -> None:
        """Before each call: by whom it is."""
        self._sender = message.sender or ""

    @dbus_method(name="RegisterStatusNotifierItem")
    def register_item(self, service: DBusStr) -> Nothing:
        """An icon is to be shown: of the caller at a path, or of a name."""
        if self.refusals:
            self.refusals -= 1
            raise DBusError("org.example.Refused", "not now")
        at_path = service.startswith("/")
        self.items.append((self._sender, service) if at_path else (service, ITEM_PATH))
        self.item_registered(service)

    @dbus_method(name="RegisterStatusNotifierHost")
    def register_host(self, service: DBusStr) -> Nothing:
        """A panel is there."""

    @dbus_signal(name="StatusNotifierItemRegistered")
    def item_registered(self, service: str) -> DBusStr:
        """It has been taken."""
        return service

    @dbus_property(access=PropertyAccess.READ, name="IsStatusNotifierHostRegistered")
    def has_host(self) -> DBusBool:
        """As KDE, XFCE and GNOME say it."""
        return True

    @dbus_property(access=PropertyAccess.READ, name="ProtocolVersion")
    def version(self) -> DBusInt32:
        """There is but one."""
        return 0

    @dbus_property(access=PropertyAccess.READ, name="RegisteredStatusNotifierItems")
    def registered(self) -> Strings:
        """As KDE says it."""
        return [name + path for name, path in self.items]


@contextmanager
def notifier_watcher(loop: Loop, address: str, refusals: int = 0) -> Iterator[NotifierWatcher]:
    """A watcher until the end of the block; it takes the place of the one that is there."""
    with on_bus(loop, address) as bus:
        watcher = NotifierWatcher(refusals)
        loop.call(bus.add_message_handler, watcher.hear)
        loop.call(bus.export, PATH, watcher)
        loop.run(bus.request_name(NAME, NameFlag.ALLOW_REPLACEMENT | NameFlag.REPLACE_EXISTING))
        yield watcher


@dataclass(frozen=True)
class Seen:
    """A row as a person sees it; `state` is whether it is ticked, None where it cannot be."""

    kind: str
    label: str = ""
    enabled: bool = True
    state: bool | None = None
    picture: bytes = b""
    rows: tuple[Seen, ...] = ()


def seen_in(menu: Iterable[Any]) -> tuple[Seen, ...]:
    """What a person is to see of pystray's menu."""
    return tuple(
        Seen("separator")
        if item is Menu.SEPARATOR
        else Seen(
            "submenu"
            if item.submenu
            else "item"
            if item.checked is None
            else ("radio" if item.radio else "checkmark"),
            item.text,
            item.enabled,
            None if item.submenu else item.checked,
            getattr(item, "picture", b""),
            seen_in(item.submenu or ()),
        )
        for item in menu
    )


class Panel:
    """What all panels do; its methods are to be run on the loop.

    It keeps what it was told of each row, and which are below which. Signals are taken in by
    `settle`, in their order; `signals` are all that came, for good.
    """

    def __init__(self, bus: MessageBus, service: str) -> None:
        self._bus = bus
        self._service = service
        self._unheard: deque[tuple[str, list[Any]]] = deque()
        self.signals: list[tuple[str, list[Any]]] = []
        self.told: dict[int, dict[str, Any]] = {ROOT: {}}
        self.below: dict[int, list[int]] = {}
        self.opened: list[int] = []

    async def start(self) -> None:
        """Listen, and fetch the menu for the first time."""
        self._bus.add_message_handler(self._note)
        await listen(self._bus, sender=self._service)
        await self._fetch(ROOT)

    async def item(self) -> dict[str, Variant]:
        """All properties of the icon."""
        method = "org.freedesktop.DBus.Properties.GetAll"
        (found,) = await call(self._bus, self._service, ITEM_PATH, method, "s", ITEM)
        return dict(found)

    async def activate(self) -> None:
        """Click the icon itself."""
        await call(self._bus, self._service, ITEM_PATH, f"{ITEM}.Activate", "ii", 3, 4)

    async def ask(self, method: str, signature: str = "", *args: object) -> Any:
        """What the menu answers."""
        body = await call(self._bus, self._service, MENU_PATH, f"{MENU}.{method}", signature, *args)
        return unpack_variants(body)

    async def settle(self) -> None:
        """Take in what was told until now."""
        await call(self._bus, self._service, MENU_PATH, "org.freedesktop.DBus.Peer.Ping")
        while self._unheard:
            name, body = self._unheard.popleft()
            if name == "LayoutUpdated":
                await self._moved(*body)
            elif name == "ItemsPropertiesUpdated":
                self._changed(*body)

    async def open(self, number: int) -> None:
        """The person opens the menu, or one of its submenus."""
        await self.settle()
        self.opened.append(number)
        await self._about_to_show(number)
        await self._event(number, "opened")

    async def close(self) -> None:
        """The person closes it all."""
        while self.opened:
            await self._event(self.opened.pop(), "closed")

    async def click(self, number: int) -> None:
        """The person clicks a row."""
        await self._event(number, "clicked")

    async def look(self) -> tuple[Seen, ...]:
        """What the person sees, who opens one menu after the other."""
        await self._look(ROOT)
        await self.settle()
        return self.seen(ROOT)

    def seen(self, number: int) -> tuple[Seen, ...]:
        """What would be seen below a row."""
        return tuple(self._seen(n) for n in self.below.get(number, []) if self.told[n]["visible"])

    def number(self, label: str) -> int:
        """The row with this label."""
        return next(n for n, told in self.told.items() if told.get("label") == label)

    def heard(self, name: str) -> list[list[Any]]:
        """What came with the signals of this name, since it was asked for the last time."""
        found = [body for signal, body in self.signals if signal == name]
        self.signals = [signal for signal in self.signals if signal[0] != name]
        return found

    async def _look(self, number: int) -> None:
        await self.open(number)
        for row in list(self.below.get(number, [])):
            if "children-display" in self.told[row]:
                await self._look(row)
        await self._event(self.opened.pop(), "closed")

    def _note(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.sender == self._service:
            signal = (message.member or "", unpack_variants(message.body))
            self._unheard.append(signal)
            self.signals.append(signal)

    def _seen(self, number: int) -> Seen:
        told = self.told[number]
        if told.get("type") == "separator":
            return Seen("separator")
        is_menu = "children-display" in told
        return Seen(
            "submenu" if is_menu else told.get("toggle-type", "item"),
            told["label"].replace("__", "_"),
            told["enabled"],
            bool(told["toggle-state"]) if "toggle-type" in told else None,
            told.get("icon-data", b""),
            self.seen(number) if is_menu else (),
        )

    def _learn(self, number: int, told: dict[str, Any]) -> None:
        """What is not told again stays as it was."""
        self.told.setdefault(number, {}).update(told)

    def _place(self, layout: tuple[int, Any, list[Any]]) -> list[int]:
        """Have the rows where they are in the layout; all that are in it, each before its own."""
        number, _, below = layout
        self.below[number] = [row[0] for row in below]
        return [number, *(deeper for row in below for deeper in self._place(row))]

    def _keep(self, numbers: Iterable[int]) -> None:
        """Forget all others."""
        kept = set(numbers)
        self.told = {n: told for n, told in self.told.items() if n in kept}
        self.below = {n: rows for n, rows in self.below.items() if n in kept}

    def _changed(self, changed: list[Any], _removed: list[Any]) -> None:
        for number, told in changed:
            if number in self.told:
                self._learn(number, told)

    async def _fetch(self, number: int) -> None:
        raise NotImplementedError

    async def _moved(self, revision: int, parent: int) -> None:
        raise NotImplementedError

    async def _about_to_show(self, number: int) -> None:
        raise NotImplementedError

    async def _event(self, number: int, event: str) -> None:
        await self.ask("Event", "isvu", number, event, Variant("s", ""), 0)


class KdePanel(Panel):
    """KDE fetches one level, when it is first opened; and again only what is named."""

    def __init__(self, bus: MessageBus, service: str) -> None:
        super().__init__(bus, service)
        self._refreshed: set[int] = set()

    async def click(self, number: int) -> None:
        """KDE closes the menu before, and ticks the row by itself."""
        await self.close()
        told = self.told[number]
        if "toggle-type" in told:
            told["toggle-state"] = 1 if told["toggle-type"] == "radio" else 1 - told["toggle-state"]
        await super().click(number)

    def _learn(self, number: int, told: dict[str, Any]) -> None:
        """What kind of row it is, KDE learns once."""
        known = _KINDS if number in self.told else frozenset()
        super()._learn(number, {name: value for name, value in told.items() if name not in known})

    async def _fetch(self, number: int) -> None:
        try:
            _, (_, _, below) = await self.ask("GetLayout", "iias", number, 1, [])
        except BusError:  # it is gone; who is above it will be told
            return
        if number in self.told:
            self.below[number] = [row for row, *_ in below]
            for row, told, _ in below:
                self._learn(row, told)
            self._keep(self._reached(ROOT))

    def _reached(self, number: int) -> list[int]:
        rows = self.below.get(number, [])
        return [number, *(deeper for row in rows for deeper in self._reached(row))]

    async def _moved(self, revision: int, parent: int) -> None:
        if parent in self._refreshed:
            self._refreshed.remove(parent)
        else:
            await self._fetch(parent)

    async def _about_to_show(self, number: int) -> None:
        (is_stale,) = await self.ask("AboutToShow", "i", number)
        if is_stale or not self.below.get(number):
            await self._fetch(number)
            self._refreshed.add(number)


class LibdbusmenuPanel(Panel):
    """XFCE and waybar fetch all, then what is told of each row, by its number."""

    _NAMES: ClassVar = ["type", "label", "visible", "enabled", "children-display"]

    def __init__(self, bus: MessageBus, service: str) -> None:
        super().__init__(bus, service)
        self._revision = 0
        self._lost: set[int] = set()

    def seen(self, number: int) -> tuple[Seen, ...]:
        """A submenu that was empty once shows nothing any more."""
        return () if number in self._lost else super().seen(number)

    async def _fetch(self, number: int) -> None:
        before = {n for n, rows in self.below.items() if rows}
        self._revision, layout = await self.ask("GetLayout", "iias", ROOT, -1, self._NAMES)
        numbers = self._place(layout)
        self._lost |= {n for n in before if n and not self.below[n]}
        above = {row: n for n, rows in self.below.items() for row in rows}
        (told,) = await self.ask("GetGroupProperties", "aias", numbers, [])
        for row, words in told:
            assert row == ROOT or "children-display" in self.told[above[row]], "it stays blank"
            self._learn(row, words)
        assert {row for row, _ in told} == set(numbers), "rows without properties are not shown"
        self._keep(numbers)

    async def _moved(self, revision: int, parent: int) -> None:
        if revision > self._revision:
            await self._fetch(ROOT)
            assert self._revision >= revision, "it would ask for ever"

    async def _about_to_show(self, number: int) -> None:
        await self.ask("AboutToShowGroup", "ai", [number])

    async def _event(self, number: int, event: str) -> None:
        if number != ROOT or event == "clicked":
            await self.ask("EventGroup", "a(isvu)", [(number, event, Variant("i", 0), 0)])


class GnomePanel(Panel):
    """GNOME fetches when it is opened; it asks about new rows only, unless some have changed."""

    def __init__(self, bus: MessageBus, service: str) -> None:
        super().__init__(bus, service)
        self._is_stale = self._has_changed = False

    async def _fetch(self, number: int) -> None:
        self._is_stale = False
        names = ["type", "children-display"]
        _, layout = await self.ask("GetLayout", "iias", ROOT, -1, names)
        numbers = self._place(layout)
        asked = [n for n in numbers if self._has_changed or n not in self.told]
        (told,) = await self.ask("GetGroupProperties", "aias", asked, [])
        self._has_changed = False
        for row, words in told:
            self._learn(row, words)
        self._keep(numbers)

    async def _moved(self, revision: int, parent: int) -> None:
        self._is_stale = True
        if self.opened or not self.below.get(ROOT):
            await self._fetch(ROOT)

    def _changed(self, changed: list[Any], removed: list[Any]) -> None:
        if self.opened:
            super()._changed(changed, removed)
        else:
            self._has_changed = True

    async def _about_to_show(self, number: int) -> None:
        (is_stale,) = await self.ask("AboutToShow", "i", number)
        if is_stale or self._is_stale or self._has_changed:
            await self._fetch(ROOT)


PANELS = (KdePanel, LibdbusmenuPanel, GnomePanel)
