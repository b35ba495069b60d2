"""Whether a link still shows the picture that was sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from imghost.errors import HostError, ImageError
from imghost.hosts.base import Host, KeepsFiles
from imghost.imaging.sniff import format_of
from imghost.models import Alive, Message, Record
from imghost.transport.web import Reply, Request
from imghost.values import dataclass

_MORTAL = re.compile(
    r"^https?://(?:[^/]+/bfs/new_dyn/|jssz-boss\.hdslb\.com/|[^?]+\?(?:.*&)?(?:X-Amz-Expires|deadline)=)",
    re.IGNORECASE,
)
_GONE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_ERROR_BYTES = 4096


_MORTAL_KIND = Message("links of this kind have died within the hour; put the picture elsewhere")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a link showed, and why that is no good news.

    `status` is what its server answered; 0: nothing, or nobody was asked.
    """

    alive: Alive
    reason: Message | None = None
    status: int = 0


class _Shown:
    """What a link shows: its hash, and its bytes only where they may have to be decoded."""

    def __init__(self, *, keeps: bool) -> None:
        self.sha256 = hashlib.sha256()
        self._kept = BytesIO() if keeps else None

    def add(self, piece: bytes) -> None:
        """There is more of it."""
        self.sha256.update(piece)
        if self._kept:
            self._kept.write(piece)

    def stands_still(self) -> bool:
        """Whether it is a picture that does not move, though an animation was sent."""
        from imghost.imaging.check import Caps, check

        if self._kept is None:
            return False
        try:
            return check(self._kept.getvalue(), "", Caps()).frames == 1
        except ImageError:
            return False


def look(record: Record, host: Host, *, timeout_s: float) -> Alive:
    """How a finished record's link stands now, in a word; nothing that it shows is decoded."""
    return _examined(record, host, timeout_s, _Shown(keeps=False)).alive


def examine(record: Record, host: Host, *, timeout_s: float) -> Seen:
    """Fetch a finished record's link once, as a page without Referer does, or look at its file.

    Dead: gone, or not shown to others. Suspect: other bytes, or a link of a kind that has died
    before. Unknown: no answer. An animation's link that shows something else is decoded for the
    reason. Raises nothing.
    """
    return _examined(record, host, timeout_s, _Shown(keeps=record.frames > 1))


def _examined(record: Record, host: Host, timeout_s: float, shown: _Shown) -> Seen:
    if isinstance(host, KeepsFiles):
        return _at_file(record, host.find(record.bucket, record.key))
    request = Request("GET", record.url, max_bytes=max(record.size_bytes, _ERROR_BYTES))
    try:
        reply = host.http.send(request, timeout_s=timeout_s, each=shown.add)
        seen = _in_reply(record, reply, shown)
    except HostError as exc:
        seen = Seen(Alive.UNKNOWN, exc.message)
    return _unless_mortal(record.url, seen)


def examine_link(url: str, ask: Callable[[Request], Reply], *, referer: str = "") -> Seen:
    """Ask for a link of which nothing is known but that it is to show a picture.

    As `examine`; suspect is also what shows none. `referer` is the page that shows it, if any.
    Raises SourceError as `ask` does, beside HostError.
    """
    headers = {"Referer": referer} if referer else {}
    try:
        reply = ask(Request("GET", url, headers, max_bytes=_ERROR_BYTES))
    except HostError as exc:
        return _unless_mortal(url, Seen(Alive.UNKNOWN, exc.message))
    seen = _in_status(reply)
    if seen is None and not _is_picture(reply):
        seen = Seen(Alive.SUSPECT, Message("the link shows no picture"), reply.status)
    return _unless_mortal(url, seen or Seen(Alive.ALIVE, None, reply.status))


def _unless_mortal(url: str, seen: Seen) -> Seen:
    if seen.alive in (Alive.ALIVE, Alive.UNKNOWN) and is_mortal(url):
        return replace(seen, alive=Alive.SUSPECT, reason=_MORTAL_KIND)
    return seen


def is_mortal(url: str) -> bool:
    """Whether links of this form have been seen to die, or say themselves that they will.

    Bilibili's since 2023-12: `/bfs/new_dyn/`, `jssz-boss.hdslb.com`; anywhere: a signature's end.
    """
    return _MORTAL.search(url) is not None


def _at_file(record: Record, path: Path | None) -> Seen:
    if path is None:
        return Seen(Alive.DEAD, Message("its file is gone from this machine"))
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == record.sha256
    except OSError as exc:
        detail = exc.strerror or str(exc)
        return Seen(Alive.UNKNOWN, Message("its file cannot be read: {detail}", {"detail": detail}))
    if same:
        return Seen(Alive.ALIVE)
    return Seen(Alive.DEAD, Message("its file was changed"))


def _in_reply(record: Record, reply: Reply, shown: _Shown) -> Seen:
    if seen := _in_status(reply):
        return seen
    if reply.whole and shown.sha256.hexdigest() == record.sha256:
        return Seen(Alive.ALIVE, None, reply.status)
    told = Message("the link shows other bytes than were sent")
    if shown.stands_still():
        told = Message("the animation stands still at its host")
    return Seen(Alive.SUSPECT, told, reply.status)


def _in_status(reply: Reply) -> Seen | None:
    """What the answer tells, unless it shows something."""
    status = {"status": reply.status}
    if reply.status in _GONE or b"<Code>NoSuchKey" in reply.body:
        told = Message("the link answers {status}: the picture is gone", status)
        if reply.status not in _GONE:
            told = Message("the link answers NoSuchKey: the picture is gone")
        return Seen(Alive.DEAD, told, reply.status)
    if reply.status != HTTPStatus.OK:
        return Seen(Alive.UNKNOWN, Message("the link answers {status}", status), reply.status)
    return None


def _is_picture(reply: Reply) -> bool:
    """Whether its first bytes or its type say so; drawings, which are not taken, count as well."""
    is_told = reply.headers.get("content-type", "").lower().startswith("image/")
    return is_told or bool(format_of(reply.body))
