"""Every row of the fault table is proved somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.proofs import not_there
from tests.faults.rows import ELSEWHERE, ROWS, rows_of

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
