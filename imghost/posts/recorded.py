"""What the journal knows of the pictures that links show."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from imghost.imaging.style import split_style
from imghost.keep.rows import Rows
from imghost.models import Record

_NAMED = re.compile(r"/([0-9a-f]{40})\.[0-9a-z]+")


class Recorded:
    """The rows of these links, whatever their style: looked up once, for all of them.

    A link is a row's own, or that of a file named by the SHA-1 of what was sent: the embedded
    host and Bilibili name theirs so, drafts too, and no two pictures have the same.
    """

    def __init__(self, journal: Rows, links: Iterable[str]) -> None:
        plain = {split_style(link)[0] for link in links}
        found = journal.showing(plain, {sha1 for link in plain if (sha1 := _sha1(link))})
        self._by_url = _grouped((record.url, record) for record in found)
        self._by_sha1 = _grouped((record.sha1, record) for record in found)

    def at(self, link: str) -> list[Record]:
        """The rows with this very link, the latest first."""
        return self._by_url.get(split_style(link)[0], [])

    def of(self, link: str) -> list[Record]:
        """The rows of the picture that is to be seen there, the latest first."""
        return self.at(link) or self._by_sha1.get(_sha1(split_style(link)[0]), [])


def _sha1(link: str) -> str:
    named = _NAMED.fullmatch(link, link.rfind("/")) if "/" in link else None
    return named[1] if named else ""


def _grouped(pairs: Iterable[tuple[str, Record]]) -> dict[str, list[Record]]:
    groups: defaultdict[str, list[Record]] = defaultdict(list)
    for key, record in pairs:
        if key:
            groups[key].append(record)
    return dict(groups)
