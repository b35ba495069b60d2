"""Posts as files: read whole, and written so that nobody's change is lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it was read: `text` has its own line endings, and no byte order mark."""

    path: Path
    text: str
    has_bom: bool = False

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        raise NotImplementedError


def read_post(path: Path) -> Post:
    """Read a post. Raises SourceError, which names the file, if it is not readable UTF-8."""
    raise NotImplementedError


def write_post(post: Post, text: str) -> None:
    """Put a new text in the place of the one that was read, whole or not at all.

    The mode of the file stays, and so does a link that leads to it. Raises SourceError, and leaves
    the file as it is, if it is not what was read any more; MachineError if it cannot be written.
    """
    raise NotImplementedError


def find_posts(inputs: Iterable[str]) -> list[Path]:
    """The posts that files, folders and patterns name, each once, in that order.

    Folders are searched for Markdown, but not what generators and tools keep in them. Raises
    SourceError for an input that names no post.
    """
    raise NotImplementedError
