"""A screen saver and a login manager, as far as they tell of a locked screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusObjectPath, DBusStr
from dbus_fast.constants import PropertyAccess
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from tests.fakes.buses import on_bus
from tests.fakes.loop import Loop

SESSIONS = "/org/freedesktop/login1/session"
OURS = "_32"


class ScreenSaver(ServiceInterface):
    """`org.WHO.ScreenSaver`, and the connection on which it says things."""

    def __init__(self, who: str, bus: MessageBus) -> None:
        super().__init__(f"org.{who}.ScreenSaver")
        self.bus = bus

    @dbus_signal(name="ActiveChanged")
    def says(self, active: bool) -> DBusBool:
        """Say it."""
        return active


class Manager(ServiceInterface):
    """`org.freedesktop.login1.Manager`, which knows whose session `auto` is."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.login1.Manager")

    @dbus_method(name="GetSession")
    def get_session(self, name: DBusStr) -> DBusObjectPath:
        """The session's object."""
        return f"{SESSIONS}/{OURS if name == 'auto' else name}"


class Session(ServiceInterface):
    """`org.freedesktop.login1.Session`."""

    def __init__(self, *, locked: bool) -> None:
        super().__init__("org.freedesktop.login1.Session")
        self._locked = locked

    @dbus_property(access=PropertyAccess.READ, name="LockedHint")
    def locked_hint(self) -> DBusBool:
        """Whether the desktop says that it is locked."""
        return self._locked

    @dbus_signal(name="Lock")
    def wish(self) -> None:
        """Somebody wishes that it were locked."""

    def says(self, *, locked: bool) -> None:
        """The desktop says so."""
        self._locked = locked
        self.emit_properties_changed({"LockedHint": locked})


@contextmanager
def screen_saver(loop: Loop, address: str, who: str) -> Iterator[ScreenSaver]:
    """A screen saver on the bus at this address."""
    with on_bus(loop, address) as bus:
        saver = ScreenSaver(who, bus)
        loop.call(bus.export, "/ScreenSaver", saver)
        loop.run(bus.request_name(saver.name))
        yield saver


@contextmanager
def login_manager(
    loop: Loop, address: str, *, locked: bool = False
) -> Iterator[tuple[MessageBus, Session, Session]]:
    """A login manager on the bus at this address: its connection, our session, another's."""
    with on_bus(loop, address) as bus:
        ours, other = Session(locked=locked), Session(locked=False)
        loop.call(bus.export, "/org/freedesktop/login1", Manager())
        loop.call(bus.export, f"{SESSIONS}/{OURS}", ours)
        loop.call(bus.export, f"{SESSIONS}/_33", other)
        loop.run(bus.request_name("org.freedesktop.login1"))
        yield bus, ours, other
