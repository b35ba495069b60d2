"""How soon imghost is there: a command that does next to nothing, and the background process."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.daemons import daemon
from tests.bench.journals import MANY, fill
from tests.bench.measure import IMGHOST, Row, environment, median_run
from tests.fakes.x11 import xvfb

RUNS = 15
STARTS = 5


def bench_start(root: Path) -> Iterator[Row]:
    """Start-up: commands that do next to nothing, and the daemon until it watches."""
    environ = environment(root / "home")
    bare = median_run(lambda: (sys.executable, "-c", "pass"), environ, RUNS)
    yield Row("python -c pass", f"{bare.wall_s * 1000:.0f} ms")
    ours = median_run(lambda: (*IMGHOST, "--version"), environ, RUNS)
    yield Row("imghost --version", f"{ours.wall_s * 1000:.0f} ms")
    config = root / "home" / "config" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"server": {"port": 0}, "chime": {"enabled": False}}))
    with xvfb() as (display, _):
        environ["DISPLAY"] = display
        yield Row("imghost watch until it watches, nothing uploaded", _start_ms(environ))
        fill(root / "home", MANY)
        yield Row(f"  with {MANY:,} uploads", _start_ms(environ))
        with daemon(environ, "watch"):
            status = median_run(lambda: (*IMGHOST, "status"), environ, RUNS)
    yield Row("imghost status of that daemon", f"{status.wall_s * 1000:.0f} ms")


def _start_ms(environ: dict[str, str]) -> str:
    took_s = []
    for _ in range(STARTS):
        with daemon(environ, "watch") as running:
            took_s.append(running.start_s)
    return f"{statistics.median(took_s) * 1000:.0f} ms"
