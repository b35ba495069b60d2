"""Locks between processes that a crash frees."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from imghost.disk import machine_errors, make_private_folder

_POLL_S = 0.02


class FileLock:
    """An operating-system lock on a file, exclusive or shared; freed when its process ends.

    Each object is one holder: two objects in one process exclude one another too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None
        self._is_wanted = False

    @property
    def in_place(self) -> bool:
        """Whether the lock is held, and on the file that others find at its path."""
        try:
            return self._handle is not None and os.path.samestat(
                os.fstat(self._handle), self.path.stat()
            )
        except FileNotFoundError:
            return False

    def acquire(self, *, shared: bool = False, wait_s: float = 0.0) -> bool:
        """Take the lock within `wait_s`; False if others hold it that long. Raises MachineError."""
        with machine_errors(self.path):
            make_private_folder(self.path.parent)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + wait_s
        while not _try_lock(handle, shared=shared):
            if time.monotonic() >= until:
                os.close(handle)
                return False
            time.sleep(_POLL_S)
        self._handle, self._is_wanted = handle, True
        return True

    def release(self) -> None:
        """Free the lock; doing so twice is harmless."""
        self._is_wanted = False
        self._free()

    def keep(self) -> None:
        """Take the lock again if its file was deleted under us. Raises MachineError.

        Where another one has the new file's lock just then, the next call tries again.
        """
        if self._is_wanted and not self.in_place:
            self._free()
            self.acquire()

    def _free(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)

    def remove(self) -> None:
        """Delete the file and free the lock."""
        if sys.platform == "win32":  # where an open file cannot be deleted
            self.release()
        with contextlib.suppress(OSError):
            self.path.unlink()
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    class _Overlapped(ctypes.Structure):
        _fields_ = (
            ("internal", ctypes.c_void_p),
            ("internal_high", ctypes.c_void_p),
            ("offset", wintypes.DWORD),
            ("offset_high", wintypes.DWORD),
            ("event", wintypes.HANDLE),
        )

    def _try_lock(handle: int, *, shared: bool) -> bool:
        fail_immediately, exclusive = 0x1, 0x2  # msvcrt.locking knows no shared locks
        flags = fail_immediately | (0 if shared else exclusive)
        return bool(
            ctypes.windll.kernel32.LockFileEx(
                wintypes.HANDLE(msvcrt.get_osfhandle(handle)),
                flags,
                0,
                1,
                0,
                ctypes.byref(_Overlapped()),
            )
        )
else:
    import fcntl

    def _try_lock(handle: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
