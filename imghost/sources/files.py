"""Images that the user names: files, links, and bytes that came on standard input."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from imghost.disk import is_there
from imghost.errors import SourceError
from imghost.imaging.sniff import HEAD_BYTES
from imghost.models import Found
from imghost.sources.candidates import Verdict, judge, looks_like_an_image

if TYPE_CHECKING:
    from imghost.sources.off_limits import OffLimits

_DRIVE = re.compile(r"[A-Za-z]:[\\/][^:]*")


def found_file(path: str, max_bytes: int, off_limits: OffLimits, origin: str = "command") -> Found:
    """The file at this path; one that does not exist is looked for with its %XX decoded.

    Loading raises SourceError.
    """
    where, decoded = Path(path), Path(unquote(path))
    if not is_there(where) and is_there(decoded):
        where = decoded
    return Found(origin, where.name, lambda: _read(where, max_bytes, off_limits))


def found_named(
    path: str, max_bytes: int, off_limits: OffLimits, *, windows: bool = os.name == "nt"
) -> Found:
    """The file that another program names, also with %XX for some characters.

    Its path must be whole, and name the file itself and no link to it; links of its parent folders
    are the user's own arrangement. On Windows shares and devices are not even looked at: that would
    tell a stranger's server who the user is. Raises SourceError, as loading does.
    """
    named = [given for given in (path, unquote(path)) if _is_whole(given, windows=windows)]
    if not named:
        raise SourceError(
            "{path} is no whole path of a file on this computer; it begins at the root", path=path
        )
    where = next(filter(os.path.lexists, named), named[0])
    return Found(
        "editor", Path(where).name, lambda: _read_itself(Path(where), max_bytes, off_limits)
    )


def may_be_image(path: str, off_limits: OffLimits) -> bool:
    """Whether a file can be an image: by its first bytes, or because its name says so."""
    if off_limits.reason(path):
        return False
    try:
        with open(os.open(path, os.O_RDONLY | _FLAGS), "rb") as file:  # noqa: PTH123 - by handle
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError):
        return looks_like_an_image(path)
    return judge(path, head) is Verdict.IMAGE


def found_bytes(name: str, data: bytes) -> Found:
    """Bytes that are here already."""
    return Found("command", name, lambda: data)


def found_link(url: str, fetch: Callable[[str], bytes]) -> Found:
    """What is at this address; `fetch` gives it when it is its turn, or raises SourceError."""
    path = url.partition("?")[0].partition("#")[0]
    return Found("command", unquote(path.rsplit("/", 1)[-1]), lambda: fetch(url))


def is_link(text: str) -> bool:
    """Whether the user means an address rather than a file."""
    return text.lower().startswith(("http://", "https://"))


def _is_whole(path: str, *, windows: bool) -> bool:
    return bool(_DRIVE.fullmatch(path)) if windows else path.startswith("/")


def _read_itself(path: Path, max_bytes: int, off_limits: OffLimits) -> bytes:
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):  # reading says why
        mode = stat.S_IFREG
    if stat.S_ISLNK(mode):
        raise SourceError("{path} leads to another file; name that file itself", path=str(path))
    _refuse_other_than_files(mode, path)  # opening a device or a pipe can do something
    return _read(path, max_bytes, off_limits, _NO_LINKS)


def _read(path: Path, max_bytes: int, off_limits: OffLimits, flags: int = 0) -> bytes:
    if reason := off_limits.reason(path):
        raise SourceError(reason.template, **reason.fields)
    try:
        handle = os.open(path, os.O_RDONLY | _FLAGS | flags)
    except FileNotFoundError as exc:
        if not path.suffix:
            raise SourceError(
                "there is no file {path}; imghost --help lists the commands", path=str(path)
            ) from exc
        raise SourceError(
            "there is no file {path}; check the name and the folder", path=str(path)
        ) from exc
    except (OSError, ValueError) as exc:
        raise _unreadable(path, exc) from exc
    try:
        status = os.fstat(handle)
        _refuse_other_than_files(status.st_mode, path)
        if status.st_size > max_bytes:
            raise _too_large(path, max_bytes)
        with open(handle, "rb", closefd=False) as file:
            data = file.read(status.st_size + 1)
            data += file.read(max_bytes + 1 - len(data))  # of a file that grew
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    finally:
        os.close(handle)
    if len(data) > max_bytes:
        raise _too_large(path, max_bytes)
    return data


def _too_large(path: Path, max_bytes: int) -> SourceError:
    return SourceError(
        "{path} is larger than {max_mb} MB; raise limits.input_bytes if it is meant to be",
        path=str(path),
        max_mb=max_bytes // 1_000_000,
    )


def _refuse_other_than_files(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise SourceError("{path} is a folder; name the images in it", path=str(path))
    if not stat.S_ISREG(mode):
        raise SourceError("{path} is not a file; name an image file", path=str(path))


_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def _unreadable(path: Path, exc: Exception) -> SourceError:
    return SourceError(
        "{path} cannot be read: {detail}; check its permissions",
        path=str(path),
        detail=getattr(exc, "strerror", None) or str(exc),
    )
