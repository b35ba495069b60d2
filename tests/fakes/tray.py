"""A tray in memory, and somebody who looks at its menu and clicks."""

from __future__ import annotations

from typing import Any

from imghost.desktop.menu_items import Menu
from imghost.desktop.tray import Face
from tests.fakes.program import eventually


class SeenTray:
    """What is shown, as Tray shows it; `faces` are all that were shown, each once."""

    def __init__(self) -> None:
        self.faces: list[Face] = []
        self.title = ""
        self.menu = Menu()
        self.shows = 0

    def show(self, face: Face, title: str, menu: Menu | None) -> None:
        """Have it look like this."""
        self.title = title
        self.menu = menu or self.menu
        if self.faces[-1:] != [face]:
            self.faces.append(face)
        self.shows += 1

    def item(self, *path: str) -> Any:
        """The entry of this text, in the submenus of the texts before it."""
        menu: Any = self.menu
        for text in path[:-1]:
            menu = _named(menu, text).submenu
        return _named(menu, path[-1])

    def texts(self, *path: str) -> list[str]:
        """What stands in a submenu, or without a path in the menu."""
        menu: Any = self.item(*path).submenu if path else self.menu
        return [item.text for item in menu if item is not Menu.SEPARATOR]

    def chosen(self, *path: str) -> list[str]:
        """Which of a submenu's entries are ticked."""
        return [item.text for item in self.item(*path).submenu if item.checked]

    def has(self, *path: str) -> bool:
        """Whether there is such an entry."""
        return path[-1] in self.texts(*path[:-1])

    def click(self, *path: str) -> None:
        """Click on an entry that can be clicked, as soon as it is there."""
        eventually(lambda: self.has(*path))
        item = self.item(*path)
        assert item.enabled, path
        item(None)


def _named(menu: Any, text: str) -> Any:
    found = [item for item in menu if item.text == text]
    assert len(found) == 1, (text, [item.text for item in menu])
    return found[0]
