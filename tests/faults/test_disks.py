"""Rows 11, 12 and 27: a disk that is full, fails, or is taken away under the program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import pictures
from tests.fakes.program import Program, eventually
from tests.faults.disks import ext4, needs_ext4, needs_mounts, tmpfs
from tests.faults.folder import Folder
from tests.faults.injecting import every_nth, failing, needs_strace, was_met
from tests.faults.promise import LOCAL, Home
from tests.faults.trial import Trial

SIZE_BYTES = 64 << 20
PICTURE_BYTES = 60_000
RECOVERY_S = 5.0
BROKEN = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "mkdir")


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
    """Whatever had no room: what was not kept is refused, and there is no end to anything."""
    home = Home(small / "imghost")
    program = Program(home.path, {"IMGHOST_LOG": "debug"})
    program.configure()
    path = tmp_path / "a.png"
    times = trial.size(8, 100)
    kept = []
    with program.serving():
        for n in range(times):
            data = _save(path, n)
            filler = _fill(small, trial.chance.randrange(0, 2 * PICTURE_BYTES))
            result = program.run("upload", path)
            filler.unlink()
            assert result.code in (0, 6, 10), result  # 6: accepted, and then there was no room
            assert ("disk is full" in result.err) == (result.code > 0)
            kept += [data] if result.code < 10 else []
            with trial.recovering():
                assert program.run("upload", path).code == 0
    home.check(*kept)
    assert len(kept) < times
    trial.note(f"disk full while uploading, {times - len(kept)} refused", times)


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
    folder.home.check(*folder.given)
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("disk full while a folder is watched", times)


@needs_ext4
@pytest.mark.row(27)
def test_read_only_for_a_while(trial: Trial, tmp_path: Path) -> None:
    """So it is where nothing may be written any more, though the program runs already."""
    times = trial.size(2, 10)
    with ext4(tmp_path) as disk:
        folder = Folder(Program(disk.path / "imghost"), tmp_path / "watched", {})
        with folder.watching():
            for _ in range(times):
                _set_writable(folder, "+i")
                _save_in_vain(folder, "not writable")
                _set_writable(folder, "-i")
                with trial.recovering():
                    eventually(lambda: folder.is_done)
        folder.home.check(*folder.given, behind=len(folder.given))
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("data read-only while a folder is watched", times)


def _set_writable(folder: Folder, change: str) -> None:
    """Have nobody change the folder of the originals, not even root, or let them again."""
    folder.home.dirs.originals.mkdir(exist_ok=True)
    subprocess.run(["chattr", "-R", change, folder.home.dirs.originals], check=True)


def _save_in_vain(folder: Folder, reason: str) -> None:
    folder.save(5)
    eventually(lambda: any(reason in problem for problem in folder.program.status["missing"]))


@needs_strace
@pytest.mark.row(12)
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_failing_at_each_write(trial: Trial, tmp_path: Path, pool: Executor, error: str) -> None:
    """The Nth write fails, N = 1, 2, 3...: what is said to be accepted can be read."""
    path = tmp_path / "a.png"
    data = _save(path, 1)

    def meets(call: str, n: int) -> bool:
        home, log = Home(tmp_path / f"{call}-{n}"), tmp_path / f"{call}-{n}.log"
        program = Program(home.path, prefix=failing(call, n, error, log))
        program.configure(**LOCAL)
        result = program.run("upload", path)
        is_accepted = bool(result.out.strip()) or "kept" in result.err
        assert result.code in (0, 10) or is_accepted, result
        home.restart()
        assert set(home.states) <= {"done"}, home.rows
        home.check(*([data] if is_accepted else []), behind=1)
        return was_met(log)

    failures = every_nth(trial, pool, BROKEN, meets, quick_step=15)
    trial.note(f"{error} at the Nth write", failures)
