"""The folders below the watched ones, looked through cheaply: most did not change."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from imghost.keep.seen import Stamp
from imghost.sources.candidates import is_passed_over
from imghost.values import dataclass

_FRESH_NS = 2_000_000_000  # the coarsest clock of a file system, FAT's


@dataclass(frozen=True, slots=True)
class _Folder:
    device: int
    inode: int
    mtime_ns: int


class Tree:
    """Knows folders by their devices, inodes and times; not which files are in them.

    `besides` are folders, without links in their paths, that are never looked into. In `apart` are
    folders that are to be looked into by themselves, as what is in them is no news: they are on
    another device than the folder around them, or could not be listed yet. `failures` counts what
    could not be looked at and may still be there.
    """

    def __init__(self, besides: Iterable[str] = ()) -> None:
        self._besides = frozenset(besides)
        self._folders: dict[str, _Folder] = {}
        self.apart: set[str] = set()
        self.failures = 0

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
        waiting = [folder]
        while waiting:
            at = waiting.pop()
            try:
                files, below = self._listed(at, thoroughly=thoroughly)
            except (FileNotFoundError, NotADirectoryError):
                self.leave(at)
            except OSError:
                self._failed(at)
            else:
                yield from files
                waiting += below

    def look_around(self) -> Iterator[tuple[str, Stamp]]:
        """The files of all folders that changed since they were looked into."""
        for folder in self:
            yield from self.look_into(folder)

    def _listed(
        self, folder: str, *, thoroughly: bool
    ) -> tuple[Sequence[tuple[str, Stamp]], Sequence[str]]:
        """The files of a folder and the folders to look into, if there is need to. Raises OSError.

        Its time is read before its files are.
        """
        status, known = _status(folder), self._folders.get(folder)
        if known and known.device != status.st_dev:
            self.leave(folder)
            self.apart.add(folder)
            return (), ()
        if known == _folder_of(status) and not thoroughly:
            return (), ()
        with os.scandir(folder) as all_entries:
            entries = [entry for entry in all_entries if not is_passed_over(entry.name)]
        files = [entry.path for entry in entries if entry.is_file(follow_symlinks=False)]
        folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        self._folders[folder] = _folder_of(status, is_kept=True)
        return (
            [(path, stamp) for path in files if (stamp := self._stamp(path))],
            [path for path in folders if self._is_to_be_entered(path, status.st_dev)],
        )

    def _failed(self, folder: str) -> None:
        if known := self._folders.get(folder):
            self.failures += 1
            self._folders[folder] = replace(known, mtime_ns=0)
        else:
            self.apart.add(folder)

    def _stamp(self, path: str) -> Stamp | None:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return None
        except OSError:
            self.failures += 1
            return None
        return Stamp.of(status) if stat.S_ISREG(status.st_mode) else None

    def _is_to_be_entered(self, folder: str, device: int) -> bool:
        if folder in self._besides:
            return False
        known = self._folders.get(folder)
        try:
            own = os.lstat(folder).st_dev
        except OSError:
            return known is not None
        if own == device or (known and own == known.device):
            return True
        self.apart.add(folder)
        return False


def _status(folder: str) -> os.stat_result:
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError
    return status


def _folder_of(status: os.stat_result, *, is_kept: bool = False) -> _Folder:
    """A folder that just changed is kept without its time: it may change within the same tick."""
    mtime_ns = status.st_mtime_ns
    is_fresh = is_kept and time.time_ns() - mtime_ns < _FRESH_NS
    return _Folder(status.st_dev, status.st_ino, 0 if is_fresh else mtime_ns)
