"""What the program tells of itself, in the JSON forms that scripts may rely on."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from imghost import __version__
from imghost.errors import ConfigError
from imghost.models import Message, Record, State
from imghost.text import Speaker
from imghost.values import dataclass

if TYPE_CHECKING:
    from imghost.app import App
    from imghost.pipeline import Order, Pipeline

_LAST = 10


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
    "alive": "",
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
        "alive": str(record.alive) if record.state is State.DONE else "",
        "notes": [say(note) for note in record.notes],
    }


@dataclass(frozen=True, slots=True)
class Watching:
    """What the daemon watches: `state` is watching, paused, serving or stopped.

    `pause_reason`: why it is paused. `changes_at`: when it pauses or resumes by itself, in seconds
    since the epoch. `left_alone`: names, reasons and times of what was not taken, the newest last.
    `missing`: what this desktop cannot do, and why.
    """

    state: str
    pause_reason: Message | None = None
    changes_at: float = math.inf
    left_alone: tuple[tuple[str, Message, float], ...] = ()
    missing: tuple[Message, ...] = ()


def status_json(app: App, watching: Watching, say: Speaker) -> dict[str, object]:
    """What `status --json` prints; while the config is wrong, what is so by the former one."""
    from imghost.desktop.autostart import is_on

    pipeline = app.pipeline()
    config, target = pipeline.config, pipeline.config.target()
    order, problem = _order(app, pipeline)
    waiting = app.journal.in_states(State.ASKING, State.QUEUED)
    return {
        "state": watching.state,
        "paused": watching.state == "paused",
        "pause_reason": say(watching.pause_reason) if watching.pause_reason else "",
        "changes_at": "" if math.isinf(watching.changes_at) else iso_time(watching.changes_at),
        "problem": say(problem) if problem else "",
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
        "left_alone": [
            {"name": name, "reason": say(reason), "at": iso_time(at)}
            for name, reason, at in watching.left_alone
        ],
        "kept_bytes": app.store.size_bytes(),
        "login": login_json(app),
        "missing": [say(problem) for problem in watching.missing],
        "autostart": is_on(),
        "version": __version__,
    }


def login_json(app: App) -> dict[str, object]:
    """Who is logged in at the host that needs it; `wanted` is the host that wants a login now."""
    from imghost.account import wants_login

    account = app.account
    told: dict[str, object] = {
        "host": "",
        "name": "",
        "mid": "",
        "days_left": None,
        "ends_at": "",
        "from": "",
        "wanted": wants_login(app),
    }
    if account:
        ends_at = "" if math.isinf(account.ends_at) else iso_time(account.ends_at)
        told |= {
            "host": account.host,
            "name": account.name,
            "mid": account.mid,
            "days_left": account.days_left(time.time()),
            "ends_at": ends_at,
            "from": account.origin,
        }
    return told


def clock_text(seconds: float) -> str:
    """A time since the epoch as a clock shows it here."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%H:%M")


def iso_time(seconds: float) -> str:
    """A time since the epoch as ISO 8601 in local time, to the second."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().isoformat(timespec="seconds")


def held_reason(app: App, record: Record) -> Message:
    """Why a queued row waits of which nothing is noted."""
    host = {"host": record.host}
    if app.outbox.is_held(record.host):
        return Message("{host} wants you to log in", host)
    if app.outbox.waits_s(record) > 0:
        return Message("{host} is left in peace for a while", host)
    return Message("its turn comes")


def waiting_reason(app: App, record: Record) -> Message:
    """Why a picture is not sent yet."""
    if record.reason or record.state is not State.ASKING:
        return record.reason or held_reason(app, record)
    return Message(
        "it asks: imghost retry {id} sends it, imghost history rm {id} discards it",
        {"id": record.id},
    )


def _order(app: App, pipeline: Pipeline) -> tuple[Order, Message | None]:
    """How links are written: as the config says, or bare while it says nothing that can be."""
    from imghost.pipeline import Order

    try:
        return app.checked_pipeline().order(), None
    except ConfigError as exc:
        return Order(pipeline.config.target(), "url"), exc.message


def _waiting_json(app: App, record: Record, say: Speaker) -> dict[str, object]:
    wait_s = app.outbox.waits_s(record)
    reason = waiting_reason(app, record)
    return {
        "id": record.id,
        "name": record.name,
        "reason": say(reason),
        "next_try_s": None if math.isinf(wait_s) else round(wait_s, 1),
    }
