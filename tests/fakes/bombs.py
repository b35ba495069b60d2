"""Small files that would take minutes or gigabytes, and the parts that they are made of."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.fakes.pictures import jpeg, png

_MB = 1 << 20


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width_px: int, height_px: int, *more: bytes, colours: int = 0) -> bytes:
    """A PNG file's header, whatever its pixels: further chunks, and the end."""
    header = chunk(b"IHDR", struct.pack(">2I5B", width_px, height_px, 8, colours, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IEND", b"")


BITMAP = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"


def gif_of(*images: bytes) -> bytes:
    """A GIF file of a screen of one pixel and these images."""
    return b"GIF89a" + struct.pack("<2H3B", 1, 1, 0, 0, 0) + b"".join(images) + b";"


def _zeros(count_mb: int) -> bytes:
    """So many times 1,048,576 bytes of nothing, as deflated as can be, without having them all."""
    deflate = zlib.compressobj(9)
    start = deflate.compress(b"") + deflate.flush(zlib.Z_SYNC_FLUSH)
    once = deflate.compress(bytes(_MB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return start + once * count_mb + b"\3\0" + struct.pack(">2H", count_mb * _MB % 65521, 1)


def _with(*chunks: bytes) -> bytes:
    """A sound PNG file with these chunks before its pixels."""
    data = png()
    return b"".join((data[:33], *chunks, data[33:]))


RLE = struct.pack("<2s3I3I2H6I", b"BM", 0, 0, 54 + 1024, 40, 9000, 9000, 1, 8, 1, *[0] * 5)
BOMBS: dict[str, Callable[[], bytes]] = {
    "frames": lambda: gif_of(BITMAP * 10_000),
    "more frames": lambda: gif_of(BITMAP * 2_000_000),
    "said frames": lambda: png_of(
        9, 9, chunk(b"acTL", struct.pack(">2I", 10**6, 0)), chunk(b"IDAT", b"")
    ),
    "chunks": lambda: png_of(9, 9, chunk(b"prVt", b"") * 2_000_000),
    "profile": lambda: png_of(9, 9, chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(50_000_000)))),
    "scans": lambda: (
        jpeg(progressive=True)[:-2] + b"\xff\xda\0\x08\1\1\0\1\x3f\0" * 2000 + b"\xff\xd9"
    ),
    "exif": lambda: b"\xff\xd8" + (b"\xff\xe1\0\x08Exif\0\0") * 2_000_000 + b"\xff\xd9",
    "runs": lambda: RLE + bytes(1024) + b"\1\7\0\0" * 9000 + b"\0\1",
    "canvas": lambda: (
        b"RIFF\x3a\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff" * 5 + b"\xfeVP8 \x18" + bytes(27)
    ),
    "pixels": lambda: png_of(13_300, 13_308, chunk(b"IDAT", _zeros(510)), colours=2),
}
"""By what there is too much of: each is refused."""

PADDED: dict[str, Callable[[], bytes]] = {
    "text": lambda: _with(chunk(b"zTXt", b"key\0\0" + _zeros(200)) * 5),
    "international text": lambda: _with(chunk(b"iTXt", b"key\0\1\0\0\0" + _zeros(200)) * 5),
    "colour profile": lambda: _with(chunk(b"iCCP", b"key\0\0" + _zeros(200))),
}
"""Pictures beside which something grows a thousandfold, if anybody unpacks it."""
