"""A stored original drawn as a style asks, while somebody waits for it."""

from __future__ import annotations

from imghost.errors import ImageError
from imghost.imaging.check import recalled
from imghost.imaging.render import render
from imghost.imaging.style import Style
from imghost.models import Image

MAX_BYTES = 32_000_000
"""A drawing is no larger: it goes through the server's memory."""

_MAX_MPIX = 300  # of all frames together; 15 s of work for WebP


class DamagedError(ImageError):
    """The original cannot be decoded, whatever the style."""


def styled(data: bytes, name: str, style: Style) -> Image:
    """The original, which was checked when it came in, as the style asks for it.

    Raises DamagedError; and ImageError if its pixels or the result's bytes are too many while
    somebody waits, or if the style cannot be met.
    """
    try:
        image = recalled(data, name)
    except ImageError as exc:
        raise DamagedError(exc.message.template, **exc.message.fields) from exc
    mpix = image.width_px * image.height_px * image.frames / 1e6
    if mpix > _MAX_MPIX:
        raise ImageError(
            "{name} has {mpix} megapixels in all its frames, and {max_mpix} are the most that a "
            "style is applied to; link to it without a style",
            name=name,
            mpix=round(mpix, 1),
            max_mpix=_MAX_MPIX,
        )
    drawn = render(image, style)
    if len(drawn.data) > MAX_BYTES:
        raise ImageError(
            "{name} has {size_mb} MB in that style, and {max_mb} are the most; ask for a smaller "
            "one, or link to it without a style",
            name=name,
            size_mb=round(len(drawn.data) / 1e6, 1),
            max_mb=MAX_BYTES / 1e6,
        )
    return drawn
