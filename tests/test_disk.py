"""Files are whole or absent, private, and their troubles are told."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from imghost.disk import (
    machine_errors,
    make_private_folder,
    write_atomically,
    write_durably,
    write_over,
)
from imghost.errors import MachineError


@pytest.mark.parametrize("write", [write_atomically, write_durably])
def test_writes_and_replaces(tmp_path: Path, write: object) -> None:
    """The bytes are there, also over former ones, and nothing unfinished is left."""
    assert callable(write)
    target, tmp = tmp_path / "a" / "b.bin", tmp_path / "tmp"
    for data in (b"one", b"", b"three" * 1000):
        write(target, data, tmp)
        assert target.read_bytes() == data
    assert list(tmp.iterdir()) == []


def test_writes_over_what_is_there(tmp_path: Path) -> None:
    """The same file, private, holds the new bytes and nothing but spaces behind them."""
    target = tmp_path / "f"
    for data in (b"one", b"three" * 1000, b"two"):
        write_over(target, data)
        assert target.read_bytes().rstrip(b" ") == data
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(MachineError, match="gone"):
        write_over(tmp_path / "gone" / "f", b"1")


def test_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600 even under umask 0."""
    former = os.umask(0)
    try:
        write_durably(tmp_path / "x" / "y" / "f", b"1", tmp_path / "x" / "tmp")
    finally:
        os.umask(former)
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "x").rglob("*")}
    assert {m for p, m in modes.items() if p.is_dir()} == {0o700}
    assert {m for p, m in modes.items() if p.is_file()} == {0o600}


def test_a_failed_write_leaves_the_former_file(tmp_path: Path) -> None:
    """If the bytes cannot be written, the former ones stay and no litter does."""
    target, tmp = tmp_path / "f", tmp_path / "tmp"
    write_durably(target, b"former", tmp)
    with pytest.raises(TypeError):
        write_durably(target, "no bytes", tmp)  # type: ignore[arg-type] # that is the point
    assert target.read_bytes() == b"former"
    assert list(tmp.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EACCES, "not writable"),
        (errno.EROFS, "not writable"),
        (errno.EIO, "check the disk"),
    ],
)
def test_says_what_the_disk_said(number: int, words: str) -> None:
    """Each trouble of the disk becomes a MachineError that names the path and what to do."""
    with pytest.raises(MachineError, match=words) as caught, machine_errors(Path("/data/x")):
        raise OSError(number, os.strerror(number))
    assert "/data/x" in str(caught.value)
    assert caught.value.exit_code == 10


def test_folders_are_made_once(tmp_path: Path) -> None:
    """A folder that exists keeps its own mode."""
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path / "new")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
