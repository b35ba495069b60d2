"""The pasteboard of macOS as its documentation describes it, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

_FILE_URL = "public.file-url"


class FakeMac:
    """What is copied by other programs, and the calls that reach it.

    `contents` and `paths` are what is there. `before_get` happens when somebody asks for bytes,
    `before_set` when somebody who just took the pasteboard puts them there. Owners answer while
    `answers` is set. `looks`: how often the count was asked for.
    """

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.paths: tuple[str, ...] = ()
        self.number = 1
        self.looks = 0
        self.before_get: Callable[[], object] = lambda: None
        self.before_set: Callable[[], object] = lambda: None
        self.answers = threading.Event()
        self.answers.set()

    def copied(self, contents: Mapping[str, bytes], paths: Iterable[str] = ()) -> int:
        """Somebody copies; the count from then on."""
        self.contents, self.paths = dict(contents), tuple(paths)
        self.number += 1
        return self.number

    def count(self) -> int:
        """As macOS counts: owners, not types."""
        self.looks += 1
        return self.number

    def types(self) -> tuple[str, ...]:
        """Of all items."""
        return (*self.contents, *([_FILE_URL] if self.paths else []))

    def get(self, kind: str, limit_bytes: int) -> bytes:
        """When its owner answers."""
        self.answers.wait()
        self.before_get()
        return self.contents.get(kind, b"")[:limit_bytes]

    def file_paths(self) -> tuple[str, ...]:
        """When their owner answers."""
        self.answers.wait()
        return self.paths

    def put(self, contents: Mapping[str, bytes]) -> int:
        """Taken first, then filled, if nobody else took it."""
        return self._filled(lambda: self.contents.update(contents))

    def put_files(self, paths: Iterable[str]) -> int:
        """As `put`."""
        return self._filled(lambda: setattr(self, "paths", tuple(paths)))

    def _filled(self, fill: Callable[[], None]) -> int:
        count = self.copied({})
        self.before_set()
        if self.number != count:
            return 0
        fill()
        return count
