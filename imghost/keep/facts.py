"""Small things to remember across restarts, in the journal's file."""

from __future__ import annotations

from imghost.keep.database import Database
from imghost.keep.schema import text_of


class Facts:
    """Texts by name; every method raises what Database does."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, name: str) -> str:
        """What was noted, else ""."""
        rows = self._db.read("SELECT value FROM facts WHERE name = ?", (name,))
        with self._db.errors():
            return text_of(rows[0]["value"]) if rows else ""

    def note(self, name: str, value: str) -> None:
        """Remember this instead of what was noted before."""
        with self._db.changing() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def is_first(self, name: str) -> bool:
        """Whether this is asked for the first time ever, by any process."""
        if self.get(name):
            return False
        with self._db.changing() as db:
            added = db.execute("INSERT OR IGNORE INTO facts VALUES (?, 'told')", (name,)).rowcount
        return bool(added)
