"""Every row of the fault table is proved somewhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.proofs import TESTS, not_there
from tests.faults.rows import ELSEWHERE, ROWS, rows_of
from tests.faults.trial import End, LongForm

HERE = Path(__file__).parent


def _marked(path: Path) -> Iterator[int]:
    """The rows that are named in marks in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(ast.Attribute(attr="row"), [ast.Constant(int(row))]):
                yield row


def test_each_row_is_proved() -> None:
    """By a sweep here, or by tests beside what they test."""
    here = {row for path in HERE.glob("test_*.py") for row in _marked(path)}
    assert here | ELSEWHERE.keys() == ROWS.keys()


def test_what_is_elsewhere_is_there() -> None:
    """A test that was renamed or moved is not forgotten."""
    assert not_there([name for names in ELSEWHERE.values() for name in names]) == []


def test_rows_are_told_by_node_ids() -> None:
    """Also of tests in classes, and with parameters."""
    assert rows_of("tests/test_bilibili.py::TestAnswers::test_meaning[1]") == [7]
    assert rows_of("tests/test_owner.py::test_leaves_nothing_behind") == []


def test_a_row_that_nothing_proved_is_missed() -> None:
    """In a whole run a test of each row passes."""
    form = LongForm(1, rows_of)
    form.ends[1][End("passed")] += 1
    form.ends[2][End("failed")] += 1
    assert form.missing([1, 2, 3]) == ["row 2: no test of it passed", "row 3: no test of it passed"]
    assert form.missing(()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all of it is skipped")
def test_what_was_skipped_is_told(tmp_path: Path) -> None:
    """The long form on a machine without strace: in its table, at its end, and by its code."""
    command = [sys.executable, "-m", "tests.faults", str(HERE / "test_kill.py")]
    environ = {"PATH": str(tmp_path)}
    ended = subprocess.run(
        command, cwd=TESTS.parent, env=environ, capture_output=True, text=True, check=False
    )
    why = "3 skipped: strace is not installed here"
    assert ended.returncode == 1
    assert f"| 15 | kill -9 anywhere: sweeps | {why} | | | |\n" in ended.stdout
    assert ended.stdout.endswith(f"the form was not whole:\nrow 15: {why}\n")
