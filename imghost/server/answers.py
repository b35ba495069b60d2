"""What an answer carries: all of its bytes, a part, or nothing new (RFC 9110, 13 and 14)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from imghost.values import dataclass

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Send

Headers = Iterable[tuple[bytes, bytes]]

_UNKEPT = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_RANGE = re.compile(rb"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)
_ETAG = re.compile(rb'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Part:
    """A status, and the `size_bytes` from `start` on that go with it."""

    status: int
    start: int
    size_bytes: int


def part_asked(method: str, headers: Headers, etag: str, size_bytes: int) -> Part:
    """What a request wants of `size_bytes` bytes known by the strong `etag`.

    Status 200, 206, 304 (the client has them) or 416 (it wants what lies behind their end). Several
    ranges at once, and such as make no sense, are answered with the whole, as the RFC allows.
    """
    asked = dict(headers)
    tag = etag.encode("ascii")
    known = asked.get(b"if-none-match", b"")
    if known.strip() == b"*" or tag in _ETAG.findall(known):
        return Part(304, 0, 0)
    span = _RANGE.fullmatch(asked.get(b"range", b""))
    if span is None or method != "GET" or asked.get(b"if-range", tag) != tag:
        return Part(200, 0, size_bytes)
    return _part(span, size_bytes)


def _part(span: re.Match[bytes], size_bytes: int) -> Part:
    first, last, suffix = span.groups()
    if first and last and int(last) < int(first):
        return Part(200, 0, size_bytes)
    start = int(first) if first else max(0, size_bytes - int(suffix))
    end = min(int(last) + 1, size_bytes) if last else size_bytes
    return Part(206, start, end - start) if start < end else Part(416, 0, 0)


async def send_start(send: Send, status: int, headers: Mapping[str, str | int]) -> None:
    """Begin an answer."""
    encoded = [
        (name.encode("ascii"), f"{value}".encode("latin-1")) for name, value in headers.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def send_text(
    send: Send, status: int, text: str, headers: Mapping[str, str | int] | None = None
) -> None:
    """Answer with a line of plain text, which nobody stores."""
    body = f"{text}\n".encode()
    plain: dict[str, str | int] = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": len(body),
        **_UNKEPT,
    }
    await send_start(send, status, plain | dict(headers or {}))
    await send({"type": "http.response.body", "body": body})


def json_body(value: object) -> bytes:
    """A value as it is sent: ASCII, for names of files need not be text."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of JSON, which nobody stores."""
    from starlette.responses import Response

    told = {**_UNKEPT, **(headers or {})}
    return Response(json_body(value), status, told, "application/json")


async def send_json(send: Send, status: int, value: object) -> None:
    """Answer with JSON, which nobody stores."""
    body = json_body(value)
    kind: dict[str, str | int] = {"content-type": "application/json"}
    await send_start(send, status, {**kind, "content-length": len(body), **_UNKEPT})
    await send({"type": "http.response.body", "body": body})
