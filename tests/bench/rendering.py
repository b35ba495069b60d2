"""Styles: drawn, and served again, beside Pillow alone and beside thumbor."""

from __future__ import annotations

import itertools
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from tests.bench.daemons import daemon
from tests.bench.load import get, requests_per_s
from tests.bench.measure import IMGHOST, LeftOut, Row, environment, median_s
from tests.bench.screens import screenshot

RUNS = 30
_PICTURES = 16
_START_S = 20.0
_THUMBOR = """
LOADER = 'thumbor.loaders.file_loader'
FILE_LOADER_ROOT_PATH = {pictures!r}
STORAGE = 'thumbor.storages.no_storage'
RESULT_STORAGE = 'thumbor.result_storages.file_storage'
RESULT_STORAGE_FILE_STORAGE_ROOT_PATH = {results!r}
RESULT_STORAGE_STORES_UNSAFE = True
ALLOW_UNSAFE_URL = True
WEBP_QUALITY = 75
"""


def bench_render(_root: Path) -> Iterator[Row]:
    """Rendering: a style drawn, beside Pillow doing just that."""
    from PIL import Image as Pillow

    from imghost.imaging.style import Style
    from imghost.imaging.styled import styled

    data = screenshot(1)
    style = Style.parse("@800w.webp")

    def bare() -> None:
        with Pillow.open(BytesIO(data)) as image:
            small = image.convert("RGB").resize((800, 450), Pillow.Resampling.LANCZOS)
            small.save(BytesIO(), "WEBP", quality=75)

    ours_s = median_s(lambda: styled(data, "a.png", style), RUNS)
    bare_s = median_s(bare, RUNS)
    ratio = ours_s / bare_s
    yield Row("@800w.webp of 1280x720", f"{ours_s * 1000:.0f} ms")
    yield Row("  bare Pillow", f"{bare_s * 1000:.0f} ms")
    yield Row("  ratio", f"{ratio:.2f}", "<= 1.2", met=ratio <= 1.2)


def bench_serve(root: Path) -> Iterator[Row]:
    """The embedded server: a style asked for the first time, and again; beside thumbor."""
    pictures = [root / f"{n}.png" for n in range(_PICTURES)]
    for n, path in enumerate(pictures):
        path.write_bytes(screenshot(n))
    environ = environment(root / "home")
    with daemon(environ, "serve"):
        command = [*IMGHOST, "upload", *map(str, pictures)]
        told = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
        links = told.stdout.split()
        rate = requests_per_s(links[0])
        yield Row("requests a second: a plain file", f"{rate:.0f}", ">= 2500", met=rate >= 2500)
        styles = [f"{link}@800w.webp" for link in links]
        cold_s, rate = _first_s(styles), requests_per_s(styles[0])
        yield Row("  a cached rendering", f"{rate:.0f}", ">= 2500", met=rate >= 2500)
        yield Row("a rendering asked for the first time", f"{cold_s * 1000:.0f} ms")
    with _thumbor(root) as address:
        urls = [f"{address}/unsafe/800x0/filters:format(webp)/{p.name}" for p in pictures]
        its_s, its_rate = _first_s(urls), requests_per_s(urls[0])
    yield Row("  thumbor", f"{its_s * 1000:.0f} ms")
    yield Row("requests a second: what thumbor has rendered", f"{its_rate:.0f}")


def _first_s(urls: list[str]) -> float:
    """The median of each one's first answer, without that of the first."""
    get(urls[0])
    return statistics.median(itertools.starmap(_took_s, ((get, url) for url in urls[1:])))


def _took_s(work: Callable[[str], object], url: str) -> float:
    start = time.perf_counter()
    work(url)
    return time.perf_counter() - start


@contextmanager
def _thumbor(root: Path) -> Iterator[str]:
    """A running thumbor that keeps what it has rendered; its address."""
    program = shutil.which("thumbor")
    if not program:
        raise LeftOut("beside thumbor", "it is not installed")
    config = root / "thumbor.conf"
    config.write_text(_THUMBOR.format(pictures=str(root), results=str(root / "results")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [program, "-i", "127.0.0.1", "-p", str(port), "-c", str(config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
