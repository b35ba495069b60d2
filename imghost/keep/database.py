"""The journal's SQLite file: its connections, its transactions, and what can be wrong with it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from imghost.disk import machine_errors, make_private_folder
from imghost.errors import JournalDamaged, MachineError
from imghost.keep.schema import MIGRATIONS

_BUSY_S = 60.0
_LOOK_S = 0.02
_PRIMARY_CODE = 0xFF
_DAMAGE = frozenset(
    {
        *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR),
        sqlite3.SQLITE_IOERR_SHORT_READ,
    }
)


class Database:
    """One connection a thread; a transaction that ended is on the disk, power cut or not.

    Every method raises MachineError when the disk does not obey, JournalDamaged when the file
    is not what was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine = threading.local()
        self._all: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._opening = threading.Lock()

    def close(self) -> None:
        """Close every thread's connection; the next call opens the file again."""
        self._mine = threading.local()
        while self._all:
            self._all.pop()[1].close()

    def read(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows that a query gives."""
        with self.errors():
            return self._connection().execute(sql, values).fetchall()

    @contextlib.contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the write lock from its start: a later one could be refused it."""
        with self.errors():
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def check(self) -> None:
        """Read the whole file once. Raises JournalDamaged if it is not sound."""
        if [row[0] for row in self.read("PRAGMA quick_check(1)")] != ["ok"]:
            raise self._damaged()

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what SQLite says, and values that cannot have been written, into our errors."""
        try:
            yield
        except sqlite3.Error as exc:
            code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            if code != sqlite3.SQLITE_IOERR_SHORT_READ:
                code &= _PRIMARY_CODE
            if code in _DAMAGE:
                raise self._damaged() from exc
            raise MachineError(
                "the journal {path} cannot be used: {detail}; see whether the disk is full or "
                "read-only",
                path=str(self.path),
                detail=str(exc),
            ) from exc
        except ValueError as exc:
            raise self._damaged() from exc

    def _damaged(self) -> JournalDamaged:
        return JournalDamaged(
            "the journal {path} is damaged; stop imghost and start it again: it is rebuilt from "
            "the originals",
            path=str(self.path),
        )

    def _connection(self) -> sqlite3.Connection:
        mine: tuple[sqlite3.Connection, int] | None = getattr(self._mine, "opened", None)
        if mine and mine[1] == _inode(self.path):
            return mine[0]
        with self._opening:
            self._close_those_of_ended_threads()
            db = _open(self.path)
            self._mine.opened = db, _inode(self.path)
            self._all.append((threading.current_thread(), db))
        return db

    def _close_those_of_ended_threads(self) -> None:
        ended = [opened for opened in self._all if not opened[0].is_alive()]
        for opened in ended:
            self._all.remove(opened)
            opened[1].close()


def _open(path: Path) -> sqlite3.Connection:
    """A connection, waited for: SQLite's own patience does not cover the change to WAL."""
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            return _opened(path)
        except sqlite3.OperationalError as exc:
            busy = exc.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise
        time.sleep(_LOOK_S)


def _opened(path: Path) -> sqlite3.Connection:
    _create(path)
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # NORMAL was measured to lose rows at a power cut
        db.execute("PRAGMA fullfsync = ON")  # the same for macOS
        db.execute("PRAGMA foreign_keys = ON")
        _migrate(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _create(path: Path) -> None:
    """Make the file, private; SQLite gives its mode to what it puts beside it.

    One that exists is not touched: closing any handle on it would drop, by POSIX's rules, all locks
    that other connections of this process hold.
    """
    with machine_errors(path), contextlib.suppress(FileExistsError):
        make_private_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    if _version(db) > len(MIGRATIONS):
        raise MachineError(
            "the journal {path} was written by a newer imghost; install that one", path=str(path)
        )
    if _version(db) < len(MIGRATIONS):
        db.execute("BEGIN IMMEDIATE")
        version = _version(db)
        if version == 0 and db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise sqlite3.DatabaseError("tables of another program")
        for migration in MIGRATIONS[version:]:
            for statement in migration.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0
