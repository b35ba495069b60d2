"""An image drawn anew as a style asks: another size, another format, no metadata.

Whatever changes pixels does it through here: fitting an image to a host is a style, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imghost.errors import ImageError
from imghost.imaging.check import decode_errors, opened
from imghost.imaging.colour import on_white, plain
from imghost.imaging.containers import metadata
from imghost.imaging.encode import MAX_EDGE_PX, encode, encode_film
from imghost.imaging.film import film
from imghost.imaging.strip import strip
from imghost.imaging.style import DEFAULT_QUALITY, Style
from imghost.models import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageFile import ImageFile

_WRITTEN_AS: Mapping[str, str] = {"bmp": "png", "tiff": "png", "ico": "png", "heic": "jpeg"}
"""What a style without a format makes of formats that it could not ask for."""

_LOSSLESS = frozenset({"png", "gif"})
_ANIMATED = frozenset({"webp", "gif", "avif"})
_TURNS: Mapping[int, str] = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""EXIF's orientations, and what Pillow calls that which undoes them; 5 to 8 swap the edges."""

_FIRST_SWAPPED = 5
_DRAFT_GAP = 2.0
_REDUCING_GAP = 3.0


def render(image: Image, style: Style) -> Image:
    """The image as the style asks for it: upright, its colour profile kept or applied.

    An animation stays one in webp, gif and avif; else its first frame is taken. What is transparent
    becomes white in jpeg. Raises ImageError if the format cannot hold the size.
    """
    image, _ = strip(image)
    with decode_errors(image.name), opened(image.data) as source:
        drawing = _drawing(source, image, style)
        moves = image.frames > 1 and drawing.format_name in _ANIMATED
        if drawing.changes_nothing(source, image) and (moves or image.frames == 1):
            return image
        quality = style.quality or DEFAULT_QUALITY
        if moves:
            data = encode_film(film(source, drawing.frame), drawing.format_name, quality)
        else:
            data = encode(drawing.still(source), drawing.format_name, quality)
    return _image(data, drawing, image.name, moves=moves)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How pixels become the result's; `size` and `box` lie as in the file, before the turn."""

    format_name: str
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    orientation: int

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height in pixels after the turn."""
        return self.size[::-1] if self.orientation >= _FIRST_SWAPPED else self.size
