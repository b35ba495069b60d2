"""Small pictures made on the spot, as the bytes of a file."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw


def picture(
    width_px: int = 64, height_px: int = 48, *, mode: str = "RGB", seed: int = 0
) -> Image.Image:
    """A drawing with some shapes, different for each seed."""
    chance = random.Random(seed)
    image = Image.new("RGB", (width_px, height_px), _colour(chance))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = chance.randrange(width_px), chance.randrange(height_px)
        size = chance.randrange(1, max(2, width_px // 2))
        draw.ellipse((x, y, x + size, y + size), fill=_colour(chance))
    return image.convert(mode)


def encoded(image: Image.Image, format_name: str, **options: Any) -> bytes:
    """The picture as the bytes of a file in Pillow's format of that name."""
    file = BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def png(width_px: int = 64, height_px: int = 48, *, seed: int = 0, **options: Any) -> bytes:
    """A PNG file."""
    return encoded(picture(width_px, height_px, seed=seed), "PNG", **options)


def jpeg(width_px: int = 64, height_px: int = 48, *, seed: int = 0, **options: Any) -> bytes:
    """A JPEG file."""
    return encoded(picture(width_px, height_px, seed=seed), "JPEG", **options)


def animation(
    format_name: str = "GIF",
    frames: int = 4,
    width_px: int = 64,
    height_px: int = 48,
    **options: Any,
) -> bytes:
    """An animated file; each frame differs, shown 60, 70, 80... ms, looping for ever."""
    images = [picture(width_px, height_px, seed=n) for n in range(frames)]
    options = {"duration": [60 + 10 * n for n in range(frames)], "loop": 0} | options
    return encoded(images[0], format_name, save_all=True, append_images=images[1:], **options)


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)
