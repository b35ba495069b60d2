"""An icon in the panel of Linux desktops, as one more backend of pystray; it needs no GTK."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from imghost.desktop.dbusmenu import DBusMenu
from imghost.desktop.menu_items import Icon
from imghost.desktop.menu_rows import Rows
from imghost.desktop.panel import speak_to_panels
from imghost.desktop.sni import NotifierItem, pixmaps_of
from imghost.models import Message
from imghost.text import printable

_TOLD_S = 1.0
_END_S = 2.0


class PanelIcon(Icon):  # type: ignore[misc]  # pystray has no types
    """pystray's Icon, shown by whatever panel is on the session bus.

    `loop` is the running loop that speaks to it. `opening` is called when the menu may be looked
    at. `problem` says why nobody can see the icon; it is shown as soon as somebody can.
    """

    HAS_NOTIFICATION = False

    def __init__(
        self, name: str, loop: asyncio.AbstractEventLoop, opening: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._item = NotifierItem(name, self)
        self._bus_menu = DBusMenu(Rows(self), opening)
        self._state = self._item.state
        self._ended, self._told = threading.Event(), threading.Event()
        self._speaking: asyncio.Task[None] | None = None
        self.problem: Message | None = None
        super().__init__(name)

    def begin(self) -> None:
        """Show it already, and wait until it is known whether there is a panel."""
        self.visible = True
        self._told.wait(_TOLD_S)

    def set_attention(self, *, wanted: bool) -> None:
        """Have panels that hide icons show it, from the next picture on."""
        self._state = "NeedsAttention" if wanted else "Active"

    def _run(self) -> None:
        self._mark_ready()
        self._ended.wait()

    def _stop(self) -> None:
        self.visible = False
        self._ended.set()

    def _show(self) -> None:
        self._on_loop(self._begin)

    def _hide(self) -> None:
        hidden = threading.Event()
        if self._on_loop(lambda: self._end(hidden.set)):
            hidden.wait(_END_S)

    def _update_icon(self) -> None:
        pixmaps, state = pixmaps_of(self.icon), self._state
        self._icon_valid = True
        self._on_loop(lambda: self._item.look(pixmaps, state))

    def _update_title(self) -> None:
        words = _plain(self.title)
        self._on_loop(lambda: self._set_words(words))

    def _update_menu(self) -> None:
        menu = self.menu
        if menu is not None:
            self._on_loop(lambda: self._bus_menu.show(menu))

    def _on_loop(self, work: Callable[[], None]) -> bool:
        """Have it done soon; False if the loop has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(work)
            return True
        return False

    def _set_words(self, words: str) -> None:
        self._item.words = words
        self._item.new_tool_tip()

    def _tell(self, problem: Message | None) -> None:
        self.problem = problem
        self._told.set()

    def _begin(self) -> None:
        self._set_words(_plain(self.title))
        self._speaking = self._loop.create_task(
            speak_to_panels(self._item, self._bus_menu, self._tell)
        )

    def _end(self, ended: Callable[[], None]) -> None:
        self._bus_menu.close()
        if self._speaking:
            self._speaking.cancel()
            self._speaking.add_done_callback(lambda _: ended())


def _plain(words: str) -> str:
    """A text that means the same to panels that read markup and to those that do not."""
    return printable(words).replace("&", "+").replace("<", "(").replace(">", ")")
