"""ICO: one picture in several sizes, of which the largest counts."""

from __future__ import annotations

import struct

from imghost.imaging.containers import CutOff

_HEAD = struct.Struct("<3H4B2H2I")
_PNG = b"\x89PNG"
_PNG_BITS = 32


def largest(data: bytes) -> bytes:
    """The largest picture, of several the deepest: a PNG file, or an ICO file of one bitmap.

    Raises CutOff if there is less than the directory says, or struct.error or ValueError.
    """
    (count,) = struct.unpack_from("<H", data, 4)
    places = [struct.unpack_from("<II", data, 14 + 16 * n) for n in range(count)]
    if any(start + size_bytes > len(data) for size_bytes, start in places):
        raise CutOff
    size_bytes, start = max(places, key=lambda place: _worth(data, place[1]))
    picture = data[start : start + size_bytes]
    if picture.startswith(_PNG):
        return picture
    width, height, bits = _header(picture, 0)
    entry = (width % 256, height % 256, 0, 0, 1, bits, len(picture), _HEAD.size)
    return _HEAD.pack(0, 1, 1, *entry) + picture


def canvas(data: bytes) -> tuple[int, int, int]:
    """Width and height in pixels of what `largest` gave, and how many frames it has: one."""
    width, height, _ = _header(data, 0 if data.startswith(_PNG) else _HEAD.size)
    return width, height, 1


def _worth(data: bytes, start: int) -> tuple[int, int]:
    width, height, bits = _header(data, start)
    return width * height, bits


def _header(data: bytes, start: int) -> tuple[int, int, int]:
    """Width, height and bits a pixel; a bitmap's height counts its mask too."""
    if data.startswith(_PNG, start):
        width, height = struct.unpack_from(">II", data, start + 16)
        return width, height, _PNG_BITS
    _, width, height, _, bits = struct.unpack_from("<IIIHH", data, start)
    return width, height // 2, bits
