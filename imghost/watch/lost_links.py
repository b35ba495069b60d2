"""Links that were found broken since the start, and what a person is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from imghost.models import Message, Record
from imghost.watch.telling import Teller, Topic


class LostLinks:
    """Tells of them by `teller`; `changed` is called when there are more. `ids` are of rows."""

    def __init__(self, teller: Teller, changed: Callable[[], None]) -> None:
        self._teller = teller
        self._changed = changed
        self.ids: frozenset[int] = frozenset()

    def tell(self, records: Sequence[Record]) -> None:
        """They do not answer, or with another picture, or will not for long; one notice for all."""
        self.ids |= {record.id for record in records}
        first = records[0]
        fields: dict[str, str | int] = {"name": first.name, "url": first.url, "id": first.id}
        told = Message(
            "{name}: {url}; the picture is kept, and imghost retry {id} sends it again", fields
        )
        if len(records) > 1:
            told = Message(
                "{count} links, the first is {name}: {url}; the pictures are kept, and imghost "
                "links rescue puts those of your posts elsewhere",
                fields | {"count": len(records)},
            )
        self._teller.tell(Topic.LOST, told)
        self._changed()
