"""Judges of pictures that know nothing of imghost: exiftool of what they hide, Pillow of pixels."""

from __future__ import annotations

import json
import subprocess
import warnings
from io import BytesIO
from pathlib import Path

import PIL.Image
from PIL import ImagePalette
from PIL.GifImagePlugin import GifImageFile

_TECHNICAL = frozenset(
    [
        *("SourceFile", "System", "File", "Composite", "ExifTool", "ICC-header", "ICC_Profile"),
        *("ICC-meas", "ICC-view", "ICC-chrm", "JFIF", "Adobe", "GIF", "RIFF", "PNG-pHYs"),
    ]
)
"""The groups of exiftool's that hold only what is needed to show a picture."""

_SHOWING = frozenset(
    [
        *("ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter"),
        *("Interlace", "AnimationFrames", "AnimationPlays", "Palette", "Gamma", "SRGBRendering"),
        *("BackgroundColor", "Transparency", "WhitePointX", "WhitePointY", "RedX", "RedY"),
        *("GreenX", "GreenY", "BlueX", "BlueY", "ProfileName", "ICC_Profile", "SignificantBits"),
        *("Orientation", "ResolutionUnit", "XResolution", "YResolution", "CICodePoints"),
    ]
)
"""Tags elsewhere that say how a picture is to be shown."""


def hidden_in(folder: Path) -> dict[str, set[str]]:
    """By file, the tags in which a place, a name or a time could travel."""
    command = ["exiftool", "-q", "-q", "-json", "-G1", "-a", "-u", "-r", str(folder)]
    told = subprocess.run(command, capture_output=True, check=False).stdout
    return {
        Path(file["SourceFile"]).name: tags
        for file in json.loads(told or b"[]")
        if (tags := {tag for tag, value in file.items() if _hides(tag, str(value))})
    }


def _hides(tag: str, value: str) -> bool:
    group, _, name = tag.partition(":")
    if group.startswith(("Track", "QuickTime", "Meta")):  # the boxes of AVIF, which hold times
        dated = name.endswith("Date") and not value.startswith("0000:")
        return dated or name.endswith(("GPSCoordinates", "Comment", "Author", "HandlerVendorID"))
    return group not in _TECHNICAL and name not in _SHOWING


class _AnyGif(GifImageFile):
    """With coloured frames after grey ones, too, where Pillow itself says that they have none."""

    global_palette = ImagePalette.raw("RGB", bytes(number // 3 for number in range(768)))

    def _is_palette_needed(self, _: bytes) -> bool:
        return True


def pixels(data: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """Every frame as it is seen. Raises whatever Pillow raises."""
    read = _AnyGif if data.startswith(b"GIF8") else PIL.Image.open
    with warnings.catch_warnings(action="ignore"), read(BytesIO(data)) as picture:
        frames = []
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            frames.append((picture.size, picture.convert("RGBA").tobytes()))
        return frames
