"""EXIF and XMP: what turns the picture, and whether a place stands in it; no more is looked at.

TIFF 6.0, section 2: a header, then directories of 12-byte entries. EXIF 3.0 for the two tags.
"""

from __future__ import annotations

import struct

EXIF_PREFIX = b"Exif\0\0"
"""What stands before the TIFF header in JPEG, and with some writers in WebP."""

EMPTY_EXIF = b"II*\0\x08\0\0\0" + bytes(6)
"""EXIF that says nothing: a header, and a directory without entries."""

_ORIENTATION = 0x0112
_GPS = 0x8825
_SHORT = 3
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def orientation(tiff: bytes) -> int:
    """How the picture is to be turned, 1 (not at all) to 8; 5 to 8 swap width and height."""
    kind, value = _tags(tiff).get(_ORIENTATION, (_SHORT, 1))
    return value if kind == _SHORT and 1 <= value <= 8 else 1  # noqa: PLR2004 - EXIF's range


def essence(tiff: bytes) -> bytes:
    """The same with nothing but the orientation, which is nothing at all if that is 1.

    What holds only the orientation already comes back unchanged, in either byte order.
    """
    turn = orientation(tiff)
    if turn == 1:
        return b""
    minimal = [_only_orientation(magic, turn) for magic in _ORDERS]
    return tiff if tiff in minimal else minimal[0]


def exif_names(tiff: bytes) -> tuple[str, ...]:
    """What a person would call it."""
    return ("EXIF", "GPS") if _GPS in _tags(tiff) else ("EXIF",)


def xmp_names(xmp: bytes) -> tuple[str, ...]:
    """What a person would call it."""
    return ("XMP", "GPS") if b"GPSLatitude" in xmp else ("XMP",)


def _tags(tiff: bytes) -> dict[int, tuple[int, int]]:
    """The first directory: tag to type and value, the value read as a SHORT."""
    order = _ORDERS.get(tiff[:4])
    tags: dict[int, tuple[int, int]] = {}
    if order is None:
        return tags
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            tags.setdefault(tag, (kind, value))
    except struct.error:  # a directory cut short says what it still can
        pass
    return tags


def _only_orientation(magic: bytes, turn: int) -> bytes:
    entry = struct.pack(_ORDERS[magic] + "IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, turn, 0, 0)
    return magic + entry
