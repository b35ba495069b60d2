"""The whole way of an image's bytes: each step is done, in the right order, and said."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL.ExifTags import Base
from PIL.Image import Exif

from imghost.errors import ConfigError, ImageError
from imghost.imaging import deadline
from imghost.imaging.check import Caps, check, opened
from imghost.imaging.conversion import Conversion
from imghost.imaging.deadline import time_limit
from imghost.imaging.prepare import Recipe, prepare
from imghost.imaging.render import render
from imghost.imaging.style import Style
from imghost.models import Limits
from tests.fakes.pictures import animation, encoded, jpeg, picture, png

LIMITS = Limits(15_000_000, frozenset({"png", "jpeg", "webp"}))
RECIPE = Recipe(Caps(), LIMITS, Conversion(), "")


def with_camera(orientation: int = 1) -> Exif:
    """Metadata that gives the photographer away."""
    exif = Exif()
    exif[Base.Make] = "SecretCamera"
    exif[Base.Orientation] = orientation
    return exif


def test_what_has_nothing_to_strip_is_sent_byte_for_byte() -> None:
    """An ordinary image is the very bytes that came in, and nothing is said."""
    data = png()
    prepared = prepare(data, "a.png", RECIPE)
    assert prepared.image.data is data
    assert prepared.notes == ()


def test_metadata_is_stripped_and_said() -> None:
    """Of an acceptable image nothing but the metadata changes."""
    data = jpeg(exif=with_camera())
    prepared = prepare(data, "a.jpg", RECIPE)
    assert b"SecretCamera" not in prepared.image.data
    assert [str(note) for note in prepared.notes] == ["metadata removed: EXIF"]
    assert opened(prepared.image.data).tobytes() == opened(data).tobytes()


def test_metadata_stays_if_it_shall() -> None:
    """Then the file is sent as it came."""
    recipe = replace(RECIPE, conversion=Conversion(strip_metadata=False))
    data = jpeg(exif=with_camera())
    assert prepare(data, "a.jpg", recipe).image.data is data


@pytest.mark.parametrize("strip_metadata", [True, False])
def test_what_is_converted_carries_no_metadata(strip_metadata: bool) -> None:
    """Neither what is stripped before, nor what was to stay: a new file is only pixels."""
    recipe = replace(RECIPE, conversion=Conversion(strip_metadata=strip_metadata))
    data = encoded(picture(), "TIFF", exif=with_camera())
    image = prepare(data, "a.tif", recipe).image
    assert image.format == "webp"
    assert b"SecretCamera" not in image.data


def test_a_turned_photo_is_shown_upright_whatever_is_done() -> None:
    """Stripped it keeps its orientation; drawn anew its pixels are turned."""
    data = jpeg(64, 48, exif=with_camera(6))
    for conversion in (Conversion(), Conversion(max_width_px=24)):
        image = prepare(data, "a.jpg", replace(RECIPE, conversion=conversion)).image
        assert check(image.data, "a", Caps()).height_px * 3 == image.width_px * 4


def test_a_style_can_spare_animations() -> None:
    """A style that nobody asked for is drawn into stills alone; its recipe is another one."""
    recipe = replace(RECIPE, style="@32w.webp", spares_animations=True)
    assert prepare(animation(), "a.gif", recipe).image.width_px == 64
    assert prepare(png(64, 48), "a.png", recipe).image.width_px == 32
    asked = replace(recipe, spares_animations=False)
    assert prepare(animation(), "a.gif", asked).image.width_px == 32
    assert recipe.key() != asked.key()
    assert replace(recipe, style="").key() == replace(asked, style="").key()


def test_a_style_is_drawn_first_and_said() -> None:
    """The host's limits then hold for what was drawn."""
    prepared = prepare(png(64, 48), "a.png", replace(RECIPE, style="@32w.avif"))
    assert (prepared.image.width_px, prepared.image.format) == (32, "webp")
    assert [str(note) for note in prepared.notes] == [
        "drawn as @32w.avif",
        "converted from AVIF to WEBP",
    ]


def test_what_is_wrong_is_refused() -> None:
    """Bytes that are no image, more than the caps allow, and a style that is none."""
    with pytest.raises(ImageError):
        prepare(b"text", "a.png", RECIPE)
    with pytest.raises(ImageError):
        prepare(png(), "a.png", replace(RECIPE, caps=Caps(still_mpix=0.001)))
    with pytest.raises(ConfigError):
        prepare(png(), "a.png", replace(RECIPE, style="@9z"))


@pytest.mark.parametrize(("look_s", "ends"), [(1.0, True), (12.0, False)])
def test_a_film_has_a_minute_in_all(
    monkeypatch: pytest.MonkeyPatch, look_s: float, ends: bool
) -> None:
    """Decoding and encoding count together, by a clock that nobody sets."""
    clock = itertools.count(1000.0, look_s)
    monkeypatch.setattr(deadline, "thread_time", lambda: next(clock))
    if ends:
        assert prepare(animation("GIF"), "a.gif", RECIPE).image.frames == 4
        return
    with pytest.raises(ImageError, match=r"a\.gif took longer than 60\.0 s .* or shorter"):
        prepare(animation("GIF"), "a.gif", RECIPE)


@pytest.mark.parametrize("format_name", ["webp", "gif", "avif"])
def test_no_encoder_takes_the_end_of_the_time_for_the_end_of_the_film(
    monkeypatch: pytest.MonkeyPatch, format_name: str
) -> None:
    """At whichever look at the clock the time is over, an error comes out and no shorter film."""
    image, wanted = check(animation("GIF"), "a.gif", Caps()), Style.parse(f"@20w.{format_name}")
    clock: Iterator[float] = iter([])
    monkeypatch.setattr(deadline, "thread_time", lambda: next(clock, 99.0))
    for looks in range(1, 40):
        clock = iter([0.0 for _ in range(looks)])
        with contextlib.suppress(ImageError), time_limit(60.0):
            assert render(image, wanted).frames == 4
            assert looks > 8  # each of the four frames was looked at more than once
            return
    pytest.fail("it never became a film")


def test_the_key_tells_recipes_apart() -> None:
    """Whatever decides the result is in the key; how gently the host is asked is not."""
    others = [
        replace(RECIPE, caps=Caps(still_mpix=1)),
        replace(RECIPE, limits=replace(LIMITS, max_bytes=1)),
        replace(RECIPE, limits=replace(LIMITS, formats=frozenset({"png"}))),
        replace(RECIPE, limits=replace(LIMITS, animated=False)),
        replace(RECIPE, conversion=Conversion(quality=84)),
        replace(RECIPE, conversion=Conversion(strip_metadata=False)),
        replace(RECIPE, style="@1w"),
    ]
    assert len({recipe.key() for recipe in (RECIPE, *others)}) == 8
    assert replace(RECIPE, limits=replace(LIMITS, parallel=9, min_gap_s=3)).key() == RECIPE.key()


def test_the_key_is_the_same_in_every_process() -> None:
    """It stands in the journal for years."""
    assert RECIPE.key() == "372913f198ccee4d"


def test_an_animation_for_a_host_without_gif_is_said() -> None:
    """The writer hears what became of the GIF."""
    prepared = prepare(animation("GIF"), "a.gif", RECIPE)
    assert [str(note) for note in prepared.notes] == [
        "animated GIF became an animated WEBP of 4 frames"
    ]
