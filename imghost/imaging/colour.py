"""Pixels as plain numbers, 8 bits a channel, and the colour profile in which they stand."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_PROFILE_HEADER_BYTES = 128
_OPAQUE = 255
_SRGB_GAMMA, _SAME_GAMMA = 0.45455, 0.05  # PNG 4.2.2; closer to it than 5 % is the same


def plain(picture: Picture, *, keep_profile: bool) -> tuple[Picture, bytes]:
    """The picture in mode L, RGB or RGBA, and the profile that its numbers need, b"" for sRGB.

    A profile is applied if it is not to be kept, or is not one of RGB numbers.
    """
    profile = picture.info.get("icc_profile") or b""
    gamma = _SRGB_GAMMA if profile else picture.info.get("gamma") or _SRGB_GAMMA
    picture = _with_gamma(_eight_bits(picture), gamma)
    fits = _space(profile) == {"L": b"GRAY", "CMYK": b"CMYK"}.get(picture.mode, b"RGB ")
    if fits and keep_profile and picture.mode.startswith("RGB"):
        return picture, profile
    return _in_srgb(picture, profile if fits else b""), b""


def is_transparent(picture: Picture) -> bool:
    """Whether anything can be seen through it."""
    if not picture.has_transparency_data:
        return False
    low, _ = picture.convert("RGBA").getchannel("A").getextrema()
    return low != _OPAQUE


def on_white(picture: Picture) -> Picture:
    """The picture without transparency: what can be seen through it becomes white."""
    if picture.mode != "RGBA":
        return picture
    from PIL import Image

    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def _eight_bits(picture: Picture) -> Picture:
    if is_transparent(picture):
        return picture.convert("RGBA")
    if picture.mode.startswith("I;16"):  # Pillow would cut off what is above 255
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in ("I", "F"):
        return _stretched(picture)
    if picture.mode in ("1", "L", "LA", "La"):
        return picture.convert("L")
    return picture if picture.mode in ("RGB", "CMYK") else picture.convert("RGB")


def _stretched(picture: Picture) -> Picture:
    """Measurements, which have no white of their own: from the lowest, black, to the highest."""
    picture = picture.convert("F")
    low, high = cast("tuple[float, float]", picture.getextrema())
    scale = _OPAQUE / (high - low) if high > low else 1.0
    return picture.point(lambda value: value * scale - low * scale).convert("L")


def _with_gamma(picture: Picture, gamma: float) -> Picture:
    """The numbers as sRGB has them, of a PNG that says only by what power they are to be raised."""
    if abs(gamma / _SRGB_GAMMA - 1) < _SAME_GAMMA:
        return picture
    curve = [round(255 * (value / 255) ** (_SRGB_GAMMA / gamma)) for value in range(256)]
    straight = list(range(256))
    tables = [straight if band == "A" else curve for band in picture.getbands()]
    return picture.point([value for table in tables for value in table])


def _space(profile: bytes) -> bytes:
    """The colour space of an ICC profile (ICC.1, 7.2.6), b"" if it is none."""
    whole = len(profile) > _PROFILE_HEADER_BYTES and profile[36:40] == b"acsp"
    return profile[16:20] if whole else b""


def _in_srgb(picture: Picture, profile: bytes) -> Picture:
    if profile:
        from PIL import ImageCms

        mode = picture.mode if picture.mode == "RGBA" else "RGB"
        srgb = ImageCms.createProfile("sRGB")
        try:
            converted = ImageCms.profileToProfile(picture, BytesIO(profile), srgb, outputMode=mode)
        except ImageCms.PyCMSError:  # a profile that cannot be applied says nothing
            pass
        else:
            return converted or picture
    return picture.convert("RGB") if picture.mode == "CMYK" else picture
