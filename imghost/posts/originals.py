"""What is kept here of the pictures that links show: originals, our own files, and copies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from imghost.hosts.base import Host
from imghost.imaging.style import split_style
from imghost.keep.copies import Copies
from imghost.keep.store import Store
from imghost.models import Record, Target
from imghost.pipeline import DRAFT_HOST
from imghost.posts.own_files import OwnFiles
from imghost.posts.recorded import Recorded
from imghost.server.asked import BytesInput, Input, RemoteInput, UploadedInput


class Originals:
    """Finds them by links, whatever their style: looked up once, for all of them.

    `hosts` gives an open host by its name.
    """

    def __init__(
        self,
        hosts: Callable[[str], Host],
        recorded: Recorded,
        copies: Copies,
        store: Store,
        links: Iterable[str],
    ) -> None:
        self._recorded = recorded
        self._store = store
        self._files = OwnFiles(hosts, recorded)
        self._copies = copies.of({split_style(link)[0] for link in links})

    def of(self, link: str, first: Target | None = None) -> Input | None:
        """What is given in to upload the picture again, best what went to `first` before.

        None if nothing of it is kept.
        """
        rows = sorted(self._recorded.of(link), key=lambda row: row.target != first)
        for row in filter(self._is_kept, rows):
            return UploadedInput(row.id)
        plain = split_style(link)[0]
        copy = self._copies.get(plain)
        if copy and self._store.path(copy).exists():
            return RemoteInput(plain)
        return self._file(plain)

    def _is_kept(self, row: Record) -> bool:
        if self._store.path(row.original).exists():
            return True
        return row.host == DRAFT_HOST and self._files.path(row.bucket, row.key) is not None

    def _file(self, link: str) -> Input | None:
        """A file of the embedded host's of which the journal knows nothing."""
        own = self._files.find(link)
        with contextlib.suppress(OSError):
            return BytesInput(own.key, own.path.read_bytes()) if own and own.path else None
        return None
