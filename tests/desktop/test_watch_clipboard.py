"""Copy a picture, paste a link: `imghost watch` on a real X display, with real programs."""

from __future__ import annotations

import os
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from tests.fakes import pictures
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.x11_owners import Manager

LARGE_PX = 1920


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two pictures, a text named before the second one, and an animation."""
    contents = {
        "z 图片.png": pictures.png(),
        "notes.txt": b"words",
        "a.jpg": pictures.jpeg(seed=1),
        "moving.gif": pictures.animation(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


def test_copy_a_picture_paste_a_link(program: Program, person: Person) -> None:
    """What xclip copied becomes a Markdown link at which the same bytes are seen."""
    with program.watching():
        person.copy(pictures.png())
        (link,) = person.linked()
        assert seen(link) == pictures.png()


def test_a_gtk_program(program: Program, person: Person) -> None:
    """A picture that a GTK program encodes on demand becomes a link to all its pixels."""
    with program.watching(), person.gtk("picture", "300", "200"):
        (link,) = person.linked()
        assert seen(link).startswith(b"\x89PNG")
    assert [program.history[0][key] for key in ("width_px", "height_px")] == [300, 200]


def test_a_large_picture(program: Program, person: Person) -> None:
    """11 MB that come in pieces become a link, and no byte is lost."""
    noise = Image.frombytes("RGB", (LARGE_PX, LARGE_PX), os.urandom(LARGE_PX**2 * 3))
    picture = pictures.encoded(noise, "PNG", compress_level=0)
    assert len(picture) > 11_000_000
    with program.watching():
        person.copy(picture)
        eventually(lambda: program.status["counts"]["done"] == 1)  # xclip serves one at a time
        (link,) = person.linked()
        assert seen(link) == picture


def test_several_files(program: Program, person: Person, files: list[Path]) -> None:
    """Copied files become one line each, in their order and with their own bytes; a text none."""
    with program.watching():
        person.copy_files(*files)
        links = person.linked(3)
        pictures_only = [path for path in files if path.suffix != ".txt"]
        assert [seen(link) for link in links] == [path.read_bytes() for path in pictures_only]
    assert {row["name"] for row in program.history} == {path.name for path in pictures_only}


def test_files_of_a_file_manager(program: Program, person: Person, files: list[Path]) -> None:
    """A GIF that a file manager copied, with its name as text beside it, stays animated."""
    with program.watching(), person.gtk("files", "copy", files[3]):
        (link,) = person.linked()
        assert seen(link) == files[3].read_bytes()


def test_one_after_the_other(program: Program, person: Person) -> None:
    """Each copy gets its own link, and the same picture again the same link."""
    with program.watching():
        links = []
        for seed in (1, 2, 1):
            person.copy(pictures.png(seed=seed))
            links += person.linked()
        assert links[0] == links[2] != links[1]
    assert len(program.history) == 2


def test_beside_its_link(program: Program, person: Person) -> None:
    """Where the picture is offered with its link, it can be pasted, and is not taken for a copy."""
    program.set("watch.offer", "link+picture")
    with program.watching():
        person.copy(pictures.png())
        person.linked()
        assert person.pasted("image/png") == pictures.png()
        person.copy(pictures.png(seed=1))
        person.linked()
        assert program.status["left_alone"] == []
    assert len(program.history) == 2


def test_put_back(program: Program, person: Person) -> None:
    """The picture can be had again, is not taken once more, and the next one is."""
    with program.watching():
        assert program.run("putback").code == 4
        person.copy(pictures.png())
        person.linked()
        assert program.run("putback").err == "imghost: the picture is on the clipboard again\n"
        assert person.pasted("image/png") == pictures.png()
        assert program.status["left_alone"] == []
        assert person.pasted("image/png") == pictures.png()
        person.copy(pictures.png(seed=1))
        (link,) = person.linked()
        assert seen(link) == pictures.png(seed=1)
        assert program.run("putback").code == 0
        assert person.pasted("image/png") == pictures.png(seed=1)


def test_files_put_back(program: Program, person: Person, files: list[Path]) -> None:
    """Files whose links took their place come back as files."""
    with program.watching():
        person.copy_files(files[0], files[2])
        person.linked(2)
        assert program.run("putback").code == 0
        uris = person.pasted("text/uri-list").decode().split()
        assert uris == [files[0].as_uri(), files[2].as_uri()]


def test_a_format_of_ones_own(program: Program, person: Person, tmp_path: Path) -> None:
    """The link is written as the config says, the picture's name escaped for its markup."""
    program.configure(link={"format": "html", "alt": "{name}", "style": "@800w.webp"})
    path = tmp_path / 'a "b" <c>.png'
    path.write_bytes(pictures.png(900, 10))
    with program.watching():
        person.copy_files(path)
        eventually(lambda: person.text().startswith("<img"))
        assert "@800w.webp" in person.text()
        assert "<c>" not in person.text()
        assert 'alt="a "b" <c>.png"' in unescape(person.text())


def test_the_link_outlives_the_daemon(program: Program, person: Person) -> None:
    """When imghost ends, a clipboard manager gets the link, so that it can still be pasted."""
    with Manager(person.display):
        with program.watching():
            person.copy(pictures.png())
            (link,) = person.linked()
        assert person.links() == [link]
