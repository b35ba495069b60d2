"""PNG and APNG: a signature and chunks. W3C PNG, third edition."""

from __future__ import annotations

import struct
import zlib

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
    position = _SIGNATURE_BYTES
    parts.keep(0, position)
    seen: set[bytes] = set()
    while position < len(data):
        size_bytes, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + size_bytes
        if kind == b"IEND":
            parts.swap(position, len(data), _IEND, "trailer")
            break
        if end > len(data):
            raise CutOff
        _chunk(parts, data, position, end, first=kind not in seen)
        seen.add(kind)
        position = end
    return parts.joined()


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
