"""The gallery with 100,000 uploads: how long its pages take the server."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.daemons import daemon
from tests.bench.journals import MANY, fill
from tests.bench.measure import IMGHOST, Row, environment, median_run
from tests.bench.screens import screenshot
from tests.fakes.many import copy_rows

RUNS = 25
_PAGES = (
    ("its first page", "/", 100),
    ("  its last page", "/?before=49", None),
    ("  a search for a word that one upload has", "/?q=-4095.png", 100),
    ("  a search for two words that none has", "/?q=zebra+crossing", 100),
    ("  a search in the oldest days", "/?until=2020-01-01", 100),
    ("  what failed", "/?state=failed", 100),
    ("  one bucket", "/?host=local&bucket=album", 100),
)

_COMMANDS = (
    ("imghost history, the last ones", ("history",)),
    ("  a word that one upload has", ("history", "004095")),
    ("  two words that none has", ("history", "zebra", "crossing")),
)


def bench_gallery(root: Path) -> Iterator[Row]:
    """Whole answers over HTTP, the first of each not counted."""
    environ = environment(root / "home")
    config = root / "home" / "config" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"server": {"port": 0}}))
    picture = root / "a.png"
    picture.write_bytes(screenshot(1))
    with daemon(environ, "serve"):
        subprocess.run([*IMGHOST, "upload", picture], env=environ, check=True, capture_output=True)
    copy_rows(root / "home" / "data" / "journal.db", MANY - 1)
    with daemon(environ, "serve") as server:
        for what, path, most_ms in _PAGES:
            took = statistics.median(_took_ms(server.port, path) for _ in range(RUNS))
            floor, met = (f"< {most_ms} ms", took < most_ms) if most_ms else ("", None)
            yield Row(f"gallery of {MANY:,}: {what.strip()}", f"{took:.0f} ms", floor, met=met)
        first = _took_ms(server.port, "/gallery/thumbnail/1")
        again = statistics.median(
            _took_ms(server.port, "/gallery/thumbnail/1") for _ in range(RUNS)
        )
        yield Row("  a thumbnail, drawn; again", f"{first:.0f} ms; {again:.1f} ms")


def bench_history(root: Path) -> Iterator[Row]:
    """The history in a terminal with 100,000 uploads: whole commands, no daemon."""
    fill(root / "home", MANY)
    environ = environment(root / "home")
    for what, words in _COMMANDS:
        took = median_run(partial(_command, *words), environ, RUNS)
        yield Row(what, f"{took.wall_s * 1000:.0f} ms")


def _command(*words: str) -> tuple[str, ...]:
    return (*IMGHOST, *words)


def _took_ms(port: int, path: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    start = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    took = (time.perf_counter() - start) * 1000
    connection.close()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {answer.status}")
    return took
