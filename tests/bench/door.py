"""The editors' door beside PicGo's own server: same files, same host, one run.

PicGo sends one picture after another, and decodes none. What is asked for is asked at a host that
takes as long as a quick one on the internet; at one that answers at once figures are only told.
"""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path

from tests.bench import picgo
from tests.bench.host import slow_host
from tests.bench.measure import IMGHOST, Row, environment, peaks_mb
from tests.bench.screens import screenshot
from tests.fakes import bilibili

DELAY_S = 0.05
_RUNS = 15
_MANY = 100
_SLOW = 500
_HEARTBEATS = 20
_START_S = 20.0
_SCREEN = {"width_px": 1920, "height_px": 1080}
_LARGE = {"width_px": 3840, "height_px": 3000}  # some 2 MB


@dataclass(frozen=True)
class Server:
    """One that speaks PicGo's protocol, and its process."""

    port: int
    pid: int

    def ask(self, path: str, body: bytes) -> bytes:
        """Post the body, and have the answer, which must be of success."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            told = connection.getresponse().read()
        finally:
            connection.close()
        if json.loads(told).get("success") is not True:
            raise RuntimeError(told.decode())
        return told

    def upload(self, paths: Sequence[Path]) -> float:
        """The seconds that it takes to upload these files in one call."""
        body = json.dumps({"list": [str(path) for path in paths]}).encode()
        start = time.perf_counter()
        told = json.loads(self.ask("/upload", body))
        seconds = time.perf_counter() - start
        if len(told["result"]) != len(paths):
            raise RuntimeError("links are missing")
        return seconds


def bench_door(root: Path) -> Iterator[Row]:
    """Uploads by path, the same again, many at once, and a heartbeat among slow connections."""
    with slow_host(DELAY_S) as host, _imghost(root / "beats", host) as ours:
        yield from _heartbeats(ours)
    packages = picgo.installed()
    large = [_written(root, n, **_LARGE) for n in range(1 + _RUNS)]
    screens = [_written(root, n, **_SCREEN) for n in range(1000, 1001 + _MANY)]
    for delay_s in (DELAY_S, 0.0):
        with slow_host(delay_s) as host:
            yield Row("at a host that takes", f"{delay_s * 1000:.0f} ms")
            with (
                _imghost(root / f"one-{delay_s}", host) as ours,
                _picgo(packages, host) as its,
            ):
                yield from _by_path(ours, its, large, judged=delay_s > 0)
            with (
                _imghost(root / f"many-{delay_s}", host) as ours,
                _picgo(packages, host) as its,
            ):
                yield from _many(ours, its, screens, judged=delay_s > 0)


def _by_path(ours: Server, its: Server, files: Sequence[Path], *, judged: bool) -> Iterator[Row]:
    its.upload(files[:1])
    ours.upload(files[:1])
    times = [(ours.upload([path]), its.upload([path]), _decode(path)) for path in files[1:]]
    our_s, its_s, decode_s = (statistics.median(column) for column in zip(*times, strict=True))
    size_mb = files[1].stat().st_size / 1e6
    yield _compared(
        f"  {size_mb:.1f} MB screenshot by path", our_s, its_s + decode_s, judged=judged
    )
    yield Row("    PicGo's server", f"{its_s * 1000:.0f} ms")
    yield Row("    bare Pillow decoding it", f"{decode_s * 1000:.0f} ms")
    again = [(ours.upload(files[1:2]), its.upload(files[1:2])) for _ in range(_RUNS)]
    our_s, its_s = (statistics.median(column) for column in zip(*again, strict=True))
    yield _compared("  the same again", our_s, its_s / 10, judged=judged)
    yield Row("    PicGo's server", f"{its_s * 1000:.0f} ms")


def _many(ours: Server, its: Server, files: Sequence[Path], *, judged: bool) -> Iterator[Row]:
    """Both warm, with pictures that neither has seen."""
    ours.upload(files[:1])
    its.upload(files[:1])
    with peaks_mb(ours.pid) as our_peaks:
        our_s = ours.upload(files[1:])
    with peaks_mb(its.pid) as its_peaks:
        its_s = its.upload(files[1:])
    our_mb, its_mb = max(our_peaks), max(its_peaks)
    yield _compared(f"  {_MANY} screenshots of 1920x1080 in one call", our_s, its_s, judged=judged)
    yield Row("    PicGo's server", f"{its_s * 1000:.0f} ms")
    floor, met = (f"<= {its_mb / 2:.0f} MB", our_mb <= its_mb / 2) if judged else ("", None)
    yield Row("    memory (Pss), with the decoding processes", f"{our_mb:.0f} MB", floor, met)
    yield Row("    PicGo's server", f"{its_mb:.0f} MB")


def _compared(what: str, our_s: float, most_s: float, *, judged: bool) -> Row:
    figure = f"{our_s * 1000:.1f} ms"
    if not judged:
        return Row(what, figure)
    return Row(what, figure, f"<= {most_s * 1000:.1f} ms", met=our_s <= most_s)


def _heartbeats(ours: Server) -> Iterator[Row]:
    with ExitStack() as stack:
        for _ in range(_SLOW):
            peer = stack.enter_context(socket.create_connection(("127.0.0.1", ours.port)))
            with contextlib.suppress(OSError):  # it was ended already to make room
                peer.sendall(b"POST /upload HTTP/1.1\r\nHost: 127")
        worst_s = 0.0
        for _ in range(_HEARTBEATS):
            start = time.perf_counter()
            ours.ask("/heartbeat", b"")
            worst_s = max(worst_s, time.perf_counter() - start)
    yield Row(
        f"door: slowest heartbeat of {_HEARTBEATS} under {_SLOW} slow connections",
        f"{worst_s * 1000:.1f} ms",
        "< 200 ms",
        met=worst_s < 0.2,
    )


@contextmanager
def _imghost(folder: Path, host: str) -> Iterator[Server]:
    environ = environment(folder) | {
        "IMGHOST_SESSDATA": bilibili.SESSDATA,
        "IMGHOST_BILI_JCT": bilibili.BILI_JCT,
    }
    port = _free_port()
    settings = {
        "host": "bilibili",
        "hosts": {"bilibili": {"api": host, "min_gap_s": 0}},
        "server": {"port": port},
        "verify": {"after_upload": False},
    }
    config = folder / "config.json"
    folder.mkdir(parents=True)
    config.write_text(json.dumps(settings))
    with subprocess.Popen(
        [*IMGHOST, "--config", str(config), "serve"], env=environ, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield _answering(Server(port, process.pid))
        finally:
            process.terminate()


@contextmanager
def _picgo(folder: Path, host: str) -> Iterator[Server]:
    port = _free_port()
    command = picgo.server_command(folder, host, port)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield _answering(Server(port, process.pid))
        finally:
            process.terminate()


def _answering(server: Server) -> Server:
    until = time.monotonic() + _START_S
    while True:
        try:
            server.ask("/heartbeat", b"")
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return server


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def _written(root: Path, seed: int, **size: int) -> Path:
    path = root / f"{seed}.png"
    path.write_bytes(screenshot(seed, **size))
    return path


def _decode(path: Path) -> float:
    """The seconds that Pillow takes for it."""
    from PIL import Image as Pillow

    start = time.perf_counter()
    with Pillow.open(BytesIO(path.read_bytes())) as image:
        image.load()
    return time.perf_counter() - start
