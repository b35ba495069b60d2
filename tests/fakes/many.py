"""A journal with more uploads than anybody would make in a test."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

_WORDS = ("screenshot", "diagram", "photo", "figure", "chart", "sketch", "cover", "map", "截图")


def copy_rows(journal: Path, count: int) -> None:
    """Add so many uploads to a journal, each as the first one but for name, time and place.

    All come of the same original. Nobody else may be writing.
    """
    with closing(sqlite3.connect(journal)) as db:
        db.row_factory = sqlite3.Row
        first = dict(db.execute("SELECT * FROM uploads ORDER BY id LIMIT 1").fetchone())
        columns = [name for name in first if name != "id"]
        marks = ", ".join("?" * len(columns))
        db.executemany(
            f"INSERT INTO uploads ({', '.join(columns)}) VALUES ({marks})",
            ([_row(first, n)[name] for name in columns] for n in range(count)),
        )
        db.commit()


def _row(first: dict[str, object], n: int) -> dict[str, object]:
    sha256 = hashlib.sha256(b"%d" % n).hexdigest()
    assert isinstance(first["created_at"], float)
    return first | {
        "sha256": sha256,
        "sha1": sha256[:40],
        "name": f"{_WORDS[n % len(_WORDS)]}-{n}.png",
        "bucket": first["bucket"] if n % 4 else "album",
        "created_at": first["created_at"] + 60 * n,
    }
