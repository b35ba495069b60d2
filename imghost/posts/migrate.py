"""What `imghost migrate` does with each picture: by where it is, and what is known of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from imghost.health import is_mortal
from imghost.hosts.base import KeepsFiles, KnowsLinks
from imghost.imaging.style import split_style
from imghost.keep.rows import Rows
from imghost.keep.store import Store
from imghost.models import Message, Record, Target
from imghost.pipeline import DRAFT_BUCKET, DRAFT_HOST, Pipeline
from imghost.posts.moving import Choice, Fail, Leave, Replace, Upload
from imghost.posts.recorded import Recorded
from imghost.posts.using import Use
from imghost.server.asked import (
    BytesInput,
    FileInput,
    Input,
    RemoteInput,
    UploadedInput,
    UploadOptions,
)
from imghost.transport.web import leaves_machine

_OWN = re.compile(r"/bfs/([^/]+)/([0-9a-f]{40}\.[a-z]+)\Z")
_LOST = Message("its file is gone from this machine, and so is its original")


@dataclass(frozen=True, slots=True)
class _Own:
    """A file of the embedded host."""

    bucket: str
    key: str


class Migration:
    """Selects what moves to the place that is asked for; a Select.

    Files, and links and drafts of the embedded host; with `remote` also what others host, from the
    kept original where there is one. `elsewhere` counts what would have moved with it.
    """

    def __init__(
        self, pipeline: Pipeline, journal: Rows, store: Store, links: Iterable[str], *, remote: bool
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._recorded = Recorded(journal, links)
        self._remote = remote
        self.elsewhere = 0

    def __call__(self, use: Use) -> Choice:
        """What becomes of it. Raises ConfigError for a host or bucket that is none."""
        asked = use.options
        target = self._pipeline.config.target(asked.host, asked.bucket)
        options = replace(asked, host=target.host, bucket=target.bucket)
        match use.source:
            case Message() as why:
                return Fail(why)
            case Path() as path:
                return Upload(FileInput(str(path)), options)
            case str(link):
                return self._of_link(split_style(link)[0], options, any_bucket=not asked.bucket)

    def _of_link(self, link: str, options: UploadOptions, *, any_bucket: bool) -> Choice:
        target = Target(options.host, options.bucket)
        own = self._own(link)
        if self._is_there(link, own, target, any_bucket=any_bucket):
            return Leave()
        if not (own or self._remote):
            self.elsewhere += 1
            return Leave()
        rows = sorted(self._recorded.of(link), key=lambda row: row.target != target)
        if given := self._kept(rows) or (self._file(own) if own else None):
            return Upload(given, options)
        if rows and rows[0].target == target and self._pipeline.works(rows[0]):
            return Replace(self._text(rows[0], options))
        return Fail(_LOST) if own else Upload(RemoteInput(link), options)

    def _is_there(self, link: str, own: _Own | None, target: Target, *, any_bucket: bool) -> bool:
        """Whether the picture is where it is to go; a draft is nowhere."""
        if own:
            places = [] if own.bucket == DRAFT_BUCKET else [Target(DRAFT_HOST, own.bucket)]
        else:
            places = [row.target for row in self._recorded.at(link)]
        if any_bucket:
            host = self._pipeline.hosts(target.host)
            is_theirs = isinstance(host, KnowsLinks) and host.is_own(link) and not is_mortal(link)
            return is_theirs or target.host in [place.host for place in places]
        return target in places

    def _kept(self, rows: Iterable[Record]) -> Input | None:
        return next((UploadedInput(row.id) for row in rows if self._is_kept(row)), None)

    def _is_kept(self, row: Record) -> bool:
        if self._store.path(row.original).exists():
            return True
        return row.host == DRAFT_HOST and self._path(_Own(row.bucket, row.key)) is not None

    def _own(self, link: str) -> _Own | None:
        """What the link shows of the embedded host's, under whatever address that answers."""
        for row in self._recorded.at(link):
            return _Own(row.bucket, row.key) if row.host == DRAFT_HOST else None
        named = _OWN.search(link)
        host = self._pipeline.hosts(DRAFT_HOST)
        if not (named and isinstance(host, KeepsFiles)):
            return None
        is_ours = link == host.link(*named.groups()) or not leaves_machine(link)
        return _Own(*named.groups()) if is_ours else None

    def _path(self, own: _Own) -> Path | None:
        host = self._pipeline.hosts(DRAFT_HOST)
        return host.find(own.bucket, own.key) if isinstance(host, KeepsFiles) else None

    def _file(self, own: _Own) -> Input | None:
        """A file of the embedded host's of which the journal knows nothing."""
        path = self._path(own)
        with contextlib.suppress(OSError):
            return BytesInput(own.key, path.read_bytes()) if path else None
        return None

    def _text(self, row: Record, options: UploadOptions) -> str:
        order = self._pipeline.order(row.host, row.bucket, options.format, options.style)
        return self._pipeline.text(row, order)
