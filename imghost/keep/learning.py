"""What another journal knows, learnt by this one: nothing twice, nothing that it knows better."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from imghost.keep.database import Database, savepoint
from imghost.keep.recovery import copy_of, is_copy
from imghost.keep.schema import COLUMNS, message_text, record_of
from imghost.models import Alive, Message, Record, State
from imghost.transport.fetch import is_inner
from imghost.values import dataclass

IMPORTED = "imported"
"""The origin of what asks because it came with another journal."""

_ASKS = Message(
    "it came by imghost import; imghost retry and its id uploads it, imghost history rm and its id "
    "discards it"
)
_FILES_HOST = "local"  # whose links are looked at as files
_UNCHECKED = {"format": "", "width_px": 0, "height_px": 0, "frames": 0}
_OWN = frozenset({"id", "owner"})
_OURS = frozenset({"original", "name", "origin", "notes", "created_at"})
_NOT_WORKING = frozenset({Alive.DEAD, Alive.SUSPECT})
_HOSTILE = (
    *(sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError),
    *(sqlite3.DataError, LookupError, TypeError, ValueError, OverflowError, AttributeError),
)
"""What values raise that no journal has held."""

Row = Mapping[str, Any]


class Lesson(StrEnum):
    """What became of one row of another journal."""

    NEW = "new"
    ASKS = "asks"
    BETTER = "better"
    KNOWN = "known"
    NO_PICTURE = "no picture"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Learner:
    """Writes rows of other journals into this one; `clock` gives seconds since the epoch.

    A row is the same if it sends the same bytes to the same place. What is done stays done, what
    failed failed; what still waited there asks here, so that nothing is sent without consent, and
    its picture is checked again. What is done there and not here is done; a link that is dead here
    gives way to another one that was seen later. No link counts as seen in the last `fresh_s`, so
    that each is looked at before it is given again. Raises what Database does.
    """

    db: Database
    fresh_s: float
    clock: Callable[[], float] = time.time

    def learn(
        self, original: str, rows: Iterable[Row], is_kept: Callable[[], bool]
    ) -> list[Lesson]:
        """What became of these rows of an original, which is here if `is_kept` says so."""
        with self.db.changing() as db:
            kept = is_kept()  # while nobody can erase it
            columns = {row["name"] for row in db.execute("PRAGMA table_info(uploads)")} - _OWN
            return [self._guarded(db, original, row, columns, kept=kept) for row in rows]

    def _guarded(
        self, db: sqlite3.Connection, original: str, row: Row, columns: set[str], *, kept: bool
    ) -> Lesson:
        try:
            with savepoint(db):
                if is_copy(row):
                    return self._copy(db, copy_of(row, original), kept=kept)
                told = {name: value for name, value in row.items() if name in columns}
                return self._one(db, original, told, row["inputs"], kept=kept)
        except _HOSTILE:
            if not db.in_transaction:
                raise
            return Lesson.UNUSABLE

    def _one(
        self,
        db: sqlite3.Connection,
        original: str,
        told: dict[str, Any],
        inputs: Iterable[Row],
        *,
        kept: bool,
    ) -> Lesson:
        found = _find(db, told)
        state = State(told["state"])
        if found is None and state is not State.DONE and not kept:
            return Lesson.NO_PICTURE
        if found is None:
            _insert(db, self._as_new(told, state))
        elif state is State.DONE and _knows_better(told, found):
            self._take_over(db, told, found)
        record = _found(db, told)
        for entry in inputs:
            if entry["original"] == original:
                db.execute(
                    "INSERT OR IGNORE INTO inputs VALUES (?, ?, ?, ?, ?)",
                    (original, record.host, record.bucket, _text(entry["recipe"]), record.id),
                )
        return _lesson(found, record)

    def _copy(self, db: sqlite3.Connection, told: Row, *, kept: bool) -> Lesson:
        """The later one of two copies of what a link showed counts."""
        if not kept:
            return Lesson.NO_PICTURE
        is_new = db.execute(
            "INSERT INTO copies VALUES (?1, ?2, ?3) ON CONFLICT (url) DO UPDATE"
            " SET original = ?2, kept_at = ?3 WHERE kept_at < ?3",
            (told["url"], told["original"], min(told["kept_at"], self.clock())),
        ).rowcount
        return Lesson.NEW if is_new else Lesson.KNOWN

    def _as_new(self, told: dict[str, Any], state: State) -> dict[str, Any]:
        now = self.clock()
        is_due = told.get("check_at", 0.0) > 0 and _may_be_asked(told)
        values = told | {
            "check_at": now if is_due else 0.0,
            "created_at": min(told["created_at"], now),
            "seen_at": min(told["seen_at"], now - self.fresh_s),
        }
        if state is State.DONE:
            return values
        values |= _UNCHECKED
        if state is State.FAILED:
            return values
        return values | {"state": State.ASKING, "origin": IMPORTED, "reason": message_text(_ASKS)}

    def _take_over(self, db: sqlite3.Connection, told: dict[str, Any], found: Record) -> None:
        """What was sent, and its link; also what it is called if it came from elsewhere before."""
        values = self._as_new(told, State.DONE) | {
            "reason": "",
            "alive": Alive.UNKNOWN,
            "check_at": self.clock() if _may_be_asked(told) else 0.0,
            "looks": 0,
        }
        if found.origin != IMPORTED:
            values = {name: value for name, value in values.items() if name not in _OURS}
        db.execute(
            f"UPDATE uploads SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",
            (*values.values(), found.id),
        )


def _knows_better(told: Row, found: Record) -> bool:
    """Whether a finished row has a link that works, as far as is known, where ours does not."""
    return (
        found.state is not State.UPLOADING
        and (found.state is not State.DONE or found.alive in _NOT_WORKING)
        and Alive(told["alive"]) not in _NOT_WORKING
        and bool(told["url"] != found.url)
        and bool(told["seen_at"] > found.seen_at)
    )


def _lesson(former: Record | None, record: Record) -> Lesson:
    if former is None:
        return Lesson.ASKS if record.state is State.ASKING else Lesson.NEW
    return Lesson.KNOWN if former == record else Lesson.BETTER


def _may_be_asked(told: Row) -> bool:
    """Whether the daemon may look at a link by itself: strangers send nobody into our network."""
    return told["host"] == _FILES_HOST or not is_inner(told["url"])


def _find(db: sqlite3.Connection, told: Row) -> Record | None:
    row = db.execute(
        f"SELECT {COLUMNS} FROM uploads WHERE sha256 = ? AND host = ? AND bucket = ?",
        (told["sha256"], told["host"], told["bucket"]),
    ).fetchone()
    return record_of(row) if row else None


def _found(db: sqlite3.Connection, told: Row) -> Record:
    """The row that is there by now. Raises ValueError if it is none that can be."""
    record = _find(db, told)
    if record is None:
        raise ValueError("its place was changed by SQLite")
    return record


def _insert(db: sqlite3.Connection, values: Row) -> None:
    db.execute(
        f"INSERT INTO uploads ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        tuple(values.values()),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
