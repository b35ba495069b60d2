"""The image-style suffix, '@800w_1e_1c.webp', as a value: read, written, and worked out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from imghost.errors import ConfigError
from imghost.models import EXTENSIONS, MIME_TYPES
from imghost.values import dataclass

if TYPE_CHECKING:
    from fractions import Fraction

DEFAULT_QUALITY = 75

_LETTERS: Mapping[str, tuple[str, range]] = {
    "p": ("percent", range(1, 1001)),
    "w": ("width_px", range(1, 2**63)),
    "h": ("height_px", range(1, 2**63)),
    "e": ("mode", range(3)),
    "c": ("crop", range(4)),
    "q": ("quality", range(1, 101)),
    "s": ("s", range(2**63)),
    "o": ("o", range(2**63)),
    "f": ("f", range(2**63)),
}
"""Each letter's field and range, in the order in which they are written."""

_FORMATS: Mapping[str, str] = {
    "webp": "webp",
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "gif": "gif",
    "avif": "avif",
}
_LARGER, _STRETCHED = 1, 2
_MAX_CHARS = 256
_ITEM = re.compile(
    r"(?P<value>[0-9]+)(?P<letter>[a-z])|(?P<progressive>progressive)|!(?P<name>[0-9a-z-]+)",
    re.ASCII | re.IGNORECASE,
)
_ENDINGS = "|".join(sorted({*EXTENSIONS.values(), *MIME_TYPES}))
_STYLED = re.compile(
    rf"(?P<link>.+\.(?:{_ENDINGS}))(?P<style>@[^/@?#]*)", re.ASCII | re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Style:
    """What an image server makes of an image; raises ConfigError if it cannot be.

    `mode`: 0 the smaller and 1 the larger result of the same ratio, 2 another ratio. `crop`: 1 cuts
    to exactly width x height (2 and 3 too, at Bilibili with another anchor). `ending` is the format
    as written, "" for the original's. `s`, `o`, `f`, `progressive` and `name` are only passed on.
    None stands for what was not said. Grammar and sizes: facts of Bilibili's image server.
    """

    percent: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    mode: int | None = None
    crop: int | None = None
    quality: int | None = None
    s: int | None = None
    o: int | None = None
    f: int | None = None
    progressive: bool = False
    name: str = ""
    ending: str = ""

    def __post_init__(self) -> None:
        for letter, value, allowed in self._said():
            if value not in allowed:
                raise ConfigError(
                    "{part} in the style is out of range; {letter} goes from {lowest} to {highest}",
                    part=f"{value}{letter}",
                    letter=letter,
                    lowest=allowed.start,
                    highest=allowed.stop - 1,
                )
        stretched = self.mode == _STRETCHED
        if self.crop is not None and (stretched or self.percent is not None):
            raise ConfigError(
                "{part} in the style does not go together with {crop}; leave one of them out",
                part=f"{self.mode}e" if stretched else f"{self.percent}p",
                crop=f"{self.crop}c",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a suffix with its "@", letters in either case, the last of a kind winning.

        "" is the style that changes nothing. Raises ConfigError, which names the offending part.
        """
        if not text:
            return cls()
        if not text.startswith("@") or len(text) > _MAX_CHARS:
            raise ConfigError(
                "{part} is no style; a style begins with @ and has at most {max_chars} characters, "
                "such as @800w_1e_1c.webp",
                part=text[:40],
                max_chars=_MAX_CHARS,
            )
        items, _, ending = text[1:].partition(".")
        if ending and ending.lower() not in _FORMATS:
            raise ConfigError(
                "{part} is no format of a style; use one of {known}",
                part=f".{ending}",
                known=", ".join(_FORMATS),
            )
        return cls(**_fields(items), ending=ending.lower())

    def __str__(self) -> str:
        items = [f"{value}{letter}" for letter, value, _ in self._said()]
        items += ["progressive"] if self.progressive else []
        items += [f"!{self.name}"] if self.name else []
        ending = f".{self.ending}" if self.ending else ""
        return f"@{'_'.join(items)}{ending}" if items or ending else ""

    @property
    def format(self) -> str:
        """The key of MIME_TYPES that is asked for, "" for the original's."""
        return _FORMATS.get(self.ending, "")

    @property
    def effective(self) -> Self:
        """The one style that all styles become which `render` draws alike."""
        return replace(
            self,
            mode=self.mode or None,
            crop=1 if self.crop else None,
            s=None,
            o=None,
            f=None,
            progressive=False,
            name="",
            ending=self.format,
        )

    def size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """The result's width and height in pixels, for an original of these; never more pixels."""
        if self.is_void(width_px, height_px):
            return width_px, height_px
        return self._asked(width_px, height_px)

    def is_void(self, width_px: int, height_px: int) -> bool:
        """Whether it asks for more pixels than an original of these has, and so for no size."""
        width, height = self._asked(width_px, height_px)
        return width * height > width_px * height_px

    def box(self, width_px: int, height_px: int) -> tuple[float, float, float, float]:
        """What of the original is shown, (left, top, right, bottom): all, or a crop's middle."""
        from fractions import Fraction

        if not self._crops:
            return 0, 0, width_px, height_px
        width, height = self.size(width_px, height_px)
        scale = max(Fraction(width, width_px), Fraction(height, height_px))
        left, top = (width_px - width / scale) / 2, (height_px - height / scale) / 2
        return float(left), float(top), float(width_px - left), float(height_px - top)

    @property
    def _crops(self) -> bool:
        return bool(self.crop and self.width_px and self.height_px)

    def _said(self) -> list[tuple[str, int, range]]:
        said = ((letter, getattr(self, field), ok) for letter, (field, ok) in _LETTERS.items())
        return [(letter, value, ok) for letter, value, ok in said if value is not None]

    def _asked(self, width_px: int, height_px: int) -> tuple[int, int]:
        from fractions import Fraction

        factor = Fraction(self.percent or 100, 100)
        pairs = ((self.width_px, width_px), (self.height_px, height_px))
        scales = [factor * asked / full for asked, full in pairs if asked] or [factor]
        if len(scales) == 1 or not (self.mode == _STRETCHED or self._crops):
            scales = [max(scales) if self.mode == _LARGER else min(scales)] * 2
        return _half_up(width_px * scales[0]), _half_up(height_px * scales[1])


def split_style(link: str) -> tuple[str, str]:
    """Take the suffix off a path or URL: (link, suffix), the latter "" where there is none.

    A suffix follows an image's ending, right or wrong ("a.png@9z"); "icon@2x.png" has none.
    """
    styled = _STYLED.fullmatch(link)
    return (styled["link"], styled["style"]) if styled else (link, "")


def _fields(items: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    start = 0
    while start < len(items):
        item = _ITEM.match(items, start)
        if item is None or (item["letter"] and item["letter"].lower() not in _LETTERS):
            raise ConfigError(
                "{part} in the style is not understood; write it as @800w_1e_1c.webp",
                part=item[0] if item else items[start:].split("_", maxsplit=1)[0] or "_",
            )
        fields |= _field(item)
        start = item.end() + items.startswith("_", item.end())
    return fields


def _field(item: re.Match[str]) -> dict[str, int | str | bool]:
    if item["name"]:
        return {"name": item["name"]}
    if item["progressive"]:
        return {"progressive": True}
    return {_LETTERS[item["letter"].lower()][0]: int(item["value"])}


def _half_up(edge: Fraction) -> int:
    return max(1, (2 * edge.numerator + edge.denominator) // (2 * edge.denominator))
