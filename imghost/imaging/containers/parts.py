"""A container taken apart: what is kept, and what is left out under which name."""

from __future__ import annotations

from imghost.values import dataclass

MAX_PARTS = 100_000
"""More than any honest file has: one of 200 MB in pieces of 4 KiB has half of that."""


class Broken(ValueError):
    """A container that does not follow its own rules."""


class CutOff(Broken):
    """A container that ends before it should."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A file without its metadata, and what that was: the names that its format gives to them."""

    data: bytes
    removed: frozenset[str]


class Parts:
    """Collects the parts of one file in their order; nothing is copied until something is left out.

    Raises Broken when there are so many that only malice explains it.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._view = memoryview(data)
        self._kept: list[bytes | memoryview] = []
        self._removed: set[str] = set()
        self._count = 0

    def keep(self, start: int, end: int) -> None:
        """These bytes stay."""
        self._counted()
        self._kept.append(self._view[start:end])

    def drop(self, *names: str) -> None:
        """What stands here goes; `names` say what it was."""
        self._counted()
        self._removed.update(names)

    def swap(self, start: int, end: int, new: bytes, *names: str) -> None:
        """These bytes become `new`; if they are that already, nothing happened."""
        if self._view[start:end] == new:
            self.keep(start, end)
        else:
            self.drop(*names)
            self._kept.append(new)

    def joined(self) -> Bare:
        """The file that is left, which is the very same object if nothing was left out."""
        if not self._removed:
            return Bare(self._data, frozenset())
        return Bare(b"".join(self._kept), frozenset(self._removed))

    def _counted(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise Broken
