"""Is it really an image, and not too large: bytes in, Image out."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING

from imghost.errors import ImageError, ImageUnfinished
from imghost.imaging import ico
from imghost.imaging.containers import CutOff, bare, gif, metadata
from imghost.imaging.deadline import OutOfTime, check_time, too_slow
from imghost.imaging.sniff import REFUSALS, format_of, other_kind
from imghost.models import Image
from imghost.setting import setting
from imghost.values import dataclass

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

NAMELESS = "image"
_PLUGINS = {
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "gif": ("imghost.imaging.gif", "ColourGif"),
    "avif": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "tiff": ("imghost.imaging.tiff", "QuietTiff"),
    "ico": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "heic": ("pillow_heif", "HeifImageFile"),
}
_ANIMATED = frozenset({"png", "webp", "gif", "avif"})  # in others, more pictures are pages
_PERHAPS_UNFINISHED = ("text", "")  # of the kinds that are no images
_EAGER = {"gif": gif.canvas, "ico": ico.canvas}  # Pillow allocates these while it opens them
_MAX_FRAMES = 2000
_MAX_FRAME_MPIX = 16  # of an animation: encoders hold some frames at a time
_MAX_DRAFT_MPIX = 250
_RUN_LENGTHS, _MAX_RUN_LENGTH_MPIX = frozenset({1, 2}), 16  # BMP's two; 4 s
_MAX_NAME = 200
_TOO_EARLY = re.compile("truncated|end of file", re.IGNORECASE)
_NEW_SUBFILE_TYPE, _REDUCED = 254, 1  # TIFF 6.0: a smaller version of another picture in the file


@dataclass(frozen=True, slots=True)
class Caps:
    """How much is decoded at most; the config section "limits"."""

    still_mpix: float = setting(120.0, least=0)
    animation_mpix: float = setting(2000.0, least=0)
    input_bytes: int = setting(200_000_000, least=0, most=1 << 40)


def check(data: bytes, name: str, caps: Caps) -> Image:
    """Decode the bytes completely and say what image they are.

    Of `name`, which is untrusted, the last part of the path is kept. Width and height are as a
    browser shows them. Raises ImageError.
    """
    name = safe_name(name)
    _within_bytes(data, name, caps)
    format_name = format_of(data)
    if not format_name:
        kind = other_kind(data)
        error = ImageUnfinished if kind in _PERHAPS_UNFINISHED else ImageError
        raise error(REFUSALS[kind].template, name=name)
    with decode_errors(name):
        core = _core(data)
        if canvas := _EAGER.get(format_name):
            _within_pixels(*canvas(core), name, caps)
        picture = _opened(core)
        pictures = _pictures(picture, format_name)
        _within_pixels(*picture.size, pictures, name, _caps_for(picture, caps))
        _refuse_preview(picture, name)
        image = _described(picture, data, name)
        _decode(picture, pictures, caps)
    return image


def recalled(data: bytes, name: str) -> Image:
    """The Image that these bytes, which were checked before, are; only their header is read.

    For what comes from a place that keeps bytes under their hash. Raises ImageError.
    """
    with decode_errors(name):
        return _described(opened(data), data, safe_name(name))


def opened(data: bytes) -> ImageFile:
    """The picture in the bytes of an Image, its header read and its pixels not yet decoded.

    It has its orientation and its colours, and no other metadata. Imports the one decoder that is
    needed. Whatever decoders raise comes through: see `decode_errors`.
    """
    return _opened(_core(data))


def _core(data: bytes) -> bytes:
    """What a decoder is shown: an icon's largest picture, and no metadata, where bombs hide."""
    core = ico.largest(data) if format_of(data) == "ico" else data
    return bare(core, format_of(core)).data


def _opened(core: bytes) -> ImageFile:
    import logging
    import warnings

    import PIL.Image

    PIL.Image.MAX_IMAGE_PIXELS = None  # `check` keeps caps of its own, and exact ones
    warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)  # what is wrong with a file, `check` says
    module, decoder = _PLUGINS[format_of(core)]
    picture: ImageFile = getattr(import_module(module), decoder)(BytesIO(core))
    return picture


@contextlib.contextmanager
def decode_errors(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError about `name`."""
    try:
        yield
    except ImageError:
        raise
    except OutOfTime as exc:
        raise too_slow(name, exc.limit_s) from exc
    except MemoryError as exc:
        raise ImageError(
            "{name} needs more memory than there is; make it smaller", name=name
        ) from exc
    except Exception as exc:
        import logging

        logging.getLogger(__name__).debug("could not decode", exc_info=True)
        if isinstance(exc, CutOff | EOFError) or _TOO_EARLY.search(str(exc)):
            raise ImageUnfinished(
                "{name} ends too early; copy or save it again", name=name
            ) from exc
        raise ImageUnfinished(
            "{name} cannot be decoded, it is damaged or of a rare kind; save it again as PNG or "
            "JPEG",
            name=name,
        ) from exc


def safe_name(name: str) -> str:
    """The last part of a path, short, and storable as UTF-8."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    return last[:_MAX_NAME].encode(errors="replace").decode() or NAMELESS


def _within_bytes(data: bytes, name: str, caps: Caps) -> None:
    if not data:
        raise ImageUnfinished("{name} is empty; copy or save the image again", name=name)
    if len(data) > caps.input_bytes:
        raise ImageError(
            "{name} has {size_bytes} bytes, and {max_bytes} are the most (limits.input_bytes); "
            "make it smaller",
            name=name,
            size_bytes=len(data),
            max_bytes=caps.input_bytes,
        )


def _within_pixels(width_px: int, height_px: int, frames: int, name: str, caps: Caps) -> None:
    mpix = width_px * height_px / 1e6
    if mpix > caps.still_mpix:
        raise ImageError(
            "{name} has {mpix} megapixels, and {max_mpix} are the most (limits.still_mpix); "
            "make it smaller",
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
    if frames > 1 and mpix > _MAX_FRAME_MPIX:
        raise ImageError(
            "{name} has frames of {mpix} megapixels, and {max_mpix} are the most in an animation; "
            "make it smaller",
            name=name,
            mpix=round(mpix, 1),
            max_mpix=_MAX_FRAME_MPIX,
        )
    if frames > 1 and mpix * frames > caps.animation_mpix:
        raise ImageError(
            "{name} has {mpix} megapixels in all its frames, and {max_mpix} are the most "
            "(limits.animation_mpix); make it smaller or shorter",
            name=name,
            mpix=round(mpix * frames, 1),
            max_mpix=caps.animation_mpix,
        )


def _caps_for(picture: ImageFile, caps: Caps) -> Caps:
    """JPEG of one pass is decoded at an eighth in little memory; run lengths in Python, slowly."""
    if picture.format == "JPEG" and "progressive" not in picture.info:
        return replace(caps, still_mpix=max(caps.still_mpix, _MAX_DRAFT_MPIX))
    if picture.format == "BMP" and picture.info["compression"] in _RUN_LENGTHS:
        return replace(caps, still_mpix=min(caps.still_mpix, _MAX_RUN_LENGTH_MPIX))
    return caps


def _refuse_preview(picture: ImageFile, name: str) -> None:
    if getattr(picture, "tag_v2", {}).get(_NEW_SUBFILE_TYPE, 0) & _REDUCED:
        raise ImageError(
            "{name} is a camera's raw file, of which only a preview can be read; export it as JPEG",
            name=name,
        )


def _pictures(picture: ImageFile, format_name: str) -> int:
    return getattr(picture, "n_frames", 1) if format_name in _ANIMATED else 1


def _described(picture: ImageFile, data: bytes, name: str) -> Image:
    """What the header tells; an APNG may hold one more picture, for those who cannot play it."""
    format_name = format_of(data)
    pictures = _pictures(picture, format_name)
    turned = _turned(picture)
    return Image(
        data=data,
        format=format_name,
        width_px=picture.height if turned else picture.width,
        height_px=picture.width if turned else picture.height,
        frames=pictures - (pictures > 1 and getattr(picture, "default_image", False)),
        sha256=hashlib.sha256(data).hexdigest(),
        name=name,
    )


def _turned(picture: ImageFile) -> bool:
    """Whether it is shown lying on its side; Pillow itself turns TIFF and HEIC."""
    exif = picture.info.get("exif") or b""
    return metadata.orientation(exif.removeprefix(metadata.EXIF_PREFIX)) >= 5  # noqa: PLR2004 - EXIF's values 5 to 8


def _decode(picture: ImageFile, pictures: int, caps: Caps) -> None:
    if picture.width * picture.height > caps.still_mpix * 1e6:
        picture.draft(None, (1, 1))
    _decode_frame(picture)
    for index in range(1, pictures):
        check_time()
        picture.seek(index)
        _decode_frame(picture)


def _decode_frame(picture: ImageFile) -> None:
    picture.load()
    if picture.mode == "P" and not picture.getpalette():
        raise ValueError("its colours are missing")
