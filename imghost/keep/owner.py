"""Who sends: a process that claims rows, known by a lock that its death frees."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from imghost.lock import FileLock

_ID = re.compile(r"[0-9a-f]{32}")


class Owner:
    """This process as a sender: `id` stands in the rows it claims, `tmp` is its own folder.

    `run` is the folder of the locks, `tmp_root` that of every process's unfinished files.
    """

    def __init__(self, run: Path, tmp_root: Path) -> None:
        self.id = os.urandom(16).hex()
        self.tmp = tmp_root / self.id
        self._run = run
        self._tmp_root = tmp_root
        self._lock = FileLock(run / f"{self.id}.lock")
        while not (self._lock.acquire() and self._lock.in_place):  # reaped before it was locked
            self._lock.release()

    def keep(self) -> None:
        """Stay known as alive after somebody deleted the lock. Raises MachineError."""
        self._lock.keep()

    def reap(self, owners: set[str], requeue: Callable[[str], object]) -> None:
        """Give back what dead processes left: the rows of `owners`, locks and unfinished files.

        An owner that no process can be has rows at most: its name, from a damaged journal, could
        lead to any file.
        """
        named = {path.stem for path in self._run.glob("*.lock")}
        folders = {path.name for path in self._tmp_root.glob("*")}
        processes = set(filter(_ID.fullmatch, owners | named | folders))
        for nobody in owners - processes:
            requeue(nobody)
        for owner in processes - {self.id}:
            lock = FileLock(self._run / f"{owner}.lock")
            if lock.acquire():
                with lock:
                    requeue(owner)
                    _remove(self._tmp_root / owner)
                    lock.remove()

    def close(self) -> None:
        """Stop sending: nothing may be claimed any more."""
        _remove(self.tmp)
        self._lock.remove()


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        try:
            folder.rmdir()
        except OSError:  # something is left in it
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
