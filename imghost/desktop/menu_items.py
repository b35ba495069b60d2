"""pystray's menus, on Linux without its search for a display; what they are told besides."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from imghost.text import printable


@contextmanager
def _no_search() -> Iterator[None]:
    """On Linux pystray looks for a display and for GTK when it is imported; ours is no backend."""
    before = os.environ.get("PYSTRAY_BACKEND")
    if sys.platform == "linux":
        os.environ["PYSTRAY_BACKEND"] = "dummy"
    try:
        yield
    finally:
        if before is not None:
            os.environ["PYSTRAY_BACKEND"] = before
        elif sys.platform == "linux":
            del os.environ["PYSTRAY_BACKEND"]


with _no_search():
    from pystray import Icon, Menu, MenuItem

__all__ = ["Icon", "Item", "Menu"]

_LONGEST = 80  # characters; no desktop shortens labels


class Item(MenuItem):  # type: ignore[misc]  # pystray has no types
    """One entry, or what leads to a submenu.

    `key` tells it apart from all others of its menu, also when its text changes: what is clicked
    is what was seen. `picture` is a small square PNG, b"" for none; not every system shows it.
    """

    def __init__(
        self,
        key: str,
        text: str,
        action: Menu | Callable[[], None] | None,
        *,
        checked: bool | None = None,
        radio: bool = False,
        default: bool = False,
        enabled: bool = True,
        picture: bytes = b"",
    ) -> None:
        is_checked = None if checked is None else lambda _: checked
        does = action if action is None or isinstance(action, Menu) else lambda *_: action()
        super().__init__(
            _label(text), does, is_checked, radio=radio, default=default, enabled=enabled
        )
        self.key = key
        self.picture = picture


def _label(text: str) -> str:
    line = printable(" ".join(text.split()))
    shown = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return shown.replace("&", "&&") if sys.platform == "win32" else shown
