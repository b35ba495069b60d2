"""One file in a watched folder: looked at without following links, read as what was seen."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import stat
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from imghost.errors import ImageError, SourceError
from imghost.imaging.sniff import HEAD_BYTES
from imghost.keep.seen import Stamp
from imghost.sources.off_limits import NOTHING, OffLimits
from imghost.values import dataclass

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NOCTTY", 0)
_FILE = os.O_RDONLY | _NO_LINKS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True)
class FileFind:
    """A file that stands still; `folder` is the watched one it was found below, as it was named.

    `tries`: how often it was handed on before and could not be decoded. `since`: when it was last
    known to change, or to come, in seconds of the monotonic clock.
    """

    folder: Path
    path: Path
    stamp: Stamp
    tries: int = 0
    since: float = field(default=math.inf, compare=False)
    off_limits: OffLimits = field(default=NOTHING, compare=False, repr=False)

    def load(self, max_bytes: int) -> bytes:
        """The file's bytes.

        Raises SourceError if it is not the one that was found, ImageError if it is larger, or off
        limits.
        """
        if self.stamp.size_bytes > max_bytes:
            raise ImageError(
                "{path} is larger than {max_mb} MB; raise limits.input_bytes if it is meant to be",
                path=str(self.path),
                max_mb=max_bytes // 1_000_000,
            )
        with self._opened() as handle, open(handle, "rb", closefd=False) as file:
            data = file.read(self.stamp.size_bytes + 1)
            if len(data) != self.stamp.size_bytes or Stamp.of(os.fstat(handle)) != self.stamp:
                raise self._changed()
        return data

    def head(self) -> bytes:
        """The file's first bytes. Raises as `load` does."""
        with self._opened() as handle:
            return os.read(handle, HEAD_BYTES)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        if reason := self.off_limits.reason(self.path):
            raise ImageError(reason.template, **reason.fields)
        try:
            handle = _open_below(self.folder, self.path)
            try:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode) or Stamp.of(status) != self.stamp:
                    raise self._changed()
                yield handle
            finally:
                os.close(handle)
        except (OSError, ValueError) as exc:
            raise self._unreadable(exc) from exc

    def _changed(self) -> SourceError:
        return SourceError(
            "{path} changed while it was read; it is taken once it stands still",
            path=str(self.path),
        )

    def _unreadable(self, exc: OSError | ValueError) -> SourceError:
        if not isinstance(exc, OSError) or exc.errno in _NOT_THERE:
            return SourceError(
                "{path} is gone; it was deleted, renamed or replaced before it was read",
                path=str(self.path),
            )
        return SourceError(
            "{path} cannot be read: {detail}; check its permissions",
            path=str(self.path),
            detail=exc.strerror or str(exc),
        )


def stamp_of(path: str) -> Stamp | None:
    """The stamp of a file; None if there is none, or a link, or anything else."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return Stamp.of(status) if stat.S_ISREG(status.st_mode) else None


def _open_below(folder: Path, path: Path) -> int:
    """A handle of a file, opened part by part: below the folder no link is followed."""
    *parents, name = path.relative_to(folder.resolve()).parts
    if os.open not in os.supports_dir_fd:  # Windows, where links are for administrators
        return os.open(path, _FILE)
    at = os.open(folder, _FOLDER)
    for part, flags in (*((parent, _FOLDER | _NO_LINKS) for parent in parents), (name, _FILE)):
        try:
            inner = os.open(part, flags, dir_fd=at)
        finally:
            os.close(at)
        at = inner
    return at
