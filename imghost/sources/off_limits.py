"""What is never opened as an image: imghost's own files, and those that the system makes up.

SQLite's locks are POSIX's: a process that opens and closes its own journal once more loses all of
them, and soon rows. To look at the opened file would be too late, so names are looked at before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from imghost.dirs import Dirs
from imghost.models import Message
from imghost.values import dataclass

_MADE_UP = ("/proc", "/dev", "/sys")
_BESIDE_JOURNAL = ("", "-wal", "-shm")

_Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OffLimits:
    """`own` are files, under whatever name, and folders with all that is below them."""

    own: tuple[Path, ...] = ()

    def reason(self, path: str | Path) -> Message | None:
        """Why the file that a path leads to may not be opened; None if it may.

        Links are followed, and hard links known for what they are.
        """
        file = _identity(path)
        if file is None:  # reading says why
            return None
        try:
            real = os.path.realpath(path)
        except OSError:  # it has just gone
            return None
        around = {file} | _identities(_upwards(real))
        if around & _identities(self.own):
            return Message(
                "{path} is a file of imghost's own; name a picture of yours", {"path": str(path)}
            )
        if around & _identities(_MADE_UP):
            return Message("{path} is not a file; name an image file", {"path": str(path)})
        return None


NOTHING = OffLimits()
"""For who has no journal."""


def off_limits(dirs: Dirs) -> OffLimits:
    """What may not be opened beside these folders' journal."""
    journal = (dirs.journal.with_name(dirs.journal.name + end) for end in _BESIDE_JOURNAL)
    return OffLimits((dirs.data, dirs.state, *journal))


def _upwards(path: str) -> Iterator[str]:
    """The path and the folders around it; as texts, for this is done for every file."""
    above = ""
    while path != above:
        yield path
        above, path = path, os.path.dirname(path)  # noqa: PTH120 - Path's takes ten times as long


def _identities(paths: Iterable[str | Path]) -> set[_Identity]:
    return {found for path in paths if (found := _identity(path))}


def _identity(path: str | Path) -> _Identity | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - the same
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
