"""Which of the formats that a clipboard offers is read, and copied files as bytes and as paths."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import cast
from urllib.parse import quote_from_bytes, unquote_to_bytes

from imghost.clipboard import CUT, DRAWING, MARKED, NOT_HANDED_OVER, WITH_TEXT, Held
from imghost.models import Message

GNOME_FILES = "x-special/gnome-copied-files"
URI_LIST = "text/uri-list"
KDE_CUT = "application/x-kde-cutselection"

_BITMAPS = ("image/png", "image/webp", "image/jpeg", "image/gif", "image/bmp", "image/tiff")
_SVG = "image/svg+xml"
_TEXTS = ("utf8_string", "string", "text")
_PASSWORDS = "x-kde-passwordmanagerhint"  # GTK and Electron wrap it into other names


class LeftAlone(Exception):
    """What is offered is not taken, and why."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


def taking(
    mark: object, offered: Iterable[str], *, wanted: bool = False
) -> Generator[str, bytes, Held]:
    """What is taken of the formats `offered`: copied files, else a bitmap, else nothing.

    `wanted`: the user asked for just this; only what is marked is left alone then.

    It asks for the bytes of one format after another, as few as can be, for an owner may have to
    make each. Raises LeftAlone. The order of formats, and what is left alone, are habits of file
    managers, browsers, office programs and password managers.
    """
    names = {name.lower(): name for name in offered}
    files = next((names[name] for name in (GNOME_FILES, URI_LIST) if name in names), "")
    bitmap = next((names[name] for name in _BITMAPS if name in names), "")
    is_drawing = _SVG in names and not any(map(_is_text, names))
    if (files or bitmap or is_drawing) and any(_PASSWORDS in name for name in names):
        raise LeftAlone(MARKED)
    if files and (paths := (yield from _copied(files, names, wanted=wanted))):
        return Held(mark, paths=paths)
    if not bitmap and is_drawing:
        raise LeftAlone(DRAWING)
    if not bitmap:
        return Held(mark)
    if not wanted and any(_is_text(name) for name in names):
        raise LeftAlone(WITH_TEXT)
    if data := (yield bitmap):
        return Held(mark, bitmap=data)
    raise LeftAlone(NOT_HANDED_OVER)


def held(
    mark: object, offered: Iterable[str], fetch: Callable[[str], bytes], *, wanted: bool = False
) -> Held:
    """What `taking` takes where `fetch` gives the bytes of a format, or raises LeftAlone."""
    steps = taking(mark, offered, wanted=wanted)
    try:
        name = next(steps)
        while True:
            name = steps.send(fetch(name))
    except StopIteration as end:
        return cast("Held", end.value)
    except LeftAlone as exc:
        return Held(mark, reason=exc.reason)


def copied_files(data: bytes) -> tuple[bool, tuple[str, ...]]:
    """Whether the files of `x-special/gnome-copied-files` were cut, and their absolute paths."""
    verb, _, uris = data.partition(b"\n")
    return verb.strip().lower() == b"cut", uri_list(uris)


def uri_list(data: bytes) -> tuple[str, ...]:
    """The absolute paths of the local files of a `text/uri-list` (RFC 2483), in their order."""
    return tuple(path for line in data.split(b"\n") if (path := _path(line.strip(b"\r\t\0 "))))


def copied(paths: Iterable[str]) -> Mapping[str, bytes]:
    """Absolute paths as file managers offer copied files: bytes by format."""
    uris = [b"file://" + quote_from_bytes(os.fsencode(path)).encode() for path in paths]
    return {
        GNOME_FILES: b"\n".join([b"copy", *uris]),
        URI_LIST: b"".join(uri + b"\r\n" for uri in uris),
    }


def _is_text(name: str) -> bool:
    return name in _TEXTS or name.partition(";")[0] == "text/plain"


def _copied(
    files: str, names: Mapping[str, str], *, wanted: bool
) -> Generator[str, bytes, tuple[str, ...]]:
    if files.lower() == GNOME_FILES:
        cut, paths = copied_files((yield files))
    else:
        cut = KDE_CUT in names and (yield names[KDE_CUT]).startswith(b"1")  # "0": copied
        paths = uri_list((yield files)) if wanted or not cut else ()
    if cut and not wanted:
        raise LeftAlone(CUT)
    return paths


def _path(uri: bytes) -> str:
    scheme, _, rest = uri.partition(b":")
    if scheme.lower() != b"file" or not rest.startswith(b"/"):
        return ""
    if rest.startswith(b"//"):
        host, slash, name = rest[2:].partition(b"/")
        if host.lower() not in _our_names():
            return ""
        rest = slash + name
    path = os.fsdecode(unquote_to_bytes(rest))
    return path if path.startswith("/") and "\0" not in path else ""


def _our_names() -> Iterator[bytes]:
    yield b""
    yield b"localhost"
    yield os.fsencode(socket.gethostname()).lower()
