"""The editors' door beside PicGo's own server: same files, same host, one run."""

from __future__ import annotations

import contextlib
import json
import shutil
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

from tests.bench.host import slow_host
from tests.bench.measure import IMGHOST, Row, environment, median_s
from tests.bench.screens import screenshot
from tests.fakes import bilibili

_RUNS = 15
_MANY = 100
_SLOW = 500
_HEARTBEATS = 20
_START_S = 20.0
_LARGE = {"width_px": 3840, "height_px": 3000}  # some 2 MB
_PACKAGES = ("picgo", "picgo-plugin-web-uploader")

_PICGO = """
const { PicGo } = require('picgo')
const [folder, port, host] = process.argv.slice(2)
const picgo = new PicGo(folder + '/config.json')
picgo.setConfig({
  picBed: {
    current: 'web-uploader', uploader: 'web-uploader',
    'web-uploader': { url: host + '/upload', paramName: 'file', jsonPath: 'data.location' }
  }
})
picgo.server.listen(Number(port), '127.0.0.1', true)
"""


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

    def peak_mb(self) -> float:
        """The most memory that its process, and those that it has started, ever had."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        pids = [self.pid, *(int(pid) for task in tasks for pid in task.read_text().split())]
        return sum(_peak_kb(pid) for pid in pids) / 1024


def bench_door(root: Path) -> Iterator[Row]:
    """Uploads by path, the same again, many at once, and a heartbeat among slow connections."""
    with ExitStack() as stack:
        host = stack.enter_context(slow_host(0.0))
        ours = stack.enter_context(_imghost(root / "ours", host))
        yield from _heartbeats(ours)
        picgo = stack.enter_context(_picgo(root / "picgo", host))
        if picgo is None:
            yield Row("beside PicGo's own server", "left out: no Node, or no packages")
            return
        large = [_written(root, n, **_LARGE) for n in range(_RUNS + 1)]
        yield from _by_path(ours, picgo, large)
        yield from _many(root, host, picgo)


def _by_path(ours: Server, picgo: Server, files: Sequence[Path]) -> Iterator[Row]:
    picgo.upload(files[:1])
    ours.upload(files[:1])
    times = [(ours.upload([path]), picgo.upload([path])) for path in files[1:]]
    our_s, picgo_s = (statistics.median(column) for column in zip(*times, strict=True))
    decode_s = median_s(lambda: _decode(files[1]), 5)
    again_s = median_s(lambda: ours.upload(files[1:2]), _RUNS)
    picgo_again_s = median_s(lambda: picgo.upload(files[1:2]), _RUNS)
    size_mb = files[1].stat().st_size / 1e6
    most_s = picgo_s + decode_s
    yield Row(
        f"door: {size_mb:.1f} MB screenshot by path",
        f"{our_s * 1000:.0f} ms",
        f"<= {most_s * 1000:.0f} ms",
        met=our_s <= most_s,
    )
    yield Row("  PicGo's server", f"{picgo_s * 1000:.0f} ms")
    yield Row("  bare Pillow decoding it", f"{decode_s * 1000:.0f} ms")
    yield Row(
        "door: the same again",
        f"{again_s * 1000:.1f} ms",
        f"<= {picgo_again_s * 100:.1f} ms",
        met=again_s * 10 <= picgo_again_s,
    )
    yield Row("  PicGo's server", f"{picgo_again_s * 1000:.0f} ms")


def _many(root: Path, host: str, picgo: Server) -> Iterator[Row]:
    """Both warm, with pictures that neither has seen."""
    files = [_written(root, 1000 + n) for n in range(_MANY)]
    with _imghost(root / "many", host) as ours:
        ours.upload([_written(root, 999)])
        our_s, our_mb = ours.upload(files), ours.peak_mb()
    with _picgo(root / "picgo", host) as fresh:
        if fresh:
            fresh.upload([_written(root, 999)])
            picgo_s, picgo_mb = fresh.upload(files), fresh.peak_mb()
    yield Row(
        f"door: {_MANY} screenshots of 1280x720 in one call",
        f"{our_s:.2f} s",
        f"<= {picgo_s:.2f} s",
        met=our_s <= picgo_s,
    )
    yield Row(
        "  its memory, with its decoding processes",
        f"{our_mb:.0f} MB",
        f"<= {picgo_mb / 2:.0f} MB",
        met=our_mb <= picgo_mb / 2,
    )
    yield Row("  PicGo's server", f"{picgo_s:.2f} s, {picgo_mb:.0f} MB")


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
def _picgo(folder: Path, host: str) -> Iterator[Server | None]:
    if not _installed(folder):
        yield None
        return
    port = _free_port()
    command = ["node", "server.js", str(folder), str(port), host]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield _answering(Server(port, process.pid))
        finally:
            process.terminate()


def _installed(folder: Path) -> bool:
    """Whether PicGo's packages are in the folder, which has them installed if that can be done."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    if folder.exists():
        return True
    folder.mkdir()
    (folder / "server.js").write_text(_PICGO)
    command = ["npm", "install", "--no-fund", "--no-audit", *_PACKAGES]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


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


def _peak_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not tell")


def _written(root: Path, seed: int, **size: int) -> Path:
    path = root / f"{seed}.png"
    path.write_bytes(screenshot(seed, **size))
    return path


def _decode(path: Path) -> None:
    from PIL import Image as Pillow

    with Pillow.open(BytesIO(path.read_bytes())) as image:
        image.load()
