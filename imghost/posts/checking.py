"""Whether the pictures of posts are still to be seen: each link is asked for once, and gently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar

from imghost.errors import ConfigError, SourceError
from imghost.gently import gently
from imghost.health import Seen, examine, examine_link
from imghost.hosts.base import Host
from imghost.imaging.style import split_style
from imghost.models import Alive, Message, Record
from imghost.pipeline import DRAFT_HOST
from imghost.posts.own_files import OwnFile, OwnFiles
from imghost.posts.recorded import Recorded
from imghost.transport import Http
from imghost.transport.fetch import NotPublicError, follow, is_inner
from imghost.transport.web import host_of
from imghost.values import dataclass

R = TypeVar("R")

PRIVATE = "private"
_AT_ONCE, _OF_A_HOST = 16, 2
_ASK_S, _WHOLE_S = 10.0, 30.0
_SILENT = 3  # times in a row, after which a host is left in peace
_ONLY_YOU = Message("only you can see this")
_GONE = Message("its file is gone from this machine")
_FOR_BLOG = Message("it is shown on your blog only, not to who comes from nowhere")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a link of posts showed; `is_private`: nobody else can see it.

    `is_own`: it is the embedded host's. `is_asked`: whether anybody was asked for it at all.
    `needs_tag`: whether the blog's pages show it only if they send no Referer; None: not known.
    """

    link: str
    seen: Seen
    is_private: bool = False
    needs_tag: bool | None = None
    is_own: bool = False
    is_asked: bool = True

    @property
    def verdict(self) -> str:
        """The word for it: one of Alive, or PRIVATE."""
        is_seen = self.seen.alive in (Alive.ALIVE, Alive.UNKNOWN)
        return PRIVATE if self.is_private and is_seen else str(self.seen.alive)

    @property
    def is_fine(self) -> bool:
        """Whether everybody sees it."""
        return self.verdict == Alive.ALIVE

    @property
    def reason(self) -> Message | None:
        """Why it is not fine."""
        return _ONLY_YOU if self.verdict == PRIVATE else self.seen.reason


class Checker:
    """Looks at links: by the journal, as files, or by asking for them.

    `hosts` gives an open host by its name, `internet` asks for the links of others. Safe from
    several threads at once.
    """

    def __init__(
        self, hosts: Callable[[str], Host], recorded: Recorded, internet: Http, blog: str
    ) -> None:
        self._hosts = hosts
        self._recorded = recorded
        self._internet = internet
        self._blog = blog
        self._files = OwnFiles(hosts, recorded)
        self._silent: Counter[str] = Counter()

    def check(self, links: Collection[str], progress: Callable[[int], object]) -> list[Checked]:
        """All of them, in their order; `progress` is told how many were looked at."""
        found: dict[str, Checked] = {}
        for link, checked in _gently(self._look, links):
            found[link] = checked
            progress(len(found))
        if self._blog:
            found |= self._as_blog(found.values())
        return [found[link] for link in links]

    def _look(self, link: str) -> Checked:
        row = next(iter(self._recorded.at(link)), None)
        if own := self._files.find(link):
            return self._at_file(link, own, row)
        if self._silent[host_of(link)] >= _SILENT:
            told = Message("{host} did not answer, and was not asked again", _host(link))
            return Checked(link, Seen(Alive.UNKNOWN, told), is_private=is_inner(link))
        try:
            seen = self._asked(link, row)
        except NotPublicError:
            return Checked(link, Seen(Alive.UNKNOWN), is_private=True, is_asked=False)
        is_silent = not seen.status and seen.alive is not Alive.ALIVE
        self._silent[host_of(link)] = self._silent[host_of(link)] + 1 if is_silent else 0
        return Checked(link, seen, is_private=is_inner(link))

    def _at_file(self, link: str, own: OwnFile, row: Record | None) -> Checked:
        host = self._hosts(DRAFT_HOST)
        seen = Seen(Alive.ALIVE) if own.path else Seen(Alive.DEAD, _GONE)
        if row and own.path:
            seen = examine(row, host, timeout_s=_WHOLE_S)
        is_private = not host.is_public or is_inner(link)
        return Checked(link, seen, is_private=is_private, is_own=True)

    def _asked(self, link: str, row: Record | None, referer: str = "") -> Seen:
        """What the link shows. Raises NotPublicError."""
        host = self._host_of(row)
        if host and row and not referer and not split_style(link)[1]:
            return examine(row, host, timeout_s=_WHOLE_S)
        http = host.http if host else self._internet
        try:
            return examine_link(
                link,
                lambda request: follow(http, request, _ASK_S, elsewhere=self._internet),
                referer=referer,
            )
        except NotPublicError:
            raise
        except SourceError as exc:
            return Seen(Alive.UNKNOWN, exc.message)

    def _host_of(self, row: Record | None) -> Host | None:
        with suppress(ConfigError):  # a host of another version
            return self._hosts(row.host) if row else None
        return None

    # -- as the blog's pages see them

    def _as_blog(self, found: Collection[Checked]) -> dict[str, Checked]:
        """What is new of them when the blog's page asks: one link of each host, and the refused."""
        shown = [one for one in found if one.seen.alive is Alive.ALIVE and one.seen.status]
        first = {host_of(one.link): one.link for one in reversed(shown)}
        refused = [one.link for one in found if one.seen.status == HTTPStatus.FORBIDDEN]
        seen = dict(_gently(self._from_blog, [*first.values(), *refused]))
        needs = {host: _needs_tag(seen[link]) for host, link in first.items()}
        tagged = {one.link: replace(one, needs_tag=needs[host_of(one.link)]) for one in shown}
        for link in refused:
            if seen[link].alive is Alive.ALIVE:
                tagged[link] = Checked(link, replace(seen[link], reason=_FOR_BLOG), needs_tag=False)
        return tagged

    def _from_blog(self, link: str) -> Seen:
        row = next(iter(self._recorded.at(link)), None)
        try:
            return self._asked(link, row, self._blog)
        except NotPublicError:
            return Seen(Alive.UNKNOWN)


def marks_of(checked: Iterable[Checked], recorded: Recorded) -> dict[int, Alive]:
    """What the journal should know of its rows by that, by their ids.

    That a link with a style shows nothing may be the style's fault.
    """
    found: dict[int, Alive] = {}
    for one in sorted(checked, key=lambda one: bool(split_style(one.link)[1]), reverse=True):
        is_styled = bool(split_style(one.link)[1])
        if one.seen.alive is Alive.ALIVE or not (is_styled or one.seen.alive is Alive.UNKNOWN):
            found |= {row.id: one.seen.alive for row in recorded.at(one.link)}
    return found


def _needs_tag(seen: Seen) -> bool | None:
    if seen.alive is Alive.ALIVE:
        return False
    return True if seen.alive in (Alive.DEAD, Alive.SUSPECT) else None


def _gently(work: Callable[[str], R], links: Iterable[str]) -> Iterator[tuple[str, R]]:
    return gently(work, links, host_of, at_once=_AT_ONCE, of_a_kind=_OF_A_HOST)


def _host(link: str) -> dict[str, str]:
    return {"host": host_of(link)}
