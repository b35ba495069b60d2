"""Small disks of our own: one that can lose its power, and one that can be full. Linux and root."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.needs import may_skip
from tests.fakes.program import eventually

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, in linux/fs/ext4/ext4.h
_WITHOUT_FLUSHING = struct.pack("I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH
_IMAGE = "64M"


def _may_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


needs_mounts = pytest.mark.skipif(
    not _may_mount() and may_skip(), reason="only root can mount a disk, on Linux"
)
needs_ext4 = pytest.mark.skipif(
    not (_may_mount() and Path("/dev/loop-control").exists() and shutil.which("mkfs.ext4"))
    and may_skip(),
    reason="a power cut needs root on Linux, a loop device and mkfs.ext4",
)


@dataclass(frozen=True)
class Disk:
    """An ext4 disk in the file `image`, mounted at `path`."""

    image: Path
    path: Path

    def mount(self) -> None:
        """Mount it: what was cut off before has its log read again, as after a reboot."""
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)

    def unmount(self) -> None:
        """Unmount it, which fails if anybody has a file open there."""
        subprocess.run(["umount", self.path], check=True)

    def cut(self) -> None:
        """Cut the power: all is lost that was not synced, and nothing can be written any more."""
        import fcntl

        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _WITHOUT_FLUSHING)
        finally:
            os.close(handle)

    def settle(self) -> None:
        """Have it as after half a minute, when the system has synced everything."""
        subprocess.run(["sync", "-f", self.path], check=True)

    def boot(self) -> None:
        """After a cut, have the disk again as it was on the platter.

        Whoever made a copy of all mounts meanwhile keeps the cut disk alive, until it is gone.
        """
        self.unmount()
        eventually(lambda: not self._is_held())
        self.mount()

    def _is_held(self) -> bool:
        found = subprocess.run(["losetup", "-j", self.image], check=True, capture_output=True)
        return bool(found.stdout)


@contextmanager
def ext4(folder: Path) -> Iterator[Disk]:
    """A small disk below `folder`."""
    disk = Disk(folder / "disk.img", folder / "disk")
    disk.path.mkdir()
    subprocess.run(["truncate", "-s", _IMAGE, disk.image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", disk.image], check=True)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


@contextmanager
def tmpfs(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A disk in memory that holds so much, below `folder`."""
    path = folder / "small"
    path.mkdir()
    options = f"size={size_bytes}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)
