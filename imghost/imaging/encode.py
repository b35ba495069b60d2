"""Pixels to the bytes of a file, which holds them, their profile, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from imghost.imaging.film import Film

MAX_EDGE_PX: Mapping[str, int] = {
    "webp": 16_383,
    "jpeg": 65_500,
    "gif": 65_535,
    "avif": 65_535,
    "png": 65_535,
}
"""The formats that are written, and how wide or high each can be; PNG, as far as browsers go."""

_PLUGINS: Mapping[str, str] = {
    "webp": "PIL.WebPImagePlugin",
    "jpeg": "PIL.JpegImagePlugin",
    "gif": "PIL.GifImagePlugin",
    "avif": "PIL.AvifImagePlugin",
    "png": "PIL.PngImagePlugin",
}


_METHOD, _QUICK_METHOD = 4, 2  # of WebP, 0 to 6: half the time for 4 % more bytes
_PATIENT_MPIX = 16
_LOSSLESS_EFFORT = 50  # of WebP, 0 to 100
_AVIF_THREADS = 2  # else the machine's number of cores would show in the bytes


def encode(picture: Picture, format_name: str, quality: int, *, lossless: bool = False) -> bytes:
    """The picture as a file; `quality`, 1 to 100, counts in lossy formats, `lossless` in webp.

    `picture.info` holds "icc_profile" at most.
    """
    method = _METHOD if picture.width * picture.height <= _PATIENT_MPIX * 1e6 else _QUICK_METHOD
    return _saved(picture, format_name, _options(format_name, quality, method, lossless=lossless))


def encode_film(film: Film, format_name: str, quality: int, *, lossless: bool = False) -> bytes:
    """An animation as a webp, gif or avif file, its frames drawn as the encoder gets to them.

    WebP joins equal frames that follow each other; their times are added.
    """
    options = _options(format_name, quality, _QUICK_METHOD, lossless=lossless) | {
        "save_all": True,
        "append_images": [film.rest],
        "duration": list(film.durations_ms),
    }
    if format_name == "webp":
        options |= {"loop": film.plays}
        if lossless:  # no frame that stands alone; lossy ones would let slow fades stand still
            options |= {"kmin": 0, "kmax": 0}
    if format_name == "gif":
        options |= _gif_options(film)
    return _saved(film.first, format_name, options)


def _options(format_name: str, quality: int, method: int, *, lossless: bool) -> dict[str, Any]:
    if format_name == "webp" and lossless:
        return {"lossless": True, "quality": _LOSSLESS_EFFORT, "method": _METHOD}
    return {"quality": quality, "method": method, "max_threads": _AVIF_THREADS}


def _gif_options(film: Film) -> dict[str, Any]:
    """GIF counts hundredths and repeats, and can take a pixel away only by clearing the frame."""
    options: dict[str, Any] = {"duration": [round(ms, -1) for ms in film.durations_ms]}
    if film.plays != 1:
        options |= {"loop": max(0, film.plays - 1)}
    return options | ({"disposal": 2} if film.first.mode == "RGBA" else {"optimize": True})


def _saved(picture: Picture, format_name: str, options: dict[str, Any]) -> bytes:
    import_module(_PLUGINS[format_name])  # else Pillow imports every plugin that it has
    profile = picture.info.get("icc_profile")
    file = BytesIO()
    picture.save(file, format_name.upper(), icc_profile=profile, **options)
    return file.getvalue()
