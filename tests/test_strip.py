"""Of the stripper: what is hidden is gone, and nothing that is seen has changed."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms

from imghost.errors import ImageError
from imghost.imaging.check import Caps, check
from imghost.imaging.containers import avif
from imghost.imaging.containers.parts import Broken
from imghost.imaging.strip import strip
from imghost.models import Image
from tests.fakes.phone import ORIENTATION, SECRET, XMP, phone_exif
from tests.fakes.pictures import animation, encoded, jpeg, picture, png

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TIMES_BYTES = {0: 8, 1: 16}  # by the version of the box
TURNED = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, ORIENTATION, 3, 1, 6, 0, 0)


def still(format_name: str, **options: Any) -> bytes:
    """A file of one picture."""
    return encoded(picture(), format_name, **options)


def checked(data: bytes) -> Image:
    """The image in the bytes."""
    return check(data, "x", Caps())


def stripped(data: bytes) -> tuple[bytes, set[str]]:
    """The file without metadata, and what that was."""
    image, notes = strip(checked(data))
    return image.data, {kind for note in notes for kind in str(note.fields["kinds"]).split(", ")}


@dataclass(frozen=True)
class Seen:
    """All of a file that meets the eye."""

    frames: list[tuple[str, tuple[int, int], bytes]]
    timing: list[Any]
    loop: Any
    profile: Any
    turn: int


def seen(data: bytes) -> Seen:
    """What Pillow, opening the file in its own way, shows of it."""
    with PIL.Image.open(BytesIO(data)) as source:
        frames, timing = [], []
        for index in range(getattr(source, "n_frames", 1)):
            source.seek(index)
            source.load()
            frames.append((source.mode, source.size, source.convert("RGBA").tobytes()))
            timing.append(source.info.get("duration"))
        turn = source.getexif().get(ORIENTATION, 1)
        return Seen(frames, timing, source.info.get("loop"), source.info.get("icc_profile"), turn)


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    """A WebP chunk."""
    return struct.pack("<4sI", kind, len(body)) + body + bytes(len(body) % 2)


def gif_extension(label: int, first: bytes, body: bytes) -> bytes:
    """A GIF extension: a first block, then the rest in a chain."""
    blocks = [first, *(body[at : at + 255] for at in range(0, len(body), 255))]
    chain = b"".join(bytes([len(block)]) + block for block in blocks if block)
    return bytes([0x21, label]) + chain + b"\0"


def box(kind: bytes, body: bytes) -> bytes:
    """A box of AVIF."""
    return struct.pack(">I", 8 + len(body)) + kind + body


def gif_xmp(body: bytes) -> bytes:
    """XMP in GIF: no chain of blocks, but an end at which any chain arrives."""
    landing = bytes([1, *range(255, -1, -1), 0])
    return b"!\xff\x0bXMP DataXMP" + body.replace(b"\0", b"") + landing


FOREIGN: dict[str, list[Callable[[bytes], bytes]]] = {
    "JPEG": [
        *(partial(segment, marker) for marker in (*range(0xE0, 0xF0), 0xFE)),
        lambda body: segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + body),
        lambda body: segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + body),
        lambda body: segment(0xED, b"Photoshop 3.0\x008BIM" + body),
        lambda body: segment(0xE0, b"JFXX\0\x10" + body),
        lambda body: segment(0xEB, b"JP\0\1\0\0\0\1" + body),
    ],
    "PNG": [
        *(partial(png_chunk, kind) for kind in (b"tEXt", b"tIME", b"caBX", b"prVt", b"oFFs")),
        lambda body: png_chunk(b"zTXt", b"key\0\0" + zlib.compress(body)),
        lambda body: png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + body),
    ],
    "WEBP": [partial(webp_chunk, kind) for kind in (b"XMP ", b"C2PA", b"\0\1\2\3")],
    "GIF": [
        lambda body: gif_extension(0xFE, b"", body),
        lambda body: gif_extension(0x01, bytes(12), body),
        lambda body: gif_extension(0xFF, b"MGK8BIM0000", body),
        lambda body: gif_extension(0x77, b"", body),
        gif_xmp,
    ],
}


def places_in_jpeg(data: bytes) -> Iterator[int]:
    """Before each segment up to the first scan."""
    position = 2
    while data[position + 1] != 0xDA:
        yield position
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    yield position


def places_in_png(data: bytes) -> Iterator[int]:
    """Before each chunk but IHDR, and not within picture data, where nothing may stand."""
    position, former = 33, b""
    while position < len(data):
        size_bytes, kind = struct.unpack_from(">I4s", data, position)
        if former not in (b"IDAT", b"fdAT") or kind != former:
            yield position
        position, former = position + 12 + size_bytes, kind


def places_in_webp(data: bytes) -> Iterator[int]:
    """Before and after each chunk but the first."""
    position = 12
    while position < len(data):
        (size_bytes,) = struct.unpack_from("<I", data, position + 4)
        position += 8 + size_bytes + size_bytes % 2
        yield position


def places_in_gif(data: bytes) -> Iterator[int]:
    """Before each block and the end."""
    position = 13 + (6 << (data[10] & 7) if data[10] & 0x80 else 0)
    while data[position] != 0x3B:
        yield position
        if data[position] == 0x2C:
            position += 11 + (6 << (data[position + 9] & 7) if data[position + 9] & 0x80 else 0)
        else:
            position += 2
        while data[position]:
            position += 1 + data[position]
        position += 1
    yield position


PLACES = {
    "JPEG": places_in_jpeg,
    "PNG": places_in_png,
    "WEBP": places_in_webp,
    "GIF": places_in_gif,
}


def film() -> bytes:
    """An animated AVIF that does not tell when it was made."""
    data = bytearray(animation("AVIF"))
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        body = data.index(kind) + 4
        data[body + 4 : body + 4 + TIMES_BYTES[data[body]]] = bytes(TIMES_BYTES[data[body]])
    return bytes(data)


CLEAN: list[tuple[str, bytes]] = [
    ("JPEG", jpeg(icc_profile=ICC, exif=TURNED)),
    ("JPEG", jpeg(progressive=True, restart_marker_blocks=3)),
    ("JPEG", encoded(picture(mode="CMYK"), "JPEG")),
    ("PNG", png(icc_profile=ICC, exif=TURNED, dpi=(96, 96))),
    ("PNG", encoded(picture(mode="P"), "PNG", transparency=3)),
    ("PNG", animation("PNG", exif=TURNED)),
    ("WEBP", encoded(picture(mode="RGBA"), "WEBP", icc_profile=ICC, exif=TURNED)),
    ("WEBP", animation("WEBP", icc_profile=ICC)),
    ("GIF", animation("GIF")),
    ("GIF", encoded(picture(mode="P"), "GIF", transparency=2)),
    ("AVIF", encoded(picture(), "AVIF", icc_profile=ICC, exif=TURNED)),
    ("AVIF", film()),
    ("WEBP", encoded(picture(), "WEBP")),
]


@st.composite
def tainted(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A clean file, and the same with foreign parts at random places and behind its end."""
    format_name, clean = draw(st.sampled_from([case for case in CLEAN[:-1] if case[0] in PLACES]))
    places = list(PLACES[format_name](clean))
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, max_size=6))
    data = clean
    for place in sorted(chosen, reverse=True):
        body = SECRET + draw(st.binary(max_size=300)) + SECRET
        data = data[:place] + draw(st.sampled_from(FOREIGN[format_name]))(body) + data[place:]
    if format_name == "WEBP":
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    return clean, data + draw(st.sampled_from([b"", SECRET, clean + SECRET]))


@given(tainted())
def test_whatever_is_slipped_in_is_gone(files: tuple[bytes, bytes]) -> None:
    """Pixels, frames, timing, colours and orientation are equal before and after."""
    clean, data = files
    image, notes = strip(checked(data))
    assert notes
    assert SECRET not in image.data
    assert seen(image.data) == seen(data) == seen(clean)
    assert image == replace(
        checked(data), data=image.data, sha256=hashlib.sha256(image.data).hexdigest()
    )
    assert checked(image.data) == image
    assert strip(image) == (image, ())


@pytest.mark.parametrize(("format_name", "data"), CLEAN)
def test_what_has_no_metadata_stays_the_same_object(format_name: str, data: bytes) -> None:
    """A file with nothing to strip is sent byte for byte; an orientation alone is nothing."""
    image = checked(data)
    left, notes = strip(image)
    assert left is image
    assert notes == ()


@pytest.mark.parametrize(
    ("format_name", "draw"),
    [
        *((format_name, still) for format_name in ("JPEG", "PNG", "WEBP", "AVIF")),
        *((format_name, animation) for format_name in ("PNG", "WEBP", "AVIF")),
    ],
)
def test_a_phones_place_is_gone(format_name: str, draw: Callable[..., bytes]) -> None:
    """No GPS, no maker and no XMP are left, the file shows the same, and its owner is told."""
    tags = phone_exif()
    if draw is animation:
        del tags[ORIENTATION]  # Pillow 13.0 dies writing an animated AVIF that is turned
    data = draw(format_name, exif=tags, xmp=XMP)
    assert SECRET in data
    left, removed = stripped(data)
    assert SECRET not in left
    assert {"EXIF", "GPS"} <= removed
    assert seen(left) == seen(data)
    with PIL.Image.open(BytesIO(left)) as source:
        assert set(source.getexif()) <= {ORIENTATION}
        assert not source.info.get("xmp", b"").strip()


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_stays_as_it_was_turned(format_name: str, turn: int) -> None:
    """Of EXIF nothing but the orientation is left, and nothing at all where that is 1."""
    tags = phone_exif()
    tags[ORIENTATION] = turn
    data = encoded(picture(), format_name, exif=tags)
    left, _ = stripped(data)
    assert seen(left) == seen(data)
    assert seen(left).turn == turn
    assert checked(left).width_px == checked(data).width_px


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_lone_orientation_is_kept_in_either_byte_order(order: str) -> None:
    """Who wrote only the orientation wrote no metadata; one byte more, and it is rewritten."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    tiff = head + struct.pack(order + "IHHHIHHI", 8, 1, ORIENTATION, 3, 1, 6, 0, 0)
    plain = jpeg()
    lone = plain[:2] + segment(0xE1, b"Exif\0\0" + tiff) + plain[2:]
    more = plain[:2] + segment(0xE1, b"Exif\0\0" + tiff + b"!") + plain[2:]
    assert stripped(lone) == (lone, set())
    left, removed = stripped(more)
    assert removed == {"EXIF"}
    assert seen(left).turn == 6


def test_jpeg_loses_thumbnails_and_second_exif() -> None:
    """The little picture in JFIF goes, its density stays; of two EXIF segments the first counts."""
    data = jpeg(dpi=(72, 72), exif=TURNED)
    thumbnail = b"JFIF\0\1\2\1\0\x48\0\x48\1\1" + SECRET[:3]
    data = data[:2] + segment(0xE0, thumbnail) + data[20:]
    after = data.index(b"\xff\xdb")
    second = segment(0xE1, phone_exif().tobytes().replace(b"\0\6\0\0", b"\0\3\0\0"))
    left, removed = stripped(data[:after] + second + data[after:])
    assert left == jpeg(dpi=(72, 72), exif=TURNED).replace(b"JFIF\0\1\1", b"JFIF\0\1\2", 1)
    assert removed == {"thumbnail", "EXIF", "GPS"}


def test_jpeg_ends_with_its_first_picture() -> None:
    """The film of a moving photo and the further pictures of a set, places and all, are cut off."""
    other = jpeg(seed=1, exif=phone_exif())
    film = box(b"ftyp", b"isom") + box(b"moov", SECRET)
    several = encoded(picture(), "MPO", save_all=True, append_images=[picture(seed=1)])
    for data in (jpeg() + film, jpeg() + other, several):
        left, removed = stripped(data)
        assert left.count(b"\xff\xd8\xff") == 1
        assert left.endswith(b"\xff\xd9")
        assert "trailer" in removed
        assert checked(left).format == "jpeg"
    assert stripped(several)[1] == {"MPF", "trailer"}


def test_jpeg_may_be_padded() -> None:
    """Fill bytes between segments are no metadata; anything else there is."""
    data = jpeg(progressive=True)
    tables = data.index(b"\xff\xdb")
    scan = data.rindex(b"\xff\xda")
    filled = data[:tables] + b"\xff\xff" + data[tables:scan] + b"\xff" + data[scan:]
    assert stripped(filled) == (filled, set())
    stray = data[:tables] + SECRET + data[tables:]
    assert stripped(stray) == (data, {"private"})


def test_metadata_between_scans_is_gone() -> None:
    """A comment may also stand in the midst of a progressive picture."""
    data = jpeg(progressive=True)
    scan = data.rindex(b"\xff\xda")
    assert stripped(data[:scan] + segment(0xFE, SECRET) + data[scan:]) == (data, {"COM"})


def test_png_keeps_all_that_bears_on_how_it_looks() -> None:
    """Colours, transparency, density and palette stay, in their order; the rest is dropped."""
    plain = encoded(picture(mode="P"), "PNG", transparency=3, dpi=(96, 96))
    colours = [
        *(png_chunk(b"gAMA", struct.pack(">I", 45455)), png_chunk(b"sRGB", b"\0")),
        *(
            png_chunk(b"cHRM", bytes(32)),
            png_chunk(b"cICP", b"\1\x0d\0\1"),
            png_chunk(b"sBIT", b"\5\5\5"),
        ),
        *(png_chunk(b"mDCV", bytes(24)), png_chunk(b"cLLI", bytes(8))),
    ]
    rich = plain[:33] + b"".join(colours) + plain[33:]
    assert stripped(rich) == (rich, set())
    assert stripped(rich[:33] + colours[0] + rich[33:]) == (
        rich[:33] + colours[0] + b"".join(colours[1:]) + plain[33:],
        {"private"},
    )


def test_png_ends_at_its_end() -> None:
    """What a careless crop left behind the end is not published, nor what the end itself holds."""
    data = png()
    assert stripped(data + png(seed=1)) == (data, {"trailer"})
    assert stripped(data[:-12] + png_chunk(b"IEND", SECRET)) == (data, {"trailer"})


def test_webp_stays_simple_or_says_what_it_has() -> None:
    """A simple file stays one; an extended one does not announce what is gone."""
    simple = encoded(picture(), "WEBP")
    tail = webp_chunk(b"EXIF", SECRET)
    longer = simple[:4] + struct.pack("<I", len(simple) + len(tail) - 8) + simple[8:] + tail
    assert stripped(longer) == (simple, {"EXIF"})
    left, _ = stripped(encoded(picture(), "WEBP", exif=b"II*\0\x08\0\0\0\0\0", xmp=XMP))
    assert left[20] == 0
    turned, _ = stripped(encoded(picture(), "WEBP", exif=phone_exif(), xmp=XMP))
    assert turned[20] == 0x08


def test_webp_frames_hold_nothing_but_pictures() -> None:
    """Unknown chunks within a frame are found, too."""
    data = animation("WEBP")
    frame = data.index(b"ANMF")
    (size_bytes,) = struct.unpack_from("<I", data, frame + 4)
    end, more = frame + 8 + size_bytes, webp_chunk(b"priv", SECRET)
    grown = (
        data[:frame]
        + struct.pack("<4sI", b"ANMF", size_bytes + len(more))
        + data[frame + 8 : end]
        + more
    )
    whole = grown + data[end:]
    whole = whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]
    assert stripped(whole) == (data, {"private"})


def test_gif_keeps_loops_and_names_what_goes() -> None:
    """The two loop extensions and colours stay; comments and XMP go by their names."""
    data = animation("GIF")
    place = next(places_in_gif(data))
    loops = gif_extension(0xFF, b"ANIMEXTS1.0", b"\1\0\0") + gif_extension(
        0xFF, b"ICCRGBG1012", ICC
    )
    rich = data[:place] + loops + data[place:]
    assert stripped(rich) == (rich, set())
    comment, xmp = gif_extension(0xFE, b"", SECRET), gif_xmp(XMP)
    assert stripped(rich[:-1] + comment + xmp + rich[-1:]) == (rich, {"COM", "XMP"})
    assert stripped(data[:-1] + b"\0;") == (data[:-1] + b"\0;", set())


@pytest.mark.parametrize("kind", [b"free", b"uuid", b"jumb"])
def test_avif_boxes_are_blanked(kind: bytes) -> None:
    """Boxes that are no picture are emptied in place, and what follows the last box is cut."""
    data = encoded(picture(), "AVIF")
    tail = box(kind, SECRET)
    left, removed = stripped(data + tail)
    assert left == data + box(b"free", bytes(len(SECRET)))
    assert removed == {"private"}
    assert stripped(data + SECRET) == (data, {"trailer"})


def test_avif_metadata_within_a_movie_is_blanked() -> None:
    """User data in a movie's header, where places are written, is emptied."""
    data = film()
    at = data.index(b"edts")  # a box whose name is all that is changed
    left, removed = stripped(data[:at] + b"udta" + data[at + 4 :])
    assert b"udta" not in left
    assert removed == {"private"}
    assert len(left) == len(data)


def test_avif_movies_do_not_tell_when_they_were_made() -> None:
    """The times of a movie, its tracks and their media go, in both sizes that they have."""
    data = animation("AVIF")
    left, removed = stripped(data)
    assert (left, removed) == (film(), {"times"})
    assert left != data
    assert seen(left) == seen(data)


def test_avif_tracks_have_no_names_of_their_own() -> None:
    """What somebody called a track goes, and nothing moves."""
    data = film()
    at = data.index(b"hdlr") + 28  # its last byte, the end of a name that is empty
    assert data[at] == 0
    assert stripped(data[:at] + b"x" + data[at + 1 :]) == (data, {"private"})


@pytest.mark.parametrize("kind", [b"udes", b"crtt", b"mdft", b"uuid", b"free", b"udta", b"xml "])
@pytest.mark.parametrize("nests", [(b"meta",), (b"ipco", b"iprp", b"meta")])
def test_avif_descriptions_are_blanked(kind: bytes, nests: tuple[bytes, ...]) -> None:
    """What describes a file or an item is emptied, and no property changes its number."""
    data = encoded(picture(mode="RGBA"), "AVIF")
    tainted = grown(data, nests, box(kind, SECRET))
    left, removed = stripped(tainted)
    assert left == grown(data, nests, box(b"free", bytes(len(SECRET))))
    assert removed == {"private"}
    assert seen(left) == seen(tainted) == seen(data)


def grown(data: bytes, nests: tuple[bytes, ...], more: bytes) -> bytes:
    """An AVIF file with a box more at the end of the innermost of these; its pictures move."""
    first = data.index(nests[0]) - 4
    end = first + int.from_bytes(data[first : first + 4], "big")
    whole = bytearray(data[:end] + more + data[end:])
    for kind in nests:
        add(whole, data.index(kind) - 4, len(more))
    places = data.index(b"iloc") + 12
    for item in range(int.from_bytes(data[places - 2 : places], "big")):
        add(whole, places + 6 + 14 * item, len(more))
    return bytes(whole)


def add(data: bytearray, place: int, more: int) -> None:
    """Change a number in its place."""
    number = int.from_bytes(data[place : place + 4], "big")
    data[place : place + 4] = (number + more).to_bytes(4, "big")


@pytest.mark.parametrize("data", [still("AVIF"), film()], ids=["still", "film"])
def test_avif_data_that_nothing_uses_is_blanked(data: bytes) -> None:
    """Of several boxes of data those stay in which a picture lies."""
    left, removed = stripped(data + box(b"mdat", SECRET))
    assert left == data + box(b"free", bytes(len(SECRET)))
    assert removed == {"private"}
    assert seen(left) == seen(data)


def test_avif_items_have_no_names_of_their_own() -> None:
    """What somebody called an item is written over."""
    data = encoded(picture(), "AVIF")
    left, removed = stripped(data.replace(b"av01Color\0", b"av01Alice\0"))
    assert left == data.replace(b"av01Color\0", b"av01     \0")
    assert removed == {"private"}


def with_wrong_place(data: bytes, item: int) -> bytes:
    """An AVIF file whose table says that an item lies where the one before it does."""
    place = data.index(b"iloc") + 18 + 14 * item  # of the picture, the EXIF, the XMP
    return data[: place + 14] + data[place : place + 8] + data[place + 22 :]


def test_avif_metadata_may_not_lie_over_the_picture() -> None:
    """Blanking what an untrue table calls EXIF does not spoil the picture unnoticed."""
    with pytest.raises(ImageError):
        checked(with_wrong_place(encoded(picture(), "AVIF", exif=phone_exif()), 0))


def test_avif_metadata_may_not_lie_over_other_metadata() -> None:
    """Where EXIF and XMP are said to be one, no blank would be right for both."""
    data = encoded(picture(), "AVIF", exif=phone_exif(), xmp=XMP)
    with pytest.raises(ImageError):
        strip(replace(checked(data), data=with_wrong_place(data, 1)))


def test_avif_pieces_that_lie_over_one_another_are_not_put_together() -> None:
    """A file that says 200 times that all of it is EXIF does not take 200 times its memory."""
    entry = box(b"infe", b"\2\0\0\0" + b"\0\1" + b"\0\0" + b"Exif\0")
    kinds = box(b"iinf", bytes(4) + b"\0\1" + entry)
    size, count = (1_000_000).to_bytes(4, "big"), (200).to_bytes(2, "big")
    places = bytes(4) + b"\x44\0" + b"\0\1" + b"\0\1\0\0" + count + (bytes(4) + size) * 200
    data = box(b"ftyp", b"avif") + box(b"meta", bytes(4) + kinds + box(b"iloc", places))
    data += box(b"mdat", bytes(1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(Broken):
            avif.bare(data)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("format_name", ["BMP", "TIFF", "ICO"])
def test_what_is_always_converted_is_left_alone(format_name: str) -> None:
    """Formats that no host takes lose their metadata when they are converted."""
    image = checked(encoded(picture(), format_name))
    assert strip(image)[0] is image


@given(
    st.sampled_from(CLEAN),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=6),
    st.integers(0, 1 << 16),
)
def test_no_container_escapes(
    case: tuple[str, bytes], flips: list[tuple[int, int]], cut: int
) -> None:
    """A file that cannot be followed is an ImageError; one that can is the same when done again."""
    _, data = case
    damaged = bytearray(data)
    for position, value in flips:
        damaged[position % len(data)] = value
    image = replace(checked(data), data=bytes(damaged[: 64 + cut]))
    try:
        left, _ = strip(image)
    except ImageError:
        return
    assert strip(left) == (left, ())


KEPT = {"jpeg", "png", "webp", "gif", "avif"}
MAGICS = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\0\0\0WEBP"),
    *(b"\0\0\0\x18ftypavif", b"\xff\xd8\xff\xe1", png()[:33], jpeg()[:20], animation("GIF")[:13]),
)


@given(
    st.sampled_from(["jpeg", "png", "webp", "gif", "avif"]), st.sampled_from(MAGICS), st.binary()
)
def test_any_bytes(format_name: str, magic: bytes, noise: bytes) -> None:
    """Whatever stands there, whatever it is taken for: an ImageError, or what has nothing left."""
    image = replace(checked(png()), format=format_name, data=magic + noise)
    try:
        left, _ = strip(image)
    except ImageError:
        return
    assert len(left.data) <= len(image.data)
    assert strip(left) == (left, ())


@given(tainted(), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=4))
def test_what_can_still_be_seen_is_seen_the_same(
    files: tuple[bytes, bytes], flips: list[tuple[int, int]]
) -> None:
    """A damaged file is refused, or shows the same without what was slipped into it."""
    damaged = bytearray(files[1])
    for position, value in flips:
        damaged[position % len(damaged)] = value
    try:
        image = checked(bytes(damaged))
        left, _ = strip(image)
    except ImageError:
        return
    assert checked(left.data).sha256 == left.sha256
    try:
        before = seen(image.data)
    except Exception:  # noqa: BLE001 - whatever Pillow raises where what is left out hurts it
        return
    assert seen(left.data) == before
