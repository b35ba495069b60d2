"""An animation that is drawn frame by frame, so that only one frame is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imghost.imaging.colour import is_transparent
from imghost.imaging.deadline import check_time
from imghost.values import dataclass

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageFile import ImageFile


@dataclass(frozen=True, slots=True)
class Film:
    """What an encoder needs: the first frame, the rest, each one's time, and 0 plays for ever."""

    first: Picture
    rest: Reel
    durations_ms: tuple[int, ...]
    plays: int


class Reel:
    """Frames that are drawn when they are sought: as much of a Pillow image as encoders look at."""

    def __init__(self, source: ImageFile, start: int, draw: Callable[[Picture], Picture]) -> None:
        self._source = source
        self._start = start
        self._draw = draw
        self.n_frames = _count(source) - start
        self.seek(0)

    def frame(self, number: int) -> Picture:
        """Draw that frame. Raises EOFError behind the last."""
        if number >= self.n_frames:
            raise EOFError
        check_time()
        self._source.seek(self._start + number)
        return self._draw(self._source)

    def then(self, draw: Callable[[Picture], Picture]) -> Reel:
        """The same frames, drawn further."""
        return Reel(self._source, self._start, lambda frame: draw(self._draw(frame)))

    def seek(self, number: int) -> None:
        """Become that frame. Raises EOFError behind the last."""
        self._frame = self.frame(number)
        self._position = number

    def tell(self) -> int:
        """The number of the frame that this is."""
        return self._position

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a picture has
        return getattr(self._frame, name)


def film(source: ImageFile, draw: Callable[[Picture], Picture]) -> Film:
    """The opened animation, each frame drawn by `draw`, all of them in RGB or all in RGBA.

    The frames are gone through once before: encoders must know whether any is transparent.
    """
    start = 1 if getattr(source, "default_image", False) else 0  # APNG: shown where nothing moves
    durations_ms: list[int] = []
    mode = "RGB"
    for frame in range(start, _count(source)):
        check_time()
        source.seek(frame)
        source.load()
        durations_ms.append(round(source.info.get("duration", 0)))
        mode = "RGBA" if mode == "RGBA" or is_transparent(source) else "RGB"
    source.seek(start)
    first = draw(source).convert(mode)
    rest = Reel(source, start + 1, lambda frame: draw(frame).convert(mode))
    return Film(first, rest, tuple(durations_ms), _plays(source))


def _count(source: ImageFile) -> int:
    return int(getattr(source, "n_frames", 1))


def _plays(source: ImageFile) -> int:
    """How often it is shown, 0 for ever: GIF says how often again, and of AVIF Pillow does not."""
    loop = source.info.get("loop")
    if source.format == "GIF":
        return 1 if loop is None else loop and loop + 1
    return loop or 0
