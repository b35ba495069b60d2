"""Menus as rows for panels: numbers that stay, what is told, and what has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imghost.desktop.menu_items import Icon, Item, Menu
from imghost.desktop.menu_rows import ROOT, Row, Rows, changed_menus, changed_rows

RETIRED = 200
BASE: Any = Icon.__mro__[-2]  # pystray's own, below those of all systems


class Shown(BASE):  # type: ignore[misc]  # pystray has no types
    """An icon that counts how often its menu is to be shown again."""

    updates = 0

    def _update_menu(self) -> None:
        self.updates += 1


@pytest.fixture
def rows() -> Rows:
    """Rows of an icon that was never shown."""
    return Rows(Shown("imghost"))


def _items(*names: str, click: Callable[[str], None] = lambda _: None) -> Menu:
    return Menu(*(Item(name, name, partial(click, name)) for name in names))


def _numbers(row: Row) -> dict[str, int]:
    """The numbers by the label."""
    return {str(below.told["label"]): below.id for below in row if "label" in below.told}


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (Item("a", "my_pic_1.png", None), {"label": "my__pic__1.png"}),
        (Item("a", "a\n\tb  c", None), {"label": "a b c"}),
        (Item("a", "x\0\udc80\u202e", None), {"label": "x\\x00\\udc80\\u202e"}),
        (Item("a", "图" * 90, None), {"label": "图" * 79 + "\N{HORIZONTAL ELLIPSIS}"}),
        (Item("a", "off", None, enabled=False), {"label": "off", "enabled": False}),
        (Item("a", "p", None, picture=b"png"), {"label": "p", "icon-data": b"png"}),
        (
            Item("a", "c", None, checked=True),
            {"label": "c", "toggle-type": "checkmark", "toggle-state": 1},
        ),
        (
            Item("a", "r", None, checked=False, radio=True),
            {"label": "r", "toggle-type": "radio", "toggle-state": 0},
        ),
    ],
)
def test_what_is_told(rows: Rows, item: Item, told: dict[str, object]) -> None:
    """All that is told of a kind of row, in one line that nothing can steer."""
    (row,) = rows.of(Menu(item)).rows
    assert row.told == {"enabled": True, "visible": True} | told


def test_lines_and_submenus(rows: Rows) -> None:
    """A line is told as such, a submenu by its name and by what is in it."""
    menu = Menu(
        Item("a", "a", None),
        Menu.SEPARATOR,
        Item("in", "In", _items("b", "c")),
        Item("empty", "Empty", Menu()),
    )
    root = rows.of(menu)
    assert [row.told.get("label") for row in root] == [None, "a", None, "In", "b", "c"]
    assert root.told == {"children-display": "submenu"}
    assert root.rows[1].told == {"type": "separator", "visible": True}
    assert root.rows[2].told["children-display"] == "submenu"
    assert root.rows[2].click is None


def test_numbers_stay_when_others_come_and_go(rows: Rows) -> None:
    """A key has its number as long as it is in the menu, wherever; later it has another."""
    first = _numbers(rows.of(_items("a", "b")))
    second = _numbers(rows.of(_items("c", "b")))
    third = _numbers(rows.of(_items("b", "a", "c")))
    assert first["b"] == second["b"] == third["b"]
    assert second["c"] == third["c"]
    assert len({first["a"], first["b"], second["c"], third["a"]}) == 4


def test_the_same_key_in_two_menus(rows: Rows) -> None:
    """Keys are of one menu: the same one in another is another row."""
    menu = Menu(Item("a", "a", None), Item("b", "b", _items("a")), Item("c", "c", _items("a")))
    assert len({row.id for row in rows.of(menu)}) == 6


def test_a_menu_that_becomes_another(rows: Rows) -> None:
    """Rows are not taken along by a submenu that has to get another number."""
    pictured = Item("in", "in", _items("a"), picture=b"png")
    before = {row.id for row in rows.of(Menu(pictured))}
    after = {row.id for row in rows.of(Menu(Item("in", "in", _items("a"))))}
    assert before & after == {ROOT}


def test_a_click_does_what_the_row_says(rows: Rows) -> None:
    """Also long after the row has gone; then it does nothing, and is forgotten."""
    clicked: list[str] = []
    old = _numbers(rows.of(_items("old", "still", click=clicked.append)))
    for number in range(RETIRED):
        rows.of(_items(f"{number}", "still", click=clicked.append))
        for name in ("old", "still"):
            click = rows.clicked(old[name])
            assert click
            click()
    assert clicked == ["old", "still"] * RETIRED
    for number in range(RETIRED):
        rows.of(_items(f"later {number}", "still"))
    assert rows.clicked(old["old"]) is None
    assert rows.clicked(old["still"])
    assert rows.clicked(ROOT) is rows.clicked(-1) is None


def test_after_a_click_the_menu_is_shown_again() -> None:
    """As pystray has it, whatever the click did."""
    icon = Shown("imghost")
    (row,) = Rows(icon).of(Menu(Item("a", "a", lambda: 1 // 0))).rows
    assert row.click
    with pytest.raises(ZeroDivisionError):
        row.click()
    assert icon.updates == 1


def test_what_changed(rows: Rows) -> None:
    """Other words change a row, other rows the menu above them, inner menus first."""
    inner = Item("in", "in", _items("b"))
    before = rows.of(Menu(Item("a", "a", None), inner))
    words = rows.of(Menu(Item("a", "A", None), inner))
    assert [row.told["label"] for row in changed_rows(before, words)] == ["A"]
    assert changed_menus(before, words) == []
    moved = rows.of(Menu(Item("in", "in", _items("b", "c")), Item("a", "A", None)))
    assert changed_rows(words, moved) == []
    assert changed_menus(words, moved) == [_numbers(moved)["in"], ROOT]


# -- whatever comes after whatever


@st.composite
def _menus(draw: st.DrawFn, depth: int = 2) -> Menu:
    kinds = st.sampled_from(["item", "check", "radio", "line", *["menu"] * depth])
    keys = draw(st.lists(st.sampled_from("abcd"), max_size=4, unique=True))
    return Menu(*(_item(draw, key, draw(kinds), depth) for key in keys))


def _item(draw: st.DrawFn, key: str, kind: str, depth: int) -> Any:
    if kind == "line":
        return Menu.SEPARATOR
    text, picture = draw(st.text(max_size=3)), draw(st.sampled_from([b"", b"png"]))
    if kind == "menu":
        return Item(key, text, draw(_menus(depth - 1)), picture=picture)
    checked = None if kind == "item" else draw(st.booleans())
    return Item(key, text, None, checked=checked, radio=kind == "radio", picture=picture)


@dataclass
class Knows:
    """Who was told of a menu once, and since then of what changed: by number."""

    told: dict[int, dict[str, Any]]
    below: dict[int, list[int]]

    def hear(self, old: Row, new: Row) -> None:
        """What is told changes what is known; new menus are fetched with all in them."""
        for row in changed_rows(old, new):
            self.told[row.id].update(row.told)
        fetched = {row.id: row for row in new}
        for number in changed_menus(old, new):
            self.below[number] = [row.id for row in fetched[number].rows]
            for deep in fetched[number]:
                self.told.setdefault(deep.id, dict(deep.told))
                self.below.setdefault(deep.id, [row.id for row in deep.rows])

    def row(self, number: int) -> tuple[object, ...]:
        """A row as it is known, with all below."""
        return self.told[number], [self.row(below) for below in self.below[number]]


def _as_it_is(row: Row) -> tuple[object, ...]:
    return row.told, [_as_it_is(below) for below in row.rows]


def _whose(row: Row) -> dict[int, tuple[object, ...]]:
    """What must never change of a number: the menu above, and what kind it is."""
    kinds = ("type", "toggle-type", "children-display")
    return {
        below.id: (above.id, *(below.told.get(kind) for kind in kinds))
        for above in row
        for below in above.rows
    }


@given(menus=st.lists(_menus(), min_size=2, max_size=8))
@settings(max_examples=100)
def test_changes_tell_all(menus: Sequence[Menu]) -> None:
    """Who hears only of changes knows the whole menu, and no number ever means something else."""
    rows = Rows(Shown("imghost"))
    old = Row(ROOT, {"children-display": "submenu"})
    knows = Knows({ROOT: dict(old.told)}, {ROOT: []})
    whose: dict[int, tuple[object, ...]] = {}
    gone: set[int] = set()
    for menu in menus:
        new = rows.of(menu)
        numbers = [row.id for row in new]
        assert len(numbers) == len(set(numbers))
        assert not gone & set(numbers)
        assert all(whose.setdefault(n, what) == what for n, what in _whose(new).items())
        knows.hear(old, new)
        assert knows.row(ROOT) == _as_it_is(new)
        gone |= {row.id for row in old} - set(numbers)
        old = new


@given(menu=_menus())
def test_the_same_menu_again_is_no_change(menu: Menu) -> None:
    """What is shown again as it was is told to nobody."""
    rows = Rows(Shown("imghost"))
    old, new = rows.of(menu), rows.of(menu)
    assert (changed_rows(old, new), changed_menus(old, new)) == ([], [])
    assert _as_it_is(old) == _as_it_is(new)
