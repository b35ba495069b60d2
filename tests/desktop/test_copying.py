"""Commands and the clipboard: `upload` without inputs, `--copy`, and who keeps the text there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.clipboard import MARKED, WITH_TEXT
from tests.fakes import pictures
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.x11 import xvfb
from tests.fakes.x11_owners import Owner

PNG = "image/png"


@pytest.fixture(autouse=True)
def no_holders(program: Program, person: Person) -> Iterator[None]:
    """Whoever keeps a text is relieved at the end of the test."""
    program.configure(server={"port": 36677})
    yield
    person.copy(b"the end", "UTF8_STRING")
    eventually(lambda: not _holders(program))


def _holders(program: Program) -> list[int]:
    """The processes that keep a text on this test's display."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"imghost.desktop.holder" in words and program.environ["DISPLAY"].encode() in words:
                found.append(int(entry.name))
    return found


def test_the_picture_that_was_copied(program: Program, person: Person) -> None:
    """`imghost upload` alone takes it, prints its link, and leaves it where it is."""
    person.copy(pictures.png())
    result = program.run("upload", "--json")
    (row,) = result.json
    assert (result.code, row["state"], row["width_px"]) == (0, "done", 64)
    assert person.pasted(PNG) == pictures.png()
    assert program.originals[0].read_bytes() == pictures.png()


def test_files_that_were_copied(program: Program, person: Person, tmp_path: Path) -> None:
    """Copied files give one line each, in their order; what is no picture is left out."""
    contents = {"b.png": pictures.png(), "notes.txt": b"words", "a.jpg": pictures.jpeg(seed=1)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    person.copy_files(*(tmp_path / name for name in contents))
    result = program.run("upload", "--json")
    assert [row["name"] for row in result.json] == ["b.png", "a.jpg"]


def test_a_link_that_took_its_place(program: Program, person: Person) -> None:
    """While imghost watches, the link of the picture is printed in the format that is asked for."""
    with program.watching():
        person.copy(pictures.png())
        (link,) = person.linked()
        assert program.run("upload").lines == [link]
        assert program.run("upload", "--format", "markdown").lines == [f"![]({link})"]
        assert program.run("--picgo", "upload").lines == [link]
        person.copy(b"words", "UTF8_STRING")
        result = program.run("upload")
        assert (result.code, result.out) == (4, "")
    assert len(program.history) == 1


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        ({"UTF8_STRING": b"words"}, "there is no image on the clipboard; copy one"),
        ({PNG: pictures.png(), "UTF8_STRING": b"words"}, f"is left alone: {WITH_TEXT}"),
        ({PNG: pictures.png(), "x-kde-passwordManagerHint": b"secret"}, f"left alone: {MARKED}"),
    ],
)
def test_nothing_to_take(
    program: Program, person: Person, formats: dict[str, bytes], said: str
) -> None:
    """Where no picture was copied, one line says so, and what to do."""
    with Owner(person.display, formats):
        result = program.run("upload")
    assert (result.code, result.out) == (4, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("words", [("upload",), ("history", "--format", "url", "--limit", "1")])
def test_copying(program: Program, person: Person, tmp_path: Path, words: tuple[str, ...]) -> None:
    """What is printed with --copy can be pasted when the command has ended, until the next copy."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    printed = program.run("upload", picture).out
    given = (picture,) if words == ("upload",) else ()
    result = program.run(*words, *given, "--copy")
    assert (result.code, result.out) == (0, printed)
    assert result.err.endswith("imghost: it is on the clipboard\n")
    assert person.text() == printed.strip()
    assert len(_holders(program)) == 1
    person.copy(pictures.png(seed=1))
    eventually(lambda: not _holders(program))
    assert person.pasted(PNG) == pictures.png(seed=1)


def test_copying_again(program: Program, person: Person, tmp_path: Path) -> None:
    """The next text takes the place of the former one, and one process is left."""
    for seed in range(2):
        picture = tmp_path / f"{seed}.png"
        picture.write_bytes(pictures.png(seed=seed))
        link = program.run("upload", picture, "--copy").out.strip()
        assert person.text() == link
    eventually(lambda: len(_holders(program)) == 1)


def test_a_terminal_that_is_closed(program: Program, person: Person, tmp_path: Path) -> None:
    """Closing the terminal, or interrupting what runs there, does not take the text away."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    process = program.start("upload", str(picture), "--copy", start_new_session=True)
    out, _ = process.communicate()
    (holder,) = _holders(program)
    assert os.getsid(holder) != process.pid
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, signal.SIGHUP)  # nobody of the terminal's is left
    assert person.text() == out.decode().strip()


def test_a_daemon_keeps_it(program: Program, person: Person, tmp_path: Path) -> None:
    """A running daemon holds the text itself, and takes it for no picture."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    program.configure()
    with program.watching():
        result = program.run("upload", picture, "--copy", "--format", "markdown")
        assert result.code == 0
        (link,) = person.linked()
        assert seen(link) == pictures.png()
        assert _holders(program) == []
        person.copy(pictures.png(seed=1))
        eventually(lambda: person.links() not in ([], [link]))


def test_a_display_that_goes_away(program: Program, tmp_path: Path) -> None:
    """Who keeps a text ends with its display."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    with xvfb() as (display, server):
        there = Program(program.home, {**program.environ, "DISPLAY": display})
        assert there.run("upload", picture, "--copy").code == 0
        assert len(_holders(there)) == 1
        server.kill()
        eventually(lambda: not _holders(there))


def test_no_clipboard(program: Program, tmp_path: Path) -> None:
    """Without a desktop the link is printed, and that it was not copied is said with its reason."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    environ = {name: v for name, v in program.environ.items() if name != "DISPLAY"}
    result = Program(program.home, environ).run("upload", picture, "--copy")
    assert result.code == 10
    assert result.out.startswith("http://")
    *_, said = result.err.splitlines()
    assert said.startswith(
        "imghost: uploaded, and the link stands on standard output; only copying"
    )
    assert said.endswith("there is no desktop: neither DISPLAY nor WAYLAND_DISPLAY is set")
    rows = Program(program.home, environ).run("upload", picture, "--copy", "--json")
    assert (rows.code, rows.json[0]["state"]) == (10, "done")
