"""The clipboard of Windows as its documentation describes it, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

_MADE_FROM = {"CF_UNICODETEXT": "CF_TEXT", "CF_DIB": "CF_BITMAP"}


class FakeWindows:
    """What is copied by other programs, and the calls that reach it.

    `formats` is what is there; those in `late` are made by their owner when somebody first asks,
    which counts as a change. `busy`: how many times another program will be found to have the
    clipboard open. `before_open` happens just before it is opened. Owners answer while `answers` is
    set. `looks`: how often the number was asked for.
    """

    def __init__(self) -> None:
        self.formats: dict[str, bytes] = {}
        self.late: set[str] = set()
        self.busy = 0
        self.number = 1
        self.looks = 0
        self.before_open: Callable[[], None] = lambda: None
        self.fails = False
        self.answers = threading.Event()
        self.answers.set()
        self._opened_by: int | None = None
        self._is_ours = False

    def copied(self, formats: Mapping[str, bytes]) -> None:
        """Another program copies."""
        assert self._opened_by is None
        self.formats = dict(formats)
        self.number += 1 + len(formats)

    def sequence(self) -> int:
        """As Windows counts."""
        self.looks += 1
        return self.number

    def open(self) -> bool:
        """One thread at a time."""
        if self.busy:
            self.busy -= 1
            return False
        self.before_open()
        assert self._opened_by is None
        self._opened_by = threading.get_ident()
        return True

    def close(self) -> None:
        """By the thread that opened it."""
        self._check()
        self._opened_by, self._is_ours = None, False

    def is_empty(self) -> bool:
        """Whether nothing is there."""
        return not self.formats

    def has(self, name: str) -> bool:
        """Whether it is there, or can be made."""
        return name in self.formats or _MADE_FROM.get(name) in self.formats

    def get(self, name: str, limit_bytes: int) -> bytes:
        """Made by its owner, if it is late."""
        self._check()
        self.answers.wait()
        if name in self.late:
            self.late.remove(name)
            self.number += 1
        return self.formats.get(name, b"")[:limit_bytes]

    def empty(self) -> None:
        """Owned by us from here on."""
        self._check()
        self.answers.wait()
        self.formats.clear()
        self.number += 1
        self._is_ours = True

    def set(self, name: str, data: bytes) -> None:
        """By the owner alone."""
        self._check()
        if self.fails or not self._is_ours:
            raise OSError(5, "Access is denied")
        self.formats[name] = data
        self.number += 1

    def _check(self) -> None:
        assert self._opened_by == threading.get_ident(), "not opened on this thread"
