"""Files whose hash is their name: read, written and compared piece by piece."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from imghost.disk import make_private_folder, replacing
from imghost.errors import SourceError

PIECE_BYTES = 1 << 18
_SHA1_LENGTH = 40


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file."""
    while piece := file.read(PIECE_BYTES):
        yield piece


def has_hash(content: Iterable[bytes], expected: str) -> bool:
    """Whether these bytes have this SHA-1 or SHA-256, in lower-case hex."""
    digest = _digest_for(expected)
    for piece in content:
        digest.update(piece)
    return digest.hexdigest() == expected


def is_sound(path: Path, expected: str) -> bool:
    """Whether there is a file with this hash."""
    try:
        with path.open("rb") as file:
            return has_hash(pieces(file), expected)
    except OSError:
        return False


def put(path: Path, content: Iterable[bytes], expected: str, tmp: Path) -> bool:
    """Have these bytes at `path`, durably, if they have this hash and are not there yet.

    Whether they were not. Raises SourceError if they have another hash, MachineError.
    """
    if is_sound(path, expected):
        return False
    digest = _digest_for(expected)
    make_private_folder(tmp)
    with replacing(path, tmp / os.urandom(16).hex()) as file:
        for piece in content:
            digest.update(piece)
            file.write(piece)
        if digest.hexdigest() != expected:
            raise SourceError("its bytes are not what its name says; they are damaged")
    return True


def _digest_for(expected: str) -> hashlib._Hash:
    if len(expected) == _SHA1_LENGTH:
        return hashlib.sha1(usedforsecurity=False)
    return hashlib.sha256()
