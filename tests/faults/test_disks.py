"""Rows 11, 12 and 27: a disk that is full, fails, or is taken away under the program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from imghost.cli import client
from tests.fakes import pictures
from tests.fakes.program import Program, eventually
from tests.faults.disks import ext4, needs_ext4, needs_mounts, tmpfs
from tests.faults.folder import Folder
from tests.faults.injecting import every_nth, failing, flushed_again, needs_strace, was_met
from tests.faults.promise import LOCAL, Home
from tests.faults.trial import Trial

SIZE_BYTES = 64 << 20
PICTURE_BYTES = 60_000
RECOVERY_S = 5.0
OUR_FLUSH = ("fsync",)  # SQLite's is fdatasync
OTHERS = ("write", "pwrite64", "ftruncate", "fdatasync", "rename", "unlink", "mkdir")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    with tmpfs(tmp_path, SIZE_BYTES) as path:
        yield path


def _save(path: Path, seed: int) -> bytes:
    """A picture that needs some room."""
    path.write_bytes(pictures.png(seed=seed) + bytes(PICTURE_BYTES))
    return path.read_bytes()


def _fill(disk: Path, left_bytes: int) -> Path:
    """Leave so much room on the disk, whatever others write meanwhile."""
    filler, size_bytes = disk / "filler", 0
    with filler.open("wb") as file:
        for piece_bytes in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), size_bytes, piece_bytes)
                    size_bytes += piece_bytes
        file.truncate(max(0, size_bytes - left_bytes))
    return filler


@needs_mounts
@pytest.mark.row(11)
def test_full_at_any_place(trial: Trial, small: Path, tmp_path: Path) -> None:
    """Whatever had no room: what was not kept is refused, and the same server goes on."""
    home = Home(small / "imghost")
    program = Program(home.path, {"IMGHOST_LOG": "debug"})
    program.configure()
    path = tmp_path / "a.png"
    times = trial.size(8, 100)
    kept = []
    with program.serving() as url:
        server = program.door.pid
        for n in range(times):
            data = _save(path, n)
            filler = _fill(small, trial.chance.randrange(0, 2 * PICTURE_BYTES))
            result = program.run("upload", path)
            filler.unlink()
            assert result.code in (0, 6, 10), result  # 6: accepted, and then there was no room
            assert ("disk is full" in result.err) == (result.code > 0)
            kept += [data] if result.code < 10 else []
            with trial.recovering():
                again = program.run("upload", path)
                assert (again.code, url in again.out) == (0, True), again
        assert (program.door.pid, program.status["counts"]["done"]) == (server, times)
    checked = home.check(*kept)
    assert len(kept) < times
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note(f"disk full while uploading, {times - len(kept)} refused", times, checked=checked)


@needs_mounts
@pytest.mark.row(11)
def test_full_for_a_while(trial: Trial, small: Path, tmp_path: Path) -> None:
    """What was saved meanwhile is taken by itself, soon after there is room again."""
    folder = Folder(Program(small / "imghost"), tmp_path / "watched", {})
    times = trial.size(2, 10)
    with folder.watching():
        for _ in range(times):
            filler = _fill(small, 0)
            _save_in_vain(folder, "full")
            filler.unlink()
            with trial.recovering():
                eventually(lambda: folder.is_done)
    checked = folder.home.check(*folder.given)
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("disk full while a folder is watched", times, checked=checked)


@needs_ext4
@pytest.mark.row(27)
def test_read_only_for_a_while(trial: Trial, tmp_path: Path) -> None:
    """So it is where nothing may be written any more, though the program runs already."""
    times = trial.size(1, 10)
    with ext4(tmp_path) as disk:
        folder = Folder(Program(disk.path / "imghost"), tmp_path / "watched", {})
        folder.home.dirs.originals.mkdir(parents=True)
        with folder.watching():
            for _ in range(times):
                with _read_only(folder.home.dirs.originals):
                    _save_in_vain(folder, "not writable")
                with trial.recovering():
                    eventually(lambda: folder.is_done)
        checked = folder.home.check(*folder.given, behind=len(folder.given))
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("data read-only while a folder is watched", times, checked=checked)


@needs_ext4
@pytest.mark.row(27)
def test_read_only_state(trial: Trial, tmp_path: Path) -> None:
    """A daemon that may no longer write to its state goes on and ends well; commands are told."""
    times = trial.size(1, 3)
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png(seed=999))
    with ext4(tmp_path) as disk:
        folder = Folder(Program(disk.path / "imghost"), tmp_path / "watched", {})
        for _ in range(times):
            with ExitStack() as stack:
                watching = stack.enter_context(folder.watching())
                door = folder.program.door
                stack.enter_context(_read_only(folder.home.dirs.state))
                folder.save(5)
                with trial.recovering():
                    eventually(lambda: folder.is_done)
                told = folder.program.run("upload", path)
                assert (told.code, "is not writable" in told.err) == (10, True), told
                counts: Any = client.status(door)["counts"]
                assert counts["done"] == len(folder.given)
                watching.end()
            folder.save(1)
            folder.finish(trial.bound_s(RECOVERY_S))
        checked = folder.home.check(*folder.given)
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("state read-only while a folder is watched", times, checked=checked)


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Nobody can change anything in this folder, not even root."""
    subprocess.run(["chattr", "-R", "+i", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-R", "-i", folder], check=True)


def _save_in_vain(folder: Folder, reason: str) -> None:
    folder.save(5)
    eventually(lambda: any(reason in problem for problem in folder.program.status["missing"]))


@needs_strace
@pytest.mark.row(12)
@pytest.mark.parametrize(
    ("error", "calls", "quick_step"),
    [("EIO", OTHERS, 15), ("ENOSPC", (*OTHERS, *OUR_FLUSH), 15), ("EIO", OUR_FLUSH, 1)],
    ids=["EIO", "ENOSPC", "EIO of a flush"],
)
def test_failing_at_each_write(
    trial: Trial,
    tmp_path: Path,
    pool: Executor,
    error: str,
    calls: tuple[str, ...],
    quick_step: int,
) -> None:
    """The Nth write fails, N = 1, 2, 3...: what is said to be accepted can be read.

    A flush that failed is not tried again: what was written is given up, and written anew.
    """
    path = tmp_path / "a.png"
    data = _save(path, 1)
    checked: list[int] = []

    def meets(call: str, n: int) -> bool:
        home, log = Home(tmp_path / f"{call}-{n}"), tmp_path / f"{call}-{n}.log"
        program = Program(home.path, prefix=failing(call, n, error, log))
        program.configure(**LOCAL)
        result = program.run("upload", path)
        is_accepted = bool(result.out.strip()) or "kept" in result.err
        assert result.code in (0, 10) or is_accepted, result
        assert flushed_again(log) == []
        home.restart()
        assert set(home.states) <= {"done"}, home.rows
        checked.append(home.check(*([data] if is_accepted else []), behind=1))
        return was_met(log)

    failures = every_nth(trial, pool, calls, meets, quick_step=quick_step)
    what = "flush" if calls == OUR_FLUSH else "write"
    trial.note(f"{error} at the Nth {what}", failures, checked=sum(checked))
