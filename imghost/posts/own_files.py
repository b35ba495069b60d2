"""Links of posts that lead to the embedded host's own files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from imghost.hosts.base import Host, KeepsFiles
from imghost.imaging.style import split_style
from imghost.pipeline import DRAFT_HOST
from imghost.posts.recorded import Recorded
from imghost.transport.web import leaves_machine

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
        host, plain = self._hosts(DRAFT_HOST), split_style(link)[0]
        if not isinstance(host, KeepsFiles):
            return None
        for row in self._recorded.at(plain):
            is_own = row.host == DRAFT_HOST
            return OwnFile(row.bucket, row.key, host.find(row.bucket, row.key)) if is_own else None
        if not (named := _OWN.search(plain)):
            return None
        bucket, key = named.groups()
        is_own = plain == host.link(bucket, key) or not leaves_machine(plain)
        return OwnFile(bucket, key, host.find(bucket, key)) if is_own else None
