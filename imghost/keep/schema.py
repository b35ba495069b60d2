"""The journal's tables, and how its rows become values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from imghost.models import Alive, Message, Record, State

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
)
"""Each brings the tables from the version of its index to the next one, PRAGMA user_version."""

COLUMNS = (
    "id, original, sha256, sha1, host, bucket, name, origin, format, width_px, height_px, frames, "
    "size_bytes, state, reason, notes, key, url, created_at, alive, seen_at"
)


def record_of(row: sqlite3.Row) -> Record:
    """The value of a row with COLUMNS."""
    values = dict(row)
    return Record(
        **values
        | {
            "state": State(values["state"]),
            "reason": parse_message(values["reason"]),
            "notes": tuple(map(Message.from_json, json.loads(values["notes"]))),
            "alive": Alive(values["alive"]),
        }
    )


def message_text(message: Message | None) -> str:
    """A reason as it stands in its column."""
    return "" if message is None else json.dumps(message.as_json(), ensure_ascii=False)


def parse_message(text: str) -> Message | None:
    """The reason in a column; None if there is none."""
    return Message.from_json(json.loads(text)) if text else None


def notes_text(notes: Sequence[Message]) -> str:
    """Notes as they stand in their column."""
    return json.dumps([note.as_json() for note in notes], ensure_ascii=False)


def slip_of(row: sqlite3.Row, inputs: Sequence[sqlite3.Row]) -> dict[str, object]:
    """All that is needed to write a row again: its columns, and what of its inputs is known."""
    return dict(row) | {"inputs": [dict(entry) for entry in inputs]}
