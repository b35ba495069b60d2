"""strace, which kills a program at its Nth call, or has that fail: N = 1, 2, 3..."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

import pytest

from tests.fakes.needs import may_skip
from tests.faults.trial import Trial

WRITES = ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "mkdir", "ftruncate")
"""The system calls by which a home changes.

strace counts each kind for itself and in each thread: the Nth is a program's Nth only where one
thread makes them all, as for a command with one picture. With several it is the first thread's that
comes so far.
"""
_FAILED_FLUSH = re.compile(r"sync\((?P<handle>\d+<.*>)\) .*\(INJECTED\)\n")

needs_strace = pytest.mark.skipif(
    not shutil.which("strace") and may_skip(), reason="strace is not installed here"
)


def killing(call: str, n: int) -> tuple[str, ...]:
    """What to put before a command to have it die as its Nth such call begins."""
    return (*_strace(call, Path("/dev/null")), "-e", f"inject={call}:signal=KILL:when={n}")


def failing(call: str, n: int, error: str, log: Path) -> tuple[str, ...]:
    """What to put before a command to have its Nth such call, and no other, fail with this error.

    `log` tells afterwards whether that happened.
    """
    traced = _strace(f"{call},close", log)
    return (*traced, "-y", "--seccomp-bpf", "-e", f"inject={call}:error={error}:when={n}")


def was_met(log: Path) -> bool:
    """Whether the call came that was to fail."""
    return "(INJECTED)" in log.read_text()


def flushed_again(log: Path) -> list[str]:
    """The flushes of a file on the very handle on which one had failed: they would tell nothing.

    Those of the journal are SQLite's, which flushes its log once more as it closes, but believes
    nothing of it that a failed flush was to have kept.
    """
    said = log.read_text()
    failed = _FAILED_FLUSH.search(said)
    if not failed or ".db" in failed["handle"]:
        return []
    before_closed = said[failed.end() :].partition(f"close({failed['handle']})")[0]
    return [line for line in before_closed.splitlines() if f"sync({failed['handle']})" in line]


def every_nth(
    trial: Trial,
    pool: Executor,
    calls: Sequence[str],
    meets: Callable[[str, int], bool],
    *,
    quick_step: int,
    unmet: int = 1,
) -> int:
    """How often a run met the Nth call of a kind, as `meets` says: N = 1, 2, 3... until it did not.

    `unmet`: so many N in a row must not be met before it ends, where runs differ by chance. The
    quick form takes only every so many, from a random one on, and ends with the first.
    """
    step, unmet = trial.size((quick_step, 1), (1, unmet))
    firsts = [trial.chance.randint(1, step) for _ in calls]

    def count(call: str, n: int) -> int:
        met = misses = 0
        while misses < unmet:
            is_met = meets(call, n)
            met, misses = met + is_met, 0 if is_met else misses + 1
            n += step
        return met

    return sum(pool.map(count, calls, firsts))


def _strace(call: str, log: Path) -> tuple[str, ...]:
    return ("strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}")
