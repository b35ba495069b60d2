"""The originals: every accepted image's own bytes, named by their hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from imghost.disk import machine_errors, write_atomically, write_durably, write_over
from imghost.errors import MachineError, SourceError

_HEX = frozenset("0123456789abcdef")
_SHA256_LENGTH = 64
_DECODER = json.JSONDecoder()

Slip = Mapping[str, object]
"""One row of the journal as JSON, kept beside its original for the day the journal is lost."""


class Store:
    """A folder of originals, `<first two digits>/<sha256>`, each with its slips in `<sha256>.json`.

    `outgoing` holds what is sent where that is not the original itself, while it waits: it can be
    made again from the original and the notes of its row, so it is written without fsync.
    """

    def __init__(self, root: Path, outgoing: Path, tmp: Path) -> None:
        self._root = root
        self._outgoing = outgoing
        self._tmp = tmp

    def keep(self, sha256: str, data: bytes) -> None:
        """Have the original on the disk before returning. Raises MachineError."""
        write_durably(self.path(sha256), data, self._tmp)

    def read(self, sha256: str) -> bytes:
        """The original's bytes, unchanged for certain. Raises SourceError if it is gone."""
        return _read_whole(self.path(sha256), sha256)

    def path(self, sha256: str) -> Path:
        """Where the original with this hash is or would be."""
        return self._root / sha256[:2] / sha256

    def write_slips(self, sha256: str, slips_of: Callable[[str], Sequence[Slip]]) -> None:
        """Note what the journal says of an original; that this fails is no reason to stop.

        Whoever writes last looks last: another may have noted something newer in between.
        """
        noted = None
        while (slips := slips_of(sha256)) != noted:
            text = json.dumps(slips, ensure_ascii=False)
            with contextlib.suppress(MachineError):
                write_over(self._slips_path(sha256), text.encode())
            noted = slips

    def read_slips(self, sha256: str) -> list[dict[str, object]]:
        """What was noted of an original; nothing if there is no note or it is damaged."""
        try:
            text = self._slips_path(sha256).read_text("utf-8")
            slips, _ = _DECODER.raw_decode(text)  # behind it may be the end of a former note
        except (OSError, ValueError, RecursionError):
            return []
        return [s for s in slips if isinstance(s, dict)] if isinstance(slips, list) else []

    def erase(self, sha256: str) -> None:
        """Delete an original and its slips."""
        with machine_errors(self.path(sha256)):
            self.path(sha256).unlink(missing_ok=True)
            self._slips_path(sha256).unlink(missing_ok=True)

    def hashes(self) -> Iterator[str]:
        """The hash of every original, in no particular order."""
        for path in self._root.glob("??/*"):
            if len(path.name) == _SHA256_LENGTH and _HEX.issuperset(path.name):
                yield path.name

    def original_bytes(self, sha256: str) -> int:
        """How much room an original takes; nothing if it went meanwhile."""
        found = _stat(self.path(sha256))
        return found.st_size if found else 0

    def kept_at(self, sha256: str) -> float:
        """Since when the original is here, in seconds since the epoch; now if it went meanwhile."""
        found = _stat(self.path(sha256))
        return found.st_mtime if found else time.time()

    def size_bytes(self) -> int:
        """How much room all originals take."""
        return sum(map(self.original_bytes, self.hashes()))

    def keep_outgoing(self, sha256: str, data: bytes) -> None:
        """Spare the next try the conversion; a failure costs only that."""
        with contextlib.suppress(MachineError):
            write_atomically(self._outgoing / sha256, data, self._tmp)

    def read_outgoing(self, sha256: str) -> bytes | None:
        """What was kept to be sent; None if it must be made again."""
        try:
            return _read_whole(self._outgoing / sha256, sha256)
        except SourceError:
            return None

    def outgoing(self) -> set[str]:
        """The hashes of all that is kept to be sent."""
        try:
            return set(os.listdir(self._outgoing))  # noqa: PTH208 - names are all it takes
        except OSError:
            return set()

    def drop_outgoing(self, sha256: str) -> None:
        """Forget what was kept to be sent."""
        with contextlib.suppress(OSError):
            (self._outgoing / sha256).unlink(missing_ok=True)

    def _slips_path(self, sha256: str) -> Path:
        return self.path(sha256).with_suffix(".json")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _read_whole(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise SourceError(
            "the original {path} is gone or cannot be read; upload the picture again",
            path=str(path),
        ) from exc
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SourceError(
            "the original {path} was changed on the disk; upload the picture again",
            path=str(path),
        )
    return data
