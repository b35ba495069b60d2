"""`python -m tests.bench` measures what the README says, in one run, and prints a table.

A name limits it to those rows: `python -m tests.bench render`.
"""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.backup import bench_backup
from tests.bench.door import bench_door
from tests.bench.gallery import bench_gallery, bench_history
from tests.bench.measure import LeftOut, Row, print_row
from tests.bench.migrating import bench_migrate
from tests.bench.oneshot import bench_many, bench_oneshot, bench_s3
from tests.bench.posts import bench_posts
from tests.bench.rendering import bench_render, bench_serve
from tests.bench.starting import bench_start
from tests.bench.tray import bench_tray
from tests.bench.watching import bench_clipboard, bench_flood, bench_idle

BENCHES = (
    *(bench_start, bench_oneshot, bench_s3, bench_many, bench_door, bench_clipboard),
    *(bench_flood, bench_idle, bench_tray, bench_render, bench_serve, bench_gallery, bench_history),
    *(bench_posts, bench_migrate, bench_backup),
)


def main() -> int:
    """Run the benchmarks that are named, or all; 1 if something asked for was not met."""
    names = sys.argv[1:]
    sys.stdout.write(f"{platform.platform()}, CPython {platform.python_version()}\n")
    start, missed = time.monotonic(), 0
    for bench in BENCHES:
        if names and bench.__name__.removeprefix("bench_") not in names:
            continue
        sys.stdout.write(f"\n{bench.__doc__}\n")
        missed += sum(_is_missed(row) for row in _rows(bench))
    sys.stdout.write(f"\n{missed} missed, in {time.monotonic() - start:.0f} s\n")
    return 1 if missed else 0


def _rows(bench: Callable[[Path], Iterator[Row]]) -> Iterator[Row]:
    root = Path(tempfile.mkdtemp(prefix="imghost-bench-"))
    try:
        yield from bench(root)
    except LeftOut as exc:
        yield Row(exc.what, f"left out: {exc.why}")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _is_missed(row: Row) -> bool:
    print_row(row)
    return row.met is False


if __name__ == "__main__":
    raise SystemExit(main())
