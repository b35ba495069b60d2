"""com.canonical.dbusmenu: a menu that panels fetch, show and click (libdbusmenu's interface).

Panels differ in what they ask and ignore; what is written here holds for KDE, XFCE (libdbusmenu),
GNOME's AppIndicator extension and waybar. Answers come at once and in order, or rows stay blank.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated

from dbus_fast import DBusError, ErrorType, PropertyAccess, Variant
from dbus_fast.annotations import (
    DBusBool,
    DBusInt32,
    DBusSignature,
    DBusStr,
    DBusUInt32,
    DBusVariant,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from imghost.desktop.menu_items import Menu
from imghost.desktop.menu_rows import ROOT, Row, Rows, changed_menus, changed_rows, retold

MENU_PATH = "/MenuBar"
_VERSION = 3

_SIGNATURES = {str: "s", bool: "b", int: "i", bytes: "ay"}
_LAYOUT = "(ia{sv}av)"

Nothing = Annotated[None, DBusSignature("")]  # the library reads "None" as a name
Numbers = Annotated[list[int], DBusSignature("ai")]
Names = Annotated[list[str], DBusSignature("as")]
Told = dict[str, Variant]
Layout = Annotated[tuple[int, tuple[int, Told, list[Variant]]], DBusSignature(f"u{_LAYOUT}")]
RowsTold = Annotated[list[tuple[int, Told]], DBusSignature("a(ia{sv})")]
Events = Annotated[list[tuple[int, str, Variant, int]], DBusSignature("a(isvu)")]
TwoLists = Annotated[tuple[list[int], list[int]], DBusSignature("aiai")]
Changed = Annotated[
    tuple[list[tuple[int, Told]], list[tuple[int, list[str]]]],
    DBusSignature("a(ia{sv})a(ias)"),
]
Moved = Annotated[tuple[int, int], DBusSignature("ui")]

log = logging.getLogger(__name__)


class DBusMenu(ServiceInterface):
    """The menu on the bus; on the loop's thread alone, but for `opening`.

    `opening` is called whenever it may be looked at. What a click does is called on the loop, and
    must be quick. While a submenu is open rows come and go only after `held_s`; what is told of
    those that stay changes at once.
    """

    def __init__(self, rows: Rows, opening: Callable[[], None], held_s: float = 10.0) -> None:
        super().__init__("com.canonical.dbusmenu")
        self._rows = rows
        self._opening = opening
        self._held_s = held_s
        self._root = Row(ROOT, {"children-display": "submenu"})
        self._by_id: dict[int, Row] = {ROOT: self._root}
        self._revision = 1
        self._unfetched: set[int] = set()
        self._opened: dict[int, float] = {}
        self._waiting: Menu | None = None
        self._later: asyncio.TimerHandle | None = None

    def show(self, menu: Menu) -> None:
        """Have this menu instead of the former one."""
        self._waiting = None
        new = self._rows.of(menu)
        if changed_menus(self._root, new) and (wait_s := self._open_s()) > 0:
            self._waiting = menu
            self._later = self._later or self._loop().call_later(wait_s, self._nothing_is_open)
            new = retold(self._root, new)
        self._serve(new)

    def close(self) -> None:
        """Show nothing that still waits."""
        if self._later:
            self._later.cancel()
        self._later = None

    @dbus_method(name="GetLayout")
    def get_layout(self, parent: DBusInt32, depth: DBusInt32, names: Names) -> Layout:
        """The rows below one, so many levels deep, -1 for all."""
        row = self._by_id.get(parent)
        if row is None:
            raise DBusError(ErrorType.INVALID_ARGS, f"no such row: {parent}")
        return self._revision, self._layout(row, depth, names)

    @dbus_method(name="GetGroupProperties")
    def get_group_properties(self, ids: Numbers, names: Names) -> RowsTold:
        """What is told of these rows, in their order; of all, if none is named."""
        asked = ids or list(self._by_id)
        rows = [self._by_id[number] for number in asked if number in self._by_id]
        return [(row.id, _variants(row.told, names)) for row in rows]

    @dbus_method(name="GetProperty")
    def get_property(self, number: DBusInt32, name: DBusStr) -> DBusVariant:
        """One thing that is told of one row."""
        row = self._by_id.get(number)
        if row is None or name not in row.told:
            raise DBusError(ErrorType.INVALID_ARGS, f"no such row or property: {number} {name}")
        return _variants(row.told)[name]

    @dbus_method(name="Event")
    def event(
        self, number: DBusInt32, event: DBusStr, _data: DBusVariant, _at: DBusUInt32
    ) -> Nothing:
        """Somebody opened, closed or clicked it; other events are none of ours."""
        self._happened(number, event)

    @dbus_method(name="EventGroup")
    def event_group(self, events: Events) -> Numbers:
        """The same for several; those that are not known come back."""
        return [number for number, event, *_ in events if not self._happened(number, event)]

    @dbus_method(name="AboutToShow")
    def about_to_show(self, number: DBusInt32) -> DBusBool:
        """It will be seen: whether its rows must be fetched again."""
        return self._about_to_show(number)

    @dbus_method(name="AboutToShowGroup")
    def about_to_show_group(self, numbers: Numbers) -> TwoLists:
        """The same for several: those to be fetched again, and those that are not known."""
        stale = [number for number in numbers if self._about_to_show(number)]
        return stale, [number for number in numbers if number not in self._by_id]

    @dbus_signal(name="ItemsPropertiesUpdated")
    def items_properties_updated(self, changed: list[tuple[int, Told]]) -> Changed:
        """Something else is told of these rows now."""
        return changed, []

    @dbus_signal(name="LayoutUpdated")
    def layout_updated(self, revision: int, parent: int) -> Moved:
        """Other rows are below this one now."""
        return revision, parent

    @dbus_property(access=PropertyAccess.READ, name="Version")
    def version(self) -> DBusUInt32:
        """From 3 on panels ask for several rows at once."""
        return _VERSION

    @dbus_property(access=PropertyAccess.READ, name="Status")
    def status(self) -> DBusStr:
        """Nothing in it is urgent."""
        return "normal"

    @dbus_property(access=PropertyAccess.READ, name="TextDirection")
    def text_direction(self) -> DBusStr:
        """From left to right."""
        return "ltr"

    @dbus_property(access=PropertyAccess.READ, name="IconThemePath")
    def icon_theme_path(self) -> Names:
        """Pictures come as bytes."""
        return []

    def _serve(self, new: Row) -> None:
        changed, menus = changed_rows(self._root, new), changed_menus(self._root, new)
        self._root = new
        self._by_id = {row.id: row for row in new}
        if changed:
            self.items_properties_updated([(row.id, _variants(row.told)) for row in changed])
        self._revision += bool(menus)
        self._unfetched = {*menus, *(self._unfetched & self._by_id.keys())}
        for number in menus:
            self.layout_updated(self._revision, number)

    def _layout(
        self, row: Row, depth: int, names: Sequence[str]
    ) -> tuple[int, Told, list[Variant]]:
        below: list[Variant] = []
        if depth:
            self._unfetched.discard(row.id)
            below = [Variant(_LAYOUT, self._layout(r, depth - 1, names)) for r in row.rows]
        return row.id, _variants(row.told, names), below

    def _about_to_show(self, number: int) -> bool:
        if number == ROOT:  # whatever was open before is open no more
            self._nothing_is_open()
        self._opening()
        return number in self._unfetched

    def _happened(self, number: int, event: str) -> bool:
        if event == "opened" and number in self._by_id.keys() - {ROOT}:
            self._opened[number] = self._loop().time()
        elif event == "closed":
            self._opened.pop(number, None)
            if self._open_s() <= 0:
                self._loop().call_soon(self._nothing_is_open)
        elif event == "clicked" and (click := self._rows.clicked(number)):
            self._loop().call_soon(click)
            self._loop().call_soon(self._nothing_is_open)  # XFCE does not say that it closes
            self._tell_again(number)
            return True
        return number in self._by_id

    def _tell_again(self, number: int) -> None:
        """A panel may have ticked it by itself."""
        row = self._by_id.get(number)
        if row and "toggle-state" in row.told:
            self.items_properties_updated([(number, _variants(row.told, ["toggle-state"]))])

    def _open_s(self) -> float:
        """For how long rows may not come and go, because somebody looks at them."""
        latest = max(self._opened.values(), default=-self._held_s)
        return max(0.0, latest + self._held_s - self._loop().time())

    def _nothing_is_open(self) -> None:
        self.close()
        self._opened.clear()
        if self._waiting is not None:
            self.show(self._waiting)

    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()


def _variants(told: Mapping[str, object], names: Iterable[str] = ()) -> Told:
    wanted = set(names) or told.keys()
    return {n: Variant(_SIGNATURES[type(v)], v) for n, v in told.items() if n in wanted}
