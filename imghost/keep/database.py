"""The journal's SQLite file: its connections, its transactions, and what can be wrong with it."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import TypeVar

from imghost.disk import machine_errors, make_private_folder
from imghost.errors import JournalDamaged, MachineError, UsageError
from imghost.keep.schema import MIGRATIONS
from imghost.values import dataclass

T = TypeVar("T")

_BUSY_S = 60.0
_SLICE_S = 0.25
_LOOK_S = 0.02
_CLOSE_S = 1.0
_MARK_S = 1.0
_PRIMARY_CODE = 0xFF
_TABLES = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
_DAMAGE = frozenset(
    {
        *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR),
        sqlite3.SQLITE_IOERR_SHORT_READ,
    }
)


@dataclass(slots=True, eq=False)
class _Opened:
    """A thread's connection; whoever uses or closes it holds `turn`: SQLite survives no both."""

    thread: threading.Thread
    db: sqlite3.Connection
    inode: int
    turn: threading.RLock = field(default_factory=threading.RLock)
    is_closed: bool = False

    def close(self, limit_s: float) -> bool:
        """Close it unless it is used for so long; whether it is closed."""
        if not self.turn.acquire(timeout=max(0.0, limit_s)):
            return False
        try:
            self.is_closed = True
            self.db.close()
        finally:
            self.turn.release()
        return True


class Database:
    """One connection a thread; a transaction that ended is on the disk, power cut or not.

    Every method raises MachineError when the disk does not obey, JournalDamaged when the file
    is not what was written, and UsageError for a text with lone surrogates.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine = threading.local()
        self._all: list[_Opened] = []
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        self._patient_until = math.inf

    def close(self) -> None:
        """Close every thread's connection; the next call opens the file again.

        One that is in use and does not come free within a second is left open.
        """
        self._mine = threading.local()
        until = time.monotonic() + _CLOSE_S
        with self._opening:
            self._all = [one for one in self._all if not one.close(until - time.monotonic())]

    def lose_patience(self, within_s: float) -> None:
        """Let nobody wait for other processes' transactions for longer than so, from now on."""
        self._patient_until = time.monotonic() + within_s

    def read(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows that a query gives."""
        with self.errors():
            return self._rows(sql, values)

    @contextlib.contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the write lock from its start: a later one could be refused it.

        The threads of this process queue for it, which SQLite would have look for it again and
        again, after longer and longer waits.
        """
        until = time.monotonic() + _BUSY_S
        with self.errors(), self._writing, self._connected() as db:
            self._patiently(lambda: db.execute("BEGIN IMMEDIATE"), until)
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def check(self) -> None:
        """Read the whole file, and hold indexes against tables, and those against what we made.

        SQLite's quick check takes a quarter of the time, and sees neither an index in which a
        picture is not found any more nor most of what changed within a text. Raises JournalDamaged.
        """
        with self._told():
            is_sound = [row[0] for row in self._rows("PRAGMA integrity_check(1)")] == ["ok"]
            if not is_sound or list(map(tuple, self._rows(_TABLES))) != _tables_made():
                raise ValueError("not as it was written")

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what SQLite says, and values that cannot have been written, into our errors.

        Damage that is met has the whole file looked at the next time it is opened.
        """
        try:
            with self._told():
                yield
        except JournalDamaged:  # told again by a transaction, whose end took the mark back
            self._mark()
            raise

    def _mark(self) -> None:
        until = time.monotonic() + _MARK_S
        with contextlib.suppress(sqlite3.Error, MachineError), self._connected() as db:
            self._patiently(lambda: db.execute("PRAGMA application_id = 0"), until)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            code = _code(exc)
            if code != sqlite3.SQLITE_IOERR_SHORT_READ:
                code &= _PRIMARY_CODE
            if code in _DAMAGE:
                raise self._damaged() from exc
            if code == sqlite3.SQLITE_BUSY:
                raise MachineError(
                    "another program keeps the journal {path} busy; end it, or try again later",
                    path=str(self.path),
                ) from exc
            raise MachineError(
                "the journal {path} cannot be used: {detail}; see whether the disk is full or "
                "read-only",
                path=str(self.path),
                detail=str(exc),
            ) from exc
        except UnicodeEncodeError as exc:  # the caller's own: no such text was ever written
            raise UsageError(
                "{text} holds what is no character; write it anew", text=str(exc.object)
            ) from exc
        except ValueError as exc:
            raise self._damaged() from exc

    def _damaged(self) -> JournalDamaged:
        return JournalDamaged(
            "the journal {path} is damaged; stop imghost and start it again: it is rebuilt from "
            "the originals",
            path=str(self.path),
        )

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._connected() as db:
            return self._patiently(lambda: db.execute(sql, values).fetchall())

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, which nobody closes meanwhile."""
        while True:
            mine = self._opened()
            with mine.turn:
                if not mine.is_closed:
                    yield mine.db
                    return

    def _opened(self) -> _Opened:
        mine: _Opened | None = getattr(self._mine, "opened", None)
        if mine and not mine.is_closed and mine.inode == _inode(self.path):
            return mine
        with self._opening:
            self._all = [one for one in self._all if one.thread.is_alive() or not one.close(0)]
            db = self._patiently(partial(_open, self.path))
            mine = self._mine.opened = _Opened(threading.current_thread(), db, _inode(self.path))
            self._all.append(mine)
        return mine

    def _patiently(self, call: Callable[[], T], until: float = 0.0) -> T:
        """What the call gives as soon as no other process is in its way.

        In slices, so that the patience can end; and SQLite has none of its own for some calls.
        """
        until = until or time.monotonic() + _BUSY_S
        while True:
            try:
                return call()
            except sqlite3.OperationalError as exc:
                if _code(exc) & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > min(
                    until, self._patient_until
                ):
                    raise
            time.sleep(_LOOK_S)


@contextlib.contextmanager
def savepoint(db: sqlite3.Connection) -> Iterator[None]:
    """A part that is undone if it fails; for a full disk SQLite may end the whole transaction."""
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO part")
        raise
    finally:
        if db.in_transaction:
            db.execute("RELEASE part")


def _open(path: Path) -> sqlite3.Connection:
    _create(path)
    db = sqlite3.connect(path, timeout=_SLICE_S, isolation_level=None, check_same_thread=False)
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


def _tables_made() -> list[tuple[str, ...]]:
    """What _TABLES gives for a journal that was made just now."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        _migrate(db, Path())
        return db.execute(_TABLES).fetchall()


def _code(exc: sqlite3.Error) -> int:
    """SQLite's code; Python itself raises errors that have none, as for text that is not UTF-8."""
    return getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR)


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _inode(path: Path) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - for each statement; Path's takes twice as long
    except OSError:
        return 0
