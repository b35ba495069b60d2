"""Lossless or lossy: of what no pixel is lost in yet, both are tried and the smaller is kept."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from imghost.imaging.check import decode_errors, opened
from imghost.imaging.encode import encode
from imghost.imaging.render import redraw
from imghost.imaging.style import Style
from imghost.models import Image

_LOSSLESS = frozenset({"png", "gif", "bmp", "tiff", "ico"})
_STILL_MPIX = 40  # a larger one would take the lossless encoder more than 1.4 GB
_ANIMATION_MPIX = 64  # a larger one would take both encoders longer than anybody waits


def redraw_smallest(image: Image, style: Style) -> Image:
    """The image in this style, which names a format; in webp as lossless as that costs nothing.

    A still above 40 megapixels becomes lossy. An animation above 64 in all its frames is encoded
    the way that is better for the frame in its middle. Raises ImageError as `render` does.
    """
    if style.format != "webp" or image.format not in _LOSSLESS:
        return redraw(image, style)
    mpix = image.width_px * image.height_px * image.frames / 1e6
    if image.frames == 1 and mpix > _STILL_MPIX:
        return redraw(image, style)
    if image.frames > 1 and mpix > _ANIMATION_MPIX:
        lossless, lossy = _both(_middle(image), style)
        return redraw(image, style, lossless=len(lossless.data) <= len(lossy.data))
    return min(_both(image, style), key=lambda made: len(made.data))


def _both(image: Image, style: Style) -> tuple[Image, Image]:
    return redraw(image, style, lossless=True), redraw(image, style)


def _middle(image: Image) -> Image:
    """The frame in the middle, as a still."""
    with decode_errors(image.name), opened(image.data) as source:
        source.seek(image.frames // 2)
        data = encode(source.convert("RGBA"), "png", quality=100)
    sha256 = hashlib.sha256(data).hexdigest()
    return replace(image, data=data, format="png", frames=1, sha256=sha256)
