"""Screenshots as people take them: windows, much text, a photograph in a corner."""

from __future__ import annotations

import random
from io import BytesIO

from PIL import Image, ImageDraw

_WORDS = [
    "the",
    "link",
    "of",
    "a",
    "picture",
    "that",
    "was",
    "copied",
    "is",
    "pasted",
    "where",
    "it",
    "stood",
    "in",
    "the",
    "post",
]


def screenshot(seed: int, *, width_px: int = 1280, height_px: int = 720) -> bytes:
    """A PNG of a screen; another one for each seed."""
    chance = random.Random(seed)
    image = Image.new("RGB", (width_px, height_px), (40, 44, 52))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width_px, 28), fill=(30, 33, 39))
    for row in range(40, height_px - 16, 16):
        line = " ".join(chance.choice(_WORDS) for _ in range(chance.randrange(4, 22)))
        colour = (
            chance.randrange(120, 255),
            chance.randrange(120, 255),
            chance.randrange(120, 255),
        )
        draw.text((24, row), f"{seed} {row} {line}", fill=colour)
    photo = Image.effect_noise((width_px // 4, height_px // 4), 24).convert("RGB")
    tint = Image.new("RGB", photo.size, (chance.randrange(256), 120, 160))
    image.paste(Image.blend(photo, tint, 0.5), (width_px * 5 // 8, height_px // 2))
    file = BytesIO()
    image.save(file, "PNG", compress_level=6)
    return file.getvalue()
