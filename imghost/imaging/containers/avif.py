"""AVIF: boxes within boxes, and a table of where each item lies. ISO 14496-12 and 23008-12.

Positions are counted from the start of the file, so nothing moves: metadata is written over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from imghost.imaging.containers import metadata
from imghost.imaging.containers.parts import MAX_PARTS, Bare, Broken, CutOff

_FILE = frozenset({b"ftyp", b"meta", b"moov", b"mdat"})
"""What a file consists of; any other box there goes."""

_NESTS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"meta": 4}
"""Boxes that hold boxes in which metadata may stand, and how many bytes precede those."""

_FREE = frozenset({b"free", b"skip"})
_FOREIGN = _FREE | {b"uuid", b"udta"}
_METADATA_ITEMS = frozenset({b"Exif", b"mime", b"uri "})


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    new: bytes
    names: tuple[str, ...]


class _Reader:
    """Unsigned numbers, big-endian, one after the other."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self.position = position

    def take(self, size_bytes: int) -> int:
        start, self.position = self.position, self.position + size_bytes
        if self.position > len(self._data):
            raise CutOff
        return int.from_bytes(self._data[start : self.position], "big")


def bare(data: bytes) -> Bare:
    """The same file, with blanks where metadata stood, cut after its last box."""
    edits = _changes(data)
    if not edits:
        return Bare(data, frozenset())
    blank = bytearray(data)
    for edit in edits:
        blank[edit.start : edit.end] = edit.new
    left = bytes(blank)
    if _changes(left):  # items lay over one another, or over the table of items
        raise Broken
    return Bare(left, frozenset(name for edit in edits for name in edit.names))


def _changes(data: bytes) -> list[_Edit]:
    return [edit for edit in _edits(data) if data[edit.start : edit.end] != edit.new]


def _edits(data: bytes) -> Iterator[_Edit]:
    position = 0
    while position < len(data):
        box = _box_at(data, position, len(data))
        if box is None:
            if data[position + 4 : position + 8] in _FILE:
                raise CutOff
            yield _Edit(position, len(data), b"", ("trailer",))
            return
        yield from _edits_within(data, box) if box.kind in _FILE else _blanked(box)
        position = box.end


def _edits_within(data: bytes, box: _Box) -> Iterator[_Edit]:
    if box.kind in _FOREIGN:
        yield from _blanked(box)
    elif box.kind in _NESTS:
        inner = list(_boxes(data, box.body + _NESTS[box.kind], box.end))
        if box.kind == b"meta":
            yield from _blanked_items(data, {one.kind: one for one in inner})
        for one in inner:
            yield from _edits_within(data, one)


def _box_at(data: bytes, start: int, limit: int) -> _Box | None:
    """The box that begins there, unless it is none or does not fit."""
    if start + 8 > limit:
        return None
    size_bytes, body = int.from_bytes(data[start : start + 4], "big"), start + 8
    if size_bytes == 1:
        size_bytes, body = int.from_bytes(data[body : body + 8], "big"), start + 16
    end = start + size_bytes if size_bytes else limit
    return _Box(data[start + 4 : start + 8], start, body, end) if body <= end <= limit else None


def _boxes(data: bytes, position: int, end: int) -> Iterator[_Box]:
    for _ in range(MAX_PARTS):
        if position >= end:
            return
        box = _box_at(data, position, end)
        if box is None:
            raise CutOff
        yield box
        position = box.end
    raise Broken


def _blanked(box: _Box) -> Iterator[_Edit]:
    """The box made a free one that holds nothing."""
    if box.kind not in _FREE:
        yield _Edit(box.start + 4, box.start + 8, b"free", ("private",))
    yield _Edit(box.body, box.end, bytes(box.end - box.body), ("private",))


def _blanked_items(data: bytes, boxes: dict[bytes, _Box]) -> Iterator[_Edit]:
    if b"iinf" not in boxes or b"iloc" not in boxes:
        return
    kinds = dict(_metadata_items(data, boxes[b"iinf"]))
    for item, extents in _locations(data, boxes[b"iloc"], boxes.get(b"idat"), kinds.keys()):
        old = b"".join(data[start:end] for start, end in extents)
        new, names = _silenced(kinds[item], old)
        for start, end in extents:
            yield _Edit(start, end, new[: end - start], names)
            new = new[end - start :]


def _silenced(kind: bytes, old: bytes) -> tuple[bytes, tuple[str, ...]]:
    """As many bytes that say nothing; decoders insist on a TIFF header in EXIF."""
    if kind != b"Exif":
        return b" " * len(old), metadata.xmp_names(old)
    tiff = old[4 + int.from_bytes(old[:4], "big") :]
    empty = (bytes(4) + metadata.EMPTY_EXIF).ljust(len(old), b"\0")[: len(old)]
    return empty, metadata.exif_names(tiff)


def _metadata_items(data: bytes, iinf: _Box) -> Iterator[tuple[int, bytes]]:
    """The number and kind of each item that is no picture."""
    first = iinf.body + (6 if data[iinf.body] == 0 else 8)
    for entry in _boxes(data, first, iinf.end):
        reader = _Reader(data, entry.body + 4)
        number = reader.take(2 if data[entry.body] <= 2 else 4)  # noqa: PLR2004 - the box's version
        kind = data[reader.position + 2 : reader.position + 6]
        if kind in _METADATA_ITEMS:
            yield number, kind


def _locations(
    data: bytes, iloc: _Box, idat: _Box | None, wanted: Collection[int]
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The wanted items, each with start and end of its pieces in the file."""
    version, reader = data[iloc.body], _Reader(data, iloc.body + 4)
    sizes = reader.take(2)
    offset, length, base = (sizes >> shift & 15 for shift in (12, 8, 4))
    index = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2  # noqa: PLR2004 - the box's version
    for _ in range(reader.take(wide)):
        number = reader.take(wide)
        method = reader.take(2) & 15 if version else 0
        reader.take(2)
        origin, count = reader.take(base), reader.take(2)
        if number not in wanted:
            reader.position += count * (index + offset + length)
            continue
        origin += _origin(method, idat)
        pieces = []
        for _ in range(count):
            reader.take(index)
            start = origin + reader.take(offset)
            pieces.append((start, start + reader.take(length)))
            if not start < pieces[-1][1] <= len(data):
                raise Broken
        yield number, pieces


def _origin(method: int, idat: _Box | None) -> int:
    """What the pieces of an item are counted from: the file's start, or that of `idat`."""
    if method == 0:
        return 0
    if method == 1 and idat:
        return idat.body
    raise Broken
