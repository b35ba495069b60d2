"""Notices on Linux, as the Desktop Notifications Specification, 1.2, has them: over D-Bus."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imghost.desktop.bus import DBUS, DBUS_PATH, BusError, call, connect, disconnect, listen
from imghost.models import Message

if TYPE_CHECKING:
    from dbus_fast import Message as Signal
    from dbus_fast.aio import MessageBus

_SERVICE = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_NEVER, _AS_USUAL = 0, -1  # when a notice goes by itself
_NORMAL = 1
_ASKED_AT_MOST = 100

log = logging.getLogger(__name__)


class BusNotices:
    """Shows notices by whatever service the session bus has, on one connection; for one loop.

    A notice with buttons stays until it is answered or closed, and a click beside them answers
    nothing. One that was closed can still be answered: services show them again at a person's wish.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._bus: MessageBus | None = None
        self._connecting = asyncio.Lock()
        self._asked: dict[int, Sequence[Callable[[], None]]] = {}

    async def show(
        self,
        title: str,
        text: str,
        picture: Path | None,
        buttons: Sequence[tuple[str, Callable[[], None]]],
    ) -> None:
        """Show plain text, a picture by its whole path, and buttons: labels, and what they call.

        Raises BusError if nobody takes it.
        """
        from dbus_fast import Variant

        bus = await self._connected()
        (can,) = await call(bus, _SERVICE, _PATH, f"{_SERVICE}.GetCapabilities")
        if "body-markup" in can:
            text = html.escape(text, quote=False)
        asks = buttons if "actions" in can else ()
        actions = [word for n, (label, _) in enumerate(asks) for word in (str(n), label)]
        hints = {"urgency": Variant("y", _NORMAL)}
        if picture:
            hints["image-path"] = Variant("s", picture.as_uri())
        said = (self._program, 0, "", title, text, actions, hints, _NEVER if asks else _AS_USUAL)
        (number,) = await call(bus, _SERVICE, _PATH, f"{_SERVICE}.Notify", "susssasa{sv}i", *said)
        if asks:
            self._asked[number] = [pressed for _, pressed in asks]
        if len(self._asked) > _ASKED_AT_MOST:
            del self._asked[min(self._asked)]

    async def missing(self) -> Message | None:
        """Why nobody would see a notice, and what to do; None where somebody might.

        It starts no service: one that the session is about to start would then find its place
        taken.
        """
        try:
            bus = await self._connected()
        except BusError as exc:
            log.debug("%s", exc)
            return Message("notices: no desktop session was found here, so nobody would see any")
        try:
            for which in ("ListNames", "ListActivatableNames"):
                (names,) = await call(bus, DBUS, DBUS_PATH, f"{DBUS}.{which}")
                if _SERVICE in names:
                    return None
        except BusError as exc:
            log.debug("%s", exc)
        return Message(
            "notices: no notification service answers on this desktop; install one, such as dunst"
        )

    async def close(self) -> None:
        """Hear of no more buttons."""
        async with self._connecting:
            await self._disconnect()

    async def _connected(self) -> MessageBus:
        async with self._connecting:
            if self._bus is None or not self._bus.connected:
                await self._disconnect()
                self._bus = await connect("session")
                try:
                    await self._hear(self._bus)
                except BaseException:
                    await self._disconnect()
                    raise
            return self._bus

    async def _hear(self, bus: MessageBus) -> None:
        loop = asyncio.get_running_loop()

        def heard(signal: Signal) -> None:
            loop.call_soon(self._heard, signal)  # it may be read together with its number

        bus.add_message_handler(heard)
        invoked = {"path": _PATH, "interface": _SERVICE, "member": "ActionInvoked"}
        await listen(bus, sender=_SERVICE, **invoked)
        ended = {"interface": DBUS, "member": "NameOwnerChanged", "arg0": _SERVICE}
        await listen(bus, sender=DBUS, **ended)

    def _heard(self, signal: Signal) -> None:
        match signal.member, signal.body:
            case "ActionInvoked", [int(number), str(action)]:
                pressed = self._asked.pop(number, ())
                if action.isdecimal() and int(action) < len(pressed):
                    pressed[int(action)]()
            case "NameOwnerChanged", _:  # another service counts from one again
                self._asked.clear()

    async def _disconnect(self) -> None:
        bus, self._bus = self._bus, None
        self._asked.clear()
        if bus:
            await disconnect(bus)
