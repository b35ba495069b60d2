"""Of the check: what is an image, what is refused and why, and that nothing hurts the process."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
import time
import zlib
from io import BytesIO

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import ImageError
from imghost.imaging.check import Caps, check, decode_errors, opened, recalled
from imghost.imaging.deadline import time_limit
from imghost.models import Image
from tests.fakes.bombs import BITMAP, BOMBS, chunk, gif_of, png_of
from tests.fakes.pictures import animation, encoded, jpeg, picture, png

CAPS = Caps()
ORIENTATION = 0x0112


def heic(width_px: int = 128, height_px: int = 64) -> bytes:
    """A HEIC file, by the one library that writes them."""
    import pillow_heif

    file = BytesIO()
    pillow_heif.from_pillow(picture(width_px, height_px)).save(file)
    return file.getvalue()


STILLS: dict[str, bytes] = {
    "png": png(),
    "jpeg": jpeg(),
    "webp": encoded(picture(), "WEBP"),
    "gif": encoded(picture(mode="P"), "GIF"),
    "avif": encoded(picture(), "AVIF"),
    "bmp": encoded(picture(), "BMP"),
    "tiff": encoded(picture(), "TIFF", compression="tiff_lzw"),
    "ico": encoded(picture(64, 48), "ICO", sizes=[(64, 48)], bitmap_format="bmp"),
    "heic": heic(64, 48),
}
ANIMATED: dict[str, bytes] = {
    "png": animation("PNG"),
    "webp": animation("WEBP"),
    "gif": animation("GIF"),
    "avif": animation("AVIF"),
}
ALL = [*STILLS.values(), *ANIMATED.values()]


def refusal(data: bytes, caps: Caps = CAPS) -> str:
    """Why the bytes are no image that can be used."""
    with pytest.raises(ImageError) as caught:
        check(data, "x", caps)
    return str(caught.value)


@pytest.mark.parametrize("format_name", STILLS)
def test_every_format_is_known_by_its_content(format_name: str) -> None:
    """What is decoded decides, and the name says nothing."""
    data = STILLS[format_name]
    image = check(data, "no.txt", CAPS)
    assert image == Image(data, format_name, 64, 48, 1, hashlib.sha256(data).hexdigest(), "no.txt")


@pytest.mark.parametrize("format_name", ANIMATED)
def test_frames_are_counted(format_name: str) -> None:
    """An animation has as many frames as were drawn."""
    image = check(ANIMATED[format_name], "x", CAPS)
    assert (image.format, image.frames, image.width_px) == (format_name, 4, 64)


@pytest.mark.parametrize("format_name", ["png", "avif"])
def test_every_frame_is_decoded(format_name: str) -> None:
    """A film of which the last frame is damaged is refused."""
    data = ANIMATED[format_name]
    with pytest.raises(ImageError):
        check(data[:-60] + bytes(40) + data[-20:], "x", CAPS)


@pytest.mark.parametrize("format_name", ["avif", "heic"])
def test_a_neutral_brand_leaves_it_to_the_others(format_name: str) -> None:
    """AVIF and HEIC may both call themselves no more than an image file."""
    data = STILLS[format_name]
    assert check(data[:8] + b"mif1" + data[12:], "x", CAPS).format == format_name


def test_the_still_in_front_of_an_animated_png_is_no_frame() -> None:
    """A picture for those who cannot play the animation is not part of it."""
    assert check(animation("PNG", default_image=True), "x", CAPS).frames == 3


def test_pages_and_sizes_are_no_frames() -> None:
    """A TIFF of two pages is no animation, and of an icon only the largest picture counts."""
    pages = encoded(picture(), "TIFF", save_all=True, append_images=[picture(seed=1)])
    icon = encoded(picture(64, 64), "ICO", sizes=[(16, 16), (64, 64), (32, 32)])
    assert check(pages, "x", CAPS).frames == 1
    image = check(icon, "x", CAPS)
    assert (image.width_px, image.height_px, image.frames) == (64, 64, 1)


def test_an_icon_shows_its_deepest_picture() -> None:
    """Of two bitmaps of one size that with more colours is shown, wherever it stands."""
    grey, colourful = picture(32, 32, mode="1"), picture(32, 32, mode="RGBA", seed=3)
    options = {"sizes": [(32, 32)], "append_images": [colourful], "bitmap_format": "bmp"}
    assert opened(encoded(grey, "ICO", **options)).tobytes() == colourful.tobytes()


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_the_size_is_as_shown(format_name: str, turn: int) -> None:
    """A picture that is stored lying on its side has the size that it shows upright."""
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = turn
    image = check(encoded(picture(), format_name, exif=exif), "x", CAPS)
    assert (image.width_px, image.height_px) == ((48, 64) if turn >= 5 else (64, 48))


def test_tiff_and_heic_are_turned_too() -> None:
    """Their decoders turn them, and the size is that of what comes out."""
    tiff = encoded(picture(), "TIFF", tiffinfo={ORIENTATION: 6})
    turned = heic(128, 50)  # padded to 128 x 64, and cropped by a box that gives way to a turn
    crop = turned.index(b"clap") - 4
    turn = struct.pack(">I4sB", 9, b"irot", 1) + struct.pack(">I4s23x", 31, b"free")
    turned = turned[:crop] + turn + turned[crop + 40 :]
    assert check(tiff, "x", CAPS).width_px == 48
    image = check(turned, "x", CAPS)
    assert (image.width_px, image.height_px) == (64, 128)
    assert opened(turned).size == (64, 128)


@given(st.text())
def test_a_name_is_made_safe(name: str) -> None:
    """Whatever a name was, it is one short path component that UTF-8 can hold."""
    safe = recalled(STILLS["png"], name).name
    assert 0 < len(safe) <= 200
    assert not {"/", "\\"} & set(safe)
    assert safe.encode().decode() == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("C:\\pictures\\a b.png", "a b.png"),
        ("../../etc/passwd", "passwd"),
        ("a/", "image"),
        ("\udcff", "?"),
    ],
)
def test_of_a_path_the_last_part_is_kept(name: str, safe: str) -> None:
    """Folders are nobody's business, and there is always a name."""
    assert recalled(STILLS["png"], name).name == safe


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"buy milk\n", "is text"),
        ("买牛奶".encode("gbk"), "is text"),
        ("milk".encode("utf-16"), "is text"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<SVG xmlns='x'/>", "SVG"),
        ("<svg/>".encode("utf-16"), "SVG"),
        (b"<!DOCTYPE html><p>hello <svg/>", "web page"),
        (b"\n<html>", "web page"),
        (b"%PDF-1.7\n\x00", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", "video"),
        (b"\x00\x00\x00\x14ftypqt  ", "video"),
        (b"\x1aE\xdf\xa3\x01\x00", "video"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video"),
        (b"\x00\x00\x00\x18ftypcrx \x00", "no known image"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "no known image"),
        (b"PK\x03\x04\x00\x00", "no known image"),
        (b"BMW is a car", "is text"),
    ],
)
def test_what_is_no_image_is_called_what_it_is(data: bytes, reason: str) -> None:
    """The reason says what was given instead of an image."""
    assert reason in refusal(data)


@pytest.mark.parametrize("data", ALL, ids=[*STILLS, *(f"{name}s" for name in ANIMATED)])
def test_no_part_of_a_file_passes_for_the_whole(data: bytes) -> None:
    """A file that is still being written is refused, wherever it ends."""
    for end in [*range(1, len(data), 1 + len(data) // 400), *range(len(data) - 40, len(data))]:
        refusal(data[:end])


@pytest.mark.parametrize("format_name", STILLS)
def test_a_file_that_ends_too_early_is_told_so(format_name: str) -> None:
    """Who copies again knows why; LZW in TIFF does not know it itself."""
    if format_name != "tiff":
        assert "too early" in refusal(STILLS[format_name][:-20])


@given(
    st.sampled_from(ALL),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damage_of_any_kind_is_an_image_error(data: bytes, flips: list[tuple[int, int]]) -> None:
    """Whatever byte is changed, the file is an image or it is refused: nothing else, no warning."""
    damaged = bytearray(data)
    for position, value in flips:
        damaged[position % len(damaged)] = value
    try:
        image = check(bytes(damaged), "x", Caps(still_mpix=1, animation_mpix=4))
    except ImageError:
        return
    assert image.width_px * image.height_px <= 250e6


@pytest.mark.parametrize(
    "error", [RecursionError(), SyntaxError(), zlib.error(), struct.error(), KeyError()]
)
def test_decoders_may_raise_anything(error: Exception) -> None:
    """Each exception of a decoder becomes the one that people see."""
    with pytest.raises(ImageError, match="cannot be decoded"), decode_errors("x"):
        raise error


def test_lack_of_memory_is_called_that() -> None:
    """A picture that does not fit into memory is not called damaged."""
    with pytest.raises(ImageError, match="memory"), decode_errors("x"):
        raise MemoryError


def test_too_many_bytes_are_refused_unseen() -> None:
    """The cap on bytes counts before anything else."""
    assert "limits.input_bytes" in refusal(STILLS["png"], Caps(input_bytes=100))
    assert check(STILLS["png"], "x", Caps(input_bytes=len(STILLS["png"]))).frames == 1


@pytest.mark.parametrize("format_name", [name for name in STILLS if name != "jpeg"])
def test_too_many_pixels_are_refused(format_name: str) -> None:
    """64 x 48 pixels are 0.003 megapixels: allowed are as many, and no fewer."""
    data = STILLS[format_name]
    assert "limits.still_mpix" in refusal(data, Caps(still_mpix=0.003))
    assert check(data, "x", Caps(still_mpix=0.003072)).width_px == 64


@pytest.mark.parametrize("format_name", ANIMATED)
def test_all_frames_count(format_name: str) -> None:
    """Four frames of 64 x 48 are 0.0123 megapixels in all."""
    data = ANIMATED[format_name]
    assert "limits.animation_mpix" in refusal(data, Caps(animation_mpix=0.012))
    assert check(data, "x", Caps(animation_mpix=0.0123)).frames == 4


@pytest.mark.parametrize("format_name", ["GIF", "PNG", "WEBP"])
def test_a_frame_may_be_no_larger_than_an_encoder_can_hold(format_name: str) -> None:
    """An animation of 17 megapixels a frame is refused, one of 16 is not."""

    def film(height_px: int) -> bytes:
        frames = [PIL.Image.new("RGB", (4000, height_px), colour) for colour in ("red", "blue")]
        return encoded(frames[0], format_name, save_all=True, append_images=frames[1:])

    assert "17.0 megapixels, and 16 are the most in an animation" in refusal(film(4250))
    assert check(film(4000), "x", CAPS).frames == 2


@pytest.mark.parametrize("format_name", ANIMATED)
def test_a_film_ends_when_its_time_is_over(format_name: str) -> None:
    """Between two frames somebody looks at the clock; a still is decoded whatever it says."""
    with time_limit(-1):
        assert "took longer than -1 s" in refusal(ANIMATED[format_name])
        assert check(STILLS[format_name], "x", CAPS).frames == 1


def test_pixels_are_counted_before_they_are_decoded() -> None:
    """A header alone is enough to refuse, and takes no memory."""
    assert "177" in refusal(png_of(13300, 13308, chunk(b"IDAT", b"")))


def test_a_huge_photo_is_read_at_an_eighth() -> None:
    """A JPEG of one pass may be larger than other stills, up to 250 megapixels."""
    image = check(STILLS["jpeg"], "x", Caps(still_mpix=0.001))
    assert (image.width_px, image.height_px) == (64, 48)
    size = STILLS["jpeg"].index(b"\xff\xc0") + 5
    grown = struct.pack(">HH", 16000, 16000).join(
        (STILLS["jpeg"][:size], STILLS["jpeg"][size + 4 :])
    )
    assert "250 are the most" in refusal(grown)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_a_huge_photo_needs_little_memory() -> None:
    """225 megapixels would be 900 MB; they are read within 300 MB, all else included."""
    size = STILLS["jpeg"].index(b"\xff\xc0") + 5
    huge = STILLS["jpeg"][:size] + struct.pack(">HH", 15000, 15000) + STILLS["jpeg"][size + 4 :]
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (300 << 20,) * 2); "
        "from imghost.imaging.check import *; check(sys.stdin.buffer.read(), 'x', Caps())"
    )
    subprocess.run([sys.executable, "-c", code], input=huge, check=True)


def test_a_progressive_photo_is_a_still_like_others() -> None:
    """It needs as much memory at an eighth as in full, so it may not be larger."""
    assert "limits.still_mpix" in refusal(jpeg(progressive=True), Caps(still_mpix=0.001))


def test_a_frame_that_sticks_out_counts() -> None:
    """A GIF whose second frame is larger than its screen is as large as that frame."""
    larger = BITMAP[:5] + struct.pack("<2H", 65535, 65535) + BITMAP[9:]
    assert "limits.still_mpix" in refusal(gif_of(BITMAP, larger))


def test_an_icon_may_not_hide_a_bomb() -> None:
    """The size of an icon is that of the picture in it, not what its directory says."""
    bomb = png_of(40000, 40000)
    icon = struct.pack("<3H4B2H2I", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(bomb), 22) + bomb
    assert "limits.still_mpix" in refusal(icon)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str) -> None:
    """Small files that would take minutes or gigabytes are refused within two seconds."""
    bomb = BOMBS[name]()
    start = time.monotonic()
    refusal(bomb)
    assert time.monotonic() - start < 2


def test_metadata_is_never_unpacked() -> None:
    """A text that grows a thousandfold does no harm, since decoders do not see it."""
    text = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(50_000_000)))
    data = STILLS["png"][:33] + text * 50 + STILLS["png"][33:]
    start = time.monotonic()
    assert check(data, "x", CAPS).data == data
    assert "key" not in opened(data).info
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "colours",
    [b"", chunk(b"PLTE", b""), chunk(b"PLTE", b"\1\2"), chunk(b"tRNS", b"\0")],
    ids=["none", "empty", "less than one", "transparency alone"],
)
def test_numbers_without_their_colours_are_no_picture(colours: bytes) -> None:
    """A PNG that counts in colours must say which; no browser shows it otherwise."""
    pixels = chunk(b"IDAT", zlib.compress(bytes(9 * 8)))

    def numbers(colours: bytes) -> bytes:
        header = chunk(b"IHDR", struct.pack(">2I5B", 8, 8, 8, 3, 0, 0, 0))
        return png_of(8, 8, colours, pixels).replace(png_of(8, 8)[8:33], header)

    assert "cannot be decoded" in refusal(numbers(colours))
    assert check(numbers(chunk(b"PLTE", b"\1\2\3")), "x", CAPS).width_px == 8


def test_frames_without_colours_are_grey() -> None:
    """Whichever frame of a GIF lacks a table, and whatever the others have."""
    coloured = BITMAP[:9] + b"\x80" + b"\1\2\3\4\5\6" + BITMAP[10:]
    for frames in ((BITMAP, coloured), (coloured, BITMAP), (BITMAP, BITMAP)):
        assert check(gif_of(*frames), "x", CAPS).frames == 2


def test_libtiff_does_not_write_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """What is wrong with a TIFF our error says; afterwards standard error is as before."""
    damaged = bytearray(encoded(picture(), "TIFF", compression="tiff_adobe_deflate"))
    damaged[8:40] = bytes(32)
    refusal(bytes(damaged))
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


def test_a_raw_files_preview_is_not_taken_for_the_photo() -> None:
    """A TIFF whose first picture is a smaller version of another is a camera's raw file."""
    assert "raw" in refusal(encoded(picture(), "TIFF", tiffinfo={254: 1}))


def test_pillows_own_guard_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who raises our caps is not stopped by Pillow's."""
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)
    assert opened(gif_of(BITMAP[:5] + struct.pack("<2H", 100, 100) + BITMAP[9:])).size == (100, 100)


def test_oddities_are_taken_without_a_warning() -> None:
    """What Pillow warns of is accepted in silence: here an animation of no frames."""
    none = chunk(b"acTL", struct.pack(">2I", 0, 0))
    assert check(STILLS["png"][:33] + none + STILLS["png"][33:], "x", CAPS).frames == 1


def test_only_the_decoder_that_is_needed_is_imported() -> None:
    """A command that sends a PNG does not pay for the other formats."""
    code = (
        "import sys; from imghost.imaging.check import *; "
        "check(sys.stdin.buffer.read(), 'x', Caps()); "
        "print([name for name in sys.modules if name.endswith('ImagePlugin')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=STILLS["png"], capture_output=True, check=True
    )
    assert done.stdout.split() == [b"['PIL.PngImagePlugin']"]


@pytest.mark.parametrize("data", ALL, ids=[*STILLS, *(f"{name}s" for name in ANIMATED)])
def test_what_was_checked_is_recalled(data: bytes) -> None:
    """Bytes that were checked once are the same image again, without being decoded."""
    assert recalled(data, "x") == check(data, "x", CAPS)
