"""Files that this machine cannot take now, for which the user may have to make room."""

from __future__ import annotations

from imghost.models import Message
from imghost.sources.file_find import FileFind
from imghost.sources.memory import files_wait
from imghost.watch.telling import Teller, Topic

_DISK = "disk"


class PutOff:
    """They are told of once, and again only after all of them were taken or given up.

    Safe from several threads at once.
    """

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._reasons: dict[FileFind, Message] = {}

    @property
    def problem(self) -> Message | None:
        """Why files wait; None if none does."""
        reasons = list(self._reasons.values())
        return files_wait(reasons[0]) if reasons else None

    def add(self, file: FileFind, reason: Message) -> None:
        """This one waits."""
        self._reasons[file] = reason
        self._teller.tell_once(Topic.PROBLEM, _DISK, files_wait(reason))

    def drop(self, file: FileFind | None) -> None:
        """Something was taken: this one, if it waited, waits no more."""
        if file:
            self._reasons.pop(file, None)
        if not self._reasons:
            self._teller.over(_DISK)
