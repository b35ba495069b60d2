"""pystray's icon on macOS: only the main thread may touch it, and signals stay the daemon's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from imghost.desktop.menu_items import Icon
from imghost.models import Message

_NO_DOCK_ICON = 1  # NSApplicationActivationPolicyAccessory


def _call_on_main_thread(work: Callable[[], None]) -> None:
    from PyObjCTools.AppHelper import callAfter

    callAfter(work)


def mac_icon(
    name: str,
    opening: Callable[[], None],
    base: type[Icon] = Icon,
    on_main_thread: Callable[[Callable[[], None]], None] = _call_on_main_thread,
) -> Any:  # noqa: ANN401 - pystray has no types
    """An icon of `base`, pystray's for macOS; `opening` is called when it is first shown.

    macOS tells pystray nothing of a menu that is opened.
    """

    class MacIcon(base):  # type: ignore[misc]  # the same
        """Any thread may change it."""

        problem: Message | None = None

        def begin(self) -> None:
            """It is shown by `run`."""

        def set_attention(self, *, wanted: bool) -> None:
            """The menu bar knows no such thing."""

        def _show(self) -> None:
            on_main_thread(super()._show)
            opening()

        def _hide(self) -> None:
            on_main_thread(super()._hide)

        def _update_icon(self) -> None:
            on_main_thread(super()._update_icon)

        def _update_title(self) -> None:
            on_main_thread(super()._update_title)

        def _update_menu(self) -> None:
            on_main_thread(super()._update_menu)

        def _stop(self) -> None:
            on_main_thread(super()._stop)

        def _run(self) -> None:
            """As pystray does, but for its own handling of Ctrl-C, which ends the process."""
            self._app.setActivationPolicy_(_NO_DOCK_ICON)
            on_main_thread(partial(self._mark_ready))
            self._app.run()
            self._status_bar.removeStatusItem_(self._status_item)

    return MacIcon(name)
