"""How a running daemon is found: its lock, and its door."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from imghost.dirs import Dirs
from imghost.door import Door, close_door, open_door
from imghost.lock import FileLock


class Presence:
    """The daemon's lock and door, from `with` to its end; `keep` puts back what was deleted."""

    def __init__(self, dirs: Dirs, lock: FileLock, door: Door, tmp: Path) -> None:
        self._dirs = dirs
        self._lock = lock
        self._door = door
        self._tmp = tmp
        self._is_open = False

    def __enter__(self) -> Self:
        open_door(self._dirs, self._door, self._tmp)
        self._is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self._is_open = False
        close_door(self._dirs)

    def keep(self) -> None:
        """Be found again after somebody deleted the state folder. Raises MachineError."""
        if not self._is_open:
            return
        self._lock.keep()
        if not self._dirs.door.exists():
            open_door(self._dirs, self._door, self._tmp)
