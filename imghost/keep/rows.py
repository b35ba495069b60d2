"""The journal's rows, looked at."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from imghost.errors import UsageError
from imghost.keep.database import Database
from imghost.keep.schema import (
    COLUMNS,
    id_of,
    record_of,
    sha256_of,
    slip_of,
    text_of,
    told,
)
from imghost.keep.wanted import BROKEN, Wanted, can_be_stored
from imghost.models import Record, State, Target

UNSETTLED = "state <> 'done'"
"""Says that a query is about the few rows that have an index of their own."""

_MOST_WORDS = 100  # SQLite takes some thousand conditions

FARTHEST_LOOK_S = 172_800.0
"""No look at a link is put off for as long as this."""


class Rows:
    """What was accepted and where it went; `clock` gives seconds since the epoch."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.time) -> None:
        self._db = db
        self._clock = clock

    def find(self, original: str, target: Target, recipe: str) -> Record | None:
        """The row of an original that went the same way to the same place before."""
        rows = self._select(
            "WHERE id = (SELECT upload FROM inputs"
            " WHERE original = ? AND host = ? AND bucket = ? AND recipe = ?)",
            (original, target.host, target.bucket, recipe),
        )
        return rows[0] if rows else None

    def get(self, record_id: int) -> Record:
        """The row with this id. Raises UsageError if there is none."""
        record = self.look_up(record_id)
        if record is None:
            raise UsageError(
                "there is no upload with the id {id}; see imghost history", id=record_id
            )
        return record

    def look_up(self, record_id: int) -> Record | None:
        """The row with this id, if there still is one."""
        rows = self._select("WHERE id = ?", (record_id,))
        return rows[0] if rows else None

    def with_links(self, urls: Collection[str]) -> list[Record]:
        """The finished rows with one of these links, as it was when they were sent."""
        known = tuple(filter(can_be_stored, urls))
        return self._select(f"WHERE state = 'done' AND url IN ({marks(known)})", known)

    def unsettled_hashes(self) -> set[str]:
        """The hashes of what may still be sent."""
        rows = self._db.read(f"SELECT sha256 FROM uploads WHERE {UNSETTLED}")
        return {row["sha256"] for row in rows}

    def showing(self, urls: Collection[str], sha1s: Collection[str]) -> list[Record]:
        """The rows with one of these links, or of a file with one of these SHA-1s, latest first."""
        return self._select(
            "WHERE url IN (SELECT value FROM json_each(?))"
            " OR sha1 IN (SELECT value FROM json_each(?)) ORDER BY id DESC",
            (json.dumps([*urls]), json.dumps([*sha1s])),
        )

    def queued_hosts(self) -> list[str]:
        """The hosts for which something is queued."""
        return [
            row["host"]
            for row in self._db.read(
                f"SELECT DISTINCT host FROM uploads WHERE state = 'queued' AND {UNSETTLED}"
            )
        ]

    def in_states(self, *states: State, limit: int = -1) -> list[Record]:
        """The rows in these states, none of which is done, the oldest first."""
        return self._select(
            f"WHERE state IN ({marks(states)}) AND {UNSETTLED} ORDER BY id LIMIT ?",
            (*states, limit),
        )

    def due_looks(self, host: str, now: float, limit: int) -> list[Record]:
        """Finished rows of a host whose link is to be looked at by now, the longest due first.

        What is due later than it was ever put off was noted before the clock was set back.
        """
        found: list[Record] = []
        for after, until in ((0.0, now), (now + FARTHEST_LOOK_S, math.inf)):
            found += self._select(
                "WHERE host = ? AND check_at > ? AND check_at <= ? AND check_at > 0"
                " AND state = 'done' ORDER BY check_at LIMIT ?",
                (host, after, until, limit - len(found)),
            )
        return found

    def broken(self, limit: int) -> list[Record]:
        """The finished rows whose link is dead or suspect, the newest first."""
        return self._select(f"WHERE {BROKEN} ORDER BY id DESC LIMIT ?", (limit,))

    def count_broken(self) -> int:
        """How many of them there are; it looks at no others."""
        return int(self._db.read(f"SELECT count(*) FROM uploads WHERE {BROKEN}")[0][0])

    def history(
        self, words: Sequence[str] = (), *, since: float = 0.0, until: float = 0.0, limit: int = -1
    ) -> list[Record]:
        """Rows, the newest first, whose name, link or place holds every word.

        `since` and `until` are seconds since the epoch, 0 for no bound.
        """
        if len(words) > _MOST_WORDS:
            raise UsageError(
                "{count} words are too many to look for; {most} are the most",
                count=len(words),
                most=_MOST_WORDS,
            )
        if not all(map(can_be_stored, words)):
            return []
        where = ["created_at >= ?", "(? = 0 OR created_at < ?)"]
        values: list[str | float] = [since, until, until]
        for word in words:
            where.append(
                "instr(lower(name || ' ' || url || ' ' || host || '/' || bucket), lower(?))"
            )
            values.append(word)
        return self._select(
            f"WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, limit)
        )

    def page(self, wanted: Wanted, limit: int, *, before: int = 0, after: int = 0) -> list[Record]:
        """At most so many rows, the newest first: the next ones before or after an id, if given."""
        if not wanted.can_be_found:
            return []
        terms, values = wanted.where()
        for condition, bound in (("id < ?", before), ("id > ?", after)):
            if bound:
                terms.append(condition)
                values.append(bound)
        where = f"WHERE {' AND '.join(terms)} " if terms else ""
        order = "ASC" if after else "DESC"
        found = self._select(f"{where}ORDER BY id {order} LIMIT ?", (*values, limit))
        return found[::-1] if after else found

    def total(self, wanted: Wanted | None = None) -> int:
        """How many rows there are, or those of them that are wanted."""
        terms, values = wanted.where() if wanted else ([], [])
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        return int(self._db.read(f"SELECT count(*) FROM uploads{where}", values)[0][0])

    def counts(self) -> dict[State, int]:
        """How many rows stand in each state; it reads an index of all."""
        unsettled = self.unsettled()
        (row,) = self._db.read("SELECT count(*) AS n FROM uploads")
        return unsettled | {State.DONE: row["n"] - sum(unsettled.values())}

    def unsettled(self) -> dict[State, int]:
        """How many rows stand in each state but done, which it does not look at."""
        rows = self._db.read(
            f"SELECT state, count(*) AS n FROM uploads WHERE {UNSETTLED} GROUP BY state"
        )
        found = {row["state"]: row["n"] for row in rows}
        return {state: found.get(state, 0) for state in State if state is not State.DONE}

    def last_id(self) -> int:
        """The largest id that was ever given, 0 if none was."""
        rows = self._db.read("SELECT seq FROM sqlite_sequence WHERE name = 'uploads'")
        with self._db.errors():
            return id_of(rows[0]["seq"]) if rows else 0

    def done_after(self, record_id: int) -> int:
        """How many rows with a larger id are done."""
        rows = self._db.read(
            "SELECT count(*) AS n FROM uploads WHERE id > ? AND state = 'done'", (record_id,)
        )
        return int(rows[0]["n"])

    def latest_done(self, limit: int) -> list[Record]:
        """The rows that were done last, the newest first."""
        return self._select("WHERE state = 'done' ORDER BY id DESC LIMIT ?", (limit,))

    def latest_failed(self, limit: int) -> list[Record]:
        """The rows that failed, the newest first."""
        return self._select(
            f"WHERE state = 'failed' AND {UNSETTLED} ORDER BY id DESC LIMIT ?", (limit,)
        )

    def buckets(self, host: str) -> list[str]:
        """The buckets that were used at a host, by name."""
        rows = self._db.read(
            "WITH RECURSIVE used (bucket) AS ("
            " SELECT min(bucket) FROM uploads WHERE host = ?1 UNION ALL"
            " SELECT (SELECT min(bucket) FROM uploads WHERE host = ?1 AND bucket > used.bucket)"
            " FROM used WHERE used.bucket IS NOT NULL"
            ") SELECT bucket FROM used WHERE bucket IS NOT NULL",
            (host,),
        )
        return [row["bucket"] for row in rows]

    def originals(self) -> list[str]:
        """All originals that led to rows, in the order of their first ones, then the copies."""
        return self._originals(
            "SELECT original FROM (SELECT original, id FROM uploads"
            " UNION ALL SELECT original, upload FROM inputs"
            " UNION ALL SELECT original, 9e99 FROM copies) GROUP BY original ORDER BY min(id)"
        )

    def originals_of(self, record_id: int) -> list[str]:
        """The originals that led to this row."""
        return self._originals(
            "SELECT original FROM uploads WHERE id = ?1"
            " UNION SELECT original FROM inputs WHERE upload = ?1",
            (record_id,),
        )

    def latest_originals(self, count: int) -> list[str]:
        """The originals that led to the rows with the highest so many ids."""
        return self._originals(
            "SELECT original FROM uploads WHERE id > ?1"
            " UNION SELECT original FROM inputs WHERE upload > ?1",
            (self.last_id() - count,),
        )

    def records_of(self, original: str) -> list[Record]:
        """The rows that an original led to."""
        return self._select(
            "WHERE original = ?1 OR id IN (SELECT upload FROM inputs WHERE original = ?1)",
            (original,),
        )

    def slips(self, original: str) -> list[dict[str, object]]:
        """What must be known to write again the rows of an original, and what it is a copy of."""
        rows = self._db.read(
            "SELECT * FROM uploads WHERE original = ?1"
            " OR id IN (SELECT upload FROM inputs WHERE original = ?1)",
            (original,),
        )
        inputs = defaultdict(list)
        for entry in self._db.read("SELECT * FROM inputs WHERE original = ?", (original,)):
            inputs[entry["upload"]].append(entry)
        copies = self._db.read("SELECT * FROM copies WHERE original = ?", (original,))
        with self._db.errors():
            return [*(slip_of(row, inputs[row["id"]]) for row in rows), *map(told, copies)]

    def is_copy(self, original: str) -> bool:
        """Whether the original is the copy of what a link of others showed."""
        return bool(self._db.read("SELECT 1 FROM copies WHERE original = ? LIMIT 1", (original,)))

    def owners(self) -> set[str]:
        """Who has rows claimed."""
        rows = self._db.read(
            f"SELECT DISTINCT owner FROM uploads WHERE state = 'uploading' AND {UNSETTLED}"
        )
        with self._db.errors():
            return {text_of(row["owner"]) for row in rows}

    def owner_of(self, record_id: int) -> str:
        """Who has the row claimed; "" if nobody has."""
        rows = self._db.read("SELECT owner FROM uploads WHERE id = ?", (record_id,))
        return str(rows[0]["owner"]) if rows else ""

    def _select(self, rest: str, values: Sequence[object] = ()) -> list[Record]:
        rows = self._db.read(f"SELECT {COLUMNS} FROM uploads {rest}", values)
        with self._db.errors():
            return [record_of(row) for row in rows]

    def _originals(self, sql: str, values: Sequence[object] = ()) -> list[str]:
        """Names of files: none is handed on that could be another's."""
        rows = self._db.read(sql, values)
        with self._db.errors():
            return [sha256_of(row["original"]) for row in rows]


def marks(values: Collection[object]) -> str:
    """A question mark for each value."""
    return ", ".join("?" * len(values))
