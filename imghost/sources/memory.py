"""What is known of files: which are old, which are due, and what of that is still to be written."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Collection

from imghost.errors import MachineError
from imghost.keep.seen import Mark, Seen, Stamp
from imghost.models import Message

_TRY_AGAIN_S = 1.0

log = logging.getLogger(__name__)


def files_wait(reason: Message) -> Message:
    """What is told while this machine can take no files."""
    return Message(
        "new files in watched folders wait, and are taken when this is over: {reason}",
        {"reason": reason},
    )


class Memory:
    """The stamps of files that are old, and the marks of files, which outlive this process.

    `problem` says why what is new cannot be noted now, and so waits; None if it can.
    A file that only got another name is as old as before, and so is one that only got another
    inode.
    """

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._old: dict[str, Stamp] = {}
        self._stamps: set[Stamp] = set()
        self._changes: dict[str, Mark | None] = {}
        self._write_at = 0.0
        self.problem: Message | None = None

    @property
    def next_at(self) -> float:
        """When there is something to write; infinity if all is written."""
        return self._write_at if self._changes else math.inf

    def is_old(self, path: str, stamp: Stamp) -> bool:
        """Whether a file is not to be taken."""
        old = self._old.get(path)
        return stamp in self._stamps or (old is not None and old.resembles(stamp))

    def marks(self) -> dict[str, Mark]:
        """What is remembered, of earlier runs too. Raises MachineError."""
        marks: dict[str, Mark | None] = {**self._seen.marks(), **self._changes}
        return {path: mark for path, mark in marks.items() if mark}

    def leave(self, path: str, stamp: Stamp) -> None:
        """The file is old for this run; a later one decides for itself."""
        self._old[path] = stamp
        self._stamps.add(stamp)

    def settle(self, path: str, stamp: Stamp) -> None:
        """The file is old for ever."""
        self.leave(path, stamp)
        self._changes[path] = Mark(stamp, is_due=False)

    def note_due(self, path: str, stamp: Stamp) -> None:
        """The file is to be taken, by a later run if not by this one."""
        self._changes[path] = Mark(stamp, is_due=True)

    def forget(self, path: str) -> None:
        """The file is gone."""
        self._old.pop(path, None)
        self._changes[path] = None

    def keep(self, present: Collection[str], ours: Callable[[str], bool]) -> None:
        """Of the files that are `ours`, these are there and no others."""
        self._old = {path: stamp for path, stamp in self._old.items() if path in present}
        self._stamps = set(self._old.values())
        with contextlib.suppress(MachineError):  # the next time will do
            for path in self.marks():
                if path not in present and ours(path):
                    self.forget(path)

    def write(self, now: float) -> bool:
        """Have everything on the disk; whether it is. What fails is tried again a second later."""
        if self._changes and now >= self._write_at:
            try:
                self._seen.write(self._changes)
            except MachineError as exc:
                if not self.problem:
                    log.warning("new files in watched folders are not taken yet: %s", exc)
                self.problem = files_wait(exc.message)
                self._write_at = now + _TRY_AGAIN_S
            else:
                self._changes, self._write_at, self.problem = {}, 0.0, None
        return not self._changes
