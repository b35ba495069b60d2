"""dbus-fast's connection to a message bus, made to bear a bus that is busy, and one that is gone.

As it is, it takes a full buffer of the system for the end, and after an end goes on answering what
it had read: on the number of a file that is closed, and may be another's by then.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Self

from dbus_fast import Message as Call
from dbus_fast.aio import MessageBus

from imghost.values import dataclass


class Connection(MessageBus):
    """A connection that waits while the bus is busy; what is sent after its end is dropped."""

    async def connect(self) -> Self:
        """Connect, and give itself. Raises what dbus-fast does."""
        await super().connect()
        if self._writer and self._sock:
            self._writer.sock = _Patient(self._sock)  # type: ignore[assignment]  # all it calls
        return self

    def send(self, msg: Call) -> asyncio.Future[None]:  # type: ignore[override]  # as dbus-fast's
        """Send a message, for whose departure nobody has to wait."""
        sent: asyncio.Future[None] = self._loop.create_future()
        sent.add_done_callback(_is_known)
        if self.connected and self._writer:
            msg.serial = msg.serial or self.next_serial()
            with suppress(OSError):  # lost in this very moment
                self._writer.schedule_write(msg, sent)
            if not self.connected:
                self._loop.remove_writer(self._fd)
        if not self.connected:
            sent.cancel()
        return sent


@dataclass(frozen=True, slots=True)
class _Patient:
    sock: socket.socket

    def send(self, data: memoryview) -> int:
        """Send as much as is possible now, and be it nothing."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0


def _is_known(sent: asyncio.Future[None]) -> None:
    """Have nobody complain that nobody asked: whoever waits for the end of the bus is told."""
    if not sent.cancelled():
        sent.exception()
