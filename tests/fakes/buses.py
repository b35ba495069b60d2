"""Message buses of the tests' own: real daemons, each on a socket of its own.

Needs `dbus` (dbus-daemon).
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dbus_fast import Message
from dbus_fast.aio import MessageBus

from imghost.desktop.bus import DBUS, DBUS_PATH, call, disconnect
from tests.fakes.loop import Loop

_WAIT_S = 20.0
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <servicedir>{folder}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextmanager
def running_bus(folder: Path, services: Mapping[str, str] | None = None) -> Iterator[str]:
    """A bus; its address. `services` says which command starts who is asked and not there."""
    config = folder / "bus.conf"
    config.write_text(_CONFIG.format(folder=folder))
    for name, starts in (services or {}).items():
        entry = f"[D-BUS Service]\nName={name}\nExec={starts}\n"
        (folder / f"{name}.service").write_text(entry)
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as daemon:
        try:
            assert daemon.stdout
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


@contextmanager
def on_bus(loop: Loop, address: str) -> Iterator[MessageBus]:
    """A connection of a fake's own, until the end of the block."""

    async def connected() -> MessageBus:
        return await MessageBus(bus_address=address).connect()

    bus = loop.run(connected())
    try:
        yield bus
    finally:
        loop.run(disconnect(bus))


def connections(loop: Loop, bus: MessageBus) -> int:
    """How many connections the daemon has now."""
    (names,) = loop.run(call(bus, DBUS, DBUS_PATH, f"{DBUS}.ListNames"))
    return sum(name.startswith(":") for name in names)


@contextmanager
def flood(address: str, service: str, path: str, interface: str, count: int) -> Iterator[None]:
    """A program that asks a service for its menu so often, and reads no answer; until the end.

    At last it says that it will show the menu.
    """
    file = address.partition("unix:path=")[2].partition(",")[0]
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(_WAIT_S)
        peer.connect(file)
        peer.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        peer.recv(1000)
        peer.sendall(b"BEGIN\r\n" + _sent(Message(DBUS, DBUS_PATH, DBUS, "Hello"), 1))
        asked = Message(service, path, interface, "GetLayout", signature="iias", body=[0, -1, []])
        for serial in range(2, count + 2):
            peer.sendall(_sent(asked, serial))
        shows = Message(service, path, interface, "AboutToShow", signature="i", body=[0])
        peer.sendall(_sent(shows, count + 2))
        yield


def _sent(message: Message, serial: int) -> bytes:
    message.serial = serial
    return bytes(message._marshall(False))  # noqa: SLF001 - there is no public way
