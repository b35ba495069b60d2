"""Having an icon shown by whatever panel is on the session bus, as panels come and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from imghost.desktop.bus import (
    DBUS,
    DBUS_PATH,
    BusError,
    call,
    connect,
    disconnect,
    listen,
    wait_until_lost,
)
from imghost.desktop.dbusmenu import MENU_PATH, DBusMenu
from imghost.desktop.sni import PATH, NotifierItem
from imghost.models import Message

if TYPE_CHECKING:
    from dbus_fast import Message as Call
    from dbus_fast.aio import MessageBus

WATCHER = "org.kde.StatusNotifierWatcher"
WATCHER_PATH = "/StatusNotifierWatcher"

_AGAIN_S = (1.0, 2.0, 5.0, 10.0)  # it may own its name before it answers
_SOON_S = 0.5
_SETTLED_S = 1.5  # panels drop signals until they have looked at all properties

NO_PANEL = Message(
    "tray: nothing on this desktop shows tray icons; use a panel that does (on GNOME the "
    "AppIndicator extension), or the commands"
)
NO_SESSION = Message("tray: no desktop session was found here, so there is no icon")

log = logging.getLogger(__name__)


async def speak_to_panels(
    item: NotifierItem,
    menu: DBusMenu,
    tell: Callable[[Message | None], None],
    again_s: float = 10.0,
) -> None:
    """Have the item shown, until cancelled; on a connection of its own, whose name is its name.

    `tell` hears why nobody can see it, and None as soon as somebody can. A bus that is lost is
    looked for again soon, as it may have lost only us; one that is not there after `again_s`.
    """
    while True:
        wait_s = again_s
        try:
            bus = await connect("session")
        except BusError as exc:
            log.debug("%s", exc)
            tell(NO_SESSION)
        else:
            wait_s = min(again_s, _SOON_S)
            try:
                bus.export(PATH, item)
                bus.export(MENU_PATH, menu)
                await _Panels(bus, item, tell).follow()
            except BusError as exc:
                log.info("the tray's icon is lost: %s", exc)
                tell(NO_SESSION)
            finally:
                await disconnect(bus)
        await asyncio.sleep(wait_s)


async def missing_panel() -> Message | None:
    """Why nobody could see an icon now, and what to do; None where somebody could."""
    try:
        bus = await connect("session")
    except BusError as exc:
        log.debug("%s", exc)
        return NO_SESSION
    try:
        return None if await _is_panel_there(bus) else NO_PANEL
    except BusError as exc:
        log.debug("%s", exc)
        return NO_SESSION
    finally:
        await disconnect(bus)


async def _is_panel_there(bus: MessageBus) -> bool:
    (is_there,) = await call(bus, DBUS, DBUS_PATH, f"{DBUS}.NameHasOwner", "s", WATCHER)
    return bool(is_there)


class _Panels:
    """The item is registered with each watcher, as soon as it owns its name."""

    def __init__(
        self, bus: MessageBus, item: NotifierItem, tell: Callable[[Message | None], None]
    ) -> None:
        self._bus = bus
        self._item = item
        self._tell = tell
        self._came = asyncio.Event()

    async def follow(self) -> None:
        """Until the bus is lost. Raises BusError."""
        bus = self._bus
        bus.add_message_handler(self._hear)
        await listen(bus, sender=DBUS, interface=DBUS, member="NameOwnerChanged", arg0=WATCHER)
        self._changed(is_there=await _is_panel_there(bus))
        lost = asyncio.create_task(wait_until_lost(bus))
        registering = asyncio.create_task(self._register_always())
        try:
            await asyncio.wait((lost, registering), return_when=asyncio.FIRST_COMPLETED)
            raise BusError("the session bus has gone")
        finally:
            lost.cancel()
            registering.cancel()

    def _hear(self, message: Call) -> None:
        match message.member, message.body:
            case "NameOwnerChanged", [name, _, str(owner)] if name == WATCHER:
                self._changed(is_there=bool(owner))

    def _changed(self, *, is_there: bool) -> None:
        self._tell(None if is_there else NO_PANEL)
        if is_there:
            self._came.set()

    async def _register_always(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            if await self._is_registered():
                await self._comes_another(_SETTLED_S)
                self._item.new_status()
                self._item.tell_look()

    async def _is_registered(self) -> bool:
        name = self._bus.unique_name or ""
        for wait_s in _AGAIN_S:
            try:
                await call(
                    self._bus,
                    WATCHER,
                    WATCHER_PATH,
                    f"{WATCHER}.RegisterStatusNotifierItem",
                    "s",
                    name,
                )
            except BusError as exc:
                log.info("the panel does not take the icon: %s", exc)
            else:
                return True
            if await self._comes_another(wait_s):
                return False
        self._tell(NO_PANEL)
        return False

    async def _comes_another(self, wait_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                return await self._came.wait()
        return False
