"""What members of an archive tell, as far as it is to be believed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeGuard
from zlib import crc32

from imghost.archive.reading import Member
from imghost.errors import SourceError
from imghost.hosts.base import BUCKET
from imghost.imaging.check import safe_name
from imghost.links import is_web_address
from imghost.models import Message

MAX_JSON_BYTES = 16_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MAX_KEY_CHARACTERS = 1024
"""No store that speaks S3 takes longer ones."""


def doubt(row: Mapping[str, Any]) -> Message | None:
    """Why the row of an upload is not to be believed, None if nothing speaks against it.

    What is no text at all is left to the journal, which knows its columns.
    """
    bucket, key, url = (row.get(name) for name in ("bucket", "key", "url"))
    if isinstance(bucket, str) and not BUCKET.fullmatch(bucket):
        return Message("an upload in it has a bucket that no host can have")
    if isinstance(key, str) and (len(key) > _MAX_KEY_CHARACTERS or _CONTROL.search(key)):
        return Message("an upload in it has a key that no host gives")
    if isinstance(url, str) and url and (_CONTROL.search(url) or not is_web_address(url)):
        return Message("an upload in it has a link that is no web address (http or https)")
    return None


def json_of(member: Member, crc: int | None = None) -> dict[str, Any]:
    """What a member tells. Raises SourceError if that is no object in JSON, or has another CRC."""
    data = member.read(MAX_JSON_BYTES)
    try:
        told = json.loads(data) if crc in (None, crc32(data)) else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise SourceError("it cannot be read; it is damaged")
    return told


def is_version(value: object) -> TypeGuard[int]:
    """Whether it can be the number of a form."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def list_in(told: Mapping[str, Any], name: str) -> list[Any]:
    """What is listed there. Raises SourceError if that is no list."""
    found = told.get(name, [])
    if not isinstance(found, list):
        raise SourceError("it cannot be read; it is damaged")
    return found


def named_safely(row: object) -> dict[str, Any]:
    """The row with a name that harms nobody. Raises SourceError if it is none."""
    if not isinstance(row, dict):
        raise SourceError("it cannot be read; it is damaged")
    name = row.get("name")
    return row | {"name": safe_name(name)} if isinstance(name, str) else row
