"""Somebody who waits for the changes of a clipboard, on a thread of his own."""

from __future__ import annotations

import threading

from imghost.clipboard import Clipboard
from imghost.errors import MachineError
from tests.fakes.program import eventually


class Watcher:
    """Counts what `changes` tells; `error` is what ended it, if that was not `close`."""

    def __init__(self, clipboard: Clipboard) -> None:
        self.changes = 0
        self.error: MachineError | None = None
        self._changes = clipboard.changes()
        self._thread = threading.Thread(target=self._watch, name="watcher")
        self._thread.start()

    def told(self, changes: int) -> None:
        """Wait until there were so many."""
        eventually(lambda: self.changes >= changes)

    def ended(self) -> None:
        """Wait until there will be no more."""
        self._thread.join(10)
        assert not self._thread.is_alive(), "it still waits"

    def _watch(self) -> None:
        try:
            for _ in self._changes:
                self.changes += 1
        except MachineError as exc:
            self.error = exc
