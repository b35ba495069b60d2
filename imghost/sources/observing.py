"""What the system tells of folders: one watchdog observer for all of them."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch

_TELLS_CLOSES = sys.platform == "linux"
_END_S = 5.0

log = logging.getLogger(__name__)


class Told(Enum):
    """What happened to a path, as far as that matters here."""

    APPEARED = auto()
    WRITTEN = auto()
    CLOSED = auto()
    FOLDER = auto()
    FOLDER_GONE = auto()


class Observing:
    """Calls `told` with a path and what happened to it, on a thread of watchdog's.

    For one thread. `WRITTEN` is told only where `CLOSED` follows.
    """

    def __init__(self, told: Callable[[str, Told], None]) -> None:
        self._told = told
        self._observer: BaseObserver | None = None
        self._watches: dict[str, ObservedWatch] = {}

    def watch(self, folder: str) -> None:
        """Be told of a folder and all below it, anew if it was watched before.

        Raises OSError if the system cannot tell of all of them: of none, or not of all below.
        """
        self.leave(folder)
        self._watches[folder] = self._schedule(folder, recursive=True)
        self._need_room(folder)

    def leave(self, folder: str) -> None:
        """Be told of it no longer."""
        if watch := self._watches.pop(folder, None):
            self._running().unschedule(watch)

    def has_room(self, folder: str) -> bool:
        """Whether the system would tell of one folder more than it does."""
        try:
            self._need_room(folder)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Be told of nothing any more, until something is watched again."""
        if self._observer:
            self._observer.stop()
            self._observer.join(_END_S)
        self._observer = None
        self._watches.clear()

    def _need_room(self, folder: str) -> None:
        # What is below a folder and gets no watch is passed over in silence; one more watch, for
        # what is above it, shows whether there were enough.
        watch = self._schedule(str(Path(folder).parent), recursive=False)
        self._running().unschedule(watch)

    def _schedule(self, folder: str, *, recursive: bool) -> ObservedWatch:
        from watchdog import events

        kinds: list[type[FileSystemEvent]] = [
            *(events.FileCreatedEvent, events.FileMovedEvent),
            *(events.FileModifiedEvent, events.FileClosedEvent),
            *(events.DirCreatedEvent, events.DirMovedEvent, events.DirDeletedEvent),
        ]
        return self._running().schedule(
            _handler(self._tell), folder, recursive=recursive, event_filter=kinds
        )

    def _running(self) -> BaseObserver:
        if self._observer is None:
            from watchdog.observers import Observer

            # Else these go to the terminal: what it logs, and, at great length, that a folder which
            # was moved away has come back.
            logging.getLogger("watchdog").parent = log
            warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
            observer = Observer()
            observer.start()
            self._observer = observer
        return self._observer

    def _tell(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path)
        if event.is_directory:
            is_gone = event.event_type == "deleted"
            self._told(path, Told.FOLDER_GONE if is_gone else Told.FOLDER)
        elif event.event_type == "closed":
            self._told(path, Told.CLOSED)
        elif event.event_type == "modified" and _TELLS_CLOSES:
            self._told(path, Told.WRITTEN)
        else:
            self._told(path, Told.APPEARED)


def _handler(tell: Callable[[FileSystemEvent], None]) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            tell(event)

    return Handler()
