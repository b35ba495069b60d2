"""The watched folders themselves: which are there, which are not, and who tells of them."""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from imghost.models import Message
from imghost.sources.observing import Observing
from imghost.values import dataclass

_ANOTHER = (-1, -1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A folder that is there now and was not before, or is another one.

    `since`, in seconds since the epoch: what came to be in it after that is new. Infinity:
    nothing is.
    """

    path: str
    since: float = math.inf


@dataclass(slots=True, eq=False)
class _Root:
    named: Path
    path: str = ""
    identity: tuple[int, int] | None = None
    looked_at: float = math.inf
    problem: Message | None = None


class Roots:
    """The folders that the user named; `tell` is given what the user should know of them.

    A folder that is not there is waited for, and one that does not answer too, which is still the
    same then. One that is a link stands for what it leads to. For one thread. `is_short`: the
    system does not tell of all changes.
    """

    def __init__(self, observing: Observing, tell: Callable[[Message], None]) -> None:
        self._observing = observing
        self._tell = tell
        self._roots: list[_Root] = []
        self._observed: dict[str, bool] = {}
        self._shortage: Message | None = None
        self.is_short = False

    @property
    def is_complete(self) -> bool:
        """Whether all of them are there."""
        return not any(root.problem for root in self._roots)

    @property
    def problems(self) -> list[Message]:
        """What is wrong with those that are not there, and that the system does not tell of all."""
        shortage = self._shortage if self.is_short else None
        return [problem for problem in (*(r.problem for r in self._roots), shortage) if problem]

    @property
    def outermost(self) -> list[str]:
        """The paths of those that are there and not inside of others."""
        paths = {root.path for root in self._roots if root.identity}
        return [path for path in paths if not any(_is_in(path, p) for p in paths - {path})]

    def of(self, path: str) -> Path | None:
        """The innermost one around a path, as it was named; None if there is none."""
        around = [root for root in self._roots if root.identity and _is_in(path, root.path)]
        return max(around, key=lambda root: len(root.path)).named if around else None

    def change(self, folders: Sequence[Path]) -> None:
        """Watch these, and no others, from the next check on."""
        former = {root.named: root for root in self._roots}
        self._roots = [former.get(named) or _Root(named) for named in dict.fromkeys(folders)]

    def gone(self, path: str) -> None:
        """The folder with this path, if it is one of them, was deleted: what is there is another.

        Its number tells nothing: a new folder often gets the old one's.
        """
        for root in self._roots:
            if root.path == path:
                root.identity = _ANOTHER

    def check(self) -> list[Arrival]:
        """See which are there, and have their changes told; those that are there anew."""
        arrivals = [arrival for root in self._roots if (arrival := self._arrival(root))]
        for arrival in arrivals:
            self._observed.pop(arrival.path, None)
        self._observe_all()
        return arrivals

    def observe_anew(self) -> None:
        """Have the changes of all told by an observer that has just begun."""
        self._observing.close()
        self._observed.clear()
        self._observe_all()

    def _observe_all(self) -> None:
        for path in self.outermost:
            self._observed[path] = self._observed.get(path) or self._observe(path)
        for path in self._observed.keys() - set(self.outermost):
            self._observing.leave(path)
            del self._observed[path]
        self.is_short = not all(self._observed.values())

    def _arrival(self, root: _Root) -> Arrival | None:
        former, since = (root.path, root.identity), root.looked_at
        root.path, root.looked_at = os.path.realpath(root.named), time.time()
        try:
            root.identity = _identity(root.path)
        except OSError as exc:
            if isinstance(exc, FileNotFoundError | NotADirectoryError):
                root.identity = None
            if root.problem is None:
                root.problem = _problem(root.named, exc)
                self._tell(root.problem)
            return None
        root.problem = None
        return Arrival(root.path, since) if (root.path, root.identity) != former else None

    def _observe(self, path: str) -> bool:
        """Be told of a folder; whether it is of all below it. What failed before costs little."""
        if path in self._observed and not self._observing.has_room(path):
            return False
        try:
            self._observing.watch(path)
        except OSError as exc:
            self._shortage = _shortage(path, exc)
            if not self.is_short:
                self._tell(self._shortage)
            return False
        return True


def _identity(path: str) -> tuple[int, int]:
    with os.scandir(path):
        status = os.lstat(path)
    return status.st_dev, status.st_ino


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _problem(folder: Path, exc: OSError) -> Message:
    return Message(
        "the watched folder {folder} cannot be looked into: {detail}; it is watched as soon as it "
        "can be",
        {"folder": str(folder), "detail": exc.strerror or str(exc)},
    )


def _shortage(path: str, exc: OSError) -> Message:
    settings = {
        errno.ENOSPC: "fs.inotify.max_user_watches",
        errno.EMFILE: "fs.inotify.max_user_instances",
    }
    if setting := settings.get(exc.errno or 0):
        return Message(
            "the system tells of no more folders, so new files in {folder} are found some seconds "
            "late; raise {setting}",
            {"folder": path, "setting": setting},
        )
    return Message(
        "the system does not tell of changes in {folder}, so new files are found some seconds "
        "late: {detail}",
        {"folder": path, "detail": exc.strerror or str(exc)},
    )
