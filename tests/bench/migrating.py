"""A blog moved to a host that takes its time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tests.bench.host import slow_host
from tests.bench.measure import IMGHOST, Row, environment, run
from tests.bench.screens import screenshot
from tests.fakes.bilibili import BILI_JCT, SESSDATA

POSTS, EACH = 1000, 5
NEW = POSTS * EACH // 2
TAKES_S, AT_ONCE = 0.05, 4
_WORDS = "Words and more words. " * 60


def bench_migrate(root: Path) -> Iterator[Row]:
    """1,000 posts with 5,000 pictures, half of them duplicates, and then the same again."""
    posts = _blog(root / "posts")
    environ = environment(root / "home") | {
        "IMGHOST_SESSDATA": SESSDATA,
        "IMGHOST_BILI_JCT": BILI_JCT,
    }
    with slow_host(TAKES_S) as url:
        config = root / "config.json"
        host = {"api": url, "min_gap_s": 0, "parallel": AT_ONCE}
        config.write_text(json.dumps({"host": "bilibili", "hosts": {"bilibili": host}}))
        command = (*IMGHOST, "--config", str(config), "migrate", "--yes", str(posts))
        first, second = run(command, environ), run(command, environ)
    allowed_s = NEW * TAKES_S / AT_ONCE
    reached = allowed_s / first.wall_s
    yield Row(
        f"migrate: {POSTS} posts, {POSTS * EACH} pictures, {NEW} of them new",
        f"{first.wall_s:.1f} s",
    )
    yield Row("  of what the host allows", f"{reached:.0%}", ">= 90 %", met=reached >= 0.9)
    yield Row("  its memory", f"{first.peak_mb:.0f} MB")
    yield Row("  once more", f"{second.wall_s:.2f} s", "<= 3 s", met=second.wall_s <= 3)


def _blog(folder: Path) -> Path:
    """Posts of some length; each picture is there twice, under two names, somewhere."""
    (folder / "img").mkdir(parents=True)
    for n in range(NEW):
        data = screenshot(n, width_px=640, height_px=360)
        for copy in (n, n + NEW):
            (folder / "img" / f"{copy}.png").write_bytes(data)
    names = random.Random(1).sample(range(2 * NEW), 2 * NEW)
    for n in range(POSTS):
        shown = (f"![picture](img/{name}.png)" for name in names[n * EACH : (n + 1) * EACH])
        text = f"---\ntitle: Post {n}\n---\n\n" + f"\n\n{_WORDS}\n\n".join(shown)
        (folder / f"post{n}.md").write_text(text)
    return folder
