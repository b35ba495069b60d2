"""The journal's file, opened, and made anew from the originals and their slips when it is lost."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imghost.disk import machine_errors
from imghost.errors import JournalDamaged, MachineError
from imghost.keep.database import Database, savepoint
from imghost.keep.rows import Rows
from imghost.keep.schema import COLUMNS, is_sha256, message_text, record_of
from imghost.keep.store import Store
from imghost.lock import FileLock
from imghost.models import Message, State, Target

_LOCK_WAIT_S = 10.0
_LOOK_S = 0.1
_UNSYNCED = 500  # more than are accepted within the half minute after which systems sync
_WHOLE = 0x696D6768
RECOVERED = "recovered"
"""The file's application_id once nothing is missing from it; a file that was just made has none."""

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_TYPES: Mapping[str, type] = {"TEXT": str, "INTEGER": int, "REAL": float, "BLOB": bytes}
_COPY = {"url", "original", "kept_at"}
_RECOVERED = Message(
    "its record was lost with the journal; imghost retry and its id uploads it, imghost history "
    "rm and its id discards it"
)

log = logging.getLogger(__name__)


class JournalFile:
    """The file below the journal, held so that nobody makes it anew while it is in use.

    `target` is where originals of which nothing is known would go, if the user says so. `news` is
    what the user should hear of once the journal was made anew.
    """

    def __init__(self, path: Path, store: Store, target: Target) -> None:
        self.db = Database(path)
        self._store = store
        self._target = target
        self._lock = FileLock(path.with_suffix(".lock"))
        self.news: Message | None = None

    def open(self, *, thorough: bool) -> None:
        """Have a whole journal. `thorough` reads all of it. Raises MachineError."""
        try:
            self._hold()
            self.look_after(thorough=thorough)
        except BaseException:
            self.close()
            raise

    def look_after(self, *, thorough: bool = False) -> None:
        """Make the journal whole again if it is new, or damaged. Raises MachineError."""
        if not self._is_whole(thorough=thorough):
            self.recover()
        if thorough:
            try:
                self._note_again()
            except JournalDamaged:  # in what no quick look sees
                self.recover()

    def recover(self) -> None:
        """Move a damaged file aside, and bring back the rows that are missing.

        Raises MachineError.
        """
        self._lock.release()
        try:
            until = time.monotonic() + _LOCK_WAIT_S
            while not self._lock.acquire(wait_s=_LOOK_S):
                if self._is_whole(thorough=True):  # another process was faster, and uses it
                    return
                if time.monotonic() > until:
                    raise MachineError(
                        "the journal {path} is damaged, and another imghost is using it; stop that "
                        "one (imghost stop) and try again",
                        path=str(self.db.path),
                    )
            if not self._is_whole(thorough=True):
                self._rebuild()
        finally:
            self._lock.release()
            self._hold()

    def close(self) -> None:
        """Close the file and let others make it anew."""
        self.db.close()
        self._lock.release()

    def _hold(self) -> None:
        if not self._lock.acquire(shared=True, wait_s=_LOCK_WAIT_S):
            raise MachineError(
                "another imghost is rebuilding the journal {path}; try again in a minute",
                path=str(self.db.path),
            )

    def _note_again(self) -> None:
        """Write the latest slips again that a power cut took, for the day the journal is lost."""
        rows = Rows(self.db)
        for original in rows.latest_originals(_UNSYNCED):
            if not self._store.read_slips(original):
                self._store.write_slips(original, rows.slips)

    def _is_whole(self, *, thorough: bool) -> bool:
        try:
            if thorough:
                self.db.check()
                if self._misses_slips():
                    return False
            return bool(self.db.read("PRAGMA application_id")[0][0] == _WHOLE)
        except JournalDamaged as exc:
            log.warning("%s", exc)
            return False

    def _misses_slips(self) -> bool:
        """Whether an original has slips and no row, as when the journal lost its last pages."""
        return any(map(self._store.read_slips, self._without_row()))

    def _without_row(self) -> set[str]:
        known = self.db.read(
            "SELECT original FROM uploads UNION ALL SELECT original FROM inputs"
            " UNION ALL SELECT original FROM copies"
        )
        return set(self._store.hashes()) - {row["original"] for row in known}

    def _is_damaged(self) -> bool:
        """Whether the file, or a row in it, is not what was written."""
        try:
            self.db.check()
            rows = Rows(self.db)
            rows.history()
            rows.originals()
            rows.last_id()
            return not all(map(self._is_typed, self.db.read(_TABLES)))
        except JournalDamaged:
            return True

    def _is_typed(self, table: sqlite3.Row) -> bool:
        """Whether a table's columns hold what they are for: SQLite lets them hold anything."""
        columns = self.db.read(f'PRAGMA table_info("{table["name"]}")')
        types = [_TYPES.get(column["type"], object) for column in columns]
        rows = self.db.read(f'SELECT * FROM "{table["name"]}"')
        return all(all(map(isinstance, row, types)) for row in rows)

    def _move_aside(self) -> None:
        self.db.close()
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for ending in ("", "-wal", "-shm"):
            path = self.db.path.with_name(self.db.path.name + ending)
            with machine_errors(path):
                if path.exists():
                    path.rename(path.with_name(f"{path.name}.damaged-{stamp}"))

    def _rebuild(self) -> None:
        damaged = self._is_damaged()
        if damaged:
            self._move_aside()
        with self.db.changing() as db:
            known = sum(
                _restore(db, slip, original)
                for original in self._store.hashes()
                for slip in self._store.read_slips(original)
            )
            unknown = sum(self._ask_about(db, original) for original in self._without_row())
            db.execute(f"PRAGMA application_id = {_WHOLE}")
        if damaged or known or unknown:
            self.news = Message(
                "the journal was damaged and made anew: {known} uploads brought back, {unknown} to "
                "ask about",
                {"known": known, "unknown": unknown},
            )
            log.warning("%s", self.news)

    def _ask_about(self, db: sqlite3.Connection, original: str) -> bool:
        """Have a row that asks, unless the same bytes were made from another original."""
        now = time.time()
        row = {
            "original": original,
            "sha256": original,
            "sha1": "",
            "host": self._target.host,
            "bucket": self._target.bucket,
            "name": original[:12],
            "origin": RECOVERED,
            "format": "",
            "width_px": 0,
            "height_px": 0,
            "frames": 0,
            "size_bytes": self._store.original_bytes(original),
            "state": State.ASKING,
            "reason": message_text(_RECOVERED),
            "created_at": min(max(self._store.kept_at(original), 0.0), now),
        }
        if _insert(db, "uploads", row):
            return True
        db.execute(
            "INSERT INTO inputs SELECT sha256, host, bucket, 'recovered', id FROM uploads"
            " WHERE sha256 = ? AND host = ? AND bucket = ?",
            (original, self._target.host, self._target.bucket),
        )
        return False


def _restore(db: sqlite3.Connection, slip: Mapping[str, Any], original: str) -> bool:
    """Write what a slip beside an original says; whether that is a row that was missing.

    Nothing is written if the slip is of another version, or was damaged or made up.
    """
    try:
        with savepoint(db):
            if is_copy(slip):
                return _insert(db, "copies", copy_of(slip, original))
            return _write(db, slip)
    except (sqlite3.Error, LookupError, TypeError, ValueError, OverflowError):
        if not db.in_transaction:
            raise
        return False


def _write(db: sqlite3.Connection, slip: Mapping[str, Any]) -> bool:
    row = {key: value for key, value in slip.items() if key != "inputs"}
    if row.get("state") == State.UPLOADING:
        row |= {"state": State.QUEUED, "owner": ""}
    is_new = _insert(db, "uploads", row)
    if not is_new:  # its id is another's, or a sibling brought it back
        is_new = _insert(db, "uploads", {key: value for key, value in row.items() if key != "id"})
    found = db.execute(
        f"SELECT {COLUMNS} FROM uploads WHERE sha256 = ? AND host = ? AND bucket = ?",
        (row["sha256"], row["host"], row["bucket"]),
    ).fetchone()
    upload = record_of(found).id
    for entry in slip["inputs"]:
        if not is_sha256(entry["original"]):
            raise ValueError("not the name of an original")
        _insert(db, "inputs", entry | {"upload": upload})
    return is_new


def is_copy(slip: Mapping[str, Any]) -> bool:
    """Whether a slip is that of a copy of what others host, and not of an upload."""
    return slip.keys() == _COPY


def copy_of(slip: Mapping[str, Any], original: str) -> Mapping[str, Any]:
    """The slip of a copy. Raises ValueError if nobody can have written it."""
    sound = isinstance(slip["url"], str) and isinstance(slip["kept_at"], int | float)
    if not sound or slip["original"] != original:
        raise ValueError("not a copy of ours")
    return slip


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> bool:
    if not all(column.isidentifier() for column in row):
        raise sqlite3.ProgrammingError("no such column")
    return bool(
        db.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
            " ON CONFLICT DO NOTHING",
            tuple(row.values()),
        ).rowcount
    )
