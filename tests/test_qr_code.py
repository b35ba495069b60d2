"""The code in the terminal is the very code, in its own colours, as large as there is room for."""

from __future__ import annotations

import re

import pytest
import segno

from imghost.cli.qr_code import drawn
from imghost.secret import Secret
from tests.fakes.bilibili_login import address_of

ADDRESS = Secret(address_of("0123456789abcdef0123456789abcdef"))
SQUARES = 41
BLOCKS = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def squares(lines: list[str]) -> list[list[int]]:
    """The dark squares of the lines, row by row."""
    bare = [re.fullmatch(r"\x1b\[38;5;16;48;5;231m([ ▀▄█]+)\x1b\[0m", line) for line in lines]
    assert all(bare), "each line begins and ends its own colours"
    pairs = [[BLOCKS[block] for block in line[1]] for line in bare if line]
    return [[pair[half] for pair in line] for line in pairs for half in (0, 1)]


@pytest.mark.parametrize(
    ("columns", "rows", "margin"),
    [(200, 60, 4), (80, 25, 4), (80, 24, 2), (80, 23, 2), (49, 25, 4), (48, 25, 2), (43, 22, 1)],
)
def test_it_has_the_margin_that_fits(columns: int, rows: int, margin: int) -> None:
    """In a window of 80x24, of which a line is for something else, it has one, whole."""
    lines = drawn(ADDRESS, columns, rows)
    assert len(lines) == (SQUARES + 2 * margin + 1) // 2 <= rows
    code = segno.make_qr(ADDRESS.reveal(), error="l")
    expected = [[int(dark) for dark in row] for row in code.matrix_iter(border=margin)]
    white = [0] * len(expected[0])
    assert squares(lines) == [*expected, white]


@pytest.mark.parametrize(("columns", "rows"), [(42, 60), (80, 21), (0, -1), (1, 1)])
def test_half_a_code_is_none(columns: int, rows: int) -> None:
    """Where it does not fit nothing is drawn."""
    assert drawn(ADDRESS, columns, rows) == []
