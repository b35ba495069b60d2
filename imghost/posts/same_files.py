"""Files with the same bytes, so that a picture with many names is uploaded once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from imghost.server.asked import FileInput


class SameFiles:
    """Gives each of these files as an input: the first one that has its bytes.

    Only files of the same size are read. Those that stand for others must not change before they
    are uploaded, so their inputs say what they hold.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._sizes = {path: _size_bytes(path) for path in paths}
        self._counts = Counter(self._sizes.values())
        self._first: dict[str, FileInput] = {}

    def __call__(self, path: Path) -> FileInput:
        """The input that brings this file's bytes."""
        given = FileInput(str(path))
        if self._counts[self._sizes[path]] == 1:
            return given
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:  # uploading it says why
            return given
        return self._first.setdefault(sha256, FileInput(str(path), sha256))


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
