"""An image made to fit its host: another format, a smaller size, or nothing at all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from imghost.errors import ImageError
from imghost.imaging.check import Caps, check, decode_errors, opened
from imghost.imaging.colour import is_transparent
from imghost.imaging.encode import MAX_EDGE_PX
from imghost.imaging.smallest import redraw_smallest
from imghost.imaging.style import Style
from imghost.models import Image, Limits, Message

_PHOTOS = frozenset({"jpeg", "heic"})
_AVIF_MPIX = 40  # a larger one would take its encoder more than 1.1 GB
_LEAST_PERCENT = 5
_LEAST_STEP, _GREATEST_STEP = 0.7, 0.9  # of an edge: little is given away, and tries are few


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a person wants changed; the config section "convert".

    `when`: "needed" or "always". `to`: webp, png, jpeg or avif; animations become webp. `quality`:
    1..100, of lossy formats. `max_width_px`: what is wider is scaled down, 0 for nothing. `shrink`:
    so is what is larger than its host takes. `strip_metadata`: also of what is not converted.
    """

    when: str = "needed"
    to: str = "webp"
    quality: int = 85
    max_width_px: int = 0
    shrink: bool = True
    strip_metadata: bool = True


def convert(
    image: Image, limits: Limits, settings: Conversion
) -> tuple[Image, tuple[Message, ...]]:
    """The image as the host takes it, and what had to change, in words.

    What the host takes as it is comes back itself, unless it is too wide, or `when` is "always"
    and another format makes it smaller. Whatever is converted is decoded again to the last pixel.
    Raises ImageError if the host cannot be suited.
    """
    if image.frames > 1 and not limits.animated:
        raise ImageError(
            "{name} is an animation, and its host shows only stills; save one frame of it, or "
            "choose another host",
            name=image.name,
        )
    narrow = not 0 < settings.max_width_px < image.width_px
    if not (narrow and image.format in limits.formats):
        return _fitted(image, limits, settings)
    if len(image.data) > limits.max_bytes:
        if not settings.shrink:
            raise _too_large(image, image, limits)
        return _fitted(image, limits, settings)
    if settings.when == "always":
        return _smaller(image, limits, settings)
    return image, ()


def _smaller(
    image: Image, limits: Limits, settings: Conversion
) -> tuple[Image, tuple[Message, ...]]:
    """An acceptable image in the format that is wanted, if that makes it smaller."""
    style = _style(image, limits, settings)
    if style.format in ("", image.format):
        return image, ()
    made = redraw_smallest(image, style)
    if len(made.data) >= len(image.data):
        return image, ()
    return _checked(made), _notes(image, made, limits, settings)


def _fitted(
    image: Image, limits: Limits, settings: Conversion
) -> tuple[Image, tuple[Message, ...]]:
    """An image that must change, scaled down step by step until it is small enough."""
    steps: list[Message] = []
    percent, made = 100, None
    while made is None or len(made.data) > limits.max_bytes:
        if made is not None:
            percent = _next_percent(percent, made, limits)
            
        style = _style(image, limits, settings, percent)
        ...
