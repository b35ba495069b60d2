"""What is kept here of the pictures that links show: originals of uploads, and copies."""

from __future__ import annotations

from collections.abc import Iterable

from imghost.imaging.style import split_style
from imghost.keep.copies import Copies
from imghost.keep.store import Store
from imghost.posts.recorded import Recorded
from imghost.server.asked import Input, RemoteInput, UploadedInput


class Originals:
    """Finds them by links, whatever their style: looked up once, for all of them."""

    def __init__(
        self, recorded: Recorded, copies: Copies, store: Store, links: Iterable[str]
    ) -> None:
        self._recorded = recorded
        self._store = store
        self._copies = copies.of({split_style(link)[0] for link in links})

    def of(self, link: str) -> Input | None:
        """What is given in to upload the picture again; None if nothing of it is kept."""
        for row in self._recorded.of(link):
            if self._store.path(row.original).exists():
                return UploadedInput(row.id)
        plain = split_style(link)[0]
        copy = self._copies.get(plain)
        return RemoteInput(plain) if copy and self._store.path(copy).exists() else None
