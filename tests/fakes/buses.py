"""Message buses of the tests' own: real daemons, each on a socket of its own.

Needs `dbus` (dbus-daemon).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dbus_fast.aio import MessageBus

from imghost.desktop.bus import DBUS, DBUS_PATH, call, disconnect
from tests.fakes.loop import Loop

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
