"""Pixels to the bytes of a file, which holds them, their profile, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

from imghost.imaging.containers import bare
from imghost.imaging.palette import common_palette, indexed

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from imghost.imaging.film import Film

MAX_EDGE_PX: Mapping[str, int] = {
    "webp": 16_383,
    "jpeg": 65_500,
    "gif": 65_535,
    "avif": 32_768,
    "png": 65_535,
}
"""The formats that are written, and how wide or high each can be: what its decoders take."""

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
_LOSSLESS_FILM = {"method": _METHOD, "kmin": 0, "kmax": 0}  # no frame need stand alone
_LOSSY_FILM = {"method": _QUICK_METHOD}  # some must: else slow fades come to stand still
_FLAGS_AT, _ALPHA_FLAG = 20, 0x10  # RFC 9649, 2.7: in the VP8X chunk
_AVIF_THREADS = 2  # else the machine's number of cores would show in the bytes
_SAMPLED_FRAMES = 8


def encode(picture: Picture, format_name: str, quality: int, *, lossless: bool = False) -> bytes:
    """The picture as a file; `quality`, 1 to 100, counts in lossy formats, `lossless` in webp.

    `picture.info` holds "icc_profile" at most.
    """
    options = _options(format_name, quality, lossless=lossless)
    if format_name == "gif":
        picture = indexed(picture, common_palette([picture]))
    if format_name == "webp":
        patient = picture.width * picture.height <= _PATIENT_MPIX * 1e6
        options |= {"method": _METHOD if patient else _QUICK_METHOD}
    return _saved(picture, format_name, options)


def encode_film(film: Film, format_name: str, quality: int, *, lossless: bool = False) -> bytes:
    """An animation as a webp, gif or avif file, its frames drawn as the encoder gets to them."""
    options = _options(format_name, quality, lossless=lossless)
    options |= {"duration": list(film.durations_ms)}
    if format_name == "webp":
        options |= {"loop": film.plays} | (_LOSSLESS_FILM if lossless else _LOSSY_FILM)
    if format_name == "gif":
        options |= _gif_options(film)
        film = _in_one_palette(film)
    options |= {"save_all": True, "append_images": [film.rest]}
    data = _saved(film.first, format_name, options)
    if format_name == "avif":
        data = bare(data, "avif").data  # when it was made
    return _seen_through(data) if film.first.mode == "RGBA" else data


def _seen_through(data: bytes) -> bytes:
    """Have a WebP's header say that it is transparent, so that nobody shows black around it.

    The encoder forgets that where each frame is an opaque part of a canvas which is else empty.
    """
    if data[12:16] != b"VP8X":
        return data
    return data[:_FLAGS_AT] + bytes([data[_FLAGS_AT] | _ALPHA_FLAG]) + data[_FLAGS_AT + 1 :]


def _options(format_name: str, quality: int, *, lossless: bool) -> dict[str, Any]:
    if format_name == "webp" and lossless:
        return {"lossless": True, "quality": _LOSSLESS_EFFORT}
    if format_name == "avif":
        return {"quality": quality, "max_threads": _AVIF_THREADS}
    return {"quality": quality}


def _gif_options(film: Film) -> dict[str, Any]:
    """GIF counts hundredths and repeats, and can take a pixel away only by clearing the frame."""
    options: dict[str, Any] = {"duration": [round(ms, -1) for ms in film.durations_ms]}
    if film.plays != 1:
        options |= {"loop": max(0, film.plays - 1)}
    return options | ({"disposal": 2} if film.first.mode == "RGBA" else {"optimize": True})


def _in_one_palette(film: Film) -> Film:
    """Frames with a palette each would differ everywhere, and the file be ten times as large."""
    step = math.ceil(film.rest.n_frames / _SAMPLED_FRAMES)
    samples = [film.rest.frame(number) for number in range(0, film.rest.n_frames, step)]
    palette = common_palette([film.first, *samples])
    first = indexed(film.first, palette)
    return replace(film, first=first, rest=film.rest.then(lambda frame: indexed(frame, palette)))


def _saved(picture: Picture, format_name: str, options: dict[str, Any]) -> bytes:
    import_module(_PLUGINS[format_name])  # else Pillow imports every plugin that it has
    profile = picture.info.get("icc_profile")
    file = BytesIO()
    picture.save(file, format_name.upper(), icc_profile=profile, **options)
    return file.getvalue()
