"""Processes that stand still."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.fakes.program import eventually


def freeze(pid: int) -> None:
    """Stop that process, and wait until it is: one that has yet to be told may still read."""
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: state_of(pid) == "T")


def state_of(pid: int) -> str:
    """The letter of `ps` for what that process does. Raises OSError if it is gone."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
