"""Lossless or lossy: of what no pixel is lost in yet, both are tried and the smaller is kept."""

from __future__ import annotations

import math
from io import BytesIO

from imghost.imaging.check import Caps, check, decode_errors, opened
from imghost.imaging.render import redraw
from imghost.imaging.style import Style
from imghost.models import Image

_LOSSLESS = frozenset({"png", "gif", "bmp", "tiff", "ico"})
_STILL_MPIX = 40  # a larger one would take the lossless encoder more than 1.4 GB
_ANIMATION_MPIX = 64  # a larger one would take both encoders longer than anybody waits
_EXCERPT_MPIX = 8


def redraw_smallest(image: Image, style: Style) -> Image:
    """The image in this style, which names a format; in webp as lossless as that costs nothing.

    A still above 40 megapixels becomes lossy. For an animation above 64 in all its frames, some
    frames from its middle decide. Raises ImageError as `render` does.
    """
    if style.format != "webp" or image.format not in _LOSSLESS:
        return redraw(image, style)
    mpix = image.width_px * image.height_px * image.frames / 1e6
    if image.frames == 1 and mpix > _STILL_MPIX:
        return redraw(image, style)
    if image.frames > 1 and mpix > _ANIMATION_MPIX:
        lossless, lossy = _both(_excerpt(image), style)
        return redraw(image, style, lossless=len(lossless.data) <= len(lossy.data))
    return min(_both(image, style), key=lambda made: len(made.data))


def _both(image: Image, style: Style) -> tuple[Image, Image]:
    return redraw(image, style, lossless=True), redraw(image, style)


def _excerpt(image: Image) -> Image:
    """Some frames from the middle, as an animation of their own."""
    mpix = image.width_px * image.height_px / 1e6
    count = min(image.frames, math.ceil(_EXCERPT_MPIX / mpix))
    start = (image.frames - count) // 2
    frames = []
    with decode_errors(image.name), opened(image.data) as source:
        for number in range(start, start + count):
            source.seek(number)
            frames.append(source.convert("RGBA"))
    file = BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], compress_level=1)
    return check(file.getvalue(), image.name, Caps(math.inf, math.inf, len(file.getvalue())))
