"""How much a plan would send, and where to: known before anything is done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from imghost.keep.copies import Copies
from imghost.keep.rows import Rows
from imghost.models import Alive, State, Target
from imghost.pipeline import Pipeline
from imghost.posts.moving import Plan, Upload
from imghost.server.asked import BytesInput, FileInput, Input, RemoteInput, UploadedInput
from imghost.values import dataclass

_UPLOAD_S = 0.5  # what one may take, for a guess before the first


@dataclass(frozen=True, slots=True)
class Outlook:
    """What goes to one place: how many pictures are really sent, and for about how many seconds.

    `is_public`: whether others will see its links.
    """

    target: Target
    to_send: int
    takes_s: float
    is_public: bool


def outlook(plan: Plan, pipeline: Pipeline, journal: Rows, copies: Copies) -> Iterator[Outlook]:
    """One for each place, in the order of the plan. Raises ConfigError for a host without its own.

    What went there before, and is not known to be dead, is not sent again.
    """
    places: dict[Target, list[Upload]] = {}
    for upload in plan.uploads:
        target = Target(upload.options.host, upload.options.bucket)
        places.setdefault(target, []).append(upload)
    for target, uploads in places.items():
        host = pipeline.hosts(target.host)
        new = sum(not _is_known(upload, pipeline, journal, copies) for upload in uploads)
        one_s = max(host.limits.min_gap_s, _UPLOAD_S / host.limits.parallel)
        yield Outlook(target, new, new * one_s, host.is_public)


def _is_known(upload: Upload, pipeline: Pipeline, journal: Rows, copies: Copies) -> bool:
    original = _original(upload.given, journal, copies)
    asked = upload.options
    order = pipeline.order(asked.host, asked.bucket, asked.format, asked.style)
    row = pipeline.find(original, order) if original else None
    is_broken = row is not None and row.alive in (Alive.DEAD, Alive.SUSPECT)
    return row is not None and row.state is State.DONE and not is_broken


def _original(given: Input, journal: Rows, copies: Copies) -> str:
    """The SHA-256 of what is given in; "" if that shows only when it is loaded."""
    match given:
        case FileInput(path, sha256):
            if sha256:
                return sha256
            with suppress(OSError), Path(path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        case BytesInput(_, data):
            return hashlib.sha256(data).hexdigest()
        case RemoteInput(url):
            return copies.of([url]).get(url, "")
        case UploadedInput(record_id):
            record = journal.look_up(record_id)
            return record.original if record else ""
    return ""
