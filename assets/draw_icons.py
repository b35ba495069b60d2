"""Draws the tray's icons into this folder: `python assets/draw_icons.py`.

Each is one .ico with a drawing of its own for every size, on whole pixels, so that it is crisp in
small panels; a solid tile, so that it is seen on light and on dark ones.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

SIZES = (16, 20, 22, 24, 32, 48, 64)
FINE = 8  # drawn so many times larger, then scaled down

BLUE, GREEN, GREY, AMBER, RED = "#2f6fde", "#1e8e4e", "#71767f", "#b86e00", "#d23b3b"
WHITE = "white"


class Tile:
    """A rounded square to draw on; lengths are in sixteenths of its side, on whole pixels."""

    def __init__(self, size_px: int, colour: str) -> None:
        self._unit = size_px / 16
        self._image = Image.new("RGBA", (size_px * FINE, size_px * FINE))
        self._draw = ImageDraw.Draw(self._image)
        end = size_px * FINE - 1
        self._draw.rounded_rectangle((0, 0, end, end), 3.5 * self._unit * FINE, colour)

    def bar(self, left: float, top: float, width: float, height: float, round_by: float) -> None:
        """A rounded bar."""
        x, y = self._at(left), self._at(top)
        right, bottom = x + max(FINE, self._at(width)) - 1, y + max(FINE, self._at(height)) - 1
        self._draw.rounded_rectangle((x, y, right, bottom), round_by * self._unit * FINE, WHITE)

    def dot(self, x: float, y: float, radius: float) -> None:
        """A disc around a point."""
        points = [(value * self._unit * FINE) for value in (x - radius, y - radius)]
        across = 2 * radius * self._unit * FINE
        self._draw.ellipse((*points, points[0] + across, points[1] + across), WHITE)

    def line(self, *points: tuple[float, float], width: float) -> None:
        """A bent line with round ends."""
        fine = [(x * self._unit * FINE, y * self._unit * FINE) for x, y in points]
        self._draw.line(fine, WHITE, round(width * self._unit * FINE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.dot(x, y, width / 2)

    def shape(self, *points: tuple[float, float]) -> None:
        """A filled shape."""
        self._draw.polygon(
            [(x * self._unit * FINE, y * self._unit * FINE) for x, y in points], WHITE
        )

    def arc(
        self, x: float, y: float, radius: float, start: float, end: float, width: float
    ) -> None:
        """A part of a circle's line, in degrees from the right, clockwise."""
        box = [v * self._unit * FINE for v in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.arc(box, start, end, WHITE, round(width * self._unit * FINE))

    def image(self) -> Image.Image:
        """The tile in its own size."""
        size = self._image.width // FINE
        return self._image.resize((size, size), Image.Resampling.BOX)

    def _at(self, sixteenths: float) -> int:
        return round(sixteenths * self._unit) * FINE


def idle(tile: Tile) -> None:
    """A picture: hills below a sun."""
    tile.dot(11.2, 5, 1.6)
    tile.shape((2.5, 13), (6.5, 6.2), (9.2, 10.6), (10.6, 8.6), (13.5, 13))


def working(tile: Tile) -> None:
    """On its way up."""
    tile.line((8, 12.6), (8, 4.6), width=2)
    tile.line((4.6, 7.4), (8, 4), (11.4, 7.4), width=2)


def ready(tile: Tile) -> None:
    """Done."""
    tile.line((4, 8.4), (7, 11.4), (12.2, 5), width=2.1)


def paused(tile: Tile) -> None:
    """Two bars."""
    tile.bar(4, 4, 3, 8, 0.6)
    tile.bar(9, 4, 3, 8, 0.6)


def asking(tile: Tile) -> None:
    """A question mark."""
    tile.arc(8, 6.1, 3.2, 180, 395, 1.9)
    tile.line((8, 9.9), (8, 9), (9.8, 7.6), width=1.9)
    tile.dot(8, 12.7, 1.15)


def problem(tile: Tile) -> None:
    """An exclamation mark."""
    tile.bar(7, 3, 2, 7, 0.9)
    tile.dot(8, 12.4, 1.2)


FACES: dict[str, tuple[str, Callable[[Tile], None]]] = {
    "idle": (BLUE, idle),
    "working": (BLUE, working),
    "ready": (GREEN, ready),
    "paused": (GREY, paused),
    "asking": (AMBER, asking),
    "problem": (RED, problem),
}


def drawn(size_px: int, colour: str, draw: Callable[[Tile], None]) -> Image.Image:
    """One icon in one size."""
    tile = Tile(size_px, colour)
    draw(tile)
    return tile.image()


def main() -> None:
    """Draw them all."""
    for name, (colour, draw) in FACES.items():
        images = [drawn(size, colour, draw) for size in SIZES]
        images[-1].save(
            Path(__file__).with_name(f"tray-{name}.ico"),
            sizes=[image.size for image in images],
            append_images=images[:-1],
        )


if __name__ == "__main__":
    main()
