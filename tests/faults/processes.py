"""What a process takes of the machine, as Linux tells it."""

from __future__ import annotations

import os
import time
from pathlib import Path

_LOOK_S = 0.1


def cpu_s(pid: int) -> float:
    """How long it has computed so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid: int, name: str = "VmRSS") -> int:
    """How much memory it has, or VmHWM for the most that it ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


class Memory:
    """What a process and all that it started come to have, above what they had at first."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._idle_kb = self._most_kb = tree_kb(pid)
        self._looked_at = time.monotonic()

    def look(self) -> bool:
        """Note how much that is now, at most ten times a second: a look holds them up."""
        if time.monotonic() > self._looked_at + _LOOK_S:
            self._most_kb = max(self._most_kb, tree_kb(self._pid))
            self._looked_at = time.monotonic()
        return True

    @property
    def used_kb(self) -> int:
        """The most that was seen, above the first."""
        return self._most_kb - self._idle_kb


def tree_kb(pid: int) -> int:
    """How much memory it has with all that it started; what several share is counted once."""
    children = [int(child) for task in _children(pid) for child in task.split()]
    return _proportional_kb(pid) + sum(map(tree_kb, children))


def _children(pid: int) -> list[str]:
    try:
        return [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it ended meanwhile
        return []


def _proportional_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
