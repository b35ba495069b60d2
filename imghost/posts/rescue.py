"""What `imghost links rescue` does with each picture: back from what is kept, if it is dead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from imghost.errors import ConfigError
from imghost.hosts import HOSTS
from imghost.hosts.base import Host, KeepsFiles, NeedsLogin
from imghost.imaging.style import Style, split_style
from imghost.models import Message, Target
from imghost.pipeline import Pipeline
from imghost.posts.moving import Choice, Fail, Leave, Upload
from imghost.posts.originals import Originals
from imghost.posts.using import Use

_NO_STYLE = "@"
_NOTHING_KEPT = Message("it is dead, and nothing of it is kept here")


class Rescue:
    """Selects what is uploaded again to the place that is asked for; a Select.

    That are the links in `dead`, or with `use_all` every one of which something is kept.
    """

    def __init__(
        self, pipeline: Pipeline, originals: Originals, dead: Collection[str], *, use_all: bool
    ) -> None:
        self._pipeline = pipeline
        self._originals = originals
        self._dead = dead
        self._use_all = use_all

    def __call__(self, use: Use) -> Choice:
        """What becomes of it. Raises ConfigError for a host or bucket that is none."""
        link = use.source
        if isinstance(link, Path | Message) or not (self._use_all or link in self._dead):
            return Leave()
        given = self._originals.of(link)
        if given is None:
            return Fail(_NOTHING_KEPT) if link in self._dead else Leave()
        target = self._pipeline.config.target(use.options.host, use.options.bucket)
        host = self._pipeline.hosts(target.host)
        options = replace(
            use.options, host=target.host, bucket=target.bucket, style=_style_for(host, link)
        )
        if isinstance(host, KeepsFiles):  # its old link works again once the file is back
            return Upload(given, options)
        return Upload(given, options, dead=link, instead=self._instead(target))

    def _instead(self, target: Target) -> str:
        """Where else one might try it, as options."""
        others = [f"--host {name}" for name in HOSTS if name != target.host and self._is_open(name)]
        buckets = self._pipeline.hosts(target.host).buckets
        others += [f"--bucket {name}" for name in buckets if name != target.bucket][:1]
        return ", ".join(others)

    def _is_open(self, name: str) -> bool:
        try:
            host = self._pipeline.hosts(name)
        except ConfigError:  # it is not set up
            return False
        return host.is_public and (not isinstance(host, NeedsLogin) or host.has_login)


def _style_for(host: Host, link: str) -> str:
    """The old link's style, if the new one can have it."""
    style = split_style(link)[1]
    try:
        return str(Style.parse(style)) if style and host.limits.styles else _NO_STYLE
    except ConfigError:  # it never was one
        return _NO_STYLE
