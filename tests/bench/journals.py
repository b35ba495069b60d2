"""A journal as somebody has it after many uploads."""

from __future__ import annotations

from pathlib import Path

from imghost.keep.database import Database

MANY = 100_000


def fill(home: Path, uploads: int) -> None:
    """Put so many finished uploads into the journal below a home folder."""
    db = Database(home / "data" / "journal.db")
    try:
        with db.changing() as connection:
            connection.executemany(
                "INSERT INTO uploads (original, sha256, sha1, host, bucket, name, origin, format,"
                " width_px, height_px, frames, size_bytes, state, url, key, created_at, alive)"
                " VALUES (?, ?, ?, 'local', ?, ?, 'clipboard', 'png', 1280, 720, 1, 90000, 'done',"
                " ?, ?, ?, 'alive')",
                (_row(n) for n in range(uploads)),
            )
    finally:
        db.close()


def _row(n: int) -> tuple[object, ...]:
    sha256, sha1 = f"{n:064x}", f"{n:040x}"
    bucket = ("images", "album", "blog")[n % 3]
    url = f"http://127.0.0.1:36677/bfs/{bucket}/{sha1}.png"
    name = f"Screenshot {n:06}.png"
    return sha256, sha256, sha1, bucket, name, url, f"{sha1}.png", 1.7e9 + n * 60
