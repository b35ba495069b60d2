"""Whole processes, timed from outside by what the operating system accounts for them."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

IMGHOST = (sys.executable, "-m", "imghost")


@dataclass(frozen=True)
class Run:
    """One finished process: seconds on the wall, and its largest resident memory."""

    wall_s: float
    peak_mb: float


@dataclass(frozen=True)
class Row:
    """One line of the table; `floor` is what is asked for, "" for a figure to compare with."""

    what: str
    figure: str
    floor: str = ""
    met: bool | None = None


def run(command: Sequence[str], environ: Mapping[str, str]) -> Run:
    """Run a command to its end, its output thrown away. Raises RuntimeError if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"{command}: {process.returncode}: {said.decode()}")
    return Run(wall_s, usage.ru_maxrss / 1024)


def median_run(make: Callable[[], Sequence[str]], environ: Mapping[str, str], runs: int) -> Run:
    """The median time and memory of several runs after a warm-up; each command is made anew."""
    run(make(), environ)
    found = [run(make(), environ) for _ in range(runs)]
    return Run(
        statistics.median(r.wall_s for r in found), statistics.median(r.peak_mb for r in found)
    )


def environment(home: Path) -> dict[str, str]:
    """A home folder of its own, and compiled modules kept, as an installed program has them."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return environ | {"IMGHOST_HOME": str(home), "LC_ALL": "C.UTF-8"}


def median_s(work: Callable[[], object], runs: int) -> float:
    """The median time of calling it, after a warm-up."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def print_table(rows: Sequence[Row]) -> None:
    """The figures, what was asked for, and whether it was met."""
    for row in rows:
        verdict = "" if row.met is None else "met" if row.met else "NOT MET"
        sys.stdout.write(f"{row.what:<58} {row.figure:>16} {row.floor:>14}  {verdict}\n")
    sys.stdout.flush()


def children_peak_mb() -> float:
    """The largest resident memory of any process that has ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
