"""Files that are whole or absent, and writes that survive a power cut."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from imghost.errors import MachineError

_RENAME_TRIES = 20
_RENAME_WAIT_S = 0.05
_UNFINISHED = ".imghost-{}.tmp"


def is_there(path: str | Path) -> bool:
    """Whether there is anything; not where nobody may look, for which Path raises before 3.14."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def is_file(path: str | Path) -> bool:
    """Whether it is a file, or a link to one; as `is_there`."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_folder(path: str | Path) -> bool:
    """Whether it is a folder, or a link to one; as `is_there`."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def make_private_folder(path: Path) -> list[Path]:
    """Create a folder, and those above it, that only this user can enter, whatever the umask.

    The folders that were missing.
    """
    missing = []
    for folder in (path, *path.parents):
        if folder.exists():  # and so do those above it
            break
        missing.append(folder)
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            folder.chmod(0o700)
    return missing


def write_durably(path: Path, data: bytes, tmp: Path) -> None:
    """Put the bytes at `path`, unless they are, so that they are there after a power cut.

    `tmp` is a folder on the same file system for the unfinished file. Raises MachineError.
    """
    if _holds(path, data):
        with machine_errors(path):
            _sync_folder(path.parent)  # who wrote it may have died before that
    else:
        _write(path, data, tmp, durable=True)


def write_atomically(path: Path, data: bytes, tmp: Path) -> None:
    """Put the bytes at `path`, whole or not at all; a power cut may bring the former ones back."""
    _write(path, data, tmp, durable=False)


def write_over(path: Path, data: bytes) -> None:
    """Put the bytes at the start of a small file of ours; a new file would take far longer.

    One write, with spaces over what was longer: of several who write at once one has written all
    of it, though behind it may be the end of what another wrote. A power cut may leave anything.
    Raises MachineError.
    """
    with machine_errors(path):
        handle = os.open(path, _OVER, 0o600)
        try:
            os.write(handle, data.ljust(os.fstat(handle).st_size))
        finally:
            os.close(handle)


def replace_file(path: Path, data: bytes, check: Callable[[], None]) -> None:
    """Put other bytes into a file that is there, whole or not at all; mode and owner stay.

    `check` is called when only the exchange is left to do, and stops it by raising. The unfinished
    file is a hidden one beside it; see `tidy_folder`. Raises MachineError.
    """
    with machine_errors(path):
        former = path.stat()
        unfinished = path.with_name(_UNFINISHED.format(os.urandom(16).hex()))
        try:
            with os.fdopen(os.open(unfinished, _CREATE, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                _sync_file(file.fileno())
            _make_alike(unfinished, former)
            check()
            _rename(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def tidy_folder(
    folder: Path, unfinished: str = _UNFINISHED.format("*"), older_than_s: float = 0.0
) -> None:
    """Delete what was left there by processes that were killed, by default by `replace_file`.

    That is what has such a name, as `Path.glob` takes it, and is so old: what takes long, another
    process may write just now. Raises MachineError.
    """
    since = time.time() - older_than_s
    with machine_errors(folder):
        for left in folder.glob(unfinished):
            with contextlib.suppress(OSError):
                if left.stat().st_mtime <= since:
                    left.unlink()


def _make_alike(path: Path, former: os.stat_result) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(PermissionError):
            os.chown(path, former.st_uid, former.st_gid)
    path.chmod(stat.S_IMODE(former.st_mode))


def _write(path: Path, data: bytes, tmp: Path, *, durable: bool) -> None:
    with machine_errors(path):
        make_private_folder(tmp)
    with replacing(path, tmp / os.urandom(16).hex(), durable=durable) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path, unfinished: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A private file to be filled, which stands at `path` when the block ends, or not at all.

    Until then it is `unfinished`, on the same file system. Raises MachineError, also for what the
    operating system says within the block.
    """
    with machine_errors(path):
        new_folders = make_private_folder(path.parent)
        try:
            with os.fdopen(os.open(unfinished, _CREATE, 0o600), "wb") as file:
                yield file
                if durable:
                    file.flush()
                    _sync_file(file.fileno())
            _rename(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        if durable:
            try:
                for folder in (path.parent, *(new.parent for new in new_folders)):
                    _sync_folder(folder)
            except OSError:  # it may be there or not after a power cut: it is written anew
                path.unlink(missing_ok=True)
                raise


_OVER = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
_CREATE = _OVER | os.O_EXCL


@contextlib.contextmanager
def machine_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says about `path` into a MachineError that says what to do."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MachineError(
                "the disk is full: {path} could not be written; make room and try again",
                path=str(path),
            ) from exc
        if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise MachineError(
                "{path} is not writable; change its permissions or set IMGHOST_HOME to another "
                "folder",
                path=str(path),
            ) from exc
        raise MachineError(
            "{path} could not be written: {detail}; check the disk",
            path=str(path),
            detail=exc.strerror or str(exc),
        ) from exc


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _sync_file(handle: int) -> None:
    if sys.platform == "darwin":  # fsync alone stops at the drive's cache there
        import fcntl

        try:
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        except OSError:  # network drives know it not
            os.fsync(handle)
    else:
        os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # a folder has no handle to sync; the rename was written through
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename(source: Path, target: Path) -> None:
    if sys.platform != "win32":
        source.replace(target)
        return
    import ctypes

    replace_existing, write_through = 0x1, 0x8
    for attempt in range(_RENAME_TRIES):
        if ctypes.windll.kernel32.MoveFileExW(
            str(source), str(target), replace_existing | write_through
        ):
            return
        if attempt < _RENAME_TRIES - 1:  # somebody reads the target: scanners let go soon
            time.sleep(_RENAME_WAIT_S)
    raise ctypes.WinError()
