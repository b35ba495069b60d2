"""A notification service, as desktops have one, that remembers what it was told to show."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from dbus_fast import DBusError, Variant
from dbus_fast.annotations import DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

from tests.fakes.buses import on_bus
from tests.fakes.loop import Loop
from tests.fakes.program import DEADLINE_S

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
    timeout_ms: int

    @property
    def text(self) -> str:
        """What a person reads, where the body is markup."""
        return "".join(ET.fromstring(f"<body>{self.body}</body>").itertext())


class Notifications(ServiceInterface):
    """`org.freedesktop.Notifications`, which remembers what it has `shown`.

    `stalls`: it does not answer. `ails`: it does not tell what it can do. `refuses`: it shows
    nothing.
    """

    def __init__(self, capabilities: list[str]) -> None:
        super().__init__(NAME)
        self._capabilities = capabilities
        self.shown: list[Shown] = []
        self.stalls = self.ails = self.refuses = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @dbus_method(name="GetCapabilities")
    async def capabilities(self) -> Strings:
        """What it can do."""
        await self._answer()
        if self.ails:
            raise DBusError(REFUSED, "not now")
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
        number = len(self.shown) + 1
        self.shown.append(Shown(number, program, title, body, pairs, values, timeout_ms))
        return number

    @dbus_signal(name="ActionInvoked")
    def invoked(self, notice: int, action: str) -> Invoked:
        """The person chose."""
        return notice, action

    @dbus_signal(name="NotificationClosed")
    def closed(self, notice: int, reason: int) -> Event:
        """It is not to be seen any more."""
        return notice, reason

    def texts(self, title: str) -> list[str]:
        """What the notices with this title said."""
        return [notice.text for notice in self.shown if notice.title == title]

    def dismiss(self) -> None:
        """The person closes the last notice, or clicks on it beside its buttons."""
        last = self.shown[-1]
        if "default" in last.actions:
            self.invoked(last.id, "default")
        self.closed(last.id, 2)

    def click(self, label: str) -> None:
        """The person presses a button of the last notice, which closes it."""
        last = self.shown[-1]
        self.invoked(last.id, next(key for key, said in last.actions.items() if said == label))
        self.closed(last.id, 2)

    def press(self, label: str) -> None:
        """The person presses a button, on a thread that is not the service's."""

        async def press() -> None:
            await asyncio.sleep(0)  # the notice's number goes out before
            self.click(label)

        assert self._loop
        asyncio.run_coroutine_threadsafe(press(), self._loop).result(DEADLINE_S)

    async def _answer(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self.stalls:
            await asyncio.Event().wait()


@contextmanager
def notification_service(loop: Loop, address: str, *capabilities: str) -> Iterator[Notifications]:
    """A service on the bus at this address, with these capabilities besides `body`."""
    with on_bus(loop, address) as bus:
        service = Notifications(["body", *capabilities])
        loop.call(bus.export, "/org/freedesktop/Notifications", service)
        loop.run(bus.request_name(NAME))
        yield service
