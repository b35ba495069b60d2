"""The tray's icons: one for each face, crisp in every size, and told apart on any panel."""

from __future__ import annotations

import itertools
import runpy
from pathlib import Path

import pytest
from PIL import Image

from imghost.desktop.assets import asset
from imghost.desktop.tray import Face

SIZES = (16, 20, 22, 24, 32, 48, 64)
LIGHT, DARK = (0xF6, 0xF5, 0xF4), (0x22, 0x22, 0x22)
SEEN = 1.8  # the tile against the panel
READ = 3.0  # the sign against the tile: WCAG 2's figure for graphics


def _images(face: Face) -> list[Image.Image]:
    with Image.open(asset(f"tray-{face}.ico")) as file:
        sizes = sorted(file.ico.sizes())  # type: ignore[attr-defined]  # of an .ico
        return [file.ico.getimage(size).convert("RGBA") for size in sizes]  # type: ignore[attr-defined]


def _luminance(colour: tuple[int, ...]) -> float:
    linear = [
        c / 12.92 if (c := value / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for value in colour[:3]
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _tile(image: Image.Image) -> tuple[int, ...]:
    """The colour of most of its pixels."""
    counts = image.getcolors(maxcolors=1 << 16)
    assert counts
    opaque = [(count, colour) for count, colour in counts if isinstance(colour, tuple)]
    return max(entry for entry in opaque if entry[1][3] == 255)[1]


@pytest.mark.parametrize("face", Face)
def test_each_size_is_drawn_for_itself(face: Face) -> None:
    """All sizes that panels ask for are there, square, with a clear corner and a solid middle."""
    images = _images(face)
    assert [image.size for image in images] == [(size, size) for size in SIZES]
    for image in images:
        assert image.getpixel((0, 0))[3] < 128  # type: ignore[index]  # RGBA
        assert image.getpixel((image.width // 2, 1))[3] == 255  # type: ignore[index]


@pytest.mark.parametrize("face", Face)
def test_it_is_seen_on_light_and_dark(face: Face) -> None:
    """The tile stands out from both kinds of panels, and its sign from the tile."""
    for image in _images(face):
        tile = _tile(image)
        assert _contrast(tile, LIGHT) > SEEN
        assert _contrast(tile, DARK) > SEEN
        assert _contrast(tile, (255, 255, 255)) > READ
        whites = sum(image.getpixel((x, y)) == (255, 255, 255, 255) for x, y in _all(image))
        assert whites >= image.width * image.height * 0.03


def test_no_two_are_alike() -> None:
    """Faces differ in their sign and not only in their colour, in the smallest size too."""
    signs = {}
    for face in Face:
        smallest = _images(face)[0]
        signs[face] = frozenset(
            place
            for place in _all(smallest)
            if _luminance(smallest.getpixel(place)) > 0.7  # type: ignore[arg-type]
        )
    for one, other in itertools.combinations(Face, 2):
        assert len(signs[one] ^ signs[other]) >= 12, (one, other)


def test_they_are_what_the_script_draws() -> None:
    """The files in the checkout are those that the script beside them makes."""
    script = Path(__file__).parent.parent / "assets" / "draw_icons.py"
    made = runpy.run_path(str(script))
    for face in Face:
        colour, draw = made["FACES"][face]
        for image in _images(face):
            assert image.tobytes() == made["drawn"](image.width, colour, draw).tobytes(), face


def _all(image: Image.Image) -> list[tuple[int, int]]:
    return [(x, y) for x in range(image.width) for y in range(image.height)]
