"""PNG and APNG: a signature and chunks. W3C PNG, third edition."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from imghost.imaging.containers import metadata
from imghost.imaging.containers.parts import Bare, CutOff, Parts

_SIGNATURE_BYTES = 8
_IEND = b"\0\0\0\0IEND\xaeB`\x82"
_REPEATED = frozenset({b"IDAT", b"fcTL", b"fdAT", b"sPLT"})
_PICTURE = _REPEATED | {
    *(b"IHDR", b"PLTE", b"tRNS", b"acTL"),
    *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi"),
    *(b"sBIT", b"bKGD", b"hIST", b"pHYs"),
}
"""All that bears on pixels, colour, size or movement. Any other chunk goes, known or not."""

_NAMES = {kind.encode(): kind for kind in ("tEXt", "zTXt", "iTXt", "tIME")} | {b"caBX": "C2PA"}


def bare(data: bytes) -> Bare:
    """The picture, its colours and its frames; behind IEND may stand what a crop cut away."""
    parts = Parts(data)
    parts.keep(0, _SIGNATURE_BYTES)
    seen: set[bytes] = set()
    for kind, start, end in _chunks(data):
        if kind == b"IEND":
            parts.swap(start, len(data), _IEND, "trailer")
        else:
            _chunk(parts, data, start, end, first=kind not in seen)
        seen.add(kind)
    return parts.joined()


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk; IEND is the last."""
    kind, position = b"", _SIGNATURE_BYTES
    while kind != b"IEND":
        start = position
        size_bytes, kind = struct.unpack_from(">I4s", data, start)
        position = start + 12 + size_bytes
        if position > len(data):
            raise CutOff
        yield kind, start, position


def _chunk(parts: Parts, data: bytes, start: int, end: int, *, first: bool) -> None:
    kind, body = data[start + 4 : start + 8], slice(start + 8, end - 4)
    if kind in _REPEATED or (kind in _PICTURE and first):
        parts.keep(start, end)
    elif kind == b"eXIf":
        turn = metadata.essence(data[body]) if first else b""
        new = _made(kind, turn) if turn else b""
        parts.swap(start, end, new, *metadata.exif_names(data[body]))
    elif kind == b"iTXt" and data.startswith(b"XML:com.adobe.xmp", body.start):
        parts.drop(*metadata.xmp_names(data[body]))
    else:
        parts.drop(_NAMES.get(kind, "private"))


def _made(kind: bytes, body: bytes) -> bytes:
    checked = kind + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))
