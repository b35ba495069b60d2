"""Conversion: what a host cannot take or show is made to fit, as little as possible, and said."""

from __future__ import annotations

from io import BytesIO
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops, ImageCms, ImageFilter, ImageStat
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from imghost.errors import ImageError
from imghost.imaging import smallest
from imghost.imaging.check import Caps, check, opened
from imghost.imaging.conversion import Conversion
from imghost.imaging.convert import convert
from imghost.imaging.render import redraw
from imghost.imaging.style import Style
from imghost.models import Image, Limits
from tests.fakes.pictures import animation, encoded, jpeg, picture, png

ANY_SIZE = 10**9
BILIBILI = frozenset({"png", "jpeg", "webp"})
BROWSERS = BILIBILI | {"gif", "avif"}
STILLS = ["png", "jpeg", "webp", "avif"]


def converted(
    data: bytes,
    formats: frozenset[str] = BILIBILI,
    max_bytes: int = ANY_SIZE,
    **wishes: Any,
) -> tuple[Image, list[str]]:
    """What is sent of the file, and what is said about it."""
    image = check(data, "a.img", Caps())
    made, notes = convert(image, Limits(max_bytes, formats), Conversion(**wishes))
    return made, [str(note) for note in notes]


def noise(width_px: int = 256, height_px: int = 256) -> Pillow.Image:
    """What no lossless encoder can make small."""
    return Pillow.effect_noise((width_px, height_px), 90).convert("RGB")


def soft(mode: str = "RGB") -> Pillow.Image:
    """What lossy encoders hardly change."""
    blurred = picture(96, 72).filter(ImageFilter.GaussianBlur(8))
    return blurred.quantize(dither=Pillow.Dither.NONE) if mode == "P" else blurred.convert(mode)


def shown(data: bytes, number: int = 0) -> Pillow.Image:
    """What is seen of a file, transparency included."""
    source = opened(data)
    source.seek(number)
    return source.convert("RGBA")


def distance(one: Pillow.Image, other: Pillow.Image) -> float:
    """How far two pictures are apart, of 255, in the mean of the worst channel."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def times_ms(data: bytes) -> list[int]:
    """How long each frame is shown."""
    source = opened(data)
    times = []
    for number in range(getattr(source, "n_frames", 1)):
        source.seek(number)
        source.load()
        times.append(round(source.info.get("duration", 0)))
    return times


# Stills


@pytest.mark.parametrize("data", [png(), jpeg(), encoded(picture(), "WEBP"), animation("WEBP")])
def test_what_the_host_takes_is_left_alone(data: bytes) -> None:
    """The very same image comes back, and nothing is said."""
    image = check(data, "a", Caps())
    assert convert(image, Limits(len(data), BILIBILI), Conversion()) == (image, ())


@pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO", "GIF"])
def test_what_browsers_or_the_host_do_not_show_becomes_webp(form: str) -> None:
    """A flat drawing stays lossless, for that is smaller."""
    data = encoded(picture(48, 48, mode="P"), form)
    made, said = converted(data)
    assert made.format == "webp"
    assert distance(shown(made.data), shown(data)) == 0
    assert said == [f"converted from {form} to WEBP"]


def test_heic_becomes_webp() -> None:
    """What phones photograph is turned into what browsers show."""
    from pillow_heif import from_pillow

    file = BytesIO()
    from_pillow(soft()).save(file, quality=90)
    made, said = converted(file.getvalue())
    assert distance(shown(made.data), soft("RGBA")) < 8
    assert said == ["converted from HEIC to WEBP"]


def test_noise_becomes_lossy() -> None:
    """Both ways are tried, and the smaller is kept."""
    data = encoded(noise(), "BMP")
    made, _ = converted(data)
    assert distance(shown(made.data), shown(data)) > 0
    assert len(made.data) < len(encoded(noise(), "WEBP", lossless=True))


def test_no_lossless_try_is_made_of_what_would_take_too_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Above so many megapixels a still becomes lossy at once."""
    data = encoded(picture(), "BMP")
    lossless, _ = converted(data)
    monkeypatch.setattr(smallest, "_STILL_MPIX", 0.001)
    lossy, _ = converted(data)
    assert len(lossless.data) < len(lossy.data)


@pytest.mark.parametrize("to", STILLS)
def test_stills_become_what_is_wanted(to: str) -> None:
    """`convert.to` is obeyed if the host takes it."""
    made, said = converted(encoded(soft(), "BMP"), BROWSERS, to=to)
    assert made.format == to
    assert distance(shown(made.data), soft("RGBA")) < 8
    assert said == [f"converted from BMP to {to.upper()}"]


@pytest.mark.parametrize("only", STILLS)
def test_stills_become_what_the_host_takes(only: str) -> None:
    """What is wanted and not taken is replaced, in words."""
    wanted = "png" if only == "jpeg" else "jpeg"
    made, said = converted(encoded(picture(), "BMP"), frozenset({only}), to=wanted)
    assert made.format == only
    assert said[1:] == [f"its host takes no {wanted.upper()}: {only.upper()} instead"]


def test_webp_holds_so_many_pixels_a_side() -> None:
    """A longer drawing becomes PNG, a longer photo JPEG, in words."""
    made, said = converted(encoded(picture(16_383, 4), "BMP"))
    assert made.format == "webp"
    made, said = converted(encoded(picture(16_384, 4), "BMP"))
    assert (made.format, made.width_px) == ("png", 16_384)
    assert said[1:] == ["WEBP cannot hold that many pixels: PNG instead"]
    made, said = converted(jpeg(20_000, 4), BILIBILI, max_width_px=17_000)
    assert (made.format, made.width_px) == ("jpeg", 17_000)
    with pytest.raises(ImageError, match=r"16384x4 pixels, 1 frames\) cannot become .*: webp;"):
        converted(encoded(picture(16_384, 4), "BMP"), frozenset({"webp"}))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
@pytest.mark.parametrize("to", STILLS)
def test_every_mode_of_pixels_comes_out_as_it_looked(mode: str, to: str) -> None:
    """Palettes, 16 bits, print colours and transparency are made what browsers show."""
    source = soft("L" if mode == "I;16" else mode)
    looks = source.convert("RGBA")
    if mode == "I;16":
        source = source.convert("I").point(lambda value: value * 257).convert("I;16")
    made, _ = converted(encoded(source, "TIFF"), BROWSERS, to=to)
    assert distance(shown(made.data), looks) < 8


def test_transparency_stays_or_becomes_white() -> None:
    """JPEG cannot hold it: then it is said."""
    glass = soft("RGBA")
    glass.putalpha(Pillow.linear_gradient("L").resize(glass.size))
    data = encoded(glass, "TIFF")
    made, said = converted(data)
    assert distance(shown(made.data).getchannel("A"), glass.getchannel("A")) == 0
    made, said = converted(data, to="jpeg")
    white = Pillow.new("RGBA", glass.size, "white")
    assert distance(shown(made.data), Pillow.alpha_composite(white, glass)) < 8
    assert said == ["converted from TIFF to JPEG", "what was transparent is white now"]


def test_the_picture_is_upright_and_carries_no_metadata() -> None:
    """Turned pixels need no orientation, and nothing else is carried over."""
    exif = Pillow.Exif()
    exif[Base.Make] = "SecretCamera"
    exif[Base.Orientation] = 6
    photo = encoded(soft(), "JPEG", exif=exif, comment=b"SecretComment")
    made, _ = converted(photo, frozenset({"webp"}), strip_metadata=False)
    assert (made.width_px, made.height_px) == (72, 96)
    assert b"Secret" not in made.data
    upright = shown(photo).transpose(Pillow.Transpose.ROTATE_270)
    assert distance(shown(made.data), upright) < 8


@pytest.mark.parametrize("mode", ["I", "F"])
def test_measurements_are_shown_from_black_to_white(mode: str) -> None:
    """Numbers of any range become grey, instead of all black or all white."""
    grey = soft("L")
    low, high = cast("tuple[int, int]", grey.getextrema())
    source = grey.convert("F").point(lambda value: value * 1e4 - 7e5).convert(mode)
    made, _ = converted(encoded(source, "TIFF"))
    stretched = grey.point([max(0, min(255, 255 * (n - low) // (high - low))) for n in range(256)])
    assert distance(shown(made.data), stretched.convert("RGBA")) < 4


def test_a_gamma_of_its_own_is_applied() -> None:
    """PNG can say by what power its numbers are raised; no other format can."""
    chunks = PngInfo()
    chunks.add(b"gAMA", (100_000).to_bytes(4, "big"))
    grey = Pillow.new("RGBA", (9, 9), (55, 55, 55, 55))
    made, _ = converted(encoded(grey, "PNG", pnginfo=chunks), frozenset({"webp"}))
    assert opened(made.data).convert("RGBA").getpixel((4, 4)) == (127, 127, 127, 55)
    chunks = PngInfo()
    chunks.add(b"gAMA", (45_455).to_bytes(4, "big"))
    made, _ = converted(encoded(grey, "PNG", pnginfo=chunks), frozenset({"webp"}))
    assert opened(made.data).convert("RGBA").getpixel((4, 4)) == (55, 55, 55, 55)


@pytest.mark.parametrize("to", STILLS)
def test_a_colour_profile_survives(to: str) -> None:
    """It stands in the new file, or its colours were turned into sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made, _ = converted(encoded(picture(), "TIFF", icc_profile=profile), BROWSERS, to=to)
    assert opened(made.data).info["icc_profile"] == profile


def test_the_same_bytes_give_the_same_bytes() -> None:
    """A retry does not make another image."""
    for to in STILLS:
        first, _ = converted(encoded(picture(), "BMP"), BROWSERS, to=to)
        assert converted(encoded(picture(), "BMP"), BROWSERS, to=to)[0] == first


# Always, and width


def test_always_converts_what_gets_smaller() -> None:
    """An acceptable original gives way to a smaller one, in words."""
    data = encoded(noise(), "PNG")
    made, said = converted(data, when="always")
    assert made.format == "webp"
    assert len(made.data) < len(data)
    assert said == ["converted from PNG to WEBP"]


@pytest.mark.parametrize("to", ["webp", "png", "jpeg"])
def test_a_conversion_that_came_out_bigger_is_thrown_away(to: str) -> None:
    """Then the original is sent, byte for byte, and nothing is said."""
    data = encoded(noise(), "WEBP", quality=1)
    assert converted(data, when="always", to=to) == (check(data, "a.img", Caps()), [])


def test_always_does_not_spoil_what_is_as_wanted() -> None:
    """A JPEG is not made a worse JPEG; what cannot become WebP stays."""
    for data, formats, to in (
        (jpeg(quality=100), BILIBILI, "jpeg"),
        (animation("GIF"), frozenset({"gif", "png"}), "webp"),
        (animation("WEBP"), BILIBILI, "png"),
    ):
        assert converted(data, formats, when="always", to=to)[0].data is data


def test_what_is_too_wide_is_scaled_by_ratio() -> None:
    """Acceptable or not, still or animated; what is narrower is left alone."""
    made, said = converted(png(200, 100), max_width_px=50)
    assert (made.width_px, made.height_px) == (50, 25)
    assert said == ["converted from PNG to WEBP", "scaled from 200 to 50 pixels in width"]
    made, said = converted(animation("GIF"), BROWSERS, max_width_px=32)
    assert (made.width_px, made.height_px, made.frames) == (32, 24, 4)
    assert converted(png(50, 100), max_width_px=50)[1] == []
    made, _ = converted(encoded(picture(40, 40), "BMP"), max_width_px=50)
    assert made.width_px == 40


# Too large


def test_too_large_is_first_only_written_anew() -> None:
    """Enough is enough: no pixel is given away if another way of writing fits."""
    data = encoded(picture(), "PNG", compress_level=0)
    made, said = converted(data, frozenset({"png"}), len(data) - 1, to="png")
    assert distance(shown(made.data), shown(data)) == 0
    assert said == ["written anew as PNG"]


@pytest.mark.parametrize("to", ["webp", "png", "jpeg"])
def test_too_large_is_scaled_down_step_by_step(to: str) -> None:
    """Each step is said, begins where the last ended, and the result just fits."""
    data = encoded(noise(), "PNG")
    made, said = converted(data, BILIBILI, 9_000, to=to)
    assert 3_000 < len(made.data) <= 9_000
    steps = [note.split() for note in said if note.startswith("scaled")]
    assert steps
    assert all(step[-3:] == ["fit", "0.009", "MB"] for step in steps)
    sizes = ["256x256", *(step[4] for step in steps)]
    assert [step[2] for step in steps] == sizes[:-1]
    assert sizes[-1] == f"{made.width_px}x{made.height_px}"


def test_an_animation_too_large_is_scaled_down() -> None:
    """All frames and their times stay."""
    data = animation("WEBP", 6, 200, 150, quality=90)
    made, said = converted(data, max_bytes=len(data) // 2)
    assert made.frames == 6
    assert times_ms(made.data) == times_ms(data)
    assert made.width_px < 200
    assert said[0] == "written anew as WEBP"
    assert said[1].startswith("scaled from 200x150 to ")


@pytest.mark.parametrize("form", ["PNG", "BMP"])
def test_nothing_is_scaled_if_it_shall_not_be(form: str) -> None:
    """With `shrink` off, too large is an error that says so."""
    with pytest.raises(ImageError, match=r"and its host takes 0\.009; .*convert\.shrink"):
        converted(encoded(noise(), form), BILIBILI, 9_000, to="png", shrink=False)


def test_without_shrink_other_formats_still_fit() -> None:
    """A format that the host does not take is converted, and may thereby become small enough."""
    data = encoded(picture(), "BMP")
    assert len(data) > 9_000
    assert converted(data, BILIBILI, 9_000, shrink=False)[0].format == "webp"


def test_what_cannot_be_made_small_enough_is_refused() -> None:
    """There is an end to scaling down."""
    with pytest.raises(ImageError, match="however small it is drawn"):
        converted(png(), BILIBILI, 20)


def test_a_huge_photo_is_drawn_at_half_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was let in only because JPEG can be decoded smaller is not decoded whole."""
    monkeypatch.setattr("imghost.imaging.fit._WHOLE_MPIX", 0.01)
    made, said = converted(jpeg(200, 100), frozenset({"webp"}))
    assert (made.width_px, made.height_px) == (100, 50)
    assert said[-1] == "scaled from 200 to 100 pixels in width"
    photo = jpeg(200, 100, quality=100)
    assert converted(photo, when="always")[0].data is photo


# Animations


@pytest.mark.parametrize("form", ["GIF", "PNG", "AVIF"])
def test_an_animation_becomes_an_animated_webp(form: str) -> None:
    """All frames, their times and their pictures stay, whatever stills are to become."""
    data = animation(form)
    made, said = converted(data, frozenset({"webp", "jpeg"}), to="jpeg")
    assert (made.format, made.frames) == ("webp", 4)
    assert times_ms(made.data) == [60, 70, 80, 90]
    for number in range(4):
        assert distance(shown(made.data, number), shown(data, number)) < 16
    assert said == [f"animated {form} became an animated WEBP of 4 frames"]


@pytest.mark.parametrize(("loop", "plays"), [(None, 1), (0, 0), (1, 2), (5, 6)])
def test_a_gif_is_played_as_often_as_before(loop: int | None, plays: int) -> None:
    """GIF says how often again, WebP how often in all; 0 is for ever."""
    images = [picture(seed=n) for n in range(3)]
    wish = {} if loop is None else {"loop": loop}
    data = encoded(images[0], "GIF", save_all=True, append_images=images[1:], duration=90, **wish)
    made, _ = converted(data)
    assert opened(made.data).info["loop"] == plays


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_what_a_gif_lays_over_what_is_composed(disposal: int) -> None:
    """Each frame looks as it did, its transparent parts too."""
    frames = []
    for number in range(4):
        frame = Pillow.new("RGBA", (64, 48))
        frame.paste(picture(20, 20, seed=number), (10 * number, 8))
        frames.append(frame)
    data = encoded(
        frames[0],
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[50, 60, 70, 80],
        disposal=disposal,
    )
    made, _ = converted(data)
    assert times_ms(made.data) == times_ms(data)
    white = Pillow.new("RGBA", (64, 48), "white")
    for number in range(made.frames):
        before, after = shown(data, number), shown(made.data, number)
        over = (Pillow.alpha_composite(white, before), Pillow.alpha_composite(white, after))
        assert distance(*over) == 0


def test_frames_that_show_nothing_new_lengthen_the_last() -> None:
    """WebP's encoder joins them: the whole takes as long as before, and it is said."""
    images = [Pillow.new("RGB", (9, 9), (n // 2 * 90, 0, n)) for n in range(6)]
    data = encoded(images[0], "GIF", save_all=True, append_images=images[1:], duration=70)
    image = check(data, "a", Caps())
    made, said = converted(data, quality=1)
    assert sum(times_ms(made.data)) == sum(times_ms(data)) == 420
    assert made.frames < image.frames
    assert said[1].startswith(f"{image.frames - made.frames} frames showed nothing new")


@pytest.mark.parametrize("ms", [[0, 0, 0], [10, 20, 65_535 * 10], [0, 100, 0]])
def test_unusual_times_stay(ms: list[int]) -> None:
    """Browsers treat very short times alike in all formats: nothing is to be mended."""
    images = [picture(seed=n) for n in range(3)]
    data = encoded(images[0], "GIF", save_all=True, append_images=images[1:], duration=ms)
    assert times_ms(converted(data)[0].data) == ms


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("most_mpix", [64, 0], ids=["short", "long"])
def test_the_smaller_of_lossless_and_lossy_is_kept(
    monkeypatch: pytest.MonkeyPatch, most_mpix: float, noisy: bool
) -> None:
    """Of a short animation both are encoded, of a long one its middle frame decides."""
    monkeypatch.setattr(smallest, "_ANIMATION_MPIX", most_mpix)
    images = [noise() if noisy else picture(seed=n) for n in range(4)]
    data = encoded(images[0], "GIF", save_all=True, append_images=images[1:], duration=70)
    image = check(data, "a", Caps())
    style = Style(percent=100, quality=85, ending="webp")
    both = [redraw(image, style), redraw(image, style, lossless=True)]
    assert both[0] != both[1]
    assert len(converted(data)[0].data) == min(len(made.data) for made in both)


def test_slow_fades_do_not_stand_still() -> None:
    """A lossy animation does not drift away from its original, however slowly that changes."""
    frames = []
    for number in range(60):
        frame = Pillow.new("RGB", (160, 120), (number * 3, number * 3, number * 3))
        frame.paste(noise(16, 16), (2 * number, 4))
        frame.paste(noise(16, 16), (140 - 2 * number, 100))
        frames.append(frame)
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    made = redraw(check(data, "a", Caps()), Style(quality=85, ending="webp"))
    assert made.frames == 60
    worst = max(distance(shown(made.data, n), shown(data, n)) for n in range(60))
    assert worst < 16


def test_a_host_without_animations_gets_none() -> None:
    """It would show a still and nobody would know."""
    image = check(animation("WEBP"), "a.webp", Caps())
    with pytest.raises(ImageError, match=r"a\.webp is an animation, and its host shows only"):
        convert(image, Limits(ANY_SIZE, BILIBILI, animated=False), Conversion())


def test_an_animation_that_cannot_become_webp_is_refused() -> None:
    """No still is sent in its place."""
    with pytest.raises(ImageError, match=r"4 frames\) cannot become any of .*: jpeg, png;"):
        converted(animation("GIF"), frozenset({"png", "jpeg"}))


# All of it


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]),
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from(["RGB", "L", "RGBA", "P"]),
    st.sampled_from([1, 3]),
    st.frozensets(st.sampled_from(sorted(BROWSERS)), min_size=1),
    st.integers(100, 20_000),
    st.builds(
        Conversion,
        st.sampled_from(["needed", "always"]),
        st.sampled_from(STILLS),
        st.integers(1, 100),
        st.integers(0, 100),
        st.booleans(),
    ),
)
def test_what_comes_out_suits_the_host(
    form: str,
    width_px: int,
    height_px: int,
    mode: str,
    frames: int,
    formats: frozenset[str],
    max_bytes: int,
    wishes: Conversion,
) -> None:
    """Whatever goes in: a whole image within the limits and never wider than wanted, or words."""
    images = [picture(width_px, height_px, mode=mode, seed=n) for n in range(frames)]
    if form == "JPEG":
        images = [one.convert("RGB") for one in images]
    more: dict[str, Any] = {}
    if frames > 1 and form in ("PNG", "WEBP", "GIF", "AVIF"):
        more = {"save_all": True, "append_images": images[1:], "duration": 80}
    image = check(encoded(images[0], form, **more), "a", Caps())
    try:
        made, notes = convert(image, Limits(max_bytes, formats), wishes)
    except ImageError:
        return
    assert made.format in formats
    assert len(made.data) <= max_bytes
    assert made.width_px <= (wishes.max_width_px or image.width_px)
    assert made == check(made.data, "a", Caps())
    assert made.frames == image.frames or any("nothing new" in str(note) for note in notes)
    assert (made == image) == (not notes)
