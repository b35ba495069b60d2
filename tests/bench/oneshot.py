"""One command for one picture, beside PicGo's for the same file at the same host."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import picgo
from tests.bench.daemons import daemon
from tests.bench.host import slow_host
from tests.bench.measure import IMGHOST, Row, Run, compared, environment, median_run, run
from tests.bench.screens import screenshot
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


def bench_oneshot(root: Path) -> Iterator[Row]:
    """One-shot: the whole process of uploading one new screenshot of 1280x720."""
    pictures = _pictures(root)
    environ = environment(root / "home")
    local = median_run(lambda: (*IMGHOST, "upload", next(pictures)), environ, RUNS)
    yield compared("upload to local, no daemon", local.wall_s, 0.12)
    yield Row("  its memory", f"{local.peak_mb:.0f} MB", "<= 45 MB", met=local.peak_mb <= 45)
    with slow_host(0, keeps=False) as host:
        environ |= _bilibili(root / "home", host)
        ours = median_run(lambda: (*IMGHOST, "upload", next(pictures)), environ, RUNS)
        login = (bilibili.SESSDATA, bilibili.BILI_JCT)
        script = (sys.executable, "-c", STUB)
        stub = median_run(lambda: (*script, next(pictures), host, *login), environ, RUNS)
        yield compared("upload to bilibili (a server on loopback), no daemon", ours.wall_s, 0.18)
        yield Row("  its memory", f"{ours.peak_mb:.0f} MB")
        yield Row("  a script with requests, nothing kept", f"{stub.wall_s * 1000:.0f} ms")
        same = next(pictures)
        again = median_run(lambda: (*IMGHOST, "upload", same), environ, RUNS)
        yield Row("  the same picture again", f"{again.wall_s * 1000:.0f} ms")
        with daemon(environ, "serve"):
            through = median_run(lambda: (*IMGHOST, "upload", next(pictures)), environ, RUNS)
        yield compared("upload through a running daemon", through.wall_s, 0.07)
        yield Row("  its memory (the command)", f"{through.peak_mb:.0f} MB")
        command = picgo.upload_command(picgo.installed(), host)
        its = median_run(lambda: (*command, next(pictures)), environ, RUNS)
        yield from _beside(its, ours, through)


def _beside(its: Run, ours: Run, through: Run) -> Iterator[Row]:
    yield Row("picgo upload", f"{its.wall_s * 1000:.0f} ms")
    yield Row("  its memory", f"{its.peak_mb:.0f} MB")
    for what, ratio, most in (
        ("  imghost without a daemon: of its time", ours.wall_s / its.wall_s, 0.5),
        ("  of its memory", ours.peak_mb / its.peak_mb, 0.5),
        ("  imghost with one: of its time", through.wall_s / its.wall_s, 0.2),
    ):
        yield Row(what, f"{ratio:.2f}", f"<= {most:.2f}", met=ratio <= most)


def bench_s3(root: Path) -> Iterator[Row]:
    """One-shot into a bucket: the whole process of uploading one new screenshot."""
    pictures, config = _pictures(root), root / "s3.json"
    with s3.FakeS3() as fake:
        config.write_text(json.dumps({"host": "s3", "hosts": {"s3": fake.settings()}}))
        command = (*IMGHOST, "--config", str(config), "upload")
        environ = environment(root / "home")
        ours = median_run(lambda: (*command, next(pictures)), environ, RUNS)
    yield Row("upload 1280x720 to s3 (a server on loopback)", f"{ours.wall_s * 1000:.0f} ms")
    yield Row("  its memory", f"{ours.peak_mb:.0f} MB")


def bench_many(root: Path) -> Iterator[Row]:
    """Batch: the memory of one command with few and with many files."""
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


def _bilibili(home: Path, host: str) -> dict[str, str]:
    """Let the commands of this home send to that host; what its environment needs."""
    settings = {
        "host": "bilibili",
        "hosts": {"bilibili": {"api": host, "min_gap_s": 0}},
        "server": {"port": 0},
        "verify": {"after_upload": False},
    }
    config = home / "config" / "config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(settings))
    return {"IMGHOST_SESSDATA": bilibili.SESSDATA, "IMGHOST_BILI_JCT": bilibili.BILI_JCT}


def _pictures(root: Path, **size: int) -> Iterator[str]:
    """New screenshots, each made when it is asked for."""
    folder = Path(tempfile.mkdtemp(dir=root))
    for n in itertools.count():
        path = folder / f"{n}.png"
        path.write_bytes(screenshot(n, **size))
        yield str(path)
