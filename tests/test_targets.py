"""Tests of the formats of a clipboard: which is read, and copied files as bytes and as paths."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.clipboard import CUT, DRAWING, MARKED, NOT_HANDED_OVER, TOO_LARGE, WITH_TEXT, Held
from imghost.desktop.targets import (
    GNOME_FILES,
    KDE_CUT,
    URI_LIST,
    LeftAlone,
    copied,
    copied_files,
    held,
    uri_list,
)
from imghost.models import Message

BITMAPS = ["image/png", "image/webp", "image/jpeg", "image/gif", "image/bmp", "image/tiff"]
TEXTS = [
    "text/plain",
    "text/plain;charset=utf-8",
    "TEXT/PLAIN;a=b",
    "UTF8_STRING",
    "STRING",
    "TEXT",
]
OTHERS = ["text/html", "TARGETS", "TIMESTAMP", "image/svg+xml", "text/plainer", "application/x-a"]
FILES = b"file:///tmp/b%20%C3%A9.gif\r\nfile:///tmp/a.png\r\n"
PATHS = ("/tmp/b é.gif", "/tmp/a.png")
paths = (
    st.binary(min_size=1)
    .filter(lambda name: b"\0" not in name)
    .map(lambda name: os.fsdecode(b"/" + name))
)


def taken(offered: Mapping[str, bytes], *, wanted: bool = False) -> tuple[Held, list[str]]:
    """What is taken of this, and which formats were asked for."""
    asked: list[str] = []

    def fetch(name: str) -> bytes:
        asked.append(name)
        return offered[name]

    return held(7, offered, fetch, wanted=wanted), asked


@given(st.permutations([*BITMAPS, *OTHERS]), st.integers(1, len(BITMAPS)))
def test_the_best_bitmap_alone_is_read(order: list[str], kinds: int) -> None:
    """Of several bitmaps the first of our order is read, whatever theirs is, and nothing else."""
    offered = {name: name.encode() for name in order if name not in BITMAPS[:-kinds]}
    best = next(name for name in BITMAPS if name in offered)
    assert taken(offered) == (Held(7, bitmap=best.encode()), [best])


@given(st.sampled_from(BITMAPS), st.sampled_from(TEXTS), st.sampled_from(OTHERS))
def test_a_bitmap_with_text_is_left_alone(bitmap: str, text: str, other: str) -> None:
    """A table's or a document's picture is not even asked for."""
    assert taken({other: b"", text: b"a", bitmap: b"b"}) == (Held(7, reason=WITH_TEXT), [])


@given(st.sets(st.sampled_from(BITMAPS)), st.sets(st.sampled_from(TEXTS)))
def test_files_come_first(bitmaps: set[str], texts: set[str]) -> None:
    """Copied files win over bitmaps and over the text beside them."""
    beside = dict.fromkeys([*bitmaps, *texts], b"x")
    assert taken(beside | {URI_LIST: FILES}) == (Held(7, paths=PATHS), [URI_LIST])
    gnome = beside | {URI_LIST: b"", GNOME_FILES: b"copy\n" + FILES}
    assert taken(gnome) == (Held(7, paths=PATHS), [GNOME_FILES])


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        ({GNOME_FILES: b"cut\nfile:///a.png", URI_LIST: FILES}, CUT),
        ({GNOME_FILES: b"cut\r\nfile:///a.png"}, CUT),
        ({URI_LIST: FILES, KDE_CUT: b"1"}, CUT),
        ({URI_LIST: FILES, KDE_CUT: b"0"}, None),
        ({URI_LIST: FILES, KDE_CUT: b""}, None),
        ({URI_LIST: FILES, "x-kde-passwordManagerHint": b"secret"}, MARKED),
        ({"image/png": b"a", "text/x-kde-passwordManagerHint": b"secret"}, MARKED),
        ({"text/plain": b"a", "x-kde-passwordManagerHint": b"secret"}, None),
        ({"image/svg+xml": b"<svg/>", "text/html": b"<img>"}, DRAWING),
        ({"image/svg+xml": b"<svg/>", "image/x-odd": b"x"}, DRAWING),
        ({"image/svg+xml": b"<svg/>", "text/plain": b"<svg/>"}, None),
        ({"image/svg+xml": b"<svg/>", "x-kde-passwordManagerHint": b"secret"}, MARKED),
        ({"image/png": b""}, NOT_HANDED_OVER),
        ({"text/plain": b"a", "UTF8_STRING": b"a", "text/html": b"a"}, None),
        ({}, None),
    ],
)
def test_what_is_left_alone(offered: Mapping[str, bytes], reason: Message | None) -> None:
    """Cut files, passwords and empty pictures are left alone; text needs no reason."""
    assert taken(offered)[0].reason == reason


@pytest.mark.parametrize(
    ("offered", "held"),
    [
        ({"image/png": b"a", "text/plain": b"b"}, Held(7, bitmap=b"a")),
        ({GNOME_FILES: b"cut\n" + FILES}, Held(7, paths=PATHS)),
        ({URI_LIST: FILES, KDE_CUT: b"1"}, Held(7, paths=PATHS)),
        ({"image/png": b"a", "x-kde-passwordManagerHint": b"secret"}, Held(7, reason=MARKED)),
    ],
)
def test_what_the_user_asks_for(offered: Mapping[str, bytes], held: Held) -> None:
    """What came with text or was cut is taken at the user's word, what is marked is not."""
    assert taken(offered, wanted=True)[0] == held


def test_files_elsewhere_leave_the_bitmap() -> None:
    """A list without local files, as of a web page, does not hide the picture beside it."""
    offered = {URI_LIST: b"https://example.com/a.png\r\n", "image/png": b"a"}
    assert taken(offered)[0] == Held(7, bitmap=b"a")
    del offered["image/png"]
    assert taken(offered)[0] == Held(7)


def test_what_cannot_be_fetched_is_said() -> None:
    """The reason why a format did not come is the reason why nothing is taken."""

    def fetch(_name: str) -> bytes:
        raise LeftAlone(TOO_LARGE)

    assert held(7, ["image/png"], fetch) == Held(7, reason=TOO_LARGE)
    assert held(7, [URI_LIST, "image/png"], fetch) == Held(7, reason=TOO_LARGE)


@given(st.lists(paths))
def test_paths_come_back(given_paths: list[str]) -> None:
    """Paths of any bytes survive the way through both formats, in their order."""
    formats = copied(given_paths)
    assert uri_list(formats[URI_LIST]) == tuple(given_paths)
    assert copied_files(formats[GNOME_FILES]) == (False, tuple(given_paths))
    assert formats[URI_LIST].isascii()


@given(st.binary())
def test_any_bytes_are_a_list(data: bytes) -> None:
    """Whatever bytes come, only absolute paths that a file can have come out."""
    for path in (*uri_list(data), *copied_files(data)[1], *uri_list(b"file://" + data)):
        assert path.startswith("/")
        assert "\0" not in path
        os.fsencode(path)


@given(paths)
def test_needless_escapes_change_nothing(path: str) -> None:
    """A name whose every byte is escaped, in either case, is the same name."""
    name = os.fsencode(path)[1:]
    for form in ("%%%02x", "%%%02X"):
        escaped = "".join(form % byte for byte in name).encode()
        assert uri_list(b"file:///" + escaped) == (path,)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"file:///a.png", "/a.png"),
        (b"file:/a.png", "/a.png"),
        (b"FILE:///a.png", "/a.png"),
        (b"file://localhost/a.png", "/a.png"),
        (b"file://LocalHost/a.png", "/a.png"),
        (b"file://" + socket.gethostname().encode() + b"/a.png", "/a.png"),
        (b"file:///a b#1?.png", "/a b#1?.png"),
        (b"file:///%E5%9B%BE%E7%89%87.png", "/图片.png"),
        ("file:///图片.png".encode(), "/图片.png"),
        (b"file:///%ff.png", os.fsdecode(b"/\xff.png")),
        (b"file:///100%.png", "/100%.png"),
        (b"file:///a.png\0", "/a.png"),
        (b"file://elsewhere.example/a.png", None),
        (b"file:///a%00.png", None),
        (b"file://localhost", None),
        (b"file:a.png", None),
        (b"sftp://host/a.png", None),
        (b"/a.png", None),
        (b"# file:///a.png", None),
        (b"", None),
    ],
)
def test_one_uri(line: bytes, path: str | None) -> None:
    """What is a local file, and what is not, wherever it stands and however its line ends."""
    found = () if path is None else (path,)
    for end in (b"", b"\n", b"\r\n"):
        assert uri_list(line + end) == found
    assert uri_list(b"# a comment\r\n" + line + b"\r\nfile:///z\r\n") == (*found, "/z")
    assert copied_files(b"copy\n" + line) == (False, found)
    assert copied_files(b"cut\n" + line) == (True, found)
