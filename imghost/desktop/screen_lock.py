"""When the screen is locked and unlocked, where the desktop tells."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from imghost.desktop.bus import DBUS, BusError, call, connect, disconnect, listen, wait_until_lost

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

_SAVERS = frozenset(
    f"org.{who}.ScreenSaver" for who in ("freedesktop", "gnome", "cinnamon", "mate", "xfce")
)
_LOGIN = "org.freedesktop.login1"
_PROPERTIES = "org.freedesktop.DBus.Properties"

log = logging.getLogger(__name__)


async def watch_screen_lock(changed: Callable[[bool], None]) -> None:
    """Call `changed` with True when the screen is locked and with False when it is not any more.

    On the loop, until cancelled. Linux: what screen savers say on the session bus
    (`ActiveChanged`), and the `LockedHint` that desktops give to logind for our own session; its
    signal `Lock` is only a wish, which some desktops never take back. Where there is no bus, and
    on Windows and macOS, this returns at once.
    """
    if sys.platform != "linux":
        return
    screen = _Screen(changed)
    async with asyncio.TaskGroup() as both:
        both.create_task(_watch("session", partial(_hear_savers, screen)))
        both.create_task(_watch("system", partial(_hear_login, screen)))


class _Screen:
    """It counts as locked as long as anybody who said so has not taken it back, or gone."""

    def __init__(self, changed: Callable[[bool], None]) -> None:
        self._changed = changed
        self._lockers: set[str] = set()

    def says(self, who: str, *, locked: bool) -> None:
        before = bool(self._lockers)
        (self._lockers.add if locked else self._lockers.discard)(who)
        if bool(self._lockers) != before:
            self._changed(not before)


async def _watch(
    which: Literal["session", "system"], hear: Callable[[MessageBus], Awaitable[None]]
) -> None:
    try:
        bus = await connect(which)
    except BusError as exc:
        log.debug("%s", exc)
        return
    try:
        await hear(bus)
        await wait_until_lost(bus)
    except BusError as exc:
        log.debug("the lock of the screen is not told by the %s bus: %s", which, exc)
    finally:
        await disconnect(bus)


async def _hear_savers(screen: _Screen, bus: MessageBus) -> None:
    def heard(message: Message) -> None:
        match message.member, message.body:
            case "ActiveChanged", [bool(active)] if message.interface in _SAVERS:
                screen.says(message.sender or "", locked=active)
            case "NameOwnerChanged", [str(who), _, ""]:
                screen.says(who, locked=False)

    bus.add_message_handler(heard)
    await listen(bus, member="ActiveChanged")
    await listen(bus, sender=DBUS, interface=DBUS, member="NameOwnerChanged", arg2="")


async def _hear_login(screen: _Screen, bus: MessageBus) -> None:
    manager = ("/org/freedesktop/login1", f"{_LOGIN}.Manager.GetSession")
    (path,) = await call(bus, _LOGIN, *manager, "s", "auto")  # ours, else our user's display's
    session = f"{_LOGIN}.Session"

    def heard(message: Message) -> None:
        match message.member, message.body:
            case "PropertiesChanged", [_, {"LockedHint": hint}, _]:
                screen.says(path, locked=bool(hint.value))

    bus.add_message_handler(heard)
    await listen(bus, sender=_LOGIN, path=path, interface=_PROPERTIES, arg0=session)
    (hint,) = await call(bus, _LOGIN, path, f"{_PROPERTIES}.Get", "ss", session, "LockedHint")
    screen.says(path, locked=bool(hint.value))
