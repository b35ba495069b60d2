"""Small files that would take minutes or gigabytes: a daemon answers at once, and stays small."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fakes import pictures
from tests.fakes.bombs import BOMBS, PADDED
from tests.fakes.editor import FORM, form
from tests.fakes.program import Program, eventually
from tests.fakes.serving import ask
from tests.faults.processes import memory_kb

JSON = "application/json"
PROMPT_S = 2.0
MOST_KB = 100_000
BOUND = 1_200_000  # bytes; larger ones are held while they are looked at, and bounded by that


@pytest.fixture
def program(home: Path) -> Program:
    """A program that watches a folder."""
    (home / "pictures").mkdir()
    program = Program(home / "imghost")
    program.configure(watch={"folders": [str(home / "pictures")]})
    return program


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files by what there is too much of."""
    folder, made = tmp_path_factory.mktemp("bombs"), {}
    for name, make in (BOMBS | PADDED).items():
        if len(data := make()) < BOUND:
            made[name] = folder / f"{name}.png"
            made[name].write_bytes(data)
    assert {"frames", "pixels", *PADDED} <= made.keys()
    return made


def test_by_the_editors_door(program: Program, bombs: dict[str, Path]) -> None:
    """By path and as a form: each is refused, or linked without what grows, within two seconds."""
    with program.watching("--no-clipboard", "--no-tray") as watching:
        pid, port = watching.process.pid, urlsplit(program.door.url).port or 0
        idle_kb = memory_kb(pid)
        sound = form(("file", "sound.png", pictures.png()))
        ask(port, "/upload", {"Content-Type": FORM}, method="POST", body=sound)
        for name, path in bombs.items():
            body = form(("file", path.name, path.read_bytes()))
            named = json.dumps({"list": [str(path)]}).encode()
            for sent, headers in ((named, {"Content-Type": JSON}), (body, {"Content-Type": FORM})):
                began = time.monotonic()
                told = json.loads(ask(port, "/upload", headers, method="POST", body=sent).body)
                assert time.monotonic() - began < PROMPT_S, name
                assert told["success"] == (name in PADDED and name != "colour profile"), told
        assert memory_kb(pid, "VmHWM") < idle_kb + MOST_KB
    files = [path for path in (program.home / "data" / "local").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [pictures.png()]


def test_by_a_watched_folder(program: Program, bombs: dict[str, Path], home: Path) -> None:
    """All at once: each is left alone with its reason, and the next picture is taken."""
    with program.watching("--no-clipboard", "--no-tray") as watching:
        idle_kb = memory_kb(watching.process.pid)
        for name in bombs.keys() - PADDED.keys():
            shutil.copy(bombs[name], home / "pictures")
        told = {bombs[name].name for name in bombs.keys() - PADDED.keys()}
        eventually(lambda: {one["name"] for one in program.status["left_alone"]} == told)
        (home / "pictures" / "next.png").write_bytes(pictures.png(seed=9))
        eventually(lambda: program.status["counts"]["done"] == 1)
        assert memory_kb(watching.process.pid, "VmHWM") < idle_kb + MOST_KB
    assert [path.read_bytes() for path in program.originals] == [pictures.png(seed=9)]
