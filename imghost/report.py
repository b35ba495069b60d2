"""What the program tells of itself, in the JSON forms that scripts may rely on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from imghost.models import Record, State
from imghost.text import Speaker

if TYPE_CHECKING:
    from imghost.app import App

_LAST = 10
_UNIT = 1000
_ROUND = 10


NOTHING_JSON: dict[str, object] = {
    "id": None,
    "name": "",
    "state": "",
    "reason": "",
    "host": "",
    "bucket": "",
    "url": "",
    "text": "",
    "sha256": "",
    "width_px": 0,
    "height_px": 0,
    "size_bytes": 0,
    "created_at": "",
    "notes": [],
}
"""What stands in the place of an upload that was not accepted: the same keys."""


def record_json(record: Record, text: str, say: Speaker) -> dict[str, object]:
    """One upload: what `upload --json` and `history --json` print lists of."""
    return {
        "id": record.id,
        "name": record.name,
        "state": str(record.state),
        "reason": say(record.reason) if record.reason else "",
        "host": record.host,
        "bucket": record.bucket,
        "url": record.url,
        "text": text,
        "sha256": record.sha256,
        "width_px": record.width_px,
        "height_px": record.height_px,
        "size_bytes": record.size_bytes,
        "created_at": iso_time(record.created_at),
        "notes": [say(note) for note in record.notes],
    }


def status_json(app: App, state: str, say: Speaker) -> dict[str, object]:
    """What `status --json` prints; `state` is watching, paused, serving or stopped."""
    config = app.config
    target = config.target()
    pipeline = app.checked_pipeline()
    order = pipeline.order()
    waiting = app.journal.in_states(State.ASKING, State.QUEUED)
    return {
        "state": state,
        "paused": state == "paused",
        "host": target.host,
        "bucket": target.bucket,
        "format": config.link.format,
        "style": config.link.style,
        "counts": {str(state): n for state, n in app.journal.counts().items()},
        "waiting": [_waiting_json(app, record, say) for record in waiting],
        "last": [
            record_json(pipeline.current(record), pipeline.text(record, order), say)
            for record in app.journal.history(limit=_LAST)
        ],
        "left_alone": [],
        "kept_bytes": app.store.size_bytes(),
        "login": {},
        "missing": [],
    }


def iso_time(seconds: float) -> str:
    """A time since the epoch as ISO 8601 in local time, to the second."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().isoformat(timespec="seconds")


def size_text(size_bytes: int) -> str:
    """A number of bytes as people read it: 512 B, 13 kB, 2.1 MB."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < _UNIT:
            break
        size, unit = size / _UNIT, larger
    return f"{size:.1f} {unit}" if size < _ROUND and unit != "B" else f"{size:.0f} {unit}"


def _waiting_json(app: App, record: Record, say: Speaker) -> dict[str, object]:
    wait_s = app.outbox.waits_s(record)
    return {
        "id": record.id,
        "name": record.name,
        "reason": say(record.reason) if record.reason else "",
        "next_try_s": None if math.isinf(wait_s) else round(wait_s, 1),
    }
