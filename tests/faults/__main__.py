"""The whole fault table in its long form: `python -m tests.faults`, some 40 minutes.

It prints a table of what was done, what was lost by it, and how long it took until all was well.
What was left out stands in it with its reason, and then the exit code is not 0.
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
    """Run what is asked for, and print the table; pytest's exit code, or 1 if it was not whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("tests", nargs="*", help="some tests, by pytest's names; none: all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    elsewhere = {str(TESTS / name) for names in ELSEWHERE.values() for name in names}
    form = LongForm(options.seed, rows_of)
    sys.stdout.write(f"seed {options.seed}\n")
    sys.stdout.flush()
    code = pytest.main(
        ["-n0", "--durations=20", *(options.tests or [str(HERE), *sorted(elsewhere)])],
        plugins=[form],
    )
    missing = form.missing(() if options.tests else ROWS)
    lines = ["", table(form), "", f"seed {options.seed}"]
    lines += ["the form was not whole:", *missing] if missing else []
    sys.stdout.write("\n".join([*lines, ""]))
    return int(code) or bool(missing)


def table(form: LongForm) -> str:
    """The figures as a Markdown table, how tests elsewhere ended, and what of the sweeps is amiss.

    The figures of a sweep that failed or was skipped are not there.
    """
    lines = [
        "| # | fault | events | lost | sent twice | longest recovery |",
        "|---|---|---|---|---|---|",
    ]
    for row, fault in ROWS.items():
        lines += [_line(figure) for figure in form.figures if figure.row == row]
        for end, count in form.ends[row].items():
            if not (end.is_sweep and end.outcome == "passed"):
                what = "sweeps" if end.is_sweep else "tests with one case each"
                ended = f"{count} {end.outcome}" + (f": {end.why}" if end.why else "")
                lines.append(f"| {row} | {fault}: {what} | {ended} | | | |")
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
