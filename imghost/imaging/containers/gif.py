"""GIF: a screen, then images and extensions in chains of sub-blocks. GIF89a."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imghost.imaging.containers.parts import Bare, CutOff, Parts

_IMAGE, _EXTENSION, _END, _TRAILER = 0x2C, 0x21, 0x3B, -1
_COMMENT = 0xFE
_PICTURE = (b"\xff\x0bNETSCAPE2.0", b"\xff\x0bANIMEXTS1.0", b"\xff\x0bICCRGBG1012", b"\xf9")
"""How the extensions begin that bear on loops, colours and timing."""


def bare(data: bytes) -> Bare:
    """The frames, their timing, loops and colours."""
    parts = Parts(data)
    parts.keep(0, _end_of_table(data, 10, 13))
    for lead, start, end in _blocks(data):
        if lead == _EXTENSION and not data.startswith(_PICTURE, start + 1):
            parts.drop(_name(data, start + 1))
        elif lead in (_EXTENSION, _IMAGE, _END, 0):  # some writers end a chain twice
            parts.keep(start, end)
        else:
            parts.drop("trailer" if lead == _TRAILER else "private")
    return parts.joined()


def canvas(data: bytes) -> tuple[int, int, int]:
    """Width and height in pixels that hold every image, and how many images there are."""
    width, height = struct.unpack_from("<HH", data, 6)
    frames = 0
    for lead, start, _ in _blocks(data):
        if lead == _IMAGE:
            left, top, across, down = struct.unpack_from("<4H", data, start + 1)
            width, height = max(width, left + across), max(height, top + down)
            frames += 1
    return width, height, frames


def _blocks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """First byte, start and end of each block; what stands behind the end is no block."""
    position, lead = _end_of_table(data, 10, 13), 0
    while position < len(data) and lead != _END:
        start, lead = position, data[position]
        if lead == _IMAGE:
            position = _end_of_chain(data, _end_of_table(data, start + 9, start + 10) + 1)
        elif lead == _EXTENSION:
            position = _end_of_chain(data, start + 2)
        else:
            position = start + 1
        yield lead, start, position
    if lead != _END:
        raise CutOff
    if position < len(data):
        yield _TRAILER, position, len(data)


def _end_of_table(data: bytes, flags: int, start: int) -> int:
    """Where the colour table that `flags` announces ends; `start` if there is none."""
    return start + (3 << (data[flags] & 7) + 1 if data[flags] & 0x80 else 0)


def _end_of_chain(data: bytes, position: int) -> int:
    while size_bytes := data[position]:
        position += 1 + size_bytes
    return position + 1


def _name(data: bytes, label: int) -> str:
    if data.startswith(b"\xff\x0bXMP DataXMP", label):
        return "XMP"
    return "COM" if data[label] == _COMMENT else "private"
