"""Copy a picture, paste a link, on a Wayland desktop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from tests.fakes import pictures
from tests.fakes.person import seen
from tests.fakes.program import Program, eventually
from tests.fakes.wayland import Session, sway

LINK = re.compile(r"!\[.*\]\((http://\S+)\)")


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A Wayland session for this file's tests."""
    with sway() as session:
        yield session


@pytest.fixture
def program(home: Path, session: Session) -> Program:
    """The program in that session."""
    names = ("WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
    program = Program(home / "imghost", {name: session.environ[name] for name in names})
    program.configure()
    return program


def _link(session: Session) -> str:
    """The address of what a paste of text gives, "" if that is no link."""
    with suppress(CalledProcessError):  # wl-paste, where there is no text
        link = LINK.fullmatch(session.text())
        return link[1] if link else ""
    return ""


def _linked(session: Session) -> str:
    eventually(lambda: bool(_link(session)))
    return _link(session)


def test_copy_a_picture_paste_a_link(program: Program, session: Session) -> None:
    """What wl-copy holds becomes a link at which the same bytes are seen, one after the other."""
    with program.watching():
        for seed in range(2):
            session.copy("image/png", pictures.png(seed=seed))
            assert seen(_linked(session)) == pictures.png(seed=seed)


def test_copied_files(program: Program, session: Session, tmp_path: Path) -> None:
    """A file that was copied becomes a link to its own bytes, and can be put back."""
    path = tmp_path / "moving 图.gif"
    path.write_bytes(pictures.animation())
    with program.watching():
        session.copy("text/uri-list", f"{path.as_uri()}\r\n".encode())
        assert seen(_linked(session)) == path.read_bytes()
        assert program.run("putback").code == 0
        assert (
            session.run("wl-paste", "-n", "-t", "text/uri-list").decode().strip() == path.as_uri()
        )


def test_copying_by_command(program: Program, session: Session, tmp_path: Path) -> None:
    """A command takes the picture from there, and puts the link there, where it stays."""
    program.configure(server={"port": 36677})
    session.copy("image/png", pictures.png())
    result = program.run("upload", "--copy")
    assert result.code == 0, result.err
    assert session.text() == result.lines[0]
