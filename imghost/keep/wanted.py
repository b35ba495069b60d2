"""What somebody looks for among the uploads, and the SQL that finds it."""

from __future__ import annotations

from imghost.models import State
from imghost.values import dataclass

BROKEN = "alive IN ('suspect', 'dead') AND state = 'done'"
"""Says that a query is about the few rows with a broken link, which have an index of their own."""

_PLACES = (
    "(name LIKE ? ESCAPE '\\' OR url LIKE ? ESCAPE '\\'"
    " OR (host || '/' || bucket) LIKE ? ESCAPE '\\')"
)
_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Uploads whose name, link or place holds every word; "", 0 and None ask for nothing.

    `since` and `until` are seconds since the epoch; `until` itself is not wanted any more. `broken`
    asks for those whose link is dead or suspect.
    """

    words: tuple[str, ...] = ()
    since: float = 0.0
    until: float = 0.0
    host: str = ""
    bucket: str = ""
    state: State | None = None
    broken: bool = False

    @property
    def can_be_found(self) -> bool:
        """Whether there can be such an upload at all."""
        return all(map(can_be_stored, (*self.words, self.host, self.bucket)))

    def where(self) -> tuple[list[str], list[str | float]]:
        """The conditions, which all must hold, and their values."""
        terms, values = self._place()
        if self.broken:
            terms.append(BROKEN)
        if self.state:
            terms.append("state = ?")
            values.append(self.state)
            if self.state is not State.DONE:  # has SQLite see that the small index will do
                terms.append("state <> 'done'")
        for condition, bound in (("created_at >= ?", self.since), ("created_at < ?", self.until)):
            if bound:
                terms.append(condition)
                values.append(bound)
        for word in self.words:
            terms.append(_PLACES)
            values += [f"%{word.translate(_SPECIAL)}%"] * 3
        return terms, values

    def _place(self) -> tuple[list[str], list[str | float]]:
        """The index on both is in the order of ids too; on the host alone it would be sorted."""
        named = [("host", self.host), ("bucket", self.bucket)]
        plus = "" if self.host and self.bucket else "+"
        terms = [f"{plus}{column} = ?" for column, name in named if name]
        return terms, [name for _, name in named if name]


def can_be_stored(text: str) -> bool:
    """Whether the journal can hold the text: lone surrogates, of bytes that are no text, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
