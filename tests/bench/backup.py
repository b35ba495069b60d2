"""A collection taken to another computer: exported, imported, imported once more."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import IMGHOST, Row, environment, run
from tests.bench.screens import screenshot

PICTURES = 1000
_AT_ONCE = 250  # names on one command line


def bench_backup(root: Path) -> Iterator[Row]:
    """1,000 screenshots of 1280x720, by whole commands, without a daemon."""
    here, there, archive = root / "here", root / "there", root / "imghost.tar"
    paths = _pictures(root / "pictures")
    for start in range(0, PICTURES, _AT_ONCE):
        command = [*IMGHOST, "upload", "--quiet", *paths[start : start + _AT_ONCE]]
        subprocess.run(command, env=environment(here), check=True, capture_output=True)
    out = run((*IMGHOST, "export", str(archive)), environment(here))
    size_mb = archive.stat().st_size / 1e6
    for what, done in (
        (f"export of {PICTURES} pictures, {size_mb:.0f} MB in all", out),
        ("  import", run((*IMGHOST, "import", str(archive)), environment(there))),
        ("  import once more", run((*IMGHOST, "import", str(archive)), environment(there))),
    ):
        yield Row(what, f"{done.wall_s:.1f} s, {done.peak_mb:.0f} MB")


def _pictures(folder: Path) -> list[str]:
    folder.mkdir()
    paths = [folder / f"{n}.png" for n in range(PICTURES)]
    for n, path in enumerate(paths):
        path.write_bytes(screenshot(n))
    return list(map(str, paths))
