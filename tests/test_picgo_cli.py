"""--picgo and imghost-picgo: what Typora, Obsidian and blog scripts read of a command's output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from imghost.cli.picgo import take_flag
from tests.fakes import pictures
from tests.fakes.bilibili import Answer, FakeBilibili
from tests.fakes.program import Program, Result
from tests.fakes.taking import at_bilibili

SCRIPT = str(Path(sys.executable).with_name("imghost-picgo"))
ERROR = "[PicGo ERROR]: "
LINK = re.compile(r"https?://\S+")


@pytest.fixture
def program(home: Path) -> Program:
    """The program; links are known without a server."""
    made = Program(home / "imghost")
    made.configure(server={"port": 36999})
    return made


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Pictures, one with a name that is written in percents."""
    paths = [tmp_path / name for name in ("a.png", "ü b.png", "c.png")]
    for n, path in enumerate(paths):
        path.write_bytes(pictures.png(seed=n))
    return paths


def only_errors(result: Result) -> bool:
    """Whether stdout holds errors as PicGo writes them, and not one link."""
    return bool(result.lines) and all(line.startswith(ERROR) for line in result.lines)


@pytest.mark.parametrize("words", [("--picgo", "upload"), ("upload", "--picgo"), ("--picgo",)])
def test_a_line_for_each_input(program: Program, files: list[Path], words: tuple[str, ...]) -> None:
    """Typora takes the last N lines, Obsidian the N before the last newline: nothing else there."""
    given = [quote(str(path)) if " " in path.name else str(path) for path in files]
    result = program.run(*words, *given)
    assert result.code == 0, result.err
    assert len(result.lines) == 3
    assert all(map(LINK.fullmatch, result.lines))
    assert result.out.endswith("\n")
    assert not result.out.endswith("\n\n")
    plain = program.run("upload", *given)
    assert plain.out == result.out


def test_the_script_is_the_same(program: Program, files: list[Path]) -> None:
    """`imghost-picgo upload PATH` and, for Typora, `imghost-picgo PATH`."""
    environ = os.environ | {"IMGHOST_HOME": str(program.home)}
    links = set()
    for words in (["upload", str(files[0])], [str(files[0])]):
        done = subprocess.run(
            [SCRIPT, *words], env=environ, capture_output=True, text=True, check=True
        )
        links.add(done.stdout)
    assert len(links) == 1
    assert LINK.fullmatch(links.pop().strip())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("upload", "/nowhere/a.png"), 4),
        (("upload",), 4),
        ((), 2),
        (("--bogus",), 2),
        (("upload", "--host", "github", "/nowhere/a.png"), 3),
        (("status",), 4),
        (("--config", "/nowhere/config.json", "upload", "/nowhere/a.png"), 3),
    ],
)
def test_failures_are_told_as_picgo_does(
    program: Program, words: tuple[str, ...], code: int
) -> None:
    """Obsidian looks for the words alone, and a missing path never means the clipboard."""
    result = program.run("--picgo", *words)
    assert result.code == code
    assert only_errors(result)


def test_one_of_three_fails_and_no_link_is_printed(program: Program, files: list[Path]) -> None:
    """A short list would have references wiped; the second try is instant."""
    missing = files[1].with_name("gone.png")
    result = program.run("--picgo", "upload", files[0], missing, files[2])
    assert result.code == 9
    assert only_errors(result)
    assert "http" not in result.out
    assert str(missing) in result.out
    assert [row["state"] for row in program.history] == ["done", "done"]
    missing.write_bytes(files[1].read_bytes())
    assert len(program.run("--picgo", "upload", files[0], missing, files[2]).lines) == 3


def test_a_host_that_is_down(program: Program, files: list[Path]) -> None:
    """Its failure has the usual code, and the image is kept."""
    with FakeBilibili() as server:
        program.configure(**at_bilibili(server))
        server.answers.extend([Answer(status=503)] * 9)
        result = program.run("--picgo", "upload", "--wait", "0", files[0])
    assert result.code == 6
    assert only_errors(result)
    assert "kept" in result.out


def test_a_wrong_config_is_told_too(program: Program, files: list[Path]) -> None:
    """Whatever goes wrong before anything was begun."""
    config = program.configure()
    config.write_text("{")
    result = program.run("--picgo", "upload", files[0])
    assert result.code == 3
    assert only_errors(result)


def test_what_is_no_failure_is_not_told_as_one(program: Program, tmp_path: Path) -> None:
    """Notes go to standard error alone."""
    path = tmp_path / "a.tif"
    path.write_bytes(pictures.encoded(pictures.picture(), "TIFF"))
    result = program.run("--picgo", "upload", path)
    assert result.code == 0
    assert len(result.lines) == 1
    assert result.err


def test_through_a_running_server(program: Program, files: list[Path]) -> None:
    """A daemon gives the same lines."""
    program.configure()
    with program.serving():
        assert len(program.run("--picgo", "upload", *files).lines) == 3
        result = program.run("--picgo", "upload", files[0], "/nowhere/a.png")
        assert (result.code, only_errors(result)) == (9, True)


def test_json_is_held_back_too(program: Program, files: list[Path]) -> None:
    """Of a failure nothing is printed but the failure."""
    assert json.loads(program.run("--picgo", "--json", files[0]).out)[0]["url"]
    assert only_errors(program.run("--picgo", "--json", files[0], "/nowhere/a.png"))


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--picgo", "upload", "a"], ["upload", "a"]),
        (["upload", "a", "--picgo"], ["upload", "a"]),
        (["upload", "--", "--picgo"], None),
        (["upload", "a"], None),
        (["--picgo"], []),
    ],
)
def test_the_flag_stands_anywhere(words: list[str], left: list[str] | None) -> None:
    """Before or behind the command; behind -- it is a file's name."""
    before = list(words)
    assert take_flag(words) is (left is not None)
    assert words == (before if left is None else left)
