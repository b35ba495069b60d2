"""The desktop's message buses (D-Bus): connections and calls that end, whoever answers."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

DBUS = "org.freedesktop.DBus"
DBUS_PATH = "/org/freedesktop/DBus"
_LIMIT_S = 5.0

log = logging.getLogger(__name__)


class BusError(Exception):
    """There is no such bus, or who was asked there did not answer as hoped; in a few words."""


class _InOurLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log.handle(record)


_IN_OUR_LOG = _InOurLog()


def adopt_log(library: str) -> None:
    """Have what a library logs written to our log, not to standard error."""
    logging.getLogger(library).addHandler(_IN_OUR_LOG)


async def connect(which: Literal["session", "system"]) -> MessageBus:
    """A connection to a bus, to be ended by `disconnect`. Raises BusError."""
    from dbus_fast import BusType

    from imghost.desktop.bus_connection import Connection

    adopt_log("dbus_fast")
    try:
        async with asyncio.timeout(_LIMIT_S):
            return await Connection(bus_type=BusType[which.upper()]).connect()
    except (OSError, EOFError, ValueError, KeyError) as exc:  # KeyError: there is no HOME
        raise BusError(f"no {which} bus: {exc!r}") from exc


async def disconnect(bus: MessageBus) -> None:
    """End a connection; one that is lost is ended too."""
    bus.disconnect()
    await wait_until_lost(bus)


async def wait_until_lost(bus: MessageBus) -> None:
    """Return when the connection has ended, by whomever."""
    with suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


async def call(
    bus: MessageBus, service: str, path: str, method: str, signature: str = "", *args: object
) -> list[Any]:
    """What a service answers; `method` is its interface's name, a dot, and its own.

    Raises BusError, also when there is no answer within seconds.
    """
    from dbus_fast import Message as Call
    from dbus_fast import MessageType

    interface, _, member = method.rpartition(".")
    message = Call(service, path, interface, member, signature=signature, body=list(args))
    if not bus.connected:  # the number of its file may be another's by now
        raise BusError(f"{method}: disconnected")
    try:
        async with asyncio.timeout(_LIMIT_S):
            reply = await bus.call(message)
    except (OSError, EOFError) as exc:
        raise BusError(f"{method}: {exc!r}") from exc
    if reply.message_type is not MessageType.METHOD_RETURN:
        raise BusError(f"{method}: {reply.error_name}")
    return list(reply.body)


async def listen(bus: MessageBus, **rule: str) -> None:
    """Have the bus deliver the signals that match, to the handlers that were added to it."""
    words = {"type": "signal"} | rule
    text = ",".join(f"{name}='{value}'" for name, value in words.items())
    await call(bus, DBUS, DBUS_PATH, f"{DBUS}.AddMatch", "s", text)
