"""Whether two finds are one picture: by what is sent, else by their pixels."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import field

from imghost.errors import ImghostError
from imghost.models import Record
from imghost.pipeline import Ready
from imghost.values import dataclass

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Seen:
    """A picture as it is remembered: not its bytes, only their hashes and its size.

    `pixels` is their digest once that was asked for, "" if it cannot be had.
    """

    original: str
    sha256: str
    size_px: tuple[int, int]
    pixels: str | None = field(default=None, init=False)

    @classmethod
    def of(cls, ready: Ready) -> Seen:
        """What is remembered of a find."""
        made = ready.made if isinstance(ready.made, Record) else ready.made.image
        return cls(ready.original, made.sha256, (made.width_px, made.height_px))


class SamePicture:
    """Compares finds; pixels are decoded only where sizes agree and bytes do not.

    `pixels` gives the digest of an image's pixels, "" if it has none, by its bytes and name; `read`
    an original's bytes, by its hash.
    """

    def __init__(self, pixels: Callable[[bytes, str], str], read: Callable[[str], bytes]) -> None:
        self._pixels = pixels
        self._read = read

    def __call__(self, former: Seen, mine: Seen, ready: Ready) -> bool:
        """Whether `mine`, which is `ready`, shows what the former one does."""
        if former.size_px != mine.size_px:
            return False
        if former.sha256 == mine.sha256:
            return True
        if mine.pixels is None:
            mine.pixels = self._digest(lambda: ready.data, ready.found.name)
        if former.pixels is None:
            former.pixels = self._digest(lambda: self._read(former.original), former.original)
        return bool(mine.pixels) and mine.pixels == former.pixels

    def _digest(self, load: Callable[[], bytes], name: str) -> str:
        try:
            return self._pixels(load(), name)
        except ImghostError as exc:  # then it is not known to be the same
            log.info("%s", exc)
            return ""
