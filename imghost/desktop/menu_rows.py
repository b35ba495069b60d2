"""A menu as D-Bus tells it: rows whose numbers stay, and what changed from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count

from imghost.desktop.menu_items import Icon, Menu
from imghost.values import dataclass

Key = tuple[int, str, str]  # the number of the row above, the item's key, its kind

ROOT = 0
_RETIRED = 200


@dataclass(frozen=True, slots=True)
class Row:
    """An entry: its number, what is told of it, its submenu's rows, and what a click does."""

    id: int
    told: Mapping[str, str | bool | int | bytes]
    rows: tuple[Row, ...] = ()
    click: Callable[[], None] | None = None

    def __iter__(self) -> Iterator[Row]:
        """The row and all below it, each before its own."""
        yield self
        for row in self.rows:
            yield from row


class Rows:
    """Makes rows of pystray's menus for `icon`.

    A number belongs to one key, kind and menu for ever: panels keep what they were told of it, a
    picture too. A click on a row that is just gone still does what it said.
    """

    def __init__(self, icon: Icon) -> None:
        self._icon = icon
        self._numbers: dict[Key, int] = {}
        self._next = count(1)
        self._pictured: set[int] = set()
        self._clicks: dict[int, Callable[[], None]] = {}

    def of(self, menu: Menu) -> Row:
        """The root of the menu's rows."""
        numbers: dict[Key, int] = {}
        rows = tuple(self._below(menu, ROOT, numbers))
        root = Row(ROOT, {"children-display": "submenu"}, rows)
        self._numbers = numbers
        self._pictured = {row.id for row in root if "icon-data" in row.told}
        for row in root:
            if row.click:
                self._clicks.pop(row.id, None)
                self._clicks[row.id] = row.click
        for old in list(self._clicks)[: -_RETIRED - len(numbers)]:
            del self._clicks[old]
        return root

    def clicked(self, number: int) -> Callable[[], None] | None:
        """What a click on this row does."""
        return self._clicks.get(number)

    def _below(self, menu: Menu, above: int, numbers: dict[Key, int]) -> Iterator[Row]:
        for place, item in enumerate(menu):
            kind = _kind(item)
            told = _told(item, kind)
            key = (above, getattr(item, "key", "") or f"{place}", kind)
            number = numbers[key] = self._number(key, has_picture="icon-data" in told)
            rows = tuple(self._below(item.submenu, number, numbers)) if kind == "submenu" else ()
            click = self._icon._handler(item) if kind in _CLICKED else None  # noqa: SLF001 - a backend's
            yield Row(number, told, rows, click)

    def _number(self, key: Key, *, has_picture: bool) -> int:
        number = self._numbers.get(key)
        if number is None or (number in self._pictured and not has_picture):
            return next(self._next)
        return number


def changed_rows(old: Row, new: Row) -> list[Row]:
    """The rows of `new` that were in `old` and of which something else is told now."""
    before = {row.id: row.told for row in old}
    return [row for row in new if row.id in before and before[row.id] != row.told]


def changed_menus(old: Row, new: Row) -> list[int]:
    """The rows that were there and have other rows below them now, the root last."""
    before = {row.id: [below.id for below in row.rows] for row in old}
    return [
        row.id
        for row in reversed(list(new))
        if row.id in before and before[row.id] != [below.id for below in row.rows]
    ]


def retold(old: Row, new: Row) -> Row:
    """The rows of `old`, with what is told of them in `new`."""
    told = {row.id: row.told for row in new}

    def again(row: Row) -> Row:
        return replace(row, told=told.get(row.id, row.told), rows=tuple(map(again, row.rows)))

    return again(old)


_CLICKED = frozenset({"item", "check", "radio"})


def _kind(item: object) -> str:
    if item is Menu.SEPARATOR:
        return "separator"
    if getattr(item, "submenu", None):
        return "submenu"
    if getattr(item, "checked", None) is None:
        return "item"
    return "radio" if getattr(item, "radio", False) else "check"


def _told(item: object, kind: str) -> Mapping[str, str | bool | int | bytes]:
    """All that is told of a kind, every time: panels do not unlearn what is left out."""
    if kind == "separator":
        return {"type": "separator", "visible": True}
    text = str(getattr(item, "text", "")).replace("_", "__")  # one alone underlines a letter
    told: dict[str, str | bool | int | bytes] = {
        "label": text,
        "enabled": bool(getattr(item, "enabled", True)),
        "visible": True,
    }
    if picture := getattr(item, "picture", b""):
        told["icon-data"] = picture
    if kind == "submenu":
        told["children-display"] = "submenu"
    if kind in ("check", "radio"):
        told["toggle-type"] = "radio" if kind == "radio" else "checkmark"
        told["toggle-state"] = int(bool(getattr(item, "checked", False)))
    return told
