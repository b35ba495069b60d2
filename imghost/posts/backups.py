"""Posts as they were before a run changed them, and how they become so again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from imghost.disk import machine_errors, make_private_folder, tidy_folder, write_durably
from imghost.errors import MachineError, SourceError, UsageError
from imghost.models import Message
from imghost.posts.post import Post, read_post, write_post
from imghost.values import dataclass

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
        self._tidied: set[Path] = set()
        self.id = ""

    def write(self, post: Post, text: str) -> None:
        """Write a post anew, and be able to undo it. Raises as `write_post` does."""
        self._tidy(post.path.resolve().parent)
        backup = self._keep(post, replace(post, text=text).data)
        try:
            write_post(post, text)
        except (SourceError, MachineError):  # the post is as it was, so there is nothing to undo
            with machine_errors(backup):
                backup.unlink()
            raise

    def _tidy(self, folder: Path) -> None:
        """What a run that was killed left beside posts goes, before ours writes there."""
        if folder not in self._tidied:
            self._tidied.add(folder)
            tidy_folder(folder)

    def _keep(self, post: Post, after: bytes) -> Path:
        self.id = self.id or self._begun()
        told = {"path": str(post.path), "after": hashlib.sha256(after).hexdigest()}
        data = json.dumps(told).encode() + b"\n" + post.data
        backup = self._all / self.id / str(self._kept)
        write_durably(backup, data, self._tmp)
        self._kept += 1
        return backup

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
        told, before = _kept_in(kept)
        path = Path(told["path"])
        return Undone(path, _put_back(path, before, told["after"], kept))
    except (SourceError, MachineError) as exc:
        return Undone(path, problem=exc.message)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Undone(
            path, problem=Message("the backup {path} cannot be read any more", {"path": str(kept)})
        )


def _kept_in(backup: Path) -> tuple[dict[str, str], bytes]:
    if not backup.is_file():  # a pipe would be waited for
        raise OSError(backup)
    with backup.open("rb") as file:
        return json.loads(file.readline()), file.read()


def _put_back(path: Path, before: bytes, after: str, kept: Path) -> bool:
    if not os.path.lexists(path):
        raise SourceError(
            "{path} is gone; {backup} has its former text, below the first line",
            path=str(path),
            backup=str(kept),
        )
    post = read_post(path)
    if post.data == before:
        return False
    if hashlib.sha256(post.data).hexdigest() != after:
        raise SourceError(
            "{path} was edited since, and stays as it is; undo later runs first, or change it by "
            "hand: {backup} has its former text, below the first line",
            path=str(path),
            backup=str(kept),
        )
    write_post(post, before.decode().removeprefix(_BOM))
    return True
