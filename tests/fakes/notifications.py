"""A notification service, as desktops have one, that remembers what it was told to show."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from dbus_fast import DBusError, Message, Variant
from dbus_fast.annotations import DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

from tests.fakes.buses import on_bus
from tests.fakes.loop import Loop

NAME = "org.freedesktop.Notifications"
REFUSED = "org.example.Refused"
Strings = Annotated[list[str], DBusSignature("as")]
Hints = Annotated[dict[str, Variant], DBusSignature("a{sv}")]
Description = Annotated[tuple[str, str, str, str], DBusSignature("ssss")]
Event = Annotated[tuple[int, int], DBusSignature("uu")]
Invoked = Annotated[tuple[int, str], DBusSignature("us")]


@dataclass(frozen=True)
class Shown:
    """One notice as it came."""

    id: int
    program: str
    title: str
    body: str
    actions: dict[str, str]
    hints: dict[str, Any]

    @property
    def text(self) -> str:
        """What a person reads, where the body is markup."""
        return "".join(ET.fromstring(f"<body>{self.body}</body>").itertext())


class Notifications(ServiceInterface):
    """`org.freedesktop.Notifications`, which remembers what it has `shown`.

    `stalls`: it does not answer. `ails`: it tells what it can do, but not how it is to be asked.
    `refuses`: it shows nothing.
    """

    def __init__(self, capabilities: list[str]) -> None:
        super().__init__(NAME)
        self._capabilities = capabilities
        self.shown: list[Shown] = []
        self.stalls = self.ails = self.refuses = False

    @dbus_method(name="GetCapabilities")
    async def capabilities(self) -> Strings:
        """What it can do."""
        await self._answer()
        return self._capabilities

    @dbus_method(name="GetServerInformation")
    def information(self) -> Description:
        """Who it is."""
        return "fake", "tests", "1", "1.2"

    @dbus_method(name="Notify")
    async def notify(
        self,
        program: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        title: DBusStr,
        body: DBusStr,
        actions: Strings,
        hints: Hints,
        timeout_ms: DBusInt32,
    ) -> DBusUInt32:
        """Show it."""
        await self._answer()
        if self.refuses:
            raise DBusError(REFUSED, "not now")
        values = {name: value.value for name, value in hints.items()}
        pairs = dict(zip(actions[::2], actions[1::2], strict=True))
        self.shown.append(Shown(len(self.shown) + 1, program, title, body, pairs, values))
        return len(self.shown)

    @dbus_signal(name="ActionInvoked")
    def invoked(self, notice: int, action: str) -> Invoked:
        """The person chose."""
        return notice, action

    @dbus_signal(name="NotificationClosed")
    def closed(self, notice: int, reason: int) -> Event:
        """It is not to be seen any more."""
        return notice, reason

    def described(self, message: Message) -> Message | None:
        """What is answered before all others: errors while it ails."""
        if self.ails and message.member == "Introspect":
            return Message.new_error(message, REFUSED, "not now")
        return None

    def texts(self, title: str) -> list[str]:
        """What the notices with this title said."""
        return [notice.text for notice in self.shown if notice.title == title]

    def click(self, label: str) -> None:
        """The person presses a button of the last notice, which closes it."""
        last = self.shown[-1]
        self.invoked(last.id, next(key for key, said in last.actions.items() if said == label))
        self.closed(last.id, 2)

    async def _answer(self) -> None:
        if self.stalls:
            await asyncio.Event().wait()


@contextmanager
def notification_service(loop: Loop, address: str, *capabilities: str) -> Iterator[Notifications]:
    """A service on the bus at this address, with these capabilities besides `body`."""
    with on_bus(loop, address) as bus:
        service = Notifications(["body", *capabilities])
        loop.call(bus.export, "/org/freedesktop/Notifications", service)
        loop.call(bus.add_message_handler, service.described)
        loop.run(bus.request_name(NAME))
        yield service
