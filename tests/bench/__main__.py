"""`python -m tests.bench` measures what the README says, in one run, and prints a table.

A name limits it to those rows: `python -m tests.bench render`.
"""

from __future__ import annotations

import itertools
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.door import bench_door
from tests.bench.gallery import bench_gallery
from tests.bench.load import requests_per_s
from tests.bench.measure import IMGHOST, Row, environment, median_run, median_s, print_table, run
from tests.bench.migrating import bench_migrate
from tests.bench.posts import bench_posts
from tests.bench.screens import screenshot
from tests.bench.tray import bench_tray
from tests.bench.watching import bench_clipboard, bench_flood, bench_idle
from tests.fakes import bilibili, s3

RUNS = 15
MANY = 1000

STUB = """
import sys, requests
with open(sys.argv[1], "rb") as file:
    reply = requests.post(sys.argv[2], files={"file": ("a.png", file, "image/png")},
        data={"bucket": "openplatform", "csrf": sys.argv[4]},
        cookies={"SESSDATA": sys.argv[3], "bili_jct": sys.argv[4]},
        headers={"User-Agent": "Mozilla/5.0"})
print(reply.json()["data"]["location"])
"""


def bench_start(root: Path) -> Iterator[Row]:
    """How long a command takes that does nothing."""
    environ = environment(root / "home")
    bare = median_run(lambda: (sys.executable, "-c", "pass"), environ, RUNS)
    yield Row("python -c pass", f"{bare.wall_s * 1000:.0f} ms")
    ours = median_run(lambda: (*IMGHOST, "--version"), environ, RUNS)
    yield Row("imghost --version", f"{ours.wall_s * 1000:.0f} ms")


def bench_oneshot(root: Path) -> Iterator[Row]:
    """The whole process of uploading one new screenshot."""
    pictures = _pictures(root)
    environ = environment(root / "home")
    local = median_run(lambda: (*IMGHOST, "upload", next(pictures)), environ, RUNS)
    yield Row(
        "upload 1280x720 to local, no server",
        f"{local.wall_s * 1000:.0f} ms",
        "<= 120 ms",
        met=local.wall_s <= 0.12,
    )
    yield Row("  its memory", f"{local.peak_mb:.0f} MB", "<= 45 MB", met=local.peak_mb <= 45)
    with bilibili.FakeBilibili() as fake:
        environ |= {
            "IMGHOST_SESSDATA": bilibili.SESSDATA,
            "IMGHOST_BILI_JCT": bilibili.BILI_JCT,
        }
        config = root / "bilibili.json"
        config.write_text(f'{{"hosts": {{"bilibili": {{"api": "{fake.url}", "min_gap_s": 0}}}}}}')
        command = (*IMGHOST, "--config", str(config), "upload", "--host", "bilibili")
        ours = median_run(lambda: (*command, next(pictures)), environ, RUNS)
        stub = median_run(
            lambda: (
                *(sys.executable, "-c", STUB, next(pictures)),
                *(f"{fake.url}/x/upload/web/image", bilibili.SESSDATA, bilibili.BILI_JCT),
            ),
            environ,
            RUNS,
        )
    yield Row(
        "upload 1280x720 to bilibili (a server on loopback)",
        f"{ours.wall_s * 1000:.0f} ms",
        "<= 180 ms",
        met=ours.wall_s <= 0.18,
    )
    yield Row("  its memory", f"{ours.peak_mb:.0f} MB")
    yield Row("  a script with requests, nothing kept or checked", f"{stub.wall_s * 1000:.0f} ms")
    with _server(environ):
        through = median_run(lambda: (*IMGHOST, "upload", next(pictures)), environ, RUNS)
    yield Row(
        "upload 1280x720 through a running server",
        f"{through.wall_s * 1000:.0f} ms",
        "<= 70 ms",
        met=through.wall_s <= 0.07,
    )
    yield Row("  its memory (the command)", f"{through.peak_mb:.0f} MB")


def bench_s3(root: Path) -> Iterator[Row]:
    """The whole process of uploading one new screenshot into a bucket."""
    pictures, config = _pictures(root), root / "s3.json"
    with s3.FakeS3() as fake:
        config.write_text(json.dumps({"host": "s3", "hosts": {"s3": fake.settings()}}))
        command = (*IMGHOST, "--config", str(config), "upload")
        environ = environment(root / "home")
        ours = median_run(lambda: (*command, next(pictures)), environ, RUNS)
    yield Row("upload 1280x720 to s3 (a server on loopback)", f"{ours.wall_s * 1000:.0f} ms")
    yield Row("  its memory", f"{ours.peak_mb:.0f} MB")


def bench_render(_root: Path) -> Iterator[Row]:
    """A style drawn, beside Pillow doing just that."""
    from io import BytesIO

    from PIL import Image as Pillow

    from imghost.imaging.style import Style
    from imghost.imaging.styled import styled

    data = screenshot(1)
    style = Style.parse("@800w.webp")

    def bare() -> None:
        with Pillow.open(BytesIO(data)) as image:
            small = image.convert("RGB").resize((800, 450), Pillow.Resampling.LANCZOS)
            small.save(BytesIO(), "WEBP", quality=75)

    ours_s = median_s(lambda: styled(data, "a.png", style), RUNS * 2)
    bare_s = median_s(bare, RUNS * 2)
    ratio = ours_s / bare_s
    yield Row("@800w.webp of 1280x720", f"{ours_s * 1000:.0f} ms")
    yield Row("  bare Pillow", f"{bare_s * 1000:.0f} ms")
    yield Row("  ratio", f"{ratio:.2f}", "<= 1.2", met=ratio <= 1.2)


def bench_serve(root: Path) -> Iterator[Row]:
    """Requests a second to the embedded server."""
    environ = environment(root / "home")
    with _server(environ):
        upload = subprocess.run(
            [*IMGHOST, "upload", next(_pictures(root))],
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        )
        link = upload.stdout.strip()
        for what, url in (("a plain file", link), ("a cached rendering", f"{link}@400w.webp")):
            rate = requests_per_s(url)
            yield Row(f"requests a second: {what}", f"{rate:.0f}", ">= 2500", met=rate >= 2500)


def bench_many(root: Path) -> Iterator[Row]:
    """The memory of one command with few and with many files."""
    pictures = _pictures(root, width_px=320, height_px=180)
    environ = environment(root / "home")
    few = run([*IMGHOST, "upload", "--quiet", *itertools.islice(pictures, 20)], environ)
    many = run([*IMGHOST, "upload", "--quiet", *itertools.islice(pictures, MANY)], environ)
    yield Row("20 files in one command: memory", f"{few.peak_mb:.0f} MB")
    yield Row(
        f"{MANY} files in one command: memory",
        f"{many.peak_mb:.0f} MB",
        "no growth",
        met=many.peak_mb < few.peak_mb + 10,
    )
    yield Row("  files a second", f"{MANY / many.wall_s:.0f}")


def _pictures(root: Path, **size: int) -> Iterator[str]:
    """New screenshots, each made when it is asked for."""
    folder = Path(tempfile.mkdtemp(dir=root))
    for n in itertools.count():
        path = folder / f"{n}.png"
        path.write_bytes(screenshot(n, **size))
        yield str(path)


@contextmanager
def _server(environ: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(
        [*IMGHOST, "serve"], env=environ, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr
        server.stderr.readline()
        try:
            yield
        finally:
            subprocess.run([*IMGHOST, "stop"], env=environ, check=True, capture_output=True)


BENCHES = (
    *(bench_start, bench_oneshot, bench_s3, bench_render, bench_serve, bench_many),
    *(bench_clipboard, bench_idle, bench_flood, bench_tray, bench_door, bench_gallery, bench_posts),
    bench_migrate,
)


def main() -> int:
    """Run the benchmarks that are named, or all; 1 if something asked for was not met."""
    names = sys.argv[1:]
    sys.stdout.write(f"{platform.platform()}, CPython {platform.python_version()}\n")
    all_met = True
    for bench in BENCHES:
        if names and bench.__name__.removeprefix("bench_") not in names:
            continue
        root = Path(tempfile.mkdtemp(prefix="imghost-bench-"))
        try:
            rows = list(bench(root))
        finally:
            shutil.rmtree(root, ignore_errors=True)
        print_table(rows)
        all_met = all_met and all(row.met is not False for row in rows)
    return 0 if all_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
