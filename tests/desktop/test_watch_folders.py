"""Save a picture in a watched folder, paste its link."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest

from tests.fakes import bilibili, pictures
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually

FILES = 30
STILL_S = 0.5


@pytest.fixture
def folder(program: Program, tmp_path: Path) -> Path:
    """A folder that is watched."""
    made = tmp_path / "watched"
    made.mkdir()
    program.set("watch.folders", [str(made)])
    return made


@pytest.fixture
def aside(tmp_path: Path) -> Path:
    """A folder that is not, on the same disk."""
    made = tmp_path / "aside"
    made.mkdir()
    return made


def _saved(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pictures.png(seed=seed))
    return path


def test_a_saved_picture(program: Program, person: Person, folder: Path) -> None:
    """A file that is saved there becomes a link to its bytes, once, also across a restart."""
    _saved(folder / "before.png", seed=1)
    with program.watching():
        _saved(folder / "a.png")
        (link,) = person.linked()
        assert seen(link) == pictures.png()
        assert "![a](" in person.text()
    with program.watching():
        _saved(folder / "b.png", seed=2)
        eventually(lambda: "![b](" in person.text())
        assert len(person.links()) == 1
    assert [row["name"] for row in program.history] == ["b.png", "a.png"]


def test_files_moved_in(program: Program, person: Person, folder: Path, aside: Path) -> None:
    """Files that are moved in together give their links together, in the order of their names."""
    paths = [_saved(aside / f"{name}.png", seed) for seed, name in enumerate("cab")]
    with program.watching():
        for path in paths:
            path.rename(folder / path.name)
        links = person.linked(3)
        assert [seen(link) for link in links] == [pictures.png(seed=seed) for seed in (1, 2, 0)]


def test_a_copied_tree(program: Program, person: Person, folder: Path, aside: Path) -> None:
    """A tree that is copied in gives each of its pictures, and none again when it is renamed."""
    for seed in range(FILES):
        _saved(aside / f"{seed % 3}/{seed % 5}/{seed:02}.png", seed)
    with program.watching():
        shutil.copytree(aside, folder / "tree")
        links = person.linked(FILES)
        assert [seen(link) for link in links] == [pictures.png(seed=n) for n in range(FILES)]
        assert program.status["counts"]["done"] == FILES
        person.copy(b"words", "UTF8_STRING")
        threading.Event().wait(STILL_S)  # it hears of that before the next file comes
        (folder / "tree").rename(folder / "moved")
        _saved(folder / "new.png", seed=99)
        (link,) = person.linked()
        assert seen(link) == pictures.png(seed=99)


def test_a_browsers_download(program: Program, person: Person, folder: Path) -> None:
    """A download is taken when the browser gives it its name, and whole."""
    with program.watching():
        part = folder / "picture.png.crdownload"
        with part.open("wb", buffering=0) as file:
            file.write(pictures.png()[:300])
            _saved(folder / "other.png", seed=1)
            assert seen(person.linked()[0]) == pictures.png(seed=1)
            file.write(pictures.png()[300:])
        part.rename(folder / "picture.png")
        eventually(lambda: "![picture]" in person.text())
        assert seen(person.links()[-1]) == pictures.png()
    assert len(program.history) == 2


def test_a_folder_that_is_added(
    program: Program, person: Person, folder: Path, aside: Path
) -> None:
    """A folder that the config gains while imghost runs is watched, with what it has of its own."""
    with program.watching():
        bucket = {"path": str(aside), "bucket": "notes"}
        program.run("config", "set", "watch.folders", json.dumps([str(folder), bucket]))
        _saved(folder / "a.png")
        person.linked()
        _saved(aside / "b.png", seed=1)
        eventually(lambda: "/notes/" in person.text())
        program.set("watch.folders", [str(aside)])


@pytest.mark.parametrize("saved_first", [True, False])
def test_saved_and_copied(
    program: Program,
    person: Person,
    folder: Path,
    fake: bilibili.FakeBilibili,
    saved_first: bool,
) -> None:
    """A screenshot tool that saves a picture and copies it, encoded otherwise, makes one upload."""
    program.set("watch.folders", [str(folder)])
    drawn = pictures.picture(seed=3)
    saved = pictures.encoded(drawn, "PNG", compress_level=1)
    with program.watching():
        if saved_first:
            (folder / "a.png").write_bytes(saved)
            person.linked()
            person.copy(pictures.encoded(drawn, "PNG"))
            person.linked()
        else:
            person.copy(pictures.encoded(drawn, "PNG"))
            person.linked()
            (folder / "a.png").write_bytes(saved)
        person.copy(pictures.png(seed=4))
        _saved(folder / "b.png", seed=5)
        eventually(lambda: program.status["counts"]["done"] == 3)
    assert len(fake.uploads) == 3
