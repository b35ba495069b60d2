"""JPEG: segments between markers, and the coded picture. ITU-T T.81 annex B, JFIF 1.02."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from imghost.imaging.containers import metadata
from imghost.imaging.containers.parts import Bare, Broken, CutOff, Parts

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # restarts belong to the scan
_CODED, _STRAY, _TRAILER = -1, -2, -3  # what stands between markers, and after the last
_END, _SCAN, _COMMENT, _APP1 = 0xD9, 0xDA, 0xFE, 0xE1
_APPLICATION = range(0xE0, 0xF0)
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})
_MAX_SCANS = 100  # each is a pass over the whole picture, however short; encoders make about 10

_NAMES: tuple[tuple[int, bytes, str], ...] = (
    (0xE0, b"JF", "thumbnail"),
    (0xE2, b"MPF\0", "MPF"),
    (0xEB, b"JP", "C2PA"),
    (0xED, b"Photoshop 3.0\0", "IPTC"),
    (_COMMENT, b"", "COM"),
)


def bare(data: bytes) -> Bare:
    """The primary picture alone: after its end may stand a film or a second photograph."""
    parts = Parts(data)
    has_exif = False
    for marker, start, end in _segments(data):
        if marker in _APPLICATION or marker == _COMMENT:
            body = data[start + 4 : end]
            kept = b"" if marker == _APP1 and has_exif else _kept(marker, body)
            has_exif |= marker == _APP1 and body.startswith(metadata.EXIF_PREFIX)
            parts.swap(start, end, _segment(marker, kept), *_names(marker, body))
        elif marker == _TRAILER:
            parts.drop("trailer")
        elif marker == _STRAY and data.count(b"\xff", start, end) < end - start:
            parts.drop("private")
        else:
            parts.keep(start, end)
    return parts.joined()


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each part; together they are the whole file."""
    position = marker = scans = 0
    while marker != _END:
        pattern, between = (_MARKER, _STRAY) if marker != _SCAN else (_MARKER_AFTER_SCAN, _CODED)
        found = pattern.search(data, position)
        start = found.start() if found else len(data)
        if start > position:
            yield between, position, start
        if not found:
            return
        marker = data[start + 1]
        position = start + 2 if marker in _ALONE else _end_of_segment(data, start)
        scans += marker == _SCAN
        if scans > _MAX_SCANS:
            raise Broken
        yield marker, start, position
    if position < len(data):
        yield _TRAILER, position, len(data)


def _end_of_segment(data: bytes, start: int) -> int:
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    if not start + 4 <= end <= len(data):
        raise CutOff
    return end


def _kept(marker: int, body: bytes) -> bytes:
    """What of an application segment bears on how the picture looks."""
    if marker == _APPLICATION[0] and body.startswith(b"JFIF\0") and len(body) >= 14:  # noqa: PLR2004 - JFIF's size
        return body[:12] + b"\0\0"  # without its thumbnail
    if marker == _APP1 and body.startswith(metadata.EXIF_PREFIX):
        turn = metadata.essence(body[len(metadata.EXIF_PREFIX) :])
        return metadata.EXIF_PREFIX + turn if turn else b""
    if marker == _APPLICATION[2] and body.startswith(b"ICC_PROFILE\0"):
        return body
    if marker == _APPLICATION[14] and body.startswith(b"Adobe"):
        return body[:12]
    return b""


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body if body else b""


def _names(marker: int, body: bytes) -> tuple[str, ...]:
    if marker == _APP1 and body.startswith(metadata.EXIF_PREFIX):
        return metadata.exif_names(body[len(metadata.EXIF_PREFIX) :])
    if marker == _APP1 and body.startswith(b"http://ns.adobe.com/x"):
        return metadata.xmp_names(body)
    for of_marker, prefix, name in _NAMES:
        if marker == of_marker and body.startswith(prefix):
            return (name,)
    return (f"APP{marker & 15}",)
