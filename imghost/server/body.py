"""The bytes of an answer, in memory or in a file, and those that were asked for last."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import field
from pathlib import Path

from imghost.values import dataclass

_PIECE_BYTES = 256 * 1024  # what is copied at once for a client that reads slowly


@dataclass(frozen=True, slots=True)
class InFile:
    """`size_bytes` of a file, from `start` on."""

    path: Path
    start: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Body:
    """What an answer is made of; `etag` is a strong one, in its quotes."""

    mime_type: str
    etag: str
    content: bytes | InFile = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.size_bytes

    async def pieces(self, start: int, size_bytes: int) -> AsyncGenerator[bytes]:
        """A part of it, in pieces of a size; files are read off the loop. Raises OSError."""
        if isinstance(self.content, InFile):
            span = InFile(self.content.path, self.content.start + start, size_bytes)
            async for piece in _read(span):
                yield piece
        elif size_bytes == len(self.content) <= _PIECE_BYTES:
            yield self.content
        else:
            for at in range(start, start + size_bytes, _PIECE_BYTES):
                yield self.content[at : min(at + _PIECE_BYTES, start + size_bytes)]


class Recent:
    """The bodies that were asked for last, of those small enough to be held in memory."""

    def __init__(self, max_bytes: int = 32 << 20, max_item_bytes: int = 4 << 20) -> None:
        self.max_item_bytes = max_item_bytes
        self._max_bytes = max_bytes
        self._bytes = 0
        self._bodies: OrderedDict[str, Body] = OrderedDict()

    def get(self, key: str) -> Body | None:
        """The body of that name, if it is held."""
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, key: str, body: Body) -> None:
        """Hold the body unless it is too large or in a file, and let go of the oldest for it."""
        if isinstance(body.content, InFile) or body.size_bytes > self.max_item_bytes:
            return
        former = self._bodies.pop(key, None)
        self._bodies[key] = body
        self._bytes += body.size_bytes - (former.size_bytes if former else 0)
        while self._bytes > self._max_bytes:
            _, oldest = self._bodies.popitem(last=False)
            self._bytes -= oldest.size_bytes


async def _read(span: InFile) -> AsyncGenerator[bytes]:
    file = await asyncio.to_thread(span.path.open, "rb", buffering=0)
    try:
        file.seek(span.start)
        left = span.size_bytes
        while left:
            piece = await asyncio.to_thread(file.read, min(left, _PIECE_BYTES))
            if not piece:
                raise OSError(f"{span.path} became shorter while it was read")
            left -= len(piece)
            yield piece
    finally:
        file.close()
