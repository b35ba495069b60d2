"""The whole way of an image's bytes: checked, drawn in a style, stripped, made to fit its host."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import lru_cache

from imghost.imaging.check import Caps, check
from imghost.imaging.conversion import Conversion
from imghost.imaging.convert import convert
from imghost.imaging.deadline import time_limit
from imghost.imaging.strip import strip
from imghost.models import Image, Limits, Message
from imghost.values import dataclass

_KEY_DIGITS = 16
_MAX_S = 60.0
_FEWEST, _MOST = 2, 4
_DRAWN = "drawn as {style}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what is sent; `style` is drawn into the bytes, "" for none.

    `spares_animations`: it is not drawn into those.
    """

    caps: Caps
    limits: Limits
    conversion: Conversion
    style: str
    spares_animations: bool = False

    @lru_cache(maxsize=8)  # noqa: B019 - a few small values, the same for many pictures
    def key(self) -> str:
        """The same 16 hex digits for recipes that make the same of the same bytes."""
        limits = [self.limits.max_bytes, sorted(self.limits.formats), self.limits.animated]
        drawn = [self.style, *([True] if self.style and self.spares_animations else [])]
        parts = [asdict(self.caps), limits, asdict(self.conversion), *drawn]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image that its host takes, and what was done to it, in words."""

    image: Image
    notes: tuple[Message, ...]


Prepare = Callable[[bytes, str, Recipe], Prepared]
"""As `prepare`, with its errors, wherever it is done."""


def prepare(data: bytes, name: str, recipe: Recipe) -> Prepared:
    """What is sent of these bytes.

    Raises ImageError, also when it takes longer than a minute, and ConfigError for a style that is
    none.
    """
    with time_limit(_MAX_S):
        return _prepared(data, name, recipe)


def style_of(notes: Iterable[Message]) -> str:
    """The style in which what these notes were made of was drawn, "" for none."""
    return next((str(note.fields["style"]) for note in notes if note.template == _DRAWN), "")


def few_at_once(prepare: Prepare, most: int = 0) -> Prepare:
    """The same for many threads, of which `most` work; else as many as processors, up to four.

    More would be no faster, and a large picture takes hundreds of megabytes while it is decoded.
    """
    turns = threading.BoundedSemaphore(most or min(max(os.cpu_count() or 1, _FEWEST), _MOST))

    def prepared(data: bytes, name: str, recipe: Recipe) -> Prepared:
        with turns:
            return prepare(data, name, recipe)

    return prepared


def _prepared(data: bytes, name: str, recipe: Recipe) -> Prepared:
    image = check(data, name, recipe.caps)
    notes: tuple[Message, ...] = ()
    if recipe.style and not (recipe.spares_animations and image.frames > 1):
        from imghost.imaging.render import render
        from imghost.imaging.style import Style

        image = render(image, Style.parse(recipe.style))
        notes += (Message(_DRAWN, {"style": recipe.style}),)
    if recipe.conversion.strip_metadata:
        image, removed = strip(image)
        notes += removed
    image, changed = convert(image, recipe.limits, recipe.conversion)
    return Prepared(image, notes + changed)
