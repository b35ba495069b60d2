"""Posts as files: found, read whole, and written so that nobody's change is lost."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from imghost.disk import is_file, is_folder, is_there, replace_file
from imghost.errors import SourceError
from imghost.posts.generators import has_no_posts
from imghost.posts.pictures import names_image
from imghost.values import dataclass

_BOM = b"\xef\xbb\xbf"
_LARGEST_BYTES = 64 << 20
_ENDINGS = (".md", ".markdown", ".mdown", ".mkd", ".mdx")


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it was read: `text` has its own line endings, and no byte order mark."""

    path: Path
    text: str
    has_bom: bool = False

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return (_BOM if self.has_bom else b"") + self.text.encode()


def read_post(path: Path) -> Post:
    """Read a post. Raises SourceError, which names the file, if it is not readable UTF-8."""
    if is_folder(path):
        if os.access(path, os.R_OK | os.X_OK):
            raise SourceError("{path} is a folder, not a post", path=str(path))
    elif is_there(path) and not is_file(path):  # a pipe would be waited for
        raise SourceError("{path} is not a file; name a post", path=str(path))
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise SourceError(
                "{path} is too large for a post, and stays as it is; 64 MB are the most",
                path=str(path),
            )
        return Post(path, data.removeprefix(_BOM).decode(), data.startswith(_BOM))
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise SourceError(
            "{path} is not UTF-8 text in line {line}; save it as UTF-8", path=str(path), line=line
        ) from exc
    except OSError as exc:
        raise SourceError(
            "{path} cannot be read: {detail}; check its permissions",
            path=str(path),
            detail=exc.strerror or str(exc),
        ) from exc


def write_post(post: Post, text: str) -> None:
    """Put a new text in the place of the one that was read, whole or not at all.

    The mode of the file stays, and so does a link that leads to it. Raises SourceError, and leaves
    the file as it is, if it is read-only or not what was read any more; MachineError if it cannot
    be written.
    """
    path = Path(os.path.realpath(post.path))

    def check() -> None:
        if not _holds(path, post.data):
            raise SourceError(
                "{path} was changed meanwhile, and stays as it is; run the command again",
                path=str(post.path),
            )

    check()
    check_writable(post)
    replace_file(path, replace(post, text=text).data, check)


def check_writable(post: Post) -> None:
    """Raise SourceError if the post is read-only, for whomever."""
    path = Path(os.path.realpath(post.path))
    if not os.access(path, os.W_OK) or not path.stat().st_mode & stat.S_IWUSR:
        raise SourceError(
            "{path} is read-only, and stays as it is; make it writable and try again",
            path=str(post.path),
        )


def find_posts(inputs: Collection[str]) -> list[Path]:
    """The posts that files, folders and patterns name, each once, in that order.

    Folders are searched for Markdown, but not what generators and tools keep in them; one that
    cannot be read is given itself, for `read_post` to say why. Pictures
    among several inputs are passed over: a shell's patterns find them, too. Raises SourceError for
    an input that names no post, or if a picture is the only one.
    """
    found: dict[str, Path] = {}
    for given in inputs:
        if names_image(given) and is_file(given):
            if len(inputs) == 1:
                raise SourceError("{path} is a picture; name the post that shows it", path=given)
            continue
        posts = list(_named(given))
        if not posts:
            raise SourceError(
                "there is no post {path}; name Markdown files, or folders with some", path=given
            )
        for path in posts:
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _named(given: str) -> Iterator[Path]:
    path = Path(given).absolute()
    if is_folder(path):
        yield from _below(path)
    elif os.path.lexists(path):
        yield path
    else:
        for match in sorted(glob.glob(given, recursive=True)):  # noqa: PTH207 - also whole paths
            yield from _matched(Path(match).absolute())


def _matched(path: Path) -> Iterator[Path]:
    """What a pattern finds: `*` means the posts among all files."""
    if is_folder(path):
        yield from () if has_no_posts(path) else _below(path)
    elif _is_markdown(path.name):
        yield path


def _below(root: Path) -> Iterator[Path]:
    unread: list[OSError] = []
    for name, folders, files in os.walk(root, onerror=unread.append):
        folder = Path(name)
        folders[:] = sorted(inner for inner in folders if not has_no_posts(folder / inner))
        yield from (folder / file for file in sorted(files) if _is_markdown(file))
    yield from (Path(error.filename) for error in unread)


def _is_markdown(name: str) -> bool:
    return name.lower().endswith(_ENDINGS) and not name.startswith(".")


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False
