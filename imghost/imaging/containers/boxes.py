"""Boxes within boxes, and the table of where each item lies: ISO 14496-12."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imghost.imaging.containers.parts import MAX_PARTS, Broken, CutOff
from imghost.values import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box begins, where what it holds begins, and where both end."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """`pieces`: start and end of each, counted from where `method` says."""

    number: int
    method: int
    pieces: list[tuple[int, int]]


class Reader:
    """Unsigned numbers, big-endian, one after the other."""

    def __init__(self, data: bytes, position: int, end: int) -> None:
        self._data = data
        self._end = end
        self.position = position

    def take(self, size_bytes: int) -> int:
        """The next number. Raises CutOff if it is not all there."""
        start, self.position = self.position, self.position + size_bytes
        if self.position > self._end:
            raise CutOff
        return int.from_bytes(self._data[start : self.position], "big")


def box_at(data: bytes, start: int, limit: int) -> Box | None:
    """The box that begins there, unless it is none or does not fit."""
    if start + 8 > limit:
        return None
    size_bytes, body = int.from_bytes(data[start : start + 4], "big"), start + 8
    if size_bytes == 1:
        size_bytes, body = int.from_bytes(data[body : body + 8], "big"), start + 16
    end = start + size_bytes if size_bytes else limit
    return Box(data[start + 4 : start + 8], start, body, end) if body <= end <= limit else None


def boxes_in(data: bytes, position: int, end: int) -> Iterator[Box]:
    """The boxes that fill this room. Raises CutOff if they do not, Broken if they never end."""
    for _ in range(MAX_PARTS):
        if position >= end:
            return
        box = box_at(data, position, end)
        if box is None:
            raise CutOff
        yield box
        position = box.end
    raise Broken


def inside(data: bytes, boxes: Sequence[Box], kind: bytes, *more: bytes) -> Iterator[Box]:
    """The boxes at the end of a path of kinds."""
    for box in boxes:
        if box.kind == kind and more:
            yield from inside(data, list(boxes_in(data, box.body, box.end)), *more)
        elif box.kind == kind:
            yield box


def items(data: bytes, iloc: Box) -> Iterator[Item]:
    """All that the table of places says. Raises CutOff, or Broken if it is without end."""
    version, reader = data[iloc.body], Reader(data, iloc.body + 4, iloc.end)
    sizes = reader.take(2)
    offset, length, base = (sizes >> shift & 15 for shift in (12, 8, 4))
    index = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2  # noqa: PLR2004 - the box's version
    left = MAX_PARTS
    for _ in range(reader.take(wide)):
        number = reader.take(wide)
        method = reader.take(2) & 15 if version else 0
        reader.take(2)
        origin, count = reader.take(base), reader.take(2)
        left -= count
        if left < 0:
            raise Broken
        pieces = []
        for _ in range(count):
            reader.take(index)
            start = origin + reader.take(offset)
            pieces.append((start, start + reader.take(length)))
        yield Item(number, method, pieces)
