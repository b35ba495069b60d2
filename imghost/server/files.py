"""The embedded host's files, and what a style makes of them, for everybody who has their link."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imghost.errors import ConfigError, DaemonError, ImageError, MachineError
from imghost.imaging.style import Style, split_style
from imghost.imaging.styled import DamagedError
from imghost.models import EXTENSIONS, MIME_TYPES
from imghost.server.answers import Part, part_asked, send_start, send_text
from imghost.server.body import Body, InFile, Recent
from imghost.server.renderings import BusyError, Renderings

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from imghost.text import Speaker

PREFIX = "/bfs/"

_MIME_TYPES = {f".{extension}": MIME_TYPES[name] for name, extension in EXTENSIONS.items()}
_HEADERS: Mapping[str, str | int] = {
    "accept-ranges": "bytes",
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}

_AGAIN_S = 5

_log = logging.getLogger(__name__)

Find = Callable[[str, str], Path | None]


class GoneError(Exception):
    """Nobody waits for the answer any more."""


class Files:
    """An ASGI application for `/bfs/<bucket>/<name>[@style]`.

    A bucket and a name are looked up by `find` and never joined to a path here. What is small is
    answered from memory as long as it is still found.
    """

    def __init__(self, find: Find, renderings: Renderings, recent: Recent, say: Speaker) -> None:
        self._find = find
        self._renderings = renderings
        self._recent = recent
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD; a query is ignored."""
        if scope["method"] not in ("GET", "HEAD"):
            allowed = {"allow": "GET, HEAD"}
            await send_text(send, 405, self._say("images can only be fetched"), allowed)
            return
        try:
            body = await self._body(scope["path"], receive)
            part = part_asked(scope["method"], scope["headers"], body.etag, body.size_bytes)
            if part.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                whole = {"content-range": f"bytes */{body.size_bytes}"}
                said = self._say("the image ends before that range")
                await send_text(send, part.status, said, whole)
            else:
                await _send_part(send, scope["method"], body, part)
        except ConfigError as exc:
            await send_text(send, 400, self._say(exc.message))
        except ImageError as exc:
            status = 500 if isinstance(exc, DamagedError) else 422
            await send_text(send, status, self._say(exc.message))
        except (BusyError, DaemonError, MachineError) as exc:
            _log.info("%r is not drawn: %r", scope["path"], exc)
            soon = {"retry-after": _AGAIN_S}
            said = self._say("this image cannot be drawn just now; ask again in some seconds")
            await send_text(send, 503, said, soon)
        except GoneError:
            pass
        except FileNotFoundError:
            await send_text(send, 404, self._say("there is no such image"))

    async def _body(self, path: str, receive: Receive) -> Body:
        link, suffix = split_style(path)
        bucket, _, name = link.removeprefix(PREFIX).partition("/")
        original = self._find(bucket, name)
        if original is None:
            raise FileNotFoundError(path)
        style = Style.parse(suffix).effective
        if str(style):
            held = self._renderings.held(original, style)
            return held or await unless_gone(receive, self._renderings.get(original, style))
        return self._recent.get(name) or await self._plain(original)

    async def _plain(self, original: Path) -> Body:
        body = await asyncio.to_thread(_read, original, self._recent.max_item_bytes)
        self._recent.put(original.name, body)
        return body


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, Body]) -> Body:
    """What the work comes to; it is cancelled when its client is gone. Raises GoneError."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise GoneError
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _read(original: Path, max_bytes: int) -> Body:
    mime_type, etag = _MIME_TYPES[original.suffix], f'"{original.stem}"'
    size_bytes = original.stat().st_size
    if size_bytes <= max_bytes:
        return Body(mime_type, etag, original.read_bytes())
    return Body(mime_type, etag, InFile(original, 0, size_bytes))


async def _send_part(send: Send, method: str, body: Body, part: Part) -> None:
    headers: dict[str, str | int] = {**_HEADERS, "etag": body.etag}
    if part.status != HTTPStatus.NOT_MODIFIED:
        headers |= {"content-type": body.mime_type, "content-length": part.size_bytes}
    if part.status == HTTPStatus.PARTIAL_CONTENT:
        last = part.start + part.size_bytes - 1
        headers["content-range"] = f"bytes {part.start}-{last}/{body.size_bytes}"
    left = part.size_bytes if method == "GET" else 0
    async with aclosing(body.pieces(part.start, left)) as pieces:
        piece = await anext(pieces, b"")  # before the headers: a file that is gone is a 404
        await send_start(send, part.status, headers)
        while left := left - len(piece):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await anext(pieces)
        await send({"type": "http.response.body", "body": piece})
