"""Is it really an image, and not too large: bytes in, Image out."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING

from imghost.errors import ImageError
from imghost.imaging import ico
from imghost.imaging.containers import CutOff, bare, gif, metadata
from imghost.imaging.sniff import REFUSALS, format_of, other_kind
from imghost.models import Image

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_PLUGINS = {
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "avif": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "tiff": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "ico": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "heic": ("pillow_heif", "HeifImageFile"),
}
_ANIMATED = frozenset({"png", "webp", "gif", "avif"})  # in others, more pictures are pages
_EAGER = {"gif": gif.canvas, "ico": ico.canvas}  # Pillow allocates these while it opens them
_MAX_FRAMES = 2000
_MAX_DRAFT_MPIX = 250
_MAX_NAME = 200
_NEW_SUBFILE_TYPE, _REDUCED = 254, 1  # TIFF 6.0: a smaller version of another picture in the file


@dataclass(frozen=True, slots=True)
class Caps:
    """How much is decoded at most; the config section "limits"."""

    still_mpix: float = 120
    animation_mpix: float = 2000
    input_bytes: int = 200_000_000


def check(data: bytes, name: str, caps: Caps) -> Image:
    """Decode the bytes completely and say what image they are.

    Of `name`, which is untrusted, the last part of the path is kept. Width and height are as a
    browser shows them. Decoders are not shown the metadata: bombs hide there. Raises ImageError.
    """
    name = _safe(name)
    _within_bytes(data, name, caps)
    format_name = format_of(data)
    if not format_name:
        raise ImageError(REFUSALS[other_kind(data)].template, name=name)
    with decode_errors(name):
        core = ico.largest(data) if format_name == "ico" else data
        core = bare(core, format_of(core)).data
        if canvas := _EAGER.get(format_name):
            _within_pixels(*canvas(core), name, caps)
        picture = opened(core)
        pictures = getattr(picture, "n_frames", 1) if format_name in _ANIMATED else 1
        (width_px, height_px), turned = picture.size, _turned(picture)
        _within_pixels(width_px, height_px, pictures, name, _widened(caps, picture))
        _refuse_preview(picture, name)
        _decode(picture, pictures, caps)
    return Image(
        data=data,
        format=format_name,
        width_px=height_px if turned else width_px,
        height_px=width_px if turned else height_px,
        frames=pictures - getattr(picture, "default_image", False),
        sha256=hashlib.sha256(data).hexdigest(),
        name=name,
    )


def opened(data: bytes) -> ImageFile:
    """The picture in the bytes of an Image, its header read and its pixels not yet decoded.

    Imports the one decoder that is needed. Whatever a decoder raises comes through: see
    `decode_errors`.
    """
    import warnings

    import PIL.Image

    PIL.Image.MAX_IMAGE_PIXELS = None  # `check` keeps caps of its own, and exact ones
    warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
    if format_of(data) == "ico":
        data = ico.largest(data)
    module, decoder = _PLUGINS[format_of(data)]
    picture: ImageFile = getattr(import_module(module), decoder)(BytesIO(data))
    return picture


@contextlib.contextmanager
def decode_errors(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError about `name`."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError as exc:
        raise ImageError(
            "{name} needs more memory than there is; make it smaller", name=name
        ) from exc
    except Exception as exc:
        import logging

        logging.getLogger(__name__).debug("could not decode", exc_info=True)
        if isinstance(exc, CutOff | EOFError) or "truncated" in str(exc).lower():
            raise ImageError("{name} ends too early; copy or save it again", name=name) from exc
        raise ImageError(
            "{name} is damaged and cannot be shown; save it again as PNG or JPEG", name=name
        ) from exc


def _safe(name: str) -> str:
    """The last part of a path, short, and storable as UTF-8."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    return last[:_MAX_NAME].encode(errors="replace").decode() or "image"


def _within_bytes(data: bytes, name: str, caps: Caps) -> None:
    if not data:
        raise ImageError("{name} is empty; copy or save the image again", name=name)
    if len(data) > caps.input_bytes:
        raise ImageError(
            "{name} has {size_bytes} bytes, and limits.input_bytes allows {max_bytes}; make it "
            "smaller or raise the limit",
            name=name,
            size_bytes=len(data),
            max_bytes=caps.input_bytes,
        )


def _within_pixels(width_px: int, height_px: int, frames: int, name: str, caps: Caps) -> None:
    mpix = width_px * height_px / 1e6
    if mpix > caps.still_mpix:
        raise ImageError(
            "{name} has {mpix} megapixels, and limits.still_mpix allows {max_mpix}; make it "
            "smaller or raise the limit",
            name=name,
            mpix=round(mpix, 1),
            max_mpix=caps.still_mpix,
        )
    if frames > _MAX_FRAMES:
        raise ImageError(
            "{name} has {frames} frames, and {max_frames} are the most; shorten it",
            name=name,
            frames=frames,
            max_frames=_MAX_FRAMES,
        )
    if frames > 1 and mpix * frames > caps.animation_mpix:
        raise ImageError(
            "{name} has {mpix} megapixels in all its frames, and limits.animation_mpix allows "
            "{max_mpix}; make it smaller or shorter, or raise the limit",
            name=name,
            mpix=round(mpix * frames, 1),
            max_mpix=caps.animation_mpix,
        )


def _widened(caps: Caps, picture: ImageFile) -> Caps:
    """JPEG of a single pass may be larger: an eighth of its size needs little memory."""
    if picture.format != "JPEG" or "progressive" in picture.info:
        return caps
    return replace(caps, still_mpix=max(caps.still_mpix, _MAX_DRAFT_MPIX))


def _refuse_preview(picture: ImageFile, name: str) -> None:
    if getattr(picture, "tag_v2", {}).get(_NEW_SUBFILE_TYPE, 0) & _REDUCED:
        raise ImageError(
            "{name} is a camera's raw file, of which only a preview can be read; export it as JPEG",
            name=name,
        )


def _turned(picture: ImageFile) -> bool:
    """Whether it is shown lying on its side; Pillow itself turns TIFF and HEIC."""
    tiff = picture.info.get("exif", b"").removeprefix(metadata.EXIF_PREFIX)
    return metadata.orientation(tiff) >= 5  # noqa: PLR2004 - EXIF's values 5 to 8


def _decode(picture: ImageFile, pictures: int, caps: Caps) -> None:
    if picture.width * picture.height > caps.still_mpix * 1e6:
        picture.draft(None, (1, 1))
    picture.load()
    for index in range(1, pictures):
        picture.seek(index)
        picture.load()
