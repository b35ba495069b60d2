"""What was given in, as images to be found: files, links, bytes, earlier uploads."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from imghost.config import Config
from imghost.errors import SourceError
from imghost.hosts.local import LocalHost, find_file
from imghost.keep.copies import Copies
from imghost.keep.journal import Journal
from imghost.keep.store import Store
from imghost.models import Found, Record
from imghost.server.asked import (
    BytesInput,
    EditorFile,
    FileInput,
    Input,
    LinkInput,
    RemoteInput,
    UploadedInput,
)
from imghost.sources.files import found_bytes, found_file, found_link, found_named
from imghost.sources.off_limits import NOTHING, OffLimits

_FETCH_S = 30.0

Fetch = Callable[[str, int], bytes]
"""What stands behind a link, of so many bytes at most; raises SourceError."""


class Inputs:
    """Finds each input's image, by `fetch` what others host and no copy was kept of.

    Loading raises SourceError. `files` is the embedded host's folder.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        copies: Copies,
        files: Path,
        off_limits: OffLimits,
        fetch: Fetch,
    ) -> None:
        self._store = store
        self._journal = journal
        self._copies = copies
        self._files = files
        self._off_limits = off_limits
        self._fetch = fetch

    def __call__(self, given: Input, config: Config) -> Found:
        """The image, not loaded yet. Raises SourceError, UsageError for an id that is none."""
        max_bytes = config.limits.input_bytes
        match given:
            case FileInput(path, sha256):
                found = found_file(path, max_bytes, self._off_limits)
                return replace(found, load=partial(_unchanged, found, sha256)) if sha256 else found
            case EditorFile(path):
                return found_named(path, max_bytes, self._off_limits)
            case BytesInput(name, data):
                return found_bytes(name, data)
            case LinkInput(url):
                fetch = self._fetch if config.server.fetch_links else _refused
                return found_link(url, lambda url: fetch(url, max_bytes))
            case RemoteInput(url):
                return found_link(url, lambda url: self._copy(url) or self._fetch(url, max_bytes))
            case UploadedInput(record_id):
                record = self._journal.get(record_id)
                return Found(record.origin, record.name, partial(self._kept, record))

    def _copy(self, url: str) -> bytes | None:
        """What was kept of a link that others host."""
        original = self._copies.of([url]).get(url)
        with contextlib.suppress(SourceError):
            return self._store.read(original) if original else None
        return None

    def _kept(self, record: Record) -> bytes:
        """The original; where that was let go of, what the embedded host shows, as it was sent."""
        try:
            return self._store.read(record.original)
        except SourceError:
            own = record.host == LocalHost.name
            path = find_file(self._files, record.bucket, record.key) if own else None
            if path is None:
                raise
            return found_file(str(path), record.size_bytes, NOTHING).load()


def fetch_public(url: str, max_bytes: int) -> bytes:
    """What stands behind a link of the open internet. Raises SourceError."""
    from imghost.transport import fetch

    return fetch.fetch_public(url, max_bytes=max_bytes, timeout_s=_FETCH_S)


def _unchanged(found: Found, sha256: str) -> bytes:
    data = found.load()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SourceError("{name} was changed meanwhile; run the command again", name=found.name)
    return data


def _refused(url: str, _max_bytes: int) -> bytes:
    raise SourceError(
        "{url} is a link, and fetching links is off; allow it with "
        "imghost config set server.fetch_links true",
        url=url,
    )
