"""Locks exclude one another, between objects and between processes, and die with their holder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imghost.lock import FileLock

HOLDER = """
import sys, pathlib
from imghost.lock import FileLock
lock = FileLock(pathlib.Path(sys.argv[1]))
print(lock.acquire(shared=sys.argv[2] == "shared"), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [(False, False, False), (False, True, False), (True, False, False), (True, True, True)],
)
def test_excludes(tmp_path: Path, first: bool, second: bool, fits: bool) -> None:
    """Only two shared holders go together."""
    with FileLock(tmp_path / "l") as one, FileLock(tmp_path / "l") as two:
        assert one.acquire(shared=first)
        assert two.acquire(shared=second) == fits
        one.release()
        one.release()
        assert fits or two.acquire(shared=second)


@pytest.mark.parametrize("kind", ["shared", "alone"])
def test_dies_with_its_process(tmp_path: Path, kind: str) -> None:
    """What another process holds is refused while it lives and free once it was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "l"), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline().strip() == "True"
        with FileLock(tmp_path / "l") as lock:
            assert not lock.acquire()
            holder.kill()
            assert lock.acquire(wait_s=5)


def test_knows_when_its_file_was_removed(tmp_path: Path) -> None:
    """A lock whose file somebody removed is no longer in place."""
    with FileLock(tmp_path / "l") as lock:
        assert not lock.in_place
        lock.acquire()
        assert lock.in_place
        (tmp_path / "l").unlink()
        assert not lock.in_place
        (tmp_path / "l").touch()
        assert not lock.in_place


def test_is_taken_again_when_it_can_be(tmp_path: Path) -> None:
    """Where another one holds the new file just when the old one is missed, it is not given up."""
    with FileLock(tmp_path / "l") as lock, FileLock(tmp_path / "l") as other:
        lock.acquire()
        (tmp_path / "l").unlink()
        assert other.acquire()
        lock.keep()
        other.release()
        lock.keep()
        assert lock.in_place
        lock.release()
        lock.keep()
        assert not lock.in_place
