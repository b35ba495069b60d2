"""A clipboard that does not tell of changes, but counts them: it is looked at now and then."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

from imghost.clipboard import NOT_HANDED_OVER, Held, Offer
from imghost.desktop.limited import within
from imghost.errors import MachineError

T = TypeVar("T")


class PolledClipboard(ABC):
    """What the clipboards of Windows and macOS have in common; keeps the contract of Clipboard.

    One call at a time goes to the system, on a thread that is left behind if it takes longer than
    `limit_s`, for the system has no time limits of its own. A mark is the count of changes.
    """

    def __init__(self, poll_s: float, limit_s: float) -> None:
        self._poll_s = poll_s
        self._limit_s = limit_s
        self._turn = threading.Lock()
        self._closed = threading.Event()

    def changes(self) -> Iterator[None]:
        """One for each time that somebody copied; several within `poll_s` count as one."""
        last = self._count()
        while not self._closed.wait(self._poll_s):
            now = self._count()
            if now != last:
                yield
            last = now

    def read(self, max_bytes: int, *, wanted: bool = False) -> Held:
        """What is there now."""
        try:
            return self._in_turn(lambda: self._read(max_bytes, wanted=wanted))
        except TimeoutError:
            return Held(self._count(), reason=NOT_HANDED_OVER)

    def replace(self, mark: object, offer: Offer) -> bool:
        """Put the offer there if the count of changes is still that of `mark`."""
        try:
            return self._in_turn(lambda: self._write(offer, lambda: self._count() == mark))
        except TimeoutError:
            return False

    def put(self, offer: Offer) -> None:
        """Put the offer there."""
        try:
            self._in_turn(lambda: self._write(offer, lambda: True))
        except TimeoutError as exc:
            raise MachineError(
                "another program keeps the clipboard to itself; close the one that copied last, "
                "and try again"
            ) from exc

    def close(self) -> None:
        """End `changes`; what we put there is held by the system."""
        self._closed.set()

    @abstractmethod
    def _count(self) -> int:
        """How often the content changed; never blocks. Raises MachineError."""

    @abstractmethod
    def _read(self, max_bytes: int, *, wanted: bool) -> Held:
        """What is there now. Raises TimeoutError, OSError, MachineError."""

    @abstractmethod
    def _write(self, offer: Offer, may: Callable[[], bool]) -> bool:
        """Put the offer there if `may`, asked as late as can be. Raises as `_read`."""

    def _in_turn(self, call: Callable[[], T]) -> T:
        def run() -> T:
            try:
                return call()
            finally:
                self._turn.release()

        if not self._turn.acquire(timeout=self._limit_s):
            raise TimeoutError
        try:
            return within(self._limit_s, "clipboard", run)
        except TimeoutError:
            raise
        except OSError as exc:
            raise MachineError(
                "the clipboard cannot be used: {detail}; log in again if that stays so",
                detail=exc.strerror or str(exc),
            ) from exc
