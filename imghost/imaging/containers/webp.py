"""WebP: a RIFF file of padded chunks. RFC 9649."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imghost.imaging.containers import metadata
from imghost.imaging.containers.parts import Bare, CutOff, Parts

_HEAD_BYTES = 12
_FRAME_HEAD_BYTES = 8 + 16
_FLAGS = 20  # where they stand in an extended file
_HAS_EXIF, _HAS_XMP = 0x08, 0x04
_CODED = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_REPEATED = _CODED | {b"ANMF"}
_PICTURE = _REPEATED | {b"VP8X", b"ICCP", b"ANIM"}


def bare(data: bytes) -> Bare:
    """The picture, its colours and its frames, under a header that says what is still there."""
    parts = Parts(data)
    parts.keep(0, _HEAD_BYTES)
    (size_bytes,) = struct.unpack_from("<I", data, 4)
    end = 8 + size_bytes
    if end > len(data):
        raise CutOff
    seen: set[bytes] = set()
    for kind, start, after in _chunks(data, _HEAD_BYTES, end):
        _chunk(parts, data, start, after, first=kind not in seen)
        seen.add(kind)
    if end < len(data):
        parts.drop("trailer")
    left = parts.joined()
    return Bare(_under_true_header(left.data), left.removed) if left.removed else left


def _chunks(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk, padding included; a rest too short for one has no kind."""
    while position + 8 <= end:
        kind, size_bytes = struct.unpack_from("<4sI", data, position)
        if position + 8 + size_bytes > end:
            raise CutOff
        after = min(position + 8 + size_bytes + size_bytes % 2, end)
        yield kind, position, after
        position = after
    if position < end:
        yield b"", position, end


def _chunk(parts: Parts, data: bytes, start: int, end: int, *, first: bool) -> None:
    kind = data[start : start + 4]
    if kind == b"ANMF":
        parts.swap(start, end, _bare_frame(data, start, end), "private")
    elif kind in _REPEATED or (kind in _PICTURE and first):
        parts.keep(start, end)
    elif kind == b"EXIF":
        tiff = _body(data, start).removeprefix(metadata.EXIF_PREFIX)
        turn = metadata.essence(tiff) if first else b""
        parts.swap(start, end, _made(kind, turn) if turn else b"", *metadata.exif_names(tiff))
    elif kind == b"XMP ":
        parts.drop(*metadata.xmp_names(_body(data, start)))
    else:
        parts.drop("private")


def _bare_frame(data: bytes, start: int, end: int) -> bytes:
    head = start + _FRAME_HEAD_BYTES
    coded = (data[a:b] for kind, a, b in _chunks(data, head, end) if kind in _CODED)
    return _made(b"ANMF", data[start + 8 : head] + b"".join(coded))


def _under_true_header(data: bytes) -> bytes:
    """The same with the size that it has now, and the flags of the metadata that it has now."""
    true = bytearray(data)
    struct.pack_into("<I", true, 4, len(true) - 8)
    if true.startswith(b"VP8X", _HEAD_BYTES):
        kinds = {kind for kind, _, _ in _chunks(data, _HEAD_BYTES, len(data))}
        true[_FLAGS] &= ~(_HAS_EXIF | _HAS_XMP) & 0xFF
        true[_FLAGS] |= _HAS_EXIF if b"EXIF" in kinds else 0
    return bytes(true)


def _body(data: bytes, start: int) -> bytes:
    (size_bytes,) = struct.unpack_from("<I", data, start + 4)
    return data[start + 8 : start + 8 + size_bytes]


def _made(kind: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(body)) + body + bytes(len(body) % 2)
