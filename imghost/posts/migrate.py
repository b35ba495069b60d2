"""What `imghost migrate` does with each picture: by where it is, and what is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imghost.health import is_mortal
from imghost.hosts.base import KnowsLinks
from imghost.imaging.style import split_style
from imghost.models import Message, Record, Target
from imghost.pipeline import DRAFT_BUCKET, DRAFT_HOST, Pipeline
from imghost.posts.inner import ONLY_YOU
from imghost.posts.moving import Choice, Fail, Leave, Replace, Upload
from imghost.posts.originals import Originals
from imghost.posts.own_files import OwnFile, OwnFiles
from imghost.posts.recorded import Recorded
from imghost.posts.same_files import SameFiles
from imghost.posts.using import Use
from imghost.server.asked import RemoteInput, UploadOptions
from imghost.transport.fetch import is_inner

_LOST = Message("its file is gone from this machine, and so is its original")


class Migration:
    """Selects what moves to the place that is asked for; a Select.

    Files, and links and drafts of the embedded host; with `remote` also what others host, from the
    kept original where there is one. `elsewhere` counts what would have moved with it.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        recorded: Recorded,
        originals: Originals,
        files: SameFiles,
        *,
        remote: bool,
    ) -> None:
        self._pipeline = pipeline
        self._recorded = recorded
        self._originals = originals
        self._files = files
        self._own_files = OwnFiles(pipeline.hosts, recorded)
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
                return Upload(self._files(path), options)
            case str(link):
                return self._of_link(split_style(link)[0], options, any_bucket=not asked.bucket)

    def _of_link(self, link: str, options: UploadOptions, *, any_bucket: bool) -> Choice:
        target = Target(options.host, options.bucket)
        own = self._own_files.find(link)
        if self._is_there(link, own, target, any_bucket=any_bucket):
            return Leave()
        given = self._originals.of(link, target)
        if not (own or self._remote):
            is_seen = bool(given) or not is_inner(link)
            self.elsewhere += is_seen
            return Leave(None if is_seen else ONLY_YOU)
        if given:
            return Upload(given, options)
        there = [row for row in self._recorded.of(link) if row.target == target]
        if there and self._pipeline.works(there[0]):
            return Replace(self._text(there[0], options))
        if own or is_inner(link):
            return Fail(_LOST if own else ONLY_YOU)
        return Upload(RemoteInput(link), options)

    def _is_there(
        self, link: str, own: OwnFile | None, target: Target, *, any_bucket: bool
    ) -> bool:
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

    def _text(self, row: Record, options: UploadOptions) -> str:
        order = self._pipeline.order(row.host, row.bucket, options.format, options.style)
        return self._pipeline.text(row, order)
