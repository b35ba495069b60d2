"""A display's server may hang; then whoever waits for its reply is not left waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Guard:
    """Calls `cut` when a piece of work takes longer than `limit_s`; twice that at the latest.

    For one piece at a time; costs nothing while there is none. `close` ends its thread.
    """

    def __init__(self, cut: Callable[[], None], limit_s: float) -> None:
        self._cut = cut
        self._limit_s = limit_s
        self._number = 0
        self._works = False
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imghost-x11-guard", daemon=True)
        self._thread.start()

    @contextmanager
    def working(self) -> Iterator[None]:
        """A piece of work."""
        self._number += 1
        self._works = True
        self._begun.set()
        try:
            yield
        finally:
            self._works = False

    def close(self) -> None:
        """Guard nothing any more."""
        self._ended.set()
        self._begun.set()
        self._thread.join()

    def _run(self) -> None:
        while self._begun.wait() and not self._ended.is_set():
            self._begun.clear()
            number = self._number
            if not self._ended.wait(self._limit_s) and self._works and self._number == number:
                self._cut()


@contextmanager
def cut_after(limit_s: float, cut: Callable[[], None]) -> Iterator[None]:
    """Call `cut` if this takes longer."""
    timer = threading.Timer(limit_s, cut)
    timer.name = "imghost-x11-limit"
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
