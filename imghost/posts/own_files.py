"""Links of posts that lead to the embedded host's own files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from imghost.hosts.base import Host, KeepsFiles
from imghost.imaging.style import split_style
from imghost.pipeline import DRAFT_HOST
from imghost.posts.recorded import Recorded
from imghost.transport.web import leaves_machine
from imghost.values import dataclass

_OWN = re.compile(r"/bfs/([^/]+)/([0-9a-f]{40}\.[a-z]+)\Z")


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of the embedded host; `path` is None if it is gone."""

    bucket: str
    key: str
    path: Path | None


class OwnFiles:
    """Finds them by their links, whatever their style; `hosts` gives an open host by its name."""

    def __init__(self, hosts: Callable[[str], Host], recorded: Recorded) -> None:
        self._hosts = hosts
        self._recorded = recorded

    def find(self, link: str) -> OwnFile | None:
        """What the link shows of the embedded host's, under whatever address that answers."""
        for row in self._recorded.at(link):
            return self._named(row.bucket, row.key) if row.host == DRAFT_HOST else None
        plain = split_style(link)[0]
        if not (named := _OWN.search(plain)):
            return None
        bucket, key = named.groups()
        host = self._hosts(DRAFT_HOST)
        is_here = isinstance(host, KeepsFiles) and plain == host.link(bucket, key)
        return self._named(bucket, key) if is_here or not leaves_machine(plain) else None

    def path(self, bucket: str, key: str) -> Path | None:
        """The file of that name; None if it is gone."""
        host = self._hosts(DRAFT_HOST)
        return host.find(bucket, key) if isinstance(host, KeepsFiles) else None

    def _named(self, bucket: str, key: str) -> OwnFile:
        return OwnFile(bucket, key, self.path(bucket, key))
