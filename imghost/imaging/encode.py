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
"""Each format that is written, and the widest or highest it can be; of PNG, what browsers show."""

_LOSSY = frozenset({"webp", "jpeg", "avif"})
_PLUGINS: Mapping[str, str] = {
    "webp": "PIL.WebPImagePlugin",
    "jpeg": "PIL.JpegImagePlugin",
    "gif": "PIL.GifImagePlugin",
    "avif": "PIL.AvifImagePlugin",
    "png": "PIL.PngImagePlugin",
}


def encode(picture: Picture, format_name: str, quality: int, profile: bytes = b"") -> bytes:
    """One picture as a file of a format in MAX_EDGE_PX; `quality` counts if that is lossy."""
    return _saved(picture, format_name, _options(format_name, quality, profile))


def encode_film(film: Film, format_name: str, quality: int, profile: bytes = b"") -> bytes:
    """An animation as a webp, gif or avif file, its frames drawn as the encoder gets to them."""
    options = _options(format_name, quality, profile) | {
        "save_all": True,
        "append_images": [film.rest],
        "duration": list(film.durations_ms),
    }
    if format_name == "gif":
        options |= _gif_options(film)
    elif format_name == "webp":
        options |= {"loop": film.plays}
    return _saved(film.first, format_name, options)


def _options(format_name: str, quality: int, profile: bytes) -> dict[str, Any]:
    options: dict[str, Any] = {"quality": quality} if format_name in _LOSSY else {}
    return options | ({"icc_profile": profile} if profile else {})


def _gif_options(film: Film) -> dict[str, Any]:
    """GIF counts repeats, not plays, and can take a pixel away only by clearing the whole frame."""
    repeats = {} if film.plays == 1 else {"loop": max(0, film.plays - 1)}
    return repeats | ({"disposal": 2} if film.first.mode == "RGBA" else {"optimize": True})


def _saved(picture: Picture, format_name: str, options: dict[str, Any]) -> bytes:
    import_module(_PLUGINS[format_name])  # else Pillow imports every plugin that it has
    file = BytesIO()
    picture.save(file, format_name.upper(), **options)
    return file.getvalue()
