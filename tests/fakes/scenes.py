"""Pictures that look like what people upload: landscapes, charts, editors, diagrams, lights."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
_FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}


def scenes(count: int) -> Iterator[tuple[str, bytes]]:
    """File names and contents, another picture each."""
    for n in range(count):
        name, ending, draw = _KINDS[n % len(_KINDS)]
        file = BytesIO()
        options = {"quality": 88} if ending != "png" else {}
        draw(random.Random(n)).save(file, _FORMATS[ending], **options)
        yield f"{name}-{n // len(_KINDS) + 1}.{ending}", file.getvalue()


def _between(first: Colour, second: Colour, share: float) -> Colour:
    mixed = [round(a + (b - a) * share) for a, b in zip(first, second, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _sky(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, height))
    for y in range(height):
        column.putpixel((0, y), _between(top, bottom, y / height))
    return column.resize((width, height))


def landscape(chance: random.Random) -> Image.Image:
    """Hills behind hills under a low sun."""
    width, height = 1600, 1000
    top, bottom = chance.choice(
        [
            ((38, 70, 120), (250, 196, 140)),
            ((90, 150, 200), (236, 240, 235)),
            ((60, 40, 90), (240, 140, 120)),
        ]
    )
    image = _sky(width, height, top, bottom)
    draw = ImageDraw.Draw(image)
    x, y = chance.randrange(300, 1300), chance.randrange(250, 430)
    draw.ellipse((x - 70, y - 70, x + 70, y + 70), fill=(255, 236, 200))
    near = chance.choice([(24, 48, 52), (34, 36, 58), (30, 58, 40)])
    for layer in range(5):
        base, tint = 480 + layer * 100, _between(bottom, near, (layer + 1) / 5)
        waves = [
            (
                chance.uniform(30, 90) / (layer / 3 + 1),
                chance.uniform(0.002, 0.009),
                chance.uniform(0, 6),
            )
            for _ in range(3)
        ]
        ridge = [
            (px, base - sum(a * math.sin(f * px + p) for a, f, p in waves))
            for px in range(0, width + 8, 8)
        ]
        draw.polygon([(0, height), *ridge, (width, height)], fill=tint)
    return image.filter(ImageFilter.GaussianBlur(1))


def chart(chance: random.Random) -> Image.Image:
    """Bars and a line over a grid."""
    image = Image.new("RGB", (1280, 800), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    draw.text((80, 40), "Uploads per week", fill=(40, 44, 52), font_size=34)
    for line in range(6):
        y = 680 - line * 105
        draw.line((80, y, 1220, y), fill=(228, 230, 234), width=2)
        draw.text((30, y - 12), str(line * 20), fill=(130, 136, 146), font_size=20)
    heights = [chance.randrange(80, 520) for _ in range(10)]
    for n, tall in enumerate(heights):
        x = 120 + n * 110
        draw.rounded_rectangle(
            (x, 680 - tall, x + 62, 680), 8, fill=(58, 134, 136) if n % 3 else (232, 150, 92)
        )
    points = [(151 + n * 110, 640 - tall * 0.8) for n, tall in enumerate(heights)]
    draw.line(points, fill=(60, 70, 90), width=4, joint="curve")
    return image


def editor(chance: random.Random) -> Image.Image:
    """A window full of code."""
    image = Image.new("RGB", (1280, 800), (30, 33, 40))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 1280, 46), fill=(42, 46, 55))
    for n, dot in enumerate([(236, 106, 94), (244, 190, 79), (98, 197, 84)]):
        draw.ellipse((18 + n * 26, 15, 34 + n * 26, 31), fill=dot)
    draw.rectangle((0, 46, 230, 800), fill=(36, 39, 47))
    inks = [(198, 120, 221), (97, 175, 239), (152, 195, 121), (171, 178, 191), (229, 192, 123)]
    for row in range(27):
        y, x = 66 + row * 27, 290 + 36 * chance.choice([0, 1, 1, 2, 2, 3])
        draw.text((248, y), f"{row + 1:>2}", fill=(84, 90, 102), font_size=18)
        for _ in range(chance.randrange(0, 6)):
            wide = chance.randrange(30, 150)
            draw.rounded_rectangle((x, y + 5, x + wide, y + 17), 4, fill=chance.choice(inks))
            x += wide + 14
        if row < 14:
            draw.rounded_rectangle(
                (24 + 16 * (row % 3), y + 5, 150 + chance.randrange(60), y + 16),
                4,
                fill=(88, 94, 106),
            )
    return image


def diagram(chance: random.Random) -> Image.Image:
    """Boxes with arrows between them."""
    image = Image.new(
        "RGBA", (1200, 760), (0, 0, 0, 0) if chance.random() < 0.3 else (252, 251, 248, 255)
    )
    draw = ImageDraw.Draw(image)
    names = ["clipboard", "folder", "check", "strip", "journal", "host", "link", "paste"]
    fills = [(224, 239, 238), (253, 236, 214), (226, 232, 248), (246, 226, 226)]
    for n, name in enumerate(names):
        x, y = 70 + (n % 4) * 280, 150 + (n // 4) * 290
        draw.rounded_rectangle(
            (x, y, x + 210, y + 130),
            18,
            fill=fills[(n + chance.randrange(2)) % 4],
            outline=(70, 80, 90),
            width=3,
        )
        draw.text((x + 105, y + 65), name, fill=(50, 56, 66), font_size=28, anchor="mm")
        if n % 4 < 3:
            draw.line((x + 214, y + 65, x + 272, y + 65), fill=(70, 80, 90), width=4)
            draw.polygon(
                [(x + 276, y + 65), (x + 260, y + 56), (x + 260, y + 74)], fill=(70, 80, 90)
            )
    return image


def lights(chance: random.Random) -> Image.Image:
    """Lamps out of focus in the evening."""
    image = _sky(1500, 1000, (22, 26, 48), (70, 42, 66))
    glow = Image.new("RGB", image.size)
    draw = ImageDraw.Draw(glow)
    for _ in range(70):
        x, y, r = chance.randrange(1500), chance.randrange(200, 1000), chance.randrange(18, 76)
        warm = chance.choice([(250, 190, 110), (240, 130, 100), (120, 170, 230), (250, 230, 190)])
        draw.ellipse(
            (x - r, y - r, x + r, y + r), fill=_between((0, 0, 0), warm, chance.uniform(0.2, 0.8))
        )
    from PIL import ImageChops

    return ImageChops.screen(image, glow.filter(ImageFilter.GaussianBlur(6)))


def still_life(chance: random.Random) -> Image.Image:
    """Round fruit on a table, lit from the left."""
    image = _sky(1400, 1050, (214, 206, 192), (170, 140, 110))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 700, 1400, 1050), fill=(120, 88, 62))
    for n in range(5):
        x, y, r = 230 + n * 235, 690 - chance.randrange(40), chance.randrange(95, 150)
        tone = chance.choice([(196, 62, 48), (226, 160, 54), (120, 150, 60), (214, 110, 50)])
        draw.ellipse((x - r, y + r * 0.7, x + r * 1.5, y + r * 1.15), fill=(92, 66, 46))
        for step in range(r, 0, -2):
            share = 1 - step / r
            at = (x - share * r * 0.35, y - share * r * 0.35)
            draw.ellipse(
                (at[0] - step, at[1] - step, at[0] + step, at[1] + step),
                fill=_between(
                    _between(tone, (30, 20, 20), 0.35), _between(tone, (255, 244, 220), 0.5), share
                ),
            )
    return image.filter(ImageFilter.GaussianBlur(2))


def phone(chance: random.Random) -> Image.Image:
    """A tall screenshot of a conversation."""
    image = Image.new("RGB", (720, 1480), (238, 240, 243))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 720, 110), fill=(58, 110, 165))
    y = 150
    while y < 1380:
        mine, tall, wide = (
            chance.random() < 0.5,
            chance.randrange(60, 190),
            chance.randrange(240, 500),
        )
        x = 680 - wide if mine else 40
        draw.rounded_rectangle(
            (x, y, x + wide, y + tall), 26, fill=(206, 234, 205) if mine else (255, 255, 255)
        )
        for row in range(tall // 32 - 1):
            draw.rounded_rectangle(
                (
                    x + 24,
                    y + 26 + row * 30,
                    x + wide - 30 - chance.randrange(60),
                    y + 38 + row * 30,
                ),
                5,
                fill=(160, 168, 178),
            )
        y += tall + 26
    return image


def icon(chance: random.Random) -> Image.Image:
    """A small sign."""
    image = Image.new("RGBA", (128, 128), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(
        (8, 8, 120, 120), 28, fill=chance.choice([(23, 107, 111), (198, 90, 60), (80, 90, 180)])
    )
    draw.polygon([(28, 96), (56, 52), (76, 78), (88, 66), (104, 96)], fill=(255, 255, 255))
    draw.ellipse((74, 30, 94, 50), fill=(255, 255, 255))
    return image


_KINDS: tuple[tuple[str, str, Callable[[random.Random], Image.Image]], ...] = (
    ("evening in the hills", "jpg", landscape),
    ("uploads-per-week", "png", chart),
    ("screenshot editor", "png", editor),
    ("架构图", "png", diagram),
    ("lights", "jpg", lights),
    ("kitchen table", "webp", still_life),
    ("chat", "png", phone),
    ("logo", "png", icon),
)
