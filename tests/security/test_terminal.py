"""Names that steer terminals: no byte of them reaches one, and what is kept is the name itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.fakes import pictures
from tests.fakes.program import Program, eventually

STEERS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)
"""C0 but the end of a line, DEL, C1, bidi, zero width: at the edge none of them is left."""

NAMES = [
    b"a\x1b]52;c;eA==\x07.png",
    b"a\x1b[2J\x1b[31m.png",
    "a\x9b2J.png".encode(),
    b"a\rb\nimghost: all is well.png",
    "a\u202e\u061cgnp.exe.png".encode(),
    "a\u200b\u2066b\ufeff\u2028.png".encode(),
    b"a\xff\xfe\xc3(.png",
    b"a\x9b2J\x7f\x08.png",
]


def _say(program: Program, *words: str | bytes, code: int | None = None) -> str:
    """What a command writes, on either way out; it must be text that steers nothing."""
    given = list(map(os.fsdecode, words))
    with program.start(*given) as process:
        out, err = process.communicate(timeout=20)
    told = (out + err).decode()  # valid, whatever the name was
    assert not STEERS.search(told), (words, told)
    assert code is None or process.returncode == code, told
    return told


def test_commands(home: Path, tmp_path: Path) -> None:
    """Of what was uploaded, refused, missing, or waits, in text and in JSON."""
    program = Program(home / "imghost")
    program.configure()
    folder = os.fsencode(tmp_path)
    good, bad = ([folder + b"/" + mark + name for name in NAMES] for mark in (b"", b"text"))
    for seed, (picture, text) in enumerate(zip(good, bad, strict=True)):
        Path(os.fsdecode(picture)).write_bytes(pictures.png(seed=seed))
        Path(os.fsdecode(text)).write_bytes(b"words")
    missing = [path + b"x" for path in good]
    with program.serving():
        for form in ("url", "markdown", "html"):
            _say(program, "upload", "--format", form, *good, code=0)
        _say(program, "upload", "--json", *good, *bad, *missing, code=9)
        _say(program, "upload", *bad, *missing, code=9)
        _say(program, "--picgo", "upload", *good, *bad)
        for words in (("history",), ("history", "--json"), ("status",), ("status", "--json")):
            assert len(_say(program, *words)) > 1
    kept = {row["name"] for row in program.history}
    assert {os.fsdecode(name) for name in NAMES if _is_kept(name)} <= kept


def _is_kept(name: bytes) -> bool:
    """Whether it is text; what is none is kept as something that is."""
    return not re.search("[\ud800-\udfff]", os.fsdecode(name))


@pytest.mark.parametrize("name", NAMES)
def test_mistakes(home: Path, name: bytes) -> None:
    """What is told of a word that is no file, host, key or command."""
    program = Program(home / "imghost")
    program.configure()
    _say(program, name, code=4)
    _say(program, "upload", "--host", name, name, code=3)
    _say(program, "config", "set", name, "1", code=3)


@pytest.mark.parametrize("name", NAMES)
def test_posts(home: Path, tmp_path: Path, name: bytes) -> None:
    """A folder of posts that somebody else wrote, with such names and such links."""
    program = Program(home / "imghost")
    program.configure(hosts={"local": {"public_url": "https://img.example.org"}})
    folder = tmp_path / os.fsdecode(name[:-4].replace(b"\n", b""))
    folder.mkdir()
    shown = os.fsdecode(name).encode("utf-8", "replace").decode()
    (folder / "post.md").write_text(f"# A post\n\n![{shown}](<{shown}>)\n", encoding="utf-8")
    for words in (("migrate", "--yes"), ("links", "check"), ("links", "check", "--json")):
        _say(program, *words, str(folder))


@pytest.mark.parametrize("name", NAMES)
def test_the_daemon(home: Path, name: bytes) -> None:
    """What it says of files in a watched folder, and what it writes into its log."""
    program, folder = Program(home / "imghost"), home / "pictures"
    folder.mkdir()
    program.configure(watch={"folders": [str(folder)]})
    with program.watching("--no-clipboard", "--no-tray") as watching:
        (folder / os.fsdecode(name)).write_bytes(pictures.png())
        (folder / os.fsdecode(b"b" + name)).write_bytes(b"\x89PNG\r\n\x1a\n nothing")
        eventually(lambda: program.status["counts"]["done"] == 1)
        _say(program, "status")
        _say(program, "status", "--json")
    logged = [path.read_text("utf-8") for path in (program.home / "logs").glob("*")]
    for told in (watching.said, *logged):
        assert not STEERS.search(told.replace("\t", " "))
