"""The memory of files in watched folders: which were found, and which of them are still due."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping

from imghost.keep.database import Database
from imghost.values import dataclass

_MAX_INTEGER = (1 << 63) - 1  # SQLite's; some file systems have larger inodes, and later times


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from all others; cut to 63 bits each."""

    inode: int
    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp of a file that was looked at."""
        return cls(status.st_ino & _MAX_INTEGER, status.st_size, status.st_mtime_ns & _MAX_INTEGER)

    def resembles(self, other: Stamp) -> bool:
        """Whether size and time are the same: FAT and some network drives give inodes anew."""
        return (self.size_bytes, self.mtime_ns) == (other.size_bytes, other.mtime_ns)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is remembered of a file; `is_due`: it was found, and is still to be taken."""

    stamp: Stamp
    is_due: bool


class Seen:
    """The marks of files, by their paths; both methods raise what Database does."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def marks(self) -> dict[str, Mark]:
        """All that is remembered."""
        rows = self._db.read("SELECT path, inode, size_bytes, mtime_ns, is_due FROM seen_files")
        with self._db.errors():
            return dict(map(_entry_of, rows))

    def write(self, changes: Mapping[str, Mark | None]) -> None:
        """Remember these files, or forget those that have no mark, all at once."""
        remembered = [_row_of(path, mark) for path, mark in changes.items() if mark]
        forgotten = [(os.fsencode(path),) for path, mark in changes.items() if not mark]
        with self._db.changing() as db:
            db.executemany("INSERT OR REPLACE INTO seen_files VALUES (?, ?, ?, ?, ?)", remembered)
            db.executemany("DELETE FROM seen_files WHERE path = ?", forgotten)


def _row_of(path: str, mark: Mark) -> tuple[bytes, int, int, int, bool]:
    stamp = mark.stamp
    return os.fsencode(path), stamp.inode, stamp.size_bytes, stamp.mtime_ns, mark.is_due


def _entry_of(row: sqlite3.Row) -> tuple[str, Mark]:
    """The path and mark of a row. Raises ValueError if nobody can have written it."""
    path, *numbers = row
    if not isinstance(path, bytes) or not all(isinstance(number, int) for number in numbers):
        raise ValueError("not a row of ours")
    inode, size_bytes, mtime_ns, is_due = numbers
    return os.fsdecode(path), Mark(Stamp(inode, size_bytes, mtime_ns), bool(is_due))
