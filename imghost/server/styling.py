"""A stored original drawn as a style asks, while somebody waits for it."""

from __future__ import annotations

from imghost.errors import ImageError
from imghost.imaging.check import Caps, check, decode_errors, opened
from imghost.imaging.render import render
from imghost.imaging.style import Style
from imghost.models import Image

_MAX_MPIX = 300  # of all frames together; 15 s of work for WebP, a minute for AVIF


class DamagedError(ImageError):
    """The original cannot be decoded, whatever the style."""


def styled(data: bytes, name: str, style: Style, caps: Caps) -> Image:
    """The original as the style asks for it.

    Raises DamagedError; and ImageError if its pixels are too many to be drawn while somebody waits,
    or if the style cannot be met.
    """
    mpix = _mpix(data, name)
    if mpix > _MAX_MPIX:
        raise ImageError(
            "{name} has {mpix} megapixels in all its frames, and {max_mpix} are the most that a "
            "style is applied to; link to it without a style",
            name=name,
            mpix=round(mpix, 1),
            max_mpix=_MAX_MPIX,
        )
    try:
        image = check(data, name, caps)
    except ImageError as exc:
        raise DamagedError(exc.message.template, **exc.message.fields) from exc
    return render(image, style)


def _mpix(data: bytes, name: str) -> float:
    try:
        with decode_errors(name), opened(data) as picture:
            return picture.width * picture.height * getattr(picture, "n_frames", 1) / 1e6
    except ImageError as exc:
        raise DamagedError(exc.message.template, **exc.message.fields) from exc
