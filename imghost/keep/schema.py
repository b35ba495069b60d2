"""The journal's tables, and how its rows become values."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence

from imghost.models import MIME_TYPES, Alive, Message, Record, State

MIGRATIONS = (
    """
    CREATE TABLE uploads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        original TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        sha1 TEXT NOT NULL,
        host TEXT NOT NULL,
        bucket TEXT NOT NULL,
        name TEXT NOT NULL,
        origin TEXT NOT NULL,
        format TEXT NOT NULL,
        width_px INTEGER NOT NULL,
        height_px INTEGER NOT NULL,
        frames INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('asking', 'queued', 'uploading', 'done', 'failed')),
        reason TEXT NOT NULL DEFAULT '',
        notes TEXT NOT NULL DEFAULT '[]',
        key TEXT NOT NULL DEFAULT '',
        url TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL,
        owner TEXT NOT NULL DEFAULT '',
        alive TEXT NOT NULL DEFAULT 'unknown',
        seen_at REAL NOT NULL DEFAULT 0,
        check_at REAL NOT NULL DEFAULT 0,
        UNIQUE (sha256, host, bucket)
    );
    CREATE INDEX uploads_check ON uploads (check_at) WHERE check_at > 0;
    CREATE INDEX uploads_unsettled ON uploads (state, id) WHERE state <> 'done';
    CREATE TABLE inputs (
        original TEXT NOT NULL,
        host TEXT NOT NULL,
        bucket TEXT NOT NULL,
        recipe TEXT NOT NULL,
        upload INTEGER NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
        PRIMARY KEY (original, host, bucket, recipe)
    ) WITHOUT ROWID;
    CREATE INDEX inputs_upload ON inputs (upload);
    """,
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE seen_files (
        path BLOB PRIMARY KEY,
        inode INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        is_due INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE INDEX uploads_place ON uploads (host, bucket);
    """,
    """
    ALTER TABLE uploads ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
    DROP INDEX uploads_check;
    CREATE INDEX uploads_check ON uploads (host, check_at) WHERE check_at > 0 AND state = 'done';
    CREATE INDEX uploads_broken ON uploads (id)
        WHERE alive IN ('suspect', 'dead') AND state = 'done';
    CREATE TABLE copies (
        url TEXT PRIMARY KEY,
        original TEXT NOT NULL,
        kept_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX copies_original ON copies (original);
    """,
    """
    CREATE INDEX uploads_original ON uploads (original);
    """,
)
"""Each brings the tables from the version of its index to the next one, PRAGMA user_version."""

COLUMNS = (
    "id, original, sha256, sha1, host, bucket, name, origin, format, width_px, height_px, frames, "
    "size_bytes, state, reason, notes, key, url, created_at, alive, seen_at, looks"
)

_MAX_ID = 1 << 53  # far below the last one, after which SQLite gives none
_MAX_COUNT = 1 << 63
_MAX_TIME_S = 1e11  # the year 5138
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"(?:[0-9a-f]{40})?")
_URL = re.compile(r"(?:https?://.+)?", re.IGNORECASE | re.DOTALL)
_TEXTS = ("host", "bucket", "name", "origin", "key", "reason", "notes")
_COUNTS = ("width_px", "height_px", "frames", "size_bytes", "looks")
_TIMES = ("created_at", "seen_at")


def record_of(row: sqlite3.Row) -> Record:
    """The value of a row with COLUMNS. Raises ValueError if nobody can have written it."""
    values = dict(row)
    _check(values)
    return Record(
        **values
        | {
            "state": State(values["state"]),
            "reason": Message.from_json(_json(values["reason"])) if values["reason"] else None,
            "notes": _messages(_json(values["notes"])),
            "alive": Alive(values["alive"]),
        }
    )


def _check(values: Mapping[str, object]) -> None:
    """Raise ValueError for what no column can hold: SQLite takes anything, and so do slips."""
    sound = (
        all(isinstance(values[name], str) for name in _TEXTS)
        and is_sha256(values["original"])
        and is_sha256(values["sha256"])
        and _is(_SHA1, values["sha1"])
        and _is(_URL, values["url"])
        and values["format"] in ("", *MIME_TYPES)
        and _is_count(values["id"], _MAX_ID)
        and all(_is_count(values[name], _MAX_COUNT) for name in _COUNTS)
        and all(_is_time(values[name]) for name in _TIMES)
    )
    if not sound:
        raise ValueError("not a row of ours")


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object, limit: int) -> bool:
    return isinstance(value, int) and 0 <= value < limit


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < _MAX_TIME_S


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError as exc:
        raise ValueError("too deep") from exc


def _messages(value: object) -> tuple[Message, ...]:
    if not isinstance(value, list):
        raise ValueError("not a list")  # noqa: TRY004 - as for any other text that is not ours
    return tuple(map(Message.from_json, value))


def is_sha256(text: object) -> bool:
    """Whether it can be the name of an original."""
    return _is(_SHA256, text)


def message_text(message: Message | None) -> str:
    """A reason as it stands in its column; ASCII, as a path in it may hold lone surrogates."""
    return "" if message is None else json.dumps(message.as_json())


def notes_text(notes: Sequence[Message]) -> str:
    """Notes as they stand in their column."""
    return json.dumps([note.as_json() for note in notes])


def slip_of(row: sqlite3.Row, inputs: Sequence[sqlite3.Row]) -> dict[str, object]:
    """All that is needed to write a row again: its columns, and what of its inputs is known.

    Raises ValueError if nobody can have written them.
    """
    return told(row) | {"inputs": list(map(told, inputs))}


def told(row: sqlite3.Row) -> dict[str, object]:
    """What a row of texts and numbers says. Raises ValueError if there is something else in it."""
    if not all(isinstance(value, str | int | float) for value in row):
        raise ValueError("not a row of ours")
    return dict(row)


def text_of(value: object) -> str:
    """A column's text. Raises ValueError if there is something else in it."""
    if isinstance(value, str):
        return value
    raise ValueError("not a row of ours")


def sha256_of(value: object) -> str:
    """The name of an original, and so of a file. Raises ValueError if it can be none."""
    if is_sha256(text := text_of(value)):
        return text
    raise ValueError("not the name of an original")


def id_of(value: object) -> int:
    """A row's id. Raises ValueError if it can be none."""
    if isinstance(value, int) and _is_count(value, _MAX_ID):
        return value
    raise ValueError("not a row of ours")
