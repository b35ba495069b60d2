"""Obsidian's vault, in which a file is named by as little of its path as tells it apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from imghost.sources.candidates import looks_like_an_image


class Vault:
    """The pictures below a folder, looked for at the first question."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, name: str, folder: Path) -> Path | None:
        """The picture that a note in this folder means by the end of a path; case is all one.

        Of several the one beside the note, else the one nearest to the root.
        """
        if self._by_name is None:
            self._by_name = self._read()
        wanted = PurePosixPath(name.lower()).parts
        found = [
            path
            for path in self._by_name.get(wanted[-1] if wanted else "", ())
            if tuple(map(str.lower, path.parts[-len(wanted) :])) == wanted
        ]
        return min(found, key=lambda path: _rank(path, folder), default=None)

    def _read(self) -> dict[str, list[Path]]:
        by_name: dict[str, list[Path]] = {}
        for path in _pictures(self.root):
            by_name.setdefault(path.name.lower(), []).append(path)
        return by_name


def _pictures(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in filter(looks_like_an_image, files):
            yield Path(folder, name)


def _rank(path: Path, folder: Path) -> tuple[bool, int, str]:
    return path.parent != folder, len(path.parts), str(path)
