"""AVIF: what in its boxes is no picture goes. ISO 14496-12 and 23008-12.

Positions are counted from the start of the file, so nothing moves: metadata is written over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

from imghost.imaging.containers import metadata
from imghost.imaging.containers.boxes import Box, Reader, box_at, boxes_in, inside, items
from imghost.imaging.containers.parts import MAX_PARTS, Bare, Broken, CutOff
from imghost.values import dataclass

_FILE = frozenset({b"ftyp", b"meta", b"moov", b"mdat"})
"""What a file consists of; any other box there goes."""

_NESTS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes that hold boxes in which metadata may stand, and how many bytes precede those."""

_FREE = frozenset({b"free", b"skip"})
_FOREIGN = _FREE | {b"uuid", b"udta", b"xml ", b"bxml", b"udes", b"crtt", b"mdft"}
"""Names, places and times, as boxes and as properties of items, which keep their numbers."""

_TIMED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
"""Boxes that begin with when a film or a track was made and changed."""

_HANDLERS = frozenset({b"", b"libavif"})
_NAMES = frozenset({b"", b"Color", b"Alpha", b"Exif", b"XMP", b"GMap", b"GMapAlt"})
_METADATA_ITEMS = frozenset({b"Exif", b"mime", b"uri "})


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    new: bytes
    names: tuple[str, ...]


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
    boxes = list(_file(data))
    used = sorted(_used(data, boxes))
    for box in boxes:
        is_idle = box.kind == b"mdat" and not _holds_one(box, used)
        if is_idle or box.kind not in _FILE:
            yield from _blanked(box)
        else:
            yield from _edits_within(data, box)
    end = boxes[-1].end if boxes else 0
    if end < len(data):
        yield _Edit(end, len(data), b"", ("trailer",))


def _file(data: bytes) -> Iterator[Box]:
    """The boxes of the file, up to where no more begins."""
    position = 0
    for _ in range(MAX_PARTS):
        box = box_at(data, position, len(data))
        if box is None:
            if data[position + 4 : position + 8] in _FILE:
                raise CutOff
            return
        yield box
        position = box.end
    raise Broken


def _used(data: bytes, boxes: Sequence[Box]) -> Iterator[int]:
    """Where pieces of items and chunks of films begin; those in `idat` count from elsewhere."""
    for meta in inside(data, boxes, b"meta"):
        for iloc in inside(data, list(boxes_in(data, meta.body + 4, meta.end)), b"iloc"):
            for item in items(data, iloc):
                yield from (start for start, _ in item.pieces if item.method == 0)
    tables = inside(data, boxes, b"moov", b"trak", b"mdia", b"minf", b"stbl")
    for table in tables:
        for kind, size_bytes in ((b"stco", 4), (b"co64", 8)):
            for chunks in inside(data, list(boxes_in(data, table.body, table.end)), kind):
                for place in range(chunks.body + 8, chunks.end, size_bytes):
                    yield int.from_bytes(data[place : place + size_bytes], "big")


def _holds_one(box: Box, places: Sequence[int]) -> bool:
    first = bisect_left(places, box.body)
    return first < len(places) and places[first] < box.end


def _edits_within(data: bytes, box: Box) -> Iterator[_Edit]:
    if box.kind in _FOREIGN:
        yield from _blanked(box)
    elif box.kind in _TIMED:
        yield _without_times(data, box)
    elif box.kind == b"hdlr":
        yield from _without_name(data, box)
    elif box.kind in _NESTS:
        inner = list(boxes_in(data, box.body + _NESTS[box.kind], box.end))
        if box.kind == b"meta":
            yield from _blanked_items(data, {one.kind: one for one in inner})
        for one in inner:
            yield from _edits_within(data, one)


def _blanked(box: Box) -> Iterator[_Edit]:
    """The box made a free one that holds nothing."""
    if box.kind not in _FREE:
        yield _Edit(box.start + 4, box.start + 8, b"free", ("private",))
    yield _Edit(box.body, box.end, bytes(box.end - box.body), ("private",))


def _without_times(data: bytes, box: Box) -> _Edit:
    """Two times of the epoch; they have eight bytes each from the box's version 1 on."""
    start = box.body + 4
    length = 16 if data[box.body] else 8
    return _Edit(start, start + length, bytes(length), ("times",))


def _without_name(data: bytes, box: Box) -> Iterator[_Edit]:
    """What somebody called a track; the name ends the box."""
    start = box.body + 24
    name = data[start : box.end]
    if name.partition(b"\0")[0] not in _HANDLERS:
        yield _Edit(start, box.end, bytes(len(name)), ("private",))


def _blanked_items(data: bytes, boxes: dict[bytes, Box]) -> Iterator[_Edit]:
    if b"iinf" not in boxes or b"iloc" not in boxes:
        return
    yield from _blanked_names(data, boxes[b"iinf"])
    kinds = dict(_metadata_items(data, boxes[b"iinf"]))
    left = len(data)
    for item, extents in _locations(data, boxes[b"iloc"], boxes.get(b"idat"), kinds.keys()):
        left -= sum(end - start for start, end in extents)
        if left < 0:
            raise Broken  # pieces that lie over one another
        old = b"".join(data[start:end] for start, end in extents)
        new, names = _silenced(kinds[item], old)
        at = 0
        for start, end in extents:
            yield _Edit(start, end, new[at : at + end - start], names)
            at += end - start


def _silenced(kind: bytes, old: bytes) -> tuple[bytes, tuple[str, ...]]:
    """As many bytes that say nothing; decoders insist on a TIFF header in EXIF."""
    if kind != b"Exif":
        return b" " * len(old), metadata.xmp_names(old)
    tiff = old[4 + int.from_bytes(old[:4], "big") :]
    empty = (bytes(4) + metadata.EMPTY_EXIF).ljust(len(old), b"\0")[: len(old)]
    return empty, metadata.exif_names(tiff)


def _metadata_items(data: bytes, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """The number and kind of each item that is no picture."""
    for number, at, _ in _entries(data, iinf):
        if data[at : at + 4] in _METADATA_ITEMS:
            yield number, data[at : at + 4]


def _blanked_names(data: bytes, iinf: Box) -> Iterator[_Edit]:
    """What somebody called the items; encoders call them by their kinds."""
    for _, at, end in _entries(data, iinf):
        name = data[at + 4 : end].partition(b"\0")[0]
        if name not in _NAMES:
            yield _Edit(at + 4, at + 4 + len(name), b" " * len(name), ("private",))


def _entries(data: bytes, iinf: Box) -> Iterator[tuple[int, int, int]]:
    """Of each item its number, where its kind stands, which its name follows, and the end."""
    first = iinf.body + (6 if data[iinf.body] == 0 else 8)
    for entry in boxes_in(data, first, iinf.end):
        reader = Reader(data, entry.body + 4, entry.end)
        number = reader.take(2 if data[entry.body] <= 2 else 4)  # noqa: PLR2004 - the box's version
        yield number, reader.position + 2, entry.end


def _locations(
    data: bytes, iloc: Box, idat: Box | None, wanted: Collection[int]
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The wanted items, each with start and end of its pieces in the file."""
    for item in items(data, iloc):
        if item.number in wanted:
            origin = _origin(item.method, idat)
            pieces = [(origin + start, origin + end) for start, end in item.pieces]
            if not all(start < end <= len(data) for start, end in pieces):
                raise Broken
            yield item.number, pieces


def _origin(method: int, idat: Box | None) -> int:
    """What the pieces of an item are counted from: the file's start, or that of `idat`."""
    if method == 0:
        return 0
    if method == 1 and idat:
        return idat.body
    raise Broken
