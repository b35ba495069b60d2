"""The members of an archive that anybody may have made, one after the other."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from imghost.archive.checked import PIECE_BYTES
from imghost.archive.form import MANIFEST
from imghost.errors import SourceError
from imghost.models import Message
from imghost.values import dataclass

_BLOCK_BYTES = 512
_MAX_HEADER_BYTES = 8192
_PLAIN = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
_WRONG = (tarfile.TarError, ValueError, OverflowError, RecursionError, EOFError, LookupError)
"""What tarfile raises at what is no tar, some of it by accident."""

Skip = Callable[[str, Message], None]


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file in an archive; its name is whatever the archive says."""

    name: str
    size_bytes: int
    _file: BinaryIO
    _start: int

    def pieces(self) -> Iterator[bytes]:
        """Its bytes. Raises SourceError if they end too early or cannot be read."""
        place, end = self._start, self._start + self.size_bytes
        while place < end:
            with _reading():
                self._file.seek(place)
                piece = self._file.read(min(PIECE_BYTES, end - place))
            if not piece:
                raise SourceError("the archive is cut off there; copy or export it again")
            place += len(piece)
            yield piece

    def read(self, max_bytes: int) -> bytes:
        """Its bytes. Raises SourceError if there are more, or as `pieces` does."""
        if self.size_bytes > max_bytes:
            raise SourceError("it is too large for what it is")
        return b"".join(self.pieces())


class _Headers:
    """A file of which nobody reads much at once: a header may say that gigabytes belong to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_HEADER_BYTES:
            raise tarfile.ReadError("too much at once")
        return self._file.read(size)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file at `path`, if it begins as an archive does. Raises SourceError."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)  # a pipe would be waited for
        file = path.open("rb") if is_file else None
    except (OSError, ValueError) as exc:
        raise SourceError(
            "{path} cannot be read: {detail}; name a file that imghost export wrote",
            path=str(path),
            detail=getattr(exc, "strerror", None) or str(exc),
        ) from exc
    if file is None:
        raise SourceError("{path} is no file; name one that imghost export wrote", path=str(path))
    with file:
        with _reading():
            start = file.read(_BLOCK_BYTES)
        if not start.startswith(MANIFEST.encode() + b"\0") or start[257:262] != b"ustar":
            raise SourceError(
                "{path} is no archive of imghost, or its beginning is damaged; nothing was changed",
                path=str(path),
            )
        file.seek(0)
        yield file


def members(file: BinaryIO, skip: Skip) -> Iterator[Member]:
    """Each plain file; behind damage it goes on. Raises SourceError if the file cannot be read.

    `skip` is told the names of what is no plain file, and of damage without one.
    """
    size_bytes = os.fstat(file.fileno()).st_size
    place = 0
    with _reading():
        try:
            for member, end in _headers(file):
                if member.offset > place:
                    skip("", _damaged(place))
                elif member.offset < place or member.size < 0 or end <= place:
                    break  # it would go round
                place = end
                if member.type in _PLAIN and not member.issparse():
                    yield Member(member.name, member.size, file, member.offset_data)
                elif not member.isdir():
                    skip(member.name, Message("it is no plain file"))
            else:
                return
        except _WRONG:
            pass
    if place < size_bytes:
        skip("", _damaged(place))


def _damaged(place: int) -> Message:
    return Message(
        "the archive is damaged at byte {place}; what is whole came in: copy or export it again",
        {"place": place},
    )


def _headers(file: BinaryIO) -> Iterator[tuple[tarfile.TarInfo, int]]:
    """What each member's header says, and where the next one is expected.

    Raises one of _WRONG if it cannot go on.
    """
    reading: Any = _Headers(file)  # reads, seeks and tells, which is all that is asked of it
    tar: Any = tarfile.open(fileobj=reading, mode="r:", ignore_zeros=True)  # noqa: SIM115 - the same
    while (member := tar.next()) is not None:
        tar.members.clear()  # it would remember each
        yield member, tar.offset


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what the operating system says into our error; what is thrown in stays as it is."""
    try:
        yield
    except OSError as exc:
        raise SourceError(
            "the archive cannot be read further: {detail}; see whether its disk is well",
            detail=exc.strerror or str(exc),
        ) from exc
