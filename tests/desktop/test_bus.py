"""Connections to message buses, and calls on them, that always end."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message

from imghost.desktop.bus import DBUS, DBUS_PATH, BusError, call, connect, disconnect, listen
from tests.fakes.buses import running_bus


def test_a_call(bus: str) -> None:
    """A service's answer comes back, an error raises, and nothing stays open after the end."""

    async def asked() -> None:
        before = _open_files()
        connection = await connect("session")
        (has,) = await call(connection, DBUS, DBUS_PATH, f"{DBUS}.NameHasOwner", "s", DBUS)
        assert has is True
        with pytest.raises(BusError, match="UnknownMethod"):
            await call(connection, DBUS, DBUS_PATH, f"{DBUS}.Nothing")
        with pytest.raises(BusError, match="ServiceUnknown"):
            await call(connection, "org.example.Nobody", "/", "org.example.Nobody.Ask")
        await disconnect(connection)
        assert _open_files() == before

    asyncio.run(asked())


def test_a_socket_that_is_full(bus: str) -> None:
    """Whoever tells much at once waits until there is room, and stays connected."""

    async def asked() -> None:
        hearing, telling = await connect("session"), await connect("session")
        heard = 0

        def hear(message: Message) -> None:
            nonlocal heard
            heard += message.member == "Told"

        hearing.add_message_handler(hear)
        await listen(hearing, member="Told")
        wire: Any = telling._sock  # noqa: SLF001 - how much the system takes at once
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for _ in range(300):
            body = [bytes(20_000)]
            message = Message.new_signal("/a", "org.example.A", "Told", "ay", body)
            telling.send(message)
        async with asyncio.timeout(10):
            while heard < 300:
                await call(hearing, DBUS, DBUS_PATH, f"{DBUS}.GetId")
        assert telling.connected
        await disconnect(telling)
        await disconnect(hearing)

    asyncio.run(asked())


def test_a_lost_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls on a connection that has ended raise at once, and ending it again is harmless."""

    async def asked() -> None:
        with running_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            connection = await connect("session")
        for _ in range(2):
            with pytest.raises(BusError):
                await call(connection, DBUS, DBUS_PATH, f"{DBUS}.ListNames")
        await disconnect(connection)

    began = time.monotonic()
    asyncio.run(asked())
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("address", ["", "nonsense", "unix:path=/nowhere/bus", "tcp:host=x,port=y"])
def test_no_bus(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no bus, that is one error."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    for name in ("DISPLAY", "HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BusError, match="no session bus"):
        asyncio.run(connect("session"))


def test_a_bus_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that takes connections and never answers is given up after some seconds."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "hangs"))
        server.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'hangs'}")
        with pytest.raises(BusError, match="Timeout"):
            asyncio.run(connect("session"))


def test_nothing_reaches_standard_error(bus: str) -> None:
    """What the library complains of is written to our log alone."""
    code = """if True:
        import asyncio, logging, sys
        from imghost.desktop.bus import *
        logging.getLogger("imghost").addHandler(logging.StreamHandler(sys.stdout))

        async def main():
            bus = await connect("session")
            bus.add_message_handler(lambda message: 1 // 0)
            await call(bus, DBUS, DBUS_PATH, f"{DBUS}.ListNames")
            await disconnect(bus)

        asyncio.run(main())
    """
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "ZeroDivisionError" in result.stdout
    assert result.stderr == ""


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
