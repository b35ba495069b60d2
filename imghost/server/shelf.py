"""A folder of images that can be made again, below a size: the least recently used go first."""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path

from imghost.disk import write_atomically
from imghost.errors import MachineError
from imghost.models import MIME_TYPES, Image
from imghost.server.body import Body, InFile

_log = logging.getLogger(__name__)

_FULL_AGAIN = 0.9  # of the size that is allowed, after making room: not every image makes room
_MAX_LINE = 100


class Shelf:
    """The images in `folder`, `max_bytes` of them; safe from several threads at once.

    A file is a line with the format and the sha256 of the image, then the image. Its time of
    modification is that of its last use, so that the order survives a restart.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._tmp = folder / "tmp"
        self._max_bytes = max_bytes
        self._filling = threading.Lock()
        self._kept_bytes = max_bytes  # at least a former run's: the first image has them counted

    def use(self, name: str) -> None:
        """Count the image as used just now."""
        with suppress(OSError):
            os.utime(self._folder / name)

    def find(self, name: str, max_bytes: int) -> Body | None:
        """The image if it is there and whole: in memory up to `max_bytes`, else in its file."""
        path = self._folder / name
        try:
            body = _read(path, max_bytes)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as exc:
            _log.warning("%s is made again: %s", path, exc)
            self._erase(path)
            return None
        self.use(name)
        return body

    def keep(self, name: str, image: Image) -> None:
        """Put the image there and make room for it; one that the disk cannot take is let go."""
        data = f"{image.format} {image.sha256}\n".encode("ascii") + image.data
        if len(data) > self._max_bytes:
            return
        with self._filling:
            try:
                write_atomically(self._folder / name, data, self._tmp)
            except MachineError as exc:
                _log.warning("%s is not kept: %s", name, exc)
                return
            self._kept_bytes += len(data)
            if self._kept_bytes > self._max_bytes:
                self._make_room()

    def forget(self, prefix: str) -> None:
        """Erase the images whose names begin so."""
        for path in self._folder.glob(f"{glob.escape(prefix)}*"):
            self._erase(path)

    def _make_room(self) -> None:
        for unfinished in self._tmp.iterdir():  # of a process that was killed
            self._erase(unfinished)
        images = sorted(self._images())
        kept_bytes = sum(size_bytes for _, size_bytes, _ in images)
        if kept_bytes > self._max_bytes:
            for _, size_bytes, path in images:
                self._erase(path)
                kept_bytes -= size_bytes
                if kept_bytes <= _FULL_AGAIN * self._max_bytes:
                    break
        self._kept_bytes = kept_bytes

    def _images(self) -> list[tuple[int, int, Path]]:
        """When each was last used, its size on disk, and where it is."""
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                state = path.stat()
                found.append((state.st_mtime_ns, state.st_size, path))
        return [entry for entry in found if entry[2] != self._tmp]

    @staticmethod
    def _erase(path: Path) -> None:
        with suppress(OSError):
            path.unlink()


def _read(path: Path, max_bytes: int) -> Body:
    with path.open("rb") as file:
        format_name, sha256 = file.readline(_MAX_LINE).decode("ascii").split()
        start = file.tell()
        size_bytes = os.fstat(file.fileno()).st_size - start
        content: bytes | InFile = InFile(path, start, size_bytes)
        if size_bytes <= max_bytes:
            content = file.read()
            found = hashlib.sha256(content)
        else:
            found = hashlib.file_digest(file, "sha256")
    if found.hexdigest() != sha256 or format_name not in MIME_TYPES:
        raise ValueError("its bytes are not those that were kept")
    return Body(MIME_TYPES[format_name], f'"{sha256}"', content)
