"""A thousand pictures of every kind, and damaged ones, by every way in: none hurts or hides."""

from __future__ import annotations

import json
import random
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from imghost.errors import ImageError
from imghost.imaging.child import Child
from tests.fakes.judges import hidden_in, pixels
from tests.fakes.program import Program, eventually
from tests.fakes.serving import ask
from tests.fakes.wild import damaged
from tests.faults.processes import memory_kb
from tests.security.conftest import RECIPE, SLOW_S, Wild

LOSSLESS = frozenset({"png", "gif"})
AMBIGUOUS = frozenset(
    ["chunk_multi_actl.png", "png_decompression_dos.png"]
)  # an animation or not, and a text of gigabytes beside the picture: readers disagree
MOST_KB = 150_000
AT_ONCE = 50
MUTATIONS, SEED = 400, 20261129


@pytest.fixture
def program(home: Path) -> Program:
    """Imghost with the default host, at a public address."""
    program = Program(home / "imghost")
    public = {"local": {"public_url": "https://img.example.org"}}
    program.configure(hosts=public, watch={"folders": [str(home / "pictures")]})
    (home / "pictures").mkdir()
    return program


def linked(program: Program) -> list[Path]:
    """The files behind the links: each can be decoded, and none hides anything."""
    folder = program.home / "data" / "local"
    assert hidden_in(folder) == {}
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        assert pixels(path.read_bytes())
    return files


def test_each_is_a_picture_or_a_reason(wild: Wild) -> None:
    """Nothing but an ImageError comes of them, within ten seconds, and most can be read."""
    assert len(wild.made) + len(wild.refused) == len(wild.files) > 1000
    assert len(wild.made) > 600
    assert all(str(error) for error in wild.refused.values())
    assert wild.slowest_s < SLOW_S


def test_no_pixel_changes_where_none_need_change(wild: Wild) -> None:
    """What is sent in the same lossless format looks the same, frame by frame."""
    for path, prepared in wild.made.items():
        image = prepared.image
        if (
            path.name not in AMBIGUOUS
            and image.format in LOSSLESS
            and path.suffix == f".{image.extension}"
        ):
            assert pixels(image.data) == pixels(path.read_bytes()), path.name


def test_by_the_command(program: Program, wild: Wild) -> None:
    """All files in one command: those that can be read are linked, the others are named."""
    with program.start("upload", "--json", *map(str, wild.files)) as command:
        out, err = command.communicate(timeout=300)
    rows = json.loads(out)
    done = {path for path, row in zip(wild.files, rows, strict=True) if row["state"] == "done"}
    assert done == set(wild.made)
    assert [path.name for path in wild.refused if path.name not in err.decode()] == []
    assert b"Traceback" not in err
    assert len(linked(program)) == len({row["url"] for row in rows if row["url"]})


def test_by_the_editors_door(program: Program, wild: Wild) -> None:
    """All files by path: refusals are answered with reasons, and the server stays small."""
    with program.serving() as url:
        door, port = program.door, int(url.rpartition(":")[2])
        idle_kb = memory_kb(door.pid)
        for start in range(0, len(wild.files), AT_ONCE):
            some = wild.files[start : start + AT_ONCE]
            body = json.dumps({"list": list(map(str, some))}).encode()
            told = json.loads(ask(port, "/upload", method="POST", body=body).body)
            missing = {
                path.name for path, link in zip(some, told["result"], strict=True) if not link
            }
            assert missing == {path.name for path in some if path in wild.refused}, told["message"]
            assert told["success"] or told["message"]
        assert memory_kb(door.pid, "VmHWM") < idle_kb + MOST_KB
    assert linked(program)


def test_by_a_watched_folder(program: Program, wild: Wild, home: Path) -> None:
    """All files appear at once where it watches: those that can be read are kept and linked."""
    wanted = {sha256(path.read_bytes()).hexdigest() for path in wild.made if path.suffix == ".png"}
    with program.watching("--no-clipboard", "--no-tray") as watching:
        idle_kb = memory_kb(watching.process.pid)
        for path in wild.files:
            shutil.copy(path, home / "pictures")
        eventually(lambda: wanted <= {path.name for path in program.originals}, within_s=120)
        eventually(lambda: not program.status["counts"]["queued"], within_s=60)
        assert memory_kb(watching.process.pid, "VmHWM") < idle_kb + MOST_KB
    assert linked(program)


def test_damaged_ones_are_refused_or_sound(wild: Wild, tmp_path: Path) -> None:
    """Whatever is changed in a file: a picture that can be decoded and hides nothing, or a reason.

    A failure prints the number that repeats it.
    """
    files = list(wild.made)
    child = Child(deadline_s=SLOW_S)
    try:
        for number in range(MUTATIONS):
            chance = random.Random(SEED + number)
            data = damaged(chance.choice(files).read_bytes(), chance)
            try:
                image = child.prepare(data, "x", RECIPE).image
            except ImageError:
                continue
            assert pixels(image.data), number
            (tmp_path / f"{number}.{image.extension}").write_bytes(image.data)
    finally:
        child.close()
    assert hidden_in(tmp_path) == {}
