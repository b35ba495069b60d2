"""What the gallery's pages ask, read from queries and JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Self
from urllib.parse import urlencode

from imghost.errors import UsageError
from imghost.keep.wanted import Wanted
from imghost.models import State
from imghost.values import dataclass

_IDS = 1 << 53
_MAX_IDS = 500
_MAX_WORDS = 20
BROKEN = "broken"
"""The state of what has a link that does not work."""


@dataclass(frozen=True, slots=True)
class Search:
    """The gallery's search form as it was filled in; what makes no sense there is as if empty.

    `since` and `until` are days, YYYY-MM-DD, both of them wanted. `state` is one of State, or
    BROKEN. `before` and `after` are ids.
    """

    words: str = ""
    since: str = ""
    until: str = ""
    host: str = ""
    bucket: str = ""
    state: str = ""
    before: int = 0
    after: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read a page's query."""
        return cls(
            query.get("q", "").strip(),
            _day(query.get("since", "")),
            _day(query.get("until", "")),
            query.get("host", ""),
            query.get("bucket", ""),
            _state(query.get("state", "")),
            _id_or_none(query.get("before", "")),
            _id_or_none(query.get("after", "")),
        )

    @property
    def is_narrow(self) -> bool:
        """Whether it asks for less than everything."""
        return bool(
            self.words or self.since or self.until or self.host or self.bucket or self.state
        )

    def wanted(self) -> Wanted:
        """What it looks for."""
        until = _start_of(self.until, days_later=1) if self.until else 0.0
        return Wanted(
            tuple(self.words.split()[:_MAX_WORDS]),
            _start_of(self.since) if self.since else 0.0,
            until,
            self.host,
            self.bucket,
            State(self.state) if self.state in {*State} else None,
            broken=self.state == BROKEN,
        )

    def link(self, *, before: int = 0, after: int = 0) -> str:
        """The address of another page of the same search."""
        asked = {
            "q": self.words,
            "since": self.since,
            "until": self.until,
            "host": self.host,
            "bucket": self.bucket,
            "state": self.state,
            "before": before,
            "after": after,
        }
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"/?{query}" if query else "/"


def ids_of(value: object) -> tuple[int, ...]:
    """The ids in a JSON body. Raises UsageError."""
    ids = value.get("ids") if isinstance(value, dict) else None
    if (
        not isinstance(ids, list)
        or not ids
        or not all(type(n) is int and 0 < n < _IDS for n in ids)
    ):
        raise UsageError('the request must be JSON with a list of numbers "ids"')
    return tuple(ids[:_MAX_IDS])


def number_of(value: object) -> int:
    """The number in a JSON body. Raises UsageError."""
    number = value.get("number") if isinstance(value, dict) else None
    if type(number) is not int:
        raise UsageError('"number" in the request must be a number')
    return number


def text_of(value: object, key: str) -> str:
    """A text in a JSON body. Raises UsageError."""
    text = value.get(key) if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise UsageError('"{key}" in the request must be text', key=key)
    return text


def query_ids(text: str) -> tuple[int, ...]:
    """Ids with commas between them; others are left out."""
    return tuple(filter(None, map(_id_or_none, text.split(",")[:_MAX_IDS])))


def path_id(text: str) -> int:
    """The id in an address. Raises UsageError."""
    if found := _id_or_none(text):
        return found
    raise UsageError("{word} is no id; see imghost history", word=text)


def _id_or_none(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_IDS)) else 0


def _state(text: str) -> str:
    return text if text in {*State, BROKEN} else ""


def _day(text: str) -> str:
    """The day as YYYY-MM-DD; "" for what is none, or none that this machine can count to."""
    try:
        _start_of(text, days_later=1)
        is_written_so = date.fromisoformat(text).isoformat() == text
        return text if is_written_so and _start_of(text) >= 0 else ""
    except (ValueError, OverflowError):
        return ""


def _start_of(day: str, *, days_later: int = 0) -> float:
    """Midnight of a day here, in seconds since the epoch. Raises ValueError, OverflowError."""
    return time.mktime((date.fromisoformat(day) + timedelta(days=days_later)).timetuple())
