"""Rendering: sizes, formats, motion, colours and turns come out as a style asks."""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops, ImageCms, ImageStat
from PIL.PngImagePlugin import PngInfo

from imghost.errors import ConfigError, ImageError
from imghost.imaging.check import Caps, check, opened
from imghost.imaging.encode import MAX_EDGE_PX
from imghost.imaging.render import render
from imghost.imaging.strip import strip
from imghost.imaging.style import Style
from imghost.models import Image
from tests.fakes.pictures import animation, encoded, jpeg, picture, png

ROOT = Path(__file__).parents[1]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TURNED_BACK = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_90,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_270,
}
SOURCES = {
    "png": png(),
    "palette": encoded(picture(mode="P"), "PNG"),
    "bilevel": encoded(picture(mode="1"), "PNG"),
    "grey+alpha": encoded(picture(mode="LA"), "PNG"),
    "rgba": encoded(picture(mode="RGBA"), "PNG"),
    "jpeg": jpeg(),
    "grey jpeg": encoded(picture(mode="L"), "JPEG"),
    "cmyk jpeg": encoded(picture(mode="CMYK"), "JPEG"),
    "webp": encoded(picture(), "WEBP"),
    "avif": encoded(picture(), "AVIF"),
    "gif": encoded(picture(), "GIF"),
    "bmp": encoded(picture(), "BMP"),
    "tiff": encoded(picture(), "TIFF"),
    "ico": encoded(picture(48, 48), "ICO", sizes=[(16, 16), (48, 48)]),
    "moving gif": animation("GIF"),
    "moving webp": animation("WEBP"),
    "moving png": animation("PNG"),
    "moving avif": animation("AVIF"),
}


def checked(data: bytes) -> Image:
    """The bytes as an Image."""
    return check(data, "a cat.png", Caps())


def drawn(data: bytes, style: str) -> Image:
    """The bytes rendered, and found to be just what the result says of itself."""
    result = render(checked(data), Style.parse(style))
    assert checked(result.data) == result
    return result


def shown(image: Image, frame: int = 0, mode: str = "RGB") -> Pillow.Image:
    """A frame as a viewer shows it."""
    source = opened(image.data)
    source.seek(frame)
    return source.convert(mode)


def difference(one: Pillow.Image, other: Pillow.Image) -> float:
    """The mean difference of two pictures' channels, 0 to 255."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def halved(original: Pillow.Image) -> Pillow.Image:
    """The picture in half its size."""
    size = (original.width // 2, original.height // 2)
    return original.resize(size, Pillow.Resampling.LANCZOS)


def swapped_profile() -> bytes:
    """A colour profile in which the number for red means green, and the other way round."""
    profile = bytearray(SRGB)
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = [struct.unpack_from(">4sII", profile, 132 + 12 * n) for n in range(count)]
    red, green = (next(at for tag, at, _ in tags if tag == name) for name in (b"rXYZ", b"gXYZ"))
    profile[red : red + 20], profile[green : green + 20] = (
        profile[green : green + 20],
        profile[red : red + 20],
    )
    return bytes(profile)


def peak_mib(code: str) -> int:
    """The most memory in MiB that a new process held while it ran the code."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells how much memory a process has used at most")
    report = "\nprint(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    command = [sys.executable, "-c", "import re\nfrom tests.test_render import *\n" + code + report]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout) >> 10


@pytest.mark.parametrize(
    "style", ["@32w", "@.webp", "@1e_1c", "@20w_20h_1e_1c.jpg", "@.avif", "@30h.gif", "@50p.png"]
)
@pytest.mark.parametrize("source", SOURCES)
def test_every_format_in_every_style(source: str, style: str) -> None:
    """Whatever goes in, the result is of the style's size and format, and says so truly."""
    image, wanted = checked(SOURCES[source]), Style.parse(style)
    result = drawn(SOURCES[source], style)
    instead = {"bmp": "png", "tiff": "png", "ico": "png"}
    assert result.format == (wanted.format or instead.get(image.format, image.format))
    assert (result.width_px, result.height_px) == wanted.size(image.width_px, image.height_px)
    assert result.frames == (image.frames if result.format in {"webp", "gif", "avif"} else 1)
    assert result.name == image.name


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    asked=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    rest=st.sampled_from(["", "_0e", "_1e", "_2e", "_1e_1c", "_50p", "_1c"]),
    ending=st.sampled_from(["webp", "png", "jpg"]),
)
def test_any_size(size: tuple[int, int], asked: tuple[int, int], rest: str, ending: str) -> None:
    """For all sizes and modes the picture that comes out has the size that the style works out."""
    style = f"@{asked[0]}w_{asked[1]}h{rest}.{ending}"
    result = drawn(png(*size), style)
    assert (result.width_px, result.height_px) == Style.parse(style).size(*size)


def test_resizing_is_faithful() -> None:
    """The result is the Lanczos picture, also of a large JPEG that is decoded smaller."""
    original = picture(1603, 1201, seed=5)
    fair = original.resize((200, 150), Pillow.Resampling.LANCZOS)
    for data in (encoded(original, "PNG"), encoded(original, "JPEG", quality=95)):
        assert difference(shown(drawn(data, "@200w_150h_2e.png")), fair) < 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_crop_is_cut_from_the_middle(kind: str) -> None:
    """Of a wide picture the middle column stays, of a high one the middle row."""
    wide = Pillow.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    high = wide.transpose(Pillow.Transpose.ROTATE_90)
    for original in (wide, high):
        result = drawn(encoded(original, kind), "@40w_40h_1e_1c.png")
        blue = Pillow.new("RGB", (40, 40), "blue")
        assert (result.width_px, result.height_px) == (40, 40)
        middle = (2, 2, 38, 38)  # the cut itself mixes colours
        assert difference(shown(result).crop(middle), blue.crop(middle)) < 3


def test_exact_size_stretches() -> None:
    """Mode 2 shows all of the picture, its ratio not kept."""
    original = picture(200, 100)
    fair = original.resize((60, 90), Pillow.Resampling.LANCZOS)
    assert difference(shown(drawn(encoded(original, "PNG"), "@60w_90h_2e")), fair) < 1


def test_quality_counts_and_is_75_by_default() -> None:
    """A lower quality makes fewer bytes in each lossy format; none said means 75."""
    for ending in ("webp", "jpg", "avif"):
        sizes = [len(drawn(png(300, 200), f"@{q}q.{ending}").data) for q in (10, 75, 95)]
        assert sizes == sorted(set(sizes)), ending
        assert drawn(png(), f"@.{ending}") == drawn(png(), f"@75q.{ending}")


@pytest.mark.parametrize("style", ["", "@", "@1e_1c", "@64w", "@9000w_2e.png", "@50q_progressive"])
def test_what_changes_nothing_keeps_the_bytes(style: str) -> None:
    """A PNG of which nothing is to change is not encoded anew, but loses its metadata."""
    assert drawn(png(), style).data == png()
    note = PngInfo()
    note.add_text("Author", "somebody")
    assert drawn(png(pnginfo=note), style).data == png()


def test_moving_gif_of_which_nothing_changes_keeps_its_bytes() -> None:
    """A GIF in its own size and format stays as it is."""
    assert drawn(animation("GIF"), "@1e_1c.gif").data == animation("GIF")


@pytest.mark.parametrize("target", ["webp", "gif", "avif"])
@pytest.mark.parametrize("source", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animation_keeps_frames_and_times(source: str, target: str) -> None:
    """Each frame is there, resized, in its order and for its time."""
    result = drawn(animation(source, 5), f"@32w.{target}")
    assert result.frames == 5
    movie = opened(result.data)
    for frame in range(5):
        movie.seek(frame)
        movie.load()
        assert movie.info["duration"] == 60 + 10 * frame
        differences = [difference(movie.convert("RGB"), halved(picture(seed=n))) for n in range(5)]
        assert differences.index(min(differences)) == frame


@pytest.mark.parametrize(
    ("source", "loop", "plays"),
    [("GIF", None, 1), ("GIF", 0, 0), ("GIF", 2, 3), ("WEBP", 1, 1), ("WEBP", 0, 0), ("PNG", 3, 3)],
)
def test_animation_plays_as_often(source: str, loop: int | None, plays: int) -> None:
    """WebP counts plays, GIF counts repeats, and nothing said in GIF means once."""
    data = animation(source, loop=loop)
    assert opened(drawn(data, "@.webp").data).info["loop"] == plays
    gif_loop = opened(drawn(data, "@32w.gif").data).info.get("loop")
    assert gif_loop == {0: 0, 1: None}.get(plays, plays - 1)


@pytest.mark.parametrize("begins_opaque", [True, False])
@pytest.mark.parametrize("target", ["webp", "gif", "avif"])
def test_animation_keeps_its_holes(target: str, begins_opaque: bool) -> None:
    """Where a frame is transparent one sees through it, not what an earlier frame left there."""
    opaque = Pillow.new("RGBA", (60, 20), "red")
    frames = [opaque.copy() for _ in range(3)]
    for number, frame in enumerate(frames):
        frame.paste((0, 0, 0, 0), (20 * number + 4, 4, 20 * number + 16, 16))
    frames = [opaque] * begins_opaque + frames
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 50}
    result = drawn(encoded(frames[0], "PNG", **options), f"@30w.{target}")
    for number in range(3):
        alpha = shown(result, number + begins_opaque, "RGBA").getchannel("A").reduce(10)
        assert [pixel < 200 for pixel in alpha.tobytes()[:3]] == [n == number for n in range(3)]


@pytest.mark.parametrize("options", [{}, {"transparency": 255}], ids=["opaque", "with holes"])
@pytest.mark.parametrize("target", ["webp", "gif", "avif"])
def test_gif_may_begin_in_greys(target: str, options: dict[str, int]) -> None:
    """Frames in colour are shown in colour, also where those before them are in black and white."""
    grey, red = Pillow.new("L", (8, 8), 70), Pillow.new("RGB", (8, 8), (200, 55, 0))
    more = {"save_all": True, "append_images": [red, grey], "optimize": False} | options
    result = drawn(encoded(grey, "GIF", **more), f"@4w.{target}")
    for frame, picture_then in enumerate([grey, red, grey]):
        assert difference(shown(result, frame), picture_then.convert("RGB").resize((4, 4))) < 4


def test_gif_frames_without_a_table_are_grey() -> None:
    """Also beside those that have one, which keep their colours."""
    grey, red = Pillow.new("L", (8, 8), 70), Pillow.new("RGB", (8, 8), (200, 55, 0))
    data = encoded(grey, "GIF", save_all=True, append_images=[red, grey], optimize=False)
    without_table = data[:10] + bytes([data[10] & 0x7F]) + data[11:13] + data[13 + 3 * 256 :]
    result = drawn(without_table, "@4w.webp")
    for frame, picture_then in enumerate([grey, red, grey]):
        assert difference(shown(result, frame), picture_then.convert("RGB").resize((4, 4))) < 4


def test_gif_does_not_swell() -> None:
    """Where little moves, little is written: twenty such frames cost less than six pictures."""
    frames = [picture(400, 300, seed=1) for _ in range(20)]
    for number, frame in enumerate(frames):
        frame.paste("white", (15 * number, 100, 15 * number + 15, 115))
        frame.paste("black", (380 - 15 * number, 280, 395 - 15 * number, 295))
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert len(drawn(data, "@200w").data) < 6 * len(drawn(encoded(frames[0], "GIF"), "@200w").data)


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_stills_take_the_first_frame(ending: str) -> None:
    """Of an animation a format without motion shows how it begins."""
    result = drawn(animation("GIF"), f"@.{ending}")
    first = drawn(encoded(picture(seed=0), "PNG"), f"@.{ending}")
    assert difference(shown(result), shown(first)) < 1


def test_picture_for_those_without_motion_is_no_frame() -> None:
    """What a PNG shows only where it cannot move is not part of the animation."""
    frames = [picture(seed=n) for n in range(3)]
    data = encoded(
        frames[0],
        "PNG",
        save_all=True,
        append_images=frames[1:],
        default_image=True,
        duration=[70, 80],
    )
    result = drawn(data, "@.webp")
    assert result.frames == 2
    assert difference(shown(result), frames[1]) < 8


def test_transparency_becomes_white_in_jpeg() -> None:
    """JPEG has no transparency: what is behind the picture is white."""
    clear = Pillow.new("RGBA", (40, 40), (0, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (20, 0, 40, 40))
    for data in (encoded(clear, "PNG"), encoded(clear, "WEBP"), encoded(clear, "GIF")):
        result = shown(drawn(data, "@20w.jpg"))
        assert difference(result.crop((0, 0, 8, 20)), Pillow.new("RGB", (8, 20), "white")) < 9
        assert difference(result.crop((12, 0, 20, 20)), Pillow.new("RGB", (8, 20), "blue")) < 9


@pytest.mark.parametrize("ending", ["webp", "png", "gif", "avif"])
def test_transparency_stays_elsewhere(ending: str) -> None:
    """A transparent picture stays so, and its edge is not darkened by what was invisible."""
    clear = Pillow.new("RGBA", (40, 40), (0, 0, 0, 0))
    clear.paste((255, 255, 255, 255), (19, 0, 40, 40))
    result = shown(drawn(encoded(clear, "PNG"), f"@20w_100q.{ending}"), mode="RGBA")
    alpha = result.getchannel("A")
    fair = Pillow.new("L", (20, 20))
    fair.paste(255, (10, 0, 20, 20))
    assert difference(alpha, fair) < 10
    on_white = Pillow.composite(result.convert("RGB"), Pillow.new("RGB", (20, 20), "white"), alpha)
    assert difference(on_white, Pillow.new("RGB", (20, 20), "white")) < 2


def test_opaque_alpha_is_left_out() -> None:
    """A screenshot with an alpha channel that hides nothing makes the same file as one without."""
    opaque = encoded(picture(mode="RGBA"), "PNG")
    assert drawn(opaque, "@32w.webp").data == drawn(png(), "@32w.webp").data


def test_sixteen_bits_keep_their_tones() -> None:
    """Grey of 16 bits becomes grey of 8, not white."""
    ramp = Pillow.linear_gradient("L")
    deep = ramp.convert("I").point(lambda value: value * 257).convert("I;16")
    assert (
        difference(shown(drawn(encoded(deep, "PNG"), "@128w"), mode="L"), ramp.resize((128, 128)))
        < 2
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_result_stands_upright(kind: str, orientation: int) -> None:
    """However the camera was held, size, crop and picture are those that one sees."""
    upright = picture(120, 80, seed=3)
    back = TURNED_BACK.get(orientation)
    stored = upright if back is None else upright.transpose(back)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, kind, exif=exif, **({} if kind in {"PNG", "TIFF"} else {"quality": 100}))
    for style in ("@60w.png", "@.png", "@30w_50h_1e_1c.png"):
        result = drawn(data, style)
        fair = drawn(encoded(upright, "PNG"), style)
        assert difference(shown(result), shown(fair)) < 6
        assert strip(result)[0] is result


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "avif"])
def test_colour_profile_is_kept(ending: str) -> None:
    """A profile of RGB numbers travels on, and the numbers stay, still or moving."""
    red = Pillow.new("RGB", (20, 20), "red")
    profile = swapped_profile()
    result = drawn(encoded(red, "PNG", icc_profile=profile), f"@10w.{ending}")
    assert opened(result.data).info["icc_profile"] == profile
    assert difference(shown(result), Pillow.new("RGB", (10, 10), "red")) < 6


def test_colour_profile_is_kept_in_motion() -> None:
    """An animation's profile travels on, too."""
    data = animation("WEBP", icc_profile=swapped_profile())
    for ending in ("webp", "avif"):
        assert opened(drawn(data, f"@32w.{ending}").data).info["icc_profile"] == swapped_profile()


def test_colour_profile_is_applied_in_gif() -> None:
    """GIF can hold no profile: the colours are turned into those that everybody assumes."""
    red = Pillow.new("RGB", (20, 20), "red")
    moving: dict[str, Any] = {"save_all": True, "append_images": [Pillow.new("RGB", (20, 20))]}
    for options in ({}, moving):
        data = encoded(red, "PNG", icc_profile=swapped_profile(), **options)
        result = shown(drawn(data, "@10w.gif"))
        assert difference(result, Pillow.new("RGB", (10, 10), (0, 255, 0))) < 6


@pytest.mark.parametrize(
    "profile",
    [b"", b"no profile", SRGB[:200], SRGB[:16] + b"CMYK" + SRGB[20:], SRGB[:36] + bytes(99)],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_profile_that_makes_no_sense_is_left_out(mode: str, profile: bytes) -> None:
    """A broken profile, or one for other numbers than the picture's, spoils nothing."""
    data = encoded(picture(mode=mode), "JPEG", icc_profile=profile, quality=95)
    fair = drawn(encoded(picture(mode=mode), "JPEG", quality=95), "@32w.gif")
    assert difference(shown(drawn(data, "@32w.gif")), shown(fair)) < 1


def test_no_metadata_in_the_result() -> None:
    """Places, names and comments of the original are in no result."""
    exif = Pillow.Exif()
    exif[0x010F] = "CANARY"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>CANARY</x:xmpmeta>"
    note = PngInfo()
    note.add_text("Comment", "CANARY")
    note.add_itxt("XML:com.adobe.xmp", xmp.decode())
    known: dict[str, Any] = {"exif": exif.tobytes(), "xmp": xmp}
    for data in (
        jpeg(comment=b"CANARY", dpi=(72, 72), **known),
        png(pnginfo=note, exif=exif.tobytes()),
        encoded(picture(), "WEBP", **known),
        animation("WEBP", **known),
        animation("GIF", comment=b"CANARY"),
    ):
        assert b"CANARY" in data
        for style in ("@1e_1c", "@32w", "@.jpg", "@.png", "@.webp", "@32w.gif", "@.avif"):
            result = drawn(data, style)
            assert b"CANARY" not in result.data
            assert strip(result)[0] is result


def test_webp_ends_at_16383_pixels() -> None:
    """A picture that is too long for its format is refused by name, and fits when made smaller."""
    long = encoded(Pillow.new("L", (16_384, 2)), "PNG")
    with pytest.raises(ImageError, match=r"a cat\.png would be 16384x2 px, and webp ends at 16383"):
        drawn(long, "@.webp")
    assert drawn(long, "@16383w.webp").width_px == 16_383
    assert drawn(long, "@.avif").width_px == 16_384
    with pytest.raises(ImageError, match="65500"):
        drawn(encoded(Pillow.new("L", (300, 300)), "PNG"), "@65501w_1h_2e.jpg")


@pytest.mark.parametrize("format_name", MAX_EDGE_PX)
def test_each_format_holds_its_longest(format_name: str) -> None:
    """What is not refused as too long can be written, and read again."""
    for size in ((MAX_EDGE_PX[format_name], 2), (2, MAX_EDGE_PX[format_name])):
        result = drawn(encoded(Pillow.new("RGB", size, "red"), "BMP"), f"@.{format_name}")
        assert (result.width_px, result.height_px) == size


def test_sizes_beyond_reason_allocate_nothing() -> None:
    """The guard answers a request for quintillions of pixels with the original's own size."""
    result = drawn(png(), "@9223372036854775807w_9223372036854775807h_2e.webp")
    assert (result.width_px, result.height_px) == (64, 48)


def test_a_column_becomes_a_row_in_little_memory() -> None:
    """Stretching a very high picture into a very wide one goes by way of no huge picture."""
    used = peak_mib(
        "drawn(encoded(Pillow.new('L', (1, 60_000)), 'PNG'), '@60000w_1h_2e.png')\n"
        "drawn(encoded(Pillow.new('L', (60_000, 1)), 'PNG'), '@1w_60000h_2e.png')"
    )
    assert used < 400


def test_a_film_is_not_held_in_memory(tmp_path: Path) -> None:
    """Of a long animation one frame at a time is in memory, not all 320 MB of them."""
    path = tmp_path / "long.gif"
    frames = [Pillow.new("P", (2000, 1000), n) for n in range(40)]
    path.write_bytes(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    used = peak_mib(f"render(checked(Path({str(path)!r}).read_bytes()), Style.parse('@.webp'))")
    assert used < 200


def test_damaged_bytes_are_an_image_error() -> None:
    """Bytes that rotted since they were checked end in words, not in a traceback."""
    image = checked(png(200, 200))
    with pytest.raises(ImageError):
        render(replace(image, data=image.data[:300] + bytes(50)), Style.parse("@32w.webp"))
    with pytest.raises(ImageError):
        render(replace(image, data=b"nothing"), Style.parse("@32w.webp"))


def test_a_wrong_style_never_reaches_the_pixels() -> None:
    """There is no Style that render would have to refuse."""
    with pytest.raises(ConfigError):
        drawn(png(), "@9z")
