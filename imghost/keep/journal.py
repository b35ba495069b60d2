"""The journal: what was accepted, in which one state it stands, and where it went."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from imghost.keep.rows import UNSETTLED, Rows, marks
from imghost.keep.schema import COLUMNS, message_text, notes_text, record_of
from imghost.models import Alive, Image, Message, Record, State, Stored, Target
from imghost.values import dataclass

_MARKED = "alive = ?1, seen_at = CASE ?1 WHEN 'alive' THEN ?2 ELSE seen_at END"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is accepted: the original's hash, what will be sent, and the recipe that made it."""

    original: str
    image: Image
    recipe: str
    target: Target
    origin: str
    notes: tuple[Message, ...] = ()


class Journal(Rows):
    """The rows and how they change; a change is on the disk when its call returns.

    `clock` gives seconds since the epoch. Every method raises what Database does.
    """

    # -- accepting

    def accept(self, entry: Entry, state: State, owner: str) -> tuple[Record, bool]:
        """Have the entry in the journal; its row, and whether that is new.

        A new row starts in `state`, claimed by `owner` if that is uploading; a joined one keeps
        its own.
        """
        values = _values_of(entry) | {
            "state": state,
            "owner": owner if state is State.UPLOADING else "",
            "created_at": self._clock(),
        }
        with self._db.changing() as db:
            is_new = db.execute(
                f"INSERT INTO uploads ({', '.join(values)}) VALUES ({marks(values)})"
                " ON CONFLICT (sha256, host, bucket) DO NOTHING",
                tuple(values.values()),
            ).rowcount
            row = db.execute(
                f"SELECT {COLUMNS} FROM uploads WHERE sha256 = ? AND host = ? AND bucket = ?",
                (entry.image.sha256, entry.target.host, entry.target.bucket),
            ).fetchone()
            db.execute(
                "INSERT OR REPLACE INTO inputs VALUES (?, ?, ?, ?, ?)",
                (entry.original, entry.target.host, entry.target.bucket, entry.recipe, row["id"]),
            )
            return record_of(row), bool(is_new)

    def join(self, original: str, recipe: str, record_id: int) -> bool:
        """Have one more original lead to a row; whether that row is still there."""
        with self._db.changing() as db:
            added = db.execute(
                "INSERT OR REPLACE INTO inputs SELECT ?, host, bucket, ?, id FROM uploads"
                " WHERE id = ?",
                (original, recipe, record_id),
            )
            return bool(added.rowcount)

    # -- sending: every change names the state it starts from, so that no two senders both make it

    def claim(self, record_id: int, owner: str) -> Record | None:
        """Take a queued row for this owner; None if it is not queued any more."""
        return self._update(
            "state = 'uploading', owner = ?", (owner,), "id = ? AND state = 'queued'", (record_id,)
        )

    def claim_next(
        self, host: str, owner: str, *, after: int = 0, besides: Collection[int] = ()
    ) -> Record | None:
        """Take the oldest queued row of a host whose id is above `after` and not in `besides`."""
        return self._update(
            "state = 'uploading', owner = ?",
            (owner,),
            f"id = (SELECT id FROM uploads WHERE state = 'queued' AND {UNSETTLED} AND host = ?"
            f" AND id > ? AND id NOT IN ({marks(besides)}) ORDER BY id LIMIT 1)",
            (host, after, *besides),
        )

    def replace_image(
        self, record_id: int, owner: str, image: Image, notes: Sequence[Message]
    ) -> tuple[Record, bool]:
        """What a claimed row sends turned out to be this image: note it.

        If another row sends the same to the same place, this one is merged into that one. The row
        that is left, and whether it is the owner's to send.
        """
        with self._db.changing() as db:
            other = db.execute(
                f"SELECT {_qualified('o')} FROM uploads o, uploads u WHERE u.id = ?1 AND o.id <> ?1"
                " AND o.sha256 = ?2 AND o.host = u.host AND o.bucket = u.bucket",
                (record_id, image.sha256),
            ).fetchone()
            if other is None:
                row = db.execute(
                    "UPDATE uploads SET sha256 = ?, sha1 = ?, format = ?, width_px = ?,"
                    " height_px = ?, frames = ?, size_bytes = ?, notes = ? WHERE id = ?"
                    f" RETURNING {COLUMNS}",
                    (*_facts_of(image).values(), notes_text(notes), record_id),
                ).fetchone()
                return record_of(row), True
            db.execute("UPDATE inputs SET upload = ? WHERE upload = ?", (other["id"], record_id))
            db.execute("DELETE FROM uploads WHERE id = ?", (record_id,))
            mine = db.execute(
                "UPDATE uploads SET state = 'uploading', owner = ?"
                f" WHERE id = ? AND state IN ('queued', 'failed', 'asking') RETURNING {COLUMNS}",
                (owner, other["id"]),
            ).fetchone()
            return record_of(mine or other), mine is not None

    def done(self, record_id: int, owner: str, stored: Stored) -> Record:
        """The claimed row's image is at its host; its link is due to be looked at."""
        row = self._update(
            "state = 'done', owner = '', reason = '', key = ?, url = ?,"
            " alive = 'unknown', seen_at = ?, check_at = ?, looks = 0",
            (stored.key, stored.url, self._clock(), self._clock()),
            "id = ? AND owner = ?",
            (record_id, owner),
        )
        return row or self.get(record_id)

    def give_back(self, record_id: int, owner: str, reason: Message | None) -> Record:
        """The claimed row was not sent this time: it is queued again."""
        return self._settle(record_id, owner, State.QUEUED, reason)

    def fail(self, record_id: int, owner: str, reason: Message) -> Record:
        """The claimed row will not be sent unless the user says so."""
        return self._settle(record_id, owner, State.FAILED, reason)

    def reopen(self, record_id: int) -> Record | None:
        """The user wants this very row sent: queue it if it failed, asks, or may have a dead link.

        Whoever has just seen it to be on its way asks for nothing: it may have a new link by now.
        """
        return self._update(
            "state = 'queued', reason = ''",
            (),
            "id = ? AND (state IN ('failed', 'asking') OR state = 'done' AND alive <> 'alive')",
            (record_id,),
        )

    def requeue(self, owner: str) -> int:
        """Queue again what a dead owner had claimed; how many rows that were."""
        with self._db.changing() as db:
            return db.execute(
                "UPDATE uploads SET state = 'queued', owner = ''"
                f" WHERE state = 'uploading' AND {UNSETTLED} AND owner = ?",
                (owner,),
            ).rowcount

    def add_note(self, record_id: int, note: Message) -> None:
        """Something more is to be said of a row."""
        notes = self.get(record_id).notes
        if note not in notes:
            self._update("notes = ?", (notes_text((*notes, note)),), "id = ?", (record_id,))

    def mark(self, record_id: int, alive: Alive) -> None:
        """Note what a look at a finished link showed; the daemon's own looks stay due."""
        self._update(_MARKED, (alive, self._clock()), "id = ?3 AND state = 'done'", (record_id,))

    def mark_all(self, found: Mapping[int, Alive]) -> None:
        """Note what looks at many links showed, at once."""
        now = self._clock()
        with self._db.changing() as db:
            db.executemany(
                f"UPDATE uploads SET {_MARKED} WHERE id = ?3 AND state = 'done'",
                [(alive, now, record_id) for record_id, alive in found.items()],
            )

    def looked(self, record_id: int, alive: Alive, looks: int, check_at: float) -> None:
        """Note what the daemon's look showed, how many it was, when it looks again (0: never)."""
        self._update(
            f"{_MARKED}, looks = ?3, check_at = ?4",
            (alive, self._clock(), looks, check_at),
            "id = ?5 AND state = 'done'",
            (record_id,),
        )

    # -- forgetting

    def erase(self, record_id: int, erase_original: Callable[[str], None]) -> bool:
        """Delete a row, unless it is being sent; whether it was deleted.

        `erase_original` is called for the originals that no row needs any more and that are no
        copies, while nobody can accept them again.
        """
        with self._db.changing() as db:
            originals = self.originals_of(record_id)
            deleted = db.execute(
                "DELETE FROM uploads WHERE id = ? AND state <> 'uploading'", (record_id,)
            ).rowcount
            for original in originals if deleted else ():
                if not self.records_of(original) and not self.is_copy(original):
                    erase_original(original)
        return bool(deleted)

    def release(
        self,
        original: str,
        needs: Callable[[Record], bool],
        erase: Callable[[str], None],
        *,
        with_copies: bool,
    ) -> bool:
        """Have an original erased unless one of its rows needs it by now; whether it was.

        One that is a copy of what others host goes only if `with_copies`.
        """
        with self._db.changing() as db:
            needed = any(map(needs, self.records_of(original)))
            if needed or (not with_copies and self.is_copy(original)):
                return False
            db.execute("DELETE FROM copies WHERE original = ?", (original,))
            erase(original)
        return True

    def _settle(self, record_id: int, owner: str, state: State, reason: Message | None) -> Record:
        row = self._update(
            "state = ?, owner = '', reason = ?",
            (state, message_text(reason)),
            "id = ? AND owner = ? AND state = 'uploading'",
            (record_id, owner),
        )
        return row or self.get(record_id)

    def _update(
        self, change: str, values: Sequence[object], where: str, which: Sequence[object]
    ) -> Record | None:
        with self._db.changing() as db:
            row = db.execute(
                f"UPDATE uploads SET {change} WHERE {where} RETURNING {COLUMNS}",
                (*values, *which),
            ).fetchone()
            return record_of(row) if row else None


def _facts_of(image: Image) -> dict[str, str | int]:
    return {
        "sha256": image.sha256,
        "sha1": image.sha1,
        "format": image.format,
        "width_px": image.width_px,
        "height_px": image.height_px,
        "frames": image.frames,
        "size_bytes": len(image.data),
    }


def _values_of(entry: Entry) -> dict[str, object]:
    return {
        **_facts_of(entry.image),
        "original": entry.original,
        "host": entry.target.host,
        "bucket": entry.target.bucket,
        "name": entry.image.name,
        "origin": entry.origin,
        "notes": notes_text(entry.notes),
    }


def _qualified(table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in COLUMNS.split(", "))
