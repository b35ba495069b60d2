"""Pixels as plain numbers, 8 bits a channel, and the colour profile in which they stand."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_PROFILE_HEADER_BYTES = 128
_OPAQUE = 255


def plain(picture: Picture, *, keep_profile: bool) -> tuple[Picture, bytes]:
    """The picture in mode L, RGB or RGBA, and the profile that its numbers need, b"" for sRGB.

    A profile is applied if it is not to be kept, or is not one of RGB numbers.
    """
    profile = picture.info.get("icc_profile") or b""
    picture = _eight_bits(picture)
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
    if picture.mode.startswith("I"):  # 16 bits; Pillow would cut off what is above 255
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in ("1", "L", "LA", "La", "F"):
        return picture.convert("L")
    return picture if picture.mode in ("RGB", "CMYK") else picture.convert("RGB")


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
