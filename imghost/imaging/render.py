"""An image drawn anew as a style asks: another size, another format, no metadata.

Whatever changes pixels does it through here: fitting an image to a host is a style, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from imghost.errors import ImageError
from imghost.imaging.check import decode_errors, opened
from imghost.imaging.colour import on_white, plain
from imghost.imaging.containers import metadata
from imghost.imaging.deadline import check_time
from imghost.imaging.encode import MAX_EDGE_PX, encode, encode_film
from imghost.imaging.film import film
from imghost.imaging.strip import strip
from imghost.imaging.style import DEFAULT_QUALITY, Style
from imghost.models import Image
from imghost.values import dataclass

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
"""EXIF's orientations, and Pillow's names for what undoes them; from 5 on the edges swap."""

_FIRST_SWAPPED = 5
# A picture is first reduced cheaply to this many times the result; no eye sees it (42 dB and more).
_DRAFT_GAP, _REDUCING_GAP = 2.0, 3.0


def render(image: Image, style: Style) -> Image:
    """The image as the style asks for it: upright, its colour profile kept or applied.

    An animation stays one in webp, gif and avif; else its first frame is taken. What is transparent
    becomes white in jpeg. Raises ImageError if the format cannot hold the size.
    """
    image, _ = strip(image)
    with decode_errors(image.name), opened(image.data) as source:
        drawing = _drawing(source, style, _format_name(image, style))
        stays = _moves(image, drawing.format_name) == (image.frames > 1)
        if stays and drawing.keeps(source, image.format):
            return image
        return _drawn(image, source, drawing, style)


def redraw(image: Image, style: Style, *, lossless: bool = False) -> Image:
    """As `render`, but written anew even if nothing changes; `lossless` counts for webp."""
    image, _ = strip(image)
    with decode_errors(image.name), opened(image.data) as source:
        drawing = _drawing(source, style, _format_name(image, style))
        return _drawn(image, source, drawing, style, lossless=lossless)


def _format_name(image: Image, style: Style) -> str:
    return style.format or _WRITTEN_AS.get(image.format, image.format)


def _moves(image: Image, format_name: str) -> bool:
    return image.frames > 1 and format_name in _ANIMATED


def _drawn(
    image: Image, source: ImageFile, drawing: _Drawing, style: Style, *, lossless: bool = False
) -> Image:
    check_time()
    _refuse_too_long(drawing, image.name)
    format_name, quality = drawing.format_name, style.quality or DEFAULT_QUALITY
    frames = 1
    if _moves(image, format_name):
        data = encode_film(film(source, drawing.draw), format_name, quality, lossless=lossless)
        frames = getattr(opened(data), "n_frames", 1)
    else:
        data = encode(drawing.draw_first(source), format_name, quality, lossless=lossless)
    sha256 = hashlib.sha256(data).hexdigest()
    return Image(data, format_name, *drawing.shown_size, frames, sha256, image.name)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How a picture is drawn: the part in `box`, in `size`, both as they lie before the turn."""

    format_name: str
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    orientation: int

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height in pixels, after the turn."""
        return self.size[::-1] if self.orientation >= _FIRST_SWAPPED else self.size

    def keeps(self, source: ImageFile, format_name: str) -> bool:
        """Whether this would only write the same pixels once more."""
        same = self.format_name == format_name in _LOSSLESS
        return same and self.size == source.size and self.orientation == 1

    def draw(self, picture: Picture) -> Picture:
        """The picture in mode L, RGB or RGBA, its `info` holding the profile and nothing else."""
        from PIL.Image import Transpose

        pixels, profile = plain(picture, keep_profile=self.format_name != "gif")
        drawn = _resized(pixels, self.size, self.box)
        if self.orientation in _TURNS:
            drawn = drawn.transpose(Transpose[_TURNS[self.orientation]])
        if self.format_name == "jpeg":
            drawn = on_white(drawn)
        drawn.info = {"icc_profile": profile} if profile else {}
        return drawn

    def draw_first(self, source: ImageFile) -> Picture:
        """The same of a file that may be JPEG, decoded no larger than is of use."""
        full_width, full_height = source.size
        left, top, right, bottom = self.box
        shrinks_by = min((right - left) / self.size[0], (bottom - top) / self.size[1])
        enough = _DRAFT_GAP / shrinks_by
        drafted = source.draft(None, (round(full_width * enough), round(full_height * enough)))
        scale = drafted[1][2] / full_width if drafted else 1.0
        box = (left * scale, top * scale, right * scale, bottom * scale)
        return replace(self, box=box).draw(source)


def _drawing(source: ImageFile, style: Style, format_name: str) -> _Drawing:
    if source.format != "JPEG":  # which alone can be decoded smaller; TIFF turns itself as it loads
        source.load()
    exif = source.info.get("exif") or b""  # of HEIC it is None
    orientation = metadata.orientation(exif.removeprefix(metadata.EXIF_PREFIX))
    if orientation < _FIRST_SWAPPED:
        return _Drawing(format_name, style.size(*source.size), style.box(*source.size), orientation)
    width_px, height_px = source.size[::-1]
    left, top, right, bottom = style.box(width_px, height_px)  # lies in the middle either way
    size = style.size(width_px, height_px)[::-1]
    return _Drawing(format_name, size, (top, left, bottom, right), orientation)


def _resized(
    picture: Picture, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Picture:
    from PIL.Image import Resampling

    width, height = size
    if width > picture.width:  # Pillow widens first; of a high picture that would be a huge one
        left, top, right, bottom = box
        upper = (0, top, picture.width, bottom)
        picture = picture.resize((picture.width, height), Resampling.LANCZOS, upper, _REDUCING_GAP)
        box = (left, 0, right, height)
    return picture.resize(size, Resampling.LANCZOS, box, _REDUCING_GAP)


def _refuse_too_long(drawing: _Drawing, name: str) -> None:
    width_px, height_px = drawing.shown_size
    max_px = MAX_EDGE_PX[drawing.format_name]
    if max(width_px, height_px) > max_px:
        raise ImageError(
            "{name} would be {width_px}x{height_px} px, and {format} ends at {max_px}; ask for a "
            "smaller width or height, or for another format",
            name=name,
            width_px=width_px,
            height_px=height_px,
            format=drawing.format_name,
            max_px=max_px,
        )
