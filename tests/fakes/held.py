"""What processes hold of the machine, as Linux tells it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Held:
    """Of one process at one moment; `files` are open ones beyond two of the journal per thread.

    None are if a thread has not opened its own yet.
    """

    files: int
    threads: int
    children: int

    def __add__(self, more: Held) -> Held:
        return Held(
            self.files + more.files, self.threads + more.threads, self.children + more.children
        )

    def is_within(self, most: Held) -> bool:
        """Whether it is no more of anything."""
        return (
            self.files <= most.files
            and self.threads <= most.threads
            and self.children <= most.children
        )


def kept(slots: int) -> Held:
    """What a daemon that has worked may keep: decoders, connections, threads that wait for work.

    Two of the threads are for each of the slots that it gives a host.
    """
    return Held(files=16, threads=16 + 2 * slots, children=4)


def held_by(pid: int) -> Held:
    """Nothing where the system does not tell. Raises OSError if the process is no more."""
    if not PROC.is_dir():
        return Held(0, 0, 0)
    tasks = list((PROC / str(pid) / "task").iterdir())
    children = sum(map(_children, tasks))
    files = len(list((PROC / str(pid) / "fd").iterdir()))
    return Held(max(0, files - 2 * len(tasks)), len(tasks), children)


def _children(task: Path) -> int:
    """Those that a thread has begun; none if it has ended meanwhile."""
    try:
        return len((task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return 0


def strays(folder: Path) -> dict[int, str]:
    """Processes whose environment names a place below this folder, by their ids.

    As does that of all that a test starts, which has its HOME there. Besides: our own children,
    also dead ones, and the decoders of this Python, which are told nothing; not those of whoever
    runs other tests.
    """
    place = f"={folder}/".encode()
    processes = list(_processes())
    parents = {pid: parent for pid, parent, _, _ in processes}
    found = {}
    for pid, parent, environ, command in processes:
        is_decoder = sys.executable in command and "imghost.imaging.child" in command
        above = _ancestors(pid, parents)
        is_ours = os.getpid() in above or not above
        if (is_decoder and is_ours) or parent == os.getpid() or place in environ:
            found[pid] = command
    return found


def _ancestors(pid: int, parents: Mapping[int, int]) -> set[int]:
    """All but the first process, whose child an orphan becomes."""
    found = set()
    while (pid := parents.get(pid, 0)) > 1:
        found.add(pid)
    return found


def _processes() -> Iterator[tuple[int, int, bytes, str]]:
    """All but our own: id, parent, environment and command; those that are dead have only ids."""
    for folder in PROC.glob("[0-9]*"):
        stat = _read(folder / "stat").decode(errors="replace")
        if stat and int(folder.name) != os.getpid():
            parent = int(stat.rpartition(")")[2].split()[1])
            command = _read(folder / "cmdline").replace(b"\0", b" ").decode(errors="replace")
            yield int(folder.name), parent, _read(folder / "environ"), command


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
