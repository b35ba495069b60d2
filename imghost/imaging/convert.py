"""An image made to fit its host: as it is, or drawn anew."""

from __future__ import annotations

from imghost.errors import ImageError
from imghost.imaging.conversion import Conversion
from imghost.models import Image, Limits, Message


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
    too_wide = 0 < settings.max_width_px < image.width_px
    too_large = len(image.data) > limits.max_bytes
    fits = image.format in limits.formats and not (too_wide or too_large)
    if fits and settings.when == "needed":
        return image, ()
    from imghost.imaging import fit

    if fits:
        return fit.smaller(image, limits, settings)
    if too_large and not settings.shrink and image.format in limits.formats and not too_wide:
        raise fit.too_large(image, image, limits)
    return fit.fitted(image, limits, settings)
