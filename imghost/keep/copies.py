"""Kept copies of pictures that others host, by their links."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from imghost.keep.database import Database
from imghost.keep.rows import marks
from imghost.keep.schema import sha256_of
from imghost.keep.wanted import can_be_stored

_AT_ONCE = 500


class Copies:
    """Which original is the copy of which link; every method raises what Database does.

    `clock` gives seconds since the epoch.
    """

    def __init__(self, db: Database, clock: Callable[[], float] = time.time) -> None:
        self._db = db
        self._clock = clock

    def add(self, url: str, original: str) -> None:
        """The original is from now on the copy of what the link showed."""
        with self._db.changing() as db:
            db.execute(
                "INSERT OR REPLACE INTO copies VALUES (?, ?, ?)", (url, original, self._clock())
            )

    def of(self, urls: Collection[str]) -> dict[str, str]:
        """The originals of those of the links that have one."""
        known = [url for url in dict.fromkeys(urls) if can_be_stored(url)]
        found: dict[str, str] = {}
        for start in range(0, len(known), _AT_ONCE):
            some = known[start : start + _AT_ONCE]
            rows = self._db.read(
                f"SELECT url, original FROM copies WHERE url IN ({marks(some)})", some
            )
            with self._db.errors():
                found |= {row["url"]: sha256_of(row["original"]) for row in rows}
        return found
