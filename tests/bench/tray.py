"""The tray beside a long history: how soon its menu opens, and what it costs."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbus_fast.aio import MessageBus

from imghost.desktop.bus import call
from tests.bench.daemons import Daemon, daemon
from tests.bench.journals import MANY, fill
from tests.bench.measure import Row, cpu_s, environment, memory_mb
from tests.fakes.buses import on_bus, running_bus
from tests.fakes.loop import Loop, running_loop
from tests.fakes.notifier_watcher import MENU, MENU_PATH, NotifierWatcher, notifier_watcher
from tests.fakes.program import eventually

OPENINGS = 30
IDLE_S = 20.0
_LIBDBUSMENU = ["type", "label", "visible", "enabled", "children-display", "accessible-desc"]


def bench_tray(root: Path) -> Iterator[Row]:
    """The menu of somebody with 100,000 uploads, as panels with libdbusmenu open it."""
    fill(root / "home", MANY)
    folder = root / "bus"
    folder.mkdir()
    with running_loop() as loop, running_bus(folder) as address:
        bus_too = {"DBUS_SESSION_BUS_ADDRESS": address}
        with _watching(root, bus_too, "--no-tray") as process:
            without, less_mb = _idle(process.pid)
        with (
            notifier_watcher(loop, address) as watcher,
            on_bus(loop, address) as bus,
            _watching(root, bus_too) as process,
        ):
            took_ms = _openings_ms(loop, bus, watcher)
            idle, used_mb = _idle(process.pid)
    median, slowest = statistics.median(took_ms), max(took_ms)
    yield Row(f"the menu opens, {MANY:,} uploads", f"{median:.1f} ms", "< 50 ms", met=slowest < 50)
    yield Row("  the slowest of 30, with another menu each time", f"{slowest:.1f} ms")
    more_mb = used_mb - less_mb
    yield Row("  memory that the tray adds (Pss)", f"{more_mb:.1f} MB", "< 12 MB", met=more_mb < 12)
    yield Row("  CPU-s a minute, idle, with and without it", f"{idle:.3f} {without:.3f}")


def _openings_ms(loop: Loop, bus: MessageBus, watcher: NotifierWatcher) -> list[float]:
    eventually(lambda: bool(watcher.items))
    name, _ = watcher.items[-1]
    took = []
    for _ in range(OPENINGS):
        start = time.perf_counter()
        loop.run(_open(bus, name))
        took.append((time.perf_counter() - start) * 1000)
        threading.Event().wait(0.5)  # it is made anew meanwhile
    return took


async def _open(bus: MessageBus, name: str) -> None:
    asked = (bus, name, MENU_PATH)
    await call(*asked, f"{MENU}.AboutToShowGroup", "ai", [0])
    _, layout = await call(*asked, f"{MENU}.GetLayout", "iias", 0, -1, _LIBDBUSMENU)
    await call(*asked, f"{MENU}.GetGroupProperties", "aias", _ids(layout), [])


def _ids(layout: Any) -> list[int]:
    number, _, below = layout
    return [number, *(i for row in below for i in _ids(row.value))]


def _idle(pid: int) -> tuple[float, float]:
    """CPU seconds a minute, and megabytes, once nothing happens any more."""
    threading.Event().wait(25)  # until the drawing processes have gone
    before = cpu_s(pid)
    threading.Event().wait(IDLE_S)
    return (cpu_s(pid) - before) * 60 / IDLE_S, memory_mb(pid)


@contextmanager
def _watching(root: Path, environ: Mapping[str, str], *words: str) -> Iterator[Daemon]:
    config = root / "home" / "config" / "config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('{"server": {"port": 0}, "chime": {"enabled": false}}')
    environ = environment(root / "home") | dict(environ)
    with daemon(environ, "watch", "--no-clipboard", *words) as watcher:
        yield watcher
