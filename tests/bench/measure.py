"""Whole processes, timed from outside by what the operating system accounts for them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_S = 0.1
_TICK_HZ = os.sysconf("SC_CLK_TCK")
IMGHOST = (str(Path(sys.executable).with_name("imghost")),)


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


class LeftOut(Exception):
    """Something that cannot be measured here, and why."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what, self.why = what, why


_WRAPPER = """
import os, sys, time
null = os.open(os.devnull, os.O_RDWR)
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), time.perf_counter() - start, usage.ru_maxrss)
"""
"""A small process starts what is measured: a child begins with its parent's peak memory."""


def run(command: Sequence[str], environ: Mapping[str, str]) -> Run:
    """Run a command to its end, its output thrown away. Raises RuntimeError if it fails."""
    told = subprocess.run(
        [sys.executable, "-S", "-E", "-c", _WRAPPER, *command],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    code, wall_s, peak_kb = told.stdout.split()
    if code != "0":
        raise RuntimeError(f"{command} ended with {code}")
    return Run(float(wall_s), int(peak_kb) / 1024)


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


def compared(what: str, took_s: float, most_s: float) -> Row:
    """A time beside the longest that is asked for."""
    figure, floor = f"{took_s * 1000:.0f} ms", f"<= {most_s * 1000:.0f} ms"
    return Row(what, figure, floor, met=took_s <= most_s)


def print_row(row: Row) -> None:
    """What was measured, the figure, what was asked for, and whether it was met."""
    verdict = "" if row.met is None else "met" if row.met else "MISSED"
    sys.stdout.write(f"{row.what:<62} {row.figure:>14} {row.floor:>12}  {verdict}".rstrip() + "\n")
    sys.stdout.flush()


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended
            found += map(int, (task / "children").read_text().split())
    return found


def memory_mb(pid: int) -> float:
    """What a process and its children hold (Pss), now."""
    return sum(map(_pss_mb, _family(pid)))


@contextmanager
def peaks_mb(pid: int) -> Iterator[list[float]]:
    """What a process and its children hold (Pss), looked at again and again."""
    seen, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_S):
            seen.append(memory_mb(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu_s(pid: int) -> float:
    """What it has computed so far, its children not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK_HZ
