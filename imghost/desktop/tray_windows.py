"""pystray's icon on Windows: its menu is made when it is opened, not while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imghost.desktop.menu_items import Icon
from imghost.models import Message

_RIGHT_BUTTON_UP = 0x0205  # WM_RBUTTONUP


def windows_icon(name: str, opening: Callable[[], None], base: type[Icon] = Icon) -> Any:  # noqa: ANN401 - pystray has no types
    """An icon of `base`, pystray's for Windows; `opening` is called as its menu is opened."""

    class WindowsIcon(base):  # type: ignore[misc]  # the same
        """Any thread may change it; Windows' own thread makes and shows the menu."""

        problem: Message | None = None
        _is_stale = True
        _menu_handle = None  # pystray asks for it before there is a menu

        def begin(self) -> None:
            """It is shown by `run`."""

        def set_attention(self, *, wanted: bool) -> None:
            """Windows leaves to the user which icons are seen."""

        def _update_menu(self) -> None:
            self._is_stale = True

        def _on_notify(self, wparam: int, lparam: int) -> None:
            if lparam == _RIGHT_BUTTON_UP:
                opening()
                if self._is_stale:
                    self._is_stale = False
                    super()._update_menu()
            super()._on_notify(wparam, lparam)

    return WindowsIcon(name)
