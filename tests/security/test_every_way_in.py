"""A thousand pictures of every kind, and damaged ones, by every way in: none hurts or hides."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.fakes import seat
from tests.fakes.judges import pixels
from tests.fakes.needs import may_skip, missing
from tests.fakes.person import Person
from tests.fakes.program import Program
from tests.fakes.serving import ask
from tests.security.outcomes import Wild, assert_sound, assert_true, small
from tests.security.ways import QUIET, Told, by_clipboard, by_folder, dealt

LOSSLESS = frozenset({"png", "gif", "webp"})
AMBIGUOUS = frozenset(
    ["chunk_multi_actl.png", "png_decompression_dos.png"]
)  # an animation or not, and a text of gigabytes beside the picture: readers disagree
AT_ONCE = 20
ONE_IN = 10
PART = 3
COPIED = 4

display, person = seat.display, seat.person
needs_x11 = pytest.mark.skipif(
    bool(missing("test_clipboard_x11")) and may_skip(), reason="no X display here"
)


@pytest.fixture
def program(home: Path) -> Program:
    """Imghost with the default host, at a public address."""
    program = Program(home / "imghost")
    public = {"local": {"public_url": "https://img.example.org"}}
    program.configure(hosts=public, watch={"folders": [str(home / "pictures")]})
    (home / "pictures").mkdir()
    return program


def test_each_is_a_picture_or_a_reason(wild: Wild, tmp_path: Path) -> None:
    """Nothing but an ImageError comes of them, within ten seconds, and most can be read."""
    assert len(wild.made) + len(wild.refused) == len(wild.files) > 1000
    assert len(wild.made) > 600
    assert_sound(wild, tmp_path)


def test_damaged_ones_too(hurt: Wild, tmp_path: Path) -> None:
    """Whatever is changed in a file, in the limited process; a failure names the number."""
    assert min(len(hurt.made), len(hurt.refused)) > len(hurt.files) // 10
    assert_sound(hurt, tmp_path)


def test_no_pixel_changes_where_none_need_change(wild: Wild) -> None:
    """What is sent in the same lossless format looks the same, frame by frame."""
    seen = set()
    for path, prepared in wild.made.items():
        image, data = prepared.image, path.read_bytes()
        if (
            path.name not in AMBIGUOUS
            and image.format in LOSSLESS
            and path.suffix == f".{image.extension}"
            and not (image.format == "webp" and b"VP8 " in data)
        ):
            seen.add(image.format)
            assert pixels(image.data) == pixels(data), path.name
    assert seen == LOSSLESS


def test_by_the_command(program: Program, wild: Wild) -> None:
    """All files in one command: those that can be read are linked, the others are named."""
    with program.start("upload", "--json", *map(str, wild.files)) as command:
        out, err = command.communicate(timeout=300)
    assert b"Traceback" not in err
    assert [path.name for path in wild.refused if path.name not in err.decode()] == []
    rows = json.loads(out)
    assert {row["state"] for row in rows} == {"done", ""}
    told = {
        path: "" if row["url"] else row["reason"]
        for path, row in zip(wild.files, rows, strict=True)
    }
    assert_true(told, program, wild)


def test_by_the_editors_door(program: Program, wild: Wild) -> None:
    """Each third by path: refusals are answered with reasons, and the server stays small."""
    told: Told = {}
    files = wild.files[::PART]
    with program.serving() as url, small(program.door.pid):
        for start in range(0, len(files), AT_ONCE):
            some = files[start : start + AT_ONCE]
            body = json.dumps({"list": list(map(str, some))}).encode()
            port = int(url.rpartition(":")[2])
            answer = json.loads(ask(port, "/upload", method="POST", body=body).body)
            assert answer["success"] or answer["message"]
            for path, link in zip(some, answer["result"], strict=True):
                told[path] = "" if link else answer["message"]
    assert_true(told, program, wild)


def test_by_a_watched_folder(program: Program, wild: Wild) -> None:
    """Each third appears at once where it watches: those that can be read are kept and linked."""
    with program.watching(*QUIET) as watching, small(watching.process.pid):
        told = by_folder(program, wild.files[1::PART])
    assert_true(told, program, wild)


def test_by_every_way(program: Program, wild: Wild, hurt: Wild) -> None:
    """Damaged files, and some of the others, dealt out among all ways into one daemon."""
    told: Told = {}
    with program.watching(*QUIET) as watching, small(watching.process.pid):
        for way, paths in dealt([*hurt.files, *wild.files[::ONE_IN]]):
            told |= way(program, paths)
    assert_true(told, program, wild, hurt)


@needs_x11
def test_by_the_clipboard(program: Program, hurt: Wild, person: Person) -> None:
    """Damaged pictures that are copied."""
    copied = [*_some_png(hurt.made), *_some_png(hurt.refused)]
    program.environ["DISPLAY"] = person.display
    with program.watching("--no-tray") as watching, small(watching.process.pid):
        told = by_clipboard(person)(program, copied)
    assert_true(told, program, hurt)


def _some_png(judged: Iterable[Path]) -> list[Path]:
    """Enough of them."""
    found = [path for path in judged if path.suffix == ".png"][:COPIED]
    assert len(found) == COPIED
    return found
