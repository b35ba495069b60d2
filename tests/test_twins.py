"""A screenshot that is saved and copied is one picture; two that look alike by chance are two."""

from __future__ import annotations

import hashlib
import threading

import pytest

from imghost.errors import SourceError
from imghost.imaging.check import Caps
from imghost.imaging.conversion import Conversion
from imghost.imaging.pixels import pixels_digest
from imghost.imaging.prepare import Recipe, prepare
from imghost.models import MIME_TYPES, Found, Limits, Target
from imghost.pipeline import Ready
from imghost.watch.same_picture import SamePicture
from imghost.watch.twins import WITHIN_S, Sighting, Twins
from tests.fakes import pictures
from tests.fakes.sender import Clock

RECIPE = Recipe(Caps(), Limits(1_000_000, frozenset(MIME_TYPES)), Conversion(), "")
SAVED = pictures.png(seed=1, compress_level=1)
COPIED = pictures.png(seed=1, compress_level=9)
OTHER = pictures.png(seed=2)
TARGET = Target("local", "images")


class Bench:
    """What was found, and whose pixels were asked for."""

    def __init__(self) -> None:
        self.clock = Clock(100.0)
        self.originals: dict[str, bytes] = {}
        self.digests = 0
        self.twins = Twins(SamePicture(self._pixels, self._read), self.clock)

    def ready(self, data: bytes, *, target: Target = TARGET, recipe: str = "") -> Ready:
        """Bytes that were prepared."""
        original = hashlib.sha256(data).hexdigest()
        self.originals[original] = data
        found = Found("test", "a.png", lambda: data)
        return Ready(found, target, data, original, recipe, prepare(data, "a.png", RECIPE))

    def note(self, data: bytes, record_id: int, *, is_file: bool) -> None:
        """It was found and accepted."""
        with self.twins.sighting(self.ready(data), is_file=is_file) as sighting:
            sighting.record_id = record_id

    def of(self, data: bytes, *, is_file: bool) -> int | None:
        """The row of its twin."""
        return self.of_ready(self.ready(data), is_file=is_file)

    def of_ready(self, ready: Ready, *, is_file: bool) -> int | None:
        """The row of its twin, as it is found now."""
        with self.twins.sighting(ready, is_file=is_file) as sighting:
            return self.twins.of(sighting, ready, is_file=is_file)

    def _pixels(self, data: bytes, name: str) -> str:
        self.digests += 1
        return pixels_digest(data, name)

    def _read(self, original: str) -> bytes:
        if original not in self.originals:
            raise SourceError("it is gone")
        return self.originals[original]


@pytest.fixture
def bench() -> Bench:
    """Nothing was found."""
    return Bench()


@pytest.mark.parametrize("is_file", [True, False])
def test_the_same_pixels_are_one_picture(bench: Bench, *, is_file: bool) -> None:
    """Whichever was found first, though saved and copied files differ."""
    assert SAVED != COPIED
    bench.note(OTHER, 6, is_file=is_file)
    bench.note(SAVED, 7, is_file=is_file)
    assert bench.of(COPIED, is_file=not is_file) == 7


def test_two_of_one_kind_are_two(bench: Bench) -> None:
    """Who copies the same picture twice, or has it in two files, means it."""
    for is_file in (True, False):
        bench.note(SAVED, 7, is_file=is_file)
        bench.clock.now += 100
        bench.note(SAVED, 8, is_file=is_file)
        assert bench.of(COPIED, is_file=is_file) is None
        bench.clock.now += 100


def test_half_a_minute_later_it_is_another(bench: Bench) -> None:
    """Only what was found within 30 s belongs together."""
    bench.note(SAVED, 7, is_file=True)
    bench.clock.now += WITHIN_S
    assert bench.of(COPIED, is_file=False) == 7
    bench.clock.now += 0.1
    assert bench.of(COPIED, is_file=False) is None


def test_what_goes_elsewhere_is_another(bench: Bench) -> None:
    """A folder with a host or style of its own gets its own upload."""
    bench.note(SAVED, 7, is_file=True)
    elsewhere = bench.ready(COPIED, target=Target("bilibili", "album"))
    assert bench.of_ready(elsewhere, is_file=False) is None
    assert bench.of_ready(bench.ready(COPIED, recipe="smaller"), is_file=False) is None


def test_pixels_are_asked_for_only_if_need_be(bench: Bench) -> None:
    """Not for another size, nor for the same bytes, and once for each that was found."""
    assert bench.of(SAVED, is_file=True) is None
    bench.note(pictures.png(32, 32), 6, is_file=False)
    assert bench.of(SAVED, is_file=True) is None
    bench.note(SAVED, 7, is_file=False)
    assert bench.of(SAVED, is_file=True) == 7
    assert bench.digests == 0
    assert bench.of(OTHER, is_file=True) is None
    assert bench.of(COPIED, is_file=True) == 7
    assert bench.digests == 3


def test_animations_are_the_same_only_byte_by_byte(bench: Bench) -> None:
    """Their pixels are not compared."""
    one, two = pictures.animation(), pictures.animation(duration=90)
    bench.note(one, 7, is_file=False)
    assert bench.of(two, is_file=True) is None
    assert bench.of(one, is_file=True) == 7


def test_doubt_makes_two_of_them(bench: Bench) -> None:
    """An original that is gone meanwhile is no reason not to take the other."""
    bench.note(SAVED, 7, is_file=False)
    bench.originals.clear()
    assert bench.of(COPIED, is_file=True) is None


@pytest.mark.parametrize("record_id", [7, 0])
def test_what_is_found_at_the_same_moment_is_waited_for(bench: Bench, record_id: int) -> None:
    """Whoever comes second hears what becomes of the first, also if nothing does."""
    saved, copied = bench.ready(SAVED), bench.ready(COPIED)
    found: list[int | None] = []

    def copy(sighting: Sighting) -> None:
        found.append(bench.twins.of(sighting, copied, is_file=False))

    with (
        bench.twins.sighting(saved, is_file=True) as first,
        bench.twins.sighting(copied, is_file=False) as second,
    ):
        assert bench.twins.of(first, saved, is_file=True) is None
        thread = threading.Thread(target=copy, args=(second,))
        thread.start()
        assert found == []
        first.record_id = record_id
    thread.join()
    assert found == [record_id or None]
