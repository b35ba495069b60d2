"""The folders below the watched ones, looked through cheaply: most did not change."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imghost.keep.seen import Stamp
from imghost.sources.candidates import is_passed_over
from imghost.sources.file_find import stamp_of

_FRESH_NS = 2_000_000_000  # the coarsest clock of a file system, FAT's


@dataclass(frozen=True, slots=True)
class _Folder:
    device: int
    inode: int
    mtime_ns: int


class Tree:
    """Knows folders by their devices, inodes and times; not which files are in them.

    `besides` are folders, without links in their paths, that are never looked into. A folder on
    another device than the one around it is put into `mounted`, once, and not looked into by
    itself: what is in it came with it.
    """

    def __init__(self, besides: Iterable[str] = ()) -> None:
        self._besides = frozenset(besides)
        self._folders: dict[str, _Folder] = {}
        self.mounted: list[str] = []

    def __contains__(self, folder: str) -> bool:
        return folder in self._folders

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._folders))

    def leave(self, folder: str) -> None:
        """Look into this folder no longer; not those below it."""
        self._folders.pop(folder, None)

    def look_into(self, folder: str, *, thoroughly: bool = False) -> Iterator[tuple[str, Stamp]]:
        """The files of a folder and of those below it; only of folders that changed, unless asked.

        Below a folder that did not change nothing is looked at: `look_around` does that.
        """
        waiting = [(folder, _status(folder))]
        while waiting:
            at, status = waiting.pop()
            if status is None:
                self.leave(at)
            elif not thoroughly and self._is_other_device(at, status):
                self.leave(at)
                self.mounted.append(at)
            elif thoroughly or self._folders.get(at) != _folder_of(status):
                self._folders[at] = _folder_of(status, is_kept=True)
                for entry in _entries(at):
                    if entry.is_file(follow_symlinks=False):
                        if stamp := stamp_of(entry.path):
                            yield entry.path, stamp
                    elif entry.is_dir(follow_symlinks=False):
                        waiting += self._below(entry.path, status)

    def look_around(self) -> Iterator[tuple[str, Stamp]]:
        """The files of all folders that changed since they were looked into."""
        for folder in self:
            yield from self.look_into(folder)

    def _below(self, folder: str, above: os.stat_result) -> Iterator[tuple[str, os.stat_result]]:
        status = None if folder in self._besides else _status(folder)
        if status is None:
            return
        known = self._folders.get(folder)
        if status.st_dev in (above.st_dev, known and known.device):
            yield folder, status
        else:
            self.mounted.append(folder)

    def _is_other_device(self, folder: str, status: os.stat_result) -> bool:
        known = self._folders.get(folder)
        return known is not None and known.device != status.st_dev


def _status(folder: str) -> os.stat_result | None:
    try:
        status = os.lstat(folder)
    except OSError:
        return None
    return status if stat.S_ISDIR(status.st_mode) else None


def _folder_of(status: os.stat_result, *, is_kept: bool = False) -> _Folder:
    """A folder that just changed is kept without its time: it may change within the same tick."""
    mtime_ns = status.st_mtime_ns
    is_fresh = is_kept and time.time_ns() - mtime_ns < _FRESH_NS
    return _Folder(status.st_dev, status.st_ino, 0 if is_fresh else mtime_ns)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not is_passed_over(entry.name)]
    except OSError:
        return []
