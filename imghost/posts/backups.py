"""Posts as they were before a run changed them, and how they become so again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from imghost.disk import machine_errors, make_private_folder, write_durably
from imghost.errors import MachineError, SourceError, UsageError
from imghost.models import Message
from imghost.posts.post import Post, read_post, write_post

_BOM = "\ufeff"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of a post that a run had changed: put back, as it was already, or why neither."""

    path: Path
    changed: bool = False
    problem: Message | None = None


class Run:
    """One run's backups; its folder is made for the first of them."""

    def __init__(self, folder: Path, tmp: Path) -> None:
        self._all = folder
        self._tmp = tmp
        self._kept = 0
        self.id = ""

    def write(self, post: Post, text: str) -> None:
        """Write a post anew, and be able to undo it. Raises as `write_post` does."""
        self._keep(post, replace(post, text=text).data)
        write_post(post, text)

    def _keep(self, post: Post, after: bytes) -> None:
        self.id = self.id or self._begun()
        told = {"path": str(post.path), "after": hashlib.sha256(after).hexdigest()}
        data = json.dumps(told).encode() + b"\n" + post.data
        write_durably(self._all / self.id / str(self._kept), data, self._tmp)
        self._kept += 1

    def _begun(self) -> str:
        now = time.strftime("%Y%m%d-%H%M%S")
        with machine_errors(self._all):
            make_private_folder(self._all)
            for n in count(1):
                name = f"{now}-{n}" if n > 1 else now
                with contextlib.suppress(FileExistsError):
                    (self._all / name).mkdir(mode=0o700)
                    break
        return name


def undo(folder: Path, run: str) -> Iterator[Undone]:
    """Put back what a run has changed, in its order, except for posts that were edited since.

    Raises UsageError if there is no such run.
    """
    known = sorted(path.name for path in folder.glob("*"))
    if run not in known:
        raise UsageError(
            "there is no run {run}; the last ones are {known}",
            run=run,
            known=", ".join(known[-_SHOWN:]) or "-",
        )
    for kept in sorted((folder / run).iterdir(), key=lambda kept: (len(kept.name), kept.name)):
        yield _undone(kept)


def _undone(kept: Path) -> Undone:
    path = kept
    try:
        with kept.open("rb") as file:
            told, before = json.loads(file.readline()), file.read()
        path = Path(told["path"])
        return Undone(path, _put_back(path, before, told["after"]))
    except (SourceError, MachineError) as exc:
        return Undone(path, problem=exc.message)
    except (OSError, ValueError, LookupError, TypeError):
        return Undone(
            path, problem=Message("the backup {path} cannot be read any more", {"path": str(kept)})
        )


def _put_back(path: Path, before: bytes, after: str) -> bool:
    post = read_post(path)
    if post.data == before:
        return False
    if hashlib.sha256(post.data).hexdigest() != after:
        raise SourceError(
            "{path} was edited since, and stays as it is; undo later runs first, or change it by "
            "hand",
            path=str(path),
        )
    write_post(post, before.decode().removeprefix(_BOM))
    return True
