"""Copies of the pictures that others host, kept for the day on which their links die."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from urllib.parse import unquote

from imghost.errors import ConfigError, ImageError, SourceError
from imghost.gently import gently
from imghost.hosts.base import Host
from imghost.imaging.check import Caps, check
from imghost.imaging.sniff import other_kind
from imghost.imaging.style import split_style
from imghost.keep.copies import Copies
from imghost.keep.journal import Journal
from imghost.keep.store import Store
from imghost.models import Message
from imghost.posts.inner import ONLY_YOU
from imghost.posts.originals import Originals
from imghost.posts.own_files import OwnFiles
from imghost.posts.recorded import Recorded
from imghost.transport import Http
from imghost.transport.fetch import NotPublicError, fetch
from imghost.transport.web import host_of
from imghost.values import dataclass

_AT_ONCE, _OF_A_HOST, _DECODED_AT_ONCE = 6, 2, 2
_FETCH_S = 60.0
_SVG = Message("an SVG drawing, which may carry scripts, is not kept")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a link's picture: a copy of `size_bytes`, or why there is none.

    `is_drawing`: there is none, and that is no failure.
    """

    link: str
    size_bytes: int = 0
    problem: Message | None = None
    is_drawing: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where copies are kept: the bytes, what is known of them, and the slips beside them."""

    store: Store
    copies: Copies
    journal: Journal

    def put(self, link: str, data: bytes) -> None:
        """Have the copy on the disk, and remember whose it is. Raises MachineError."""
        original = hashlib.sha256(data).hexdigest()
        self.store.keep(original, data)
        self.copies.add(link, original)
        if not self.store.path(original).exists():  # pruned before the table said who needs it
            self.store.keep(original, data)
        self.store.write_slips(original, self.journal.slips)


class Keeper:
    """Fetches what nothing is kept of, checks that it is a picture, and puts it onto the shelf.

    `hosts` gives an open host by its name, `internet` asks for the links of others.
    """

    def __init__(
        self,
        hosts: Callable[[str], Host],
        recorded: Recorded,
        shelf: Shelf,
        internet: Http,
        caps: Caps,
    ) -> None:
        self._hosts = hosts
        self._recorded = recorded
        self._shelf = shelf
        self._internet = internet
        self._caps = caps
        self._files = OwnFiles(hosts, recorded)
        self._decoding = threading.Semaphore(_DECODED_AT_ONCE)

    def missing(self, links: Collection[str]) -> list[str]:
        """The links, without their styles, of which nothing is kept and which are not our own."""
        shelf = self._shelf
        originals = Originals(self._hosts, self._recorded, shelf.copies, shelf.store, links)
        plain = dict.fromkeys(split_style(link)[0] for link in links)
        return [link for link in plain if not (self._files.find(link) or originals.of(link))]

    def keep(self, links: Collection[str], progress: Callable[[int], object]) -> list[Kept]:
        """Keep what these show, in their order; `progress` is told how many ended.

        Raises MachineError.
        """
        found: dict[str, Kept] = {}
        for link, kept in gently(
            self._keep, links, host_of, at_once=_AT_ONCE, of_a_kind=_OF_A_HOST
        ):
            found[link] = kept
            progress(len(found))
        return [found[link] for link in links]

    def _keep(self, link: str) -> Kept:
        name = unquote(link.partition("?")[0].rsplit("/", 1)[-1])
        data = b""
        try:
            data = fetch(
                self._http_of(link),
                link,
                elsewhere=self._internet,
                max_bytes=self._caps.input_bytes,
                timeout_s=_FETCH_S,
            )
            with self._decoding:
                check(data, name, self._caps)
        except NotPublicError:
            return Kept(link, problem=ONLY_YOU)
        except ImageError as exc:
            is_drawing = other_kind(data) == "svg"
            return Kept(link, problem=_SVG if is_drawing else exc.message, is_drawing=is_drawing)
        except SourceError as exc:
            return Kept(link, problem=exc.message)
        self._shelf.put(link, data)
        return Kept(link, len(data))

    def _http_of(self, link: str) -> Http:
        for row in self._recorded.at(link):
            with suppress(ConfigError):  # a host of another version
                return self._hosts(row.host).http
        return self._internet
