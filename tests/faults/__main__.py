"""The whole fault table in its long form: `python -m tests.faults`, some 35 minutes.

It prints a table of what was done, what was lost by it, and how long it took until all was well.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import pytest

from tests.fakes.proofs import TESTS
from tests.faults.rows import ELSEWHERE, ROWS, rows_of
from tests.faults.trial import Figure, LongForm

HERE = Path(__file__).parent


def main() -> int:
    """Run what is asked for, and print the table; pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("tests", nargs="*", help="some tests, by pytest's names; none: all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    elsewhere = {str(TESTS / name) for names in ELSEWHERE.values() for name in names}
    form = LongForm(options.seed, rows_of)
    sys.stdout.write(f"seed {options.seed}\n")
    sys.stdout.flush()
    code = pytest.main(
        ["--durations=20", *(options.tests or [str(HERE), *sorted(elsewhere)])],
        plugins=[form],
    )
    sys.stdout.write(f"\n{table(form)}\n\nseed {options.seed}\n")
    return int(code)


def table(form: LongForm) -> str:
    """The figures as a Markdown table, and how many tests elsewhere passed for each row."""
    lines = [
        "| # | fault | events | lost | sent twice | longest recovery |",
        "|---|---|---|---|---|---|",
    ]
    for row, fault in ROWS.items():
        lines += [_line(figure) for figure in form.figures if figure.row == row]
        if form.passed[row] or form.failed[row]:
            ended = f"{form.passed[row]} passed, {form.failed[row]} failed"
            lines.append(f"| {row} | {fault}: tests with one case each | {ended} | | | |")
    return "\n".join(lines)


def _line(figure: Figure) -> str:
    what = f"{figure.what} ({figure.more})" if figure.more else figure.what
    longest = "" if figure.longest_s is None else f"{figure.longest_s:.1f} s"
    lost = f"0 of {figure.checked:,}" if figure.checked else "-"
    twice = "-" if figure.twice is None else figure.twice
    counts = f"{figure.events:,} | {lost} | {twice}"
    return f"| {figure.row} | {what} | {counts} | {longest} |"


if __name__ == "__main__":
    sys.exit(main())
