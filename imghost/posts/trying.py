"""What a move would change, shown before it is made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path, PurePath
from urllib.parse import quote

from imghost.errors import ImageError, SourceError
from imghost.imaging.sniff import HEAD_BYTES, REFUSALS, format_of, other_kind
from imghost.keep.rows import Rows
from imghost.models import Message
from imghost.posts.post import Post
from imghost.server.asked import (
    BytesInput,
    EditorFile,
    FileInput,
    Input,
    LinkInput,
    RemoteInput,
    UploadedInput,
    UploadRequest,
)
from imghost.server.wire import Failure, Settled
from imghost.text import printable

_LINE_END = re.compile(r"\r\n|\r|\n")


def placeholders(journal: Rows, request: UploadRequest) -> Iterator[Settled]:
    """For each input a link that cannot be one: no name ends in .invalid (RFC 2606).

    Or why there will be none, where a look at the beginning of its file shows that.
    """
    options = request.options
    style = "" if options.style == "@" else options.style
    for index, given in enumerate(request.inputs):
        if failure := _failure(given):
            yield Settled(index, None, failure=failure)
        else:
            name = quote(_name(given, journal))
            place = f"https://{options.host}.invalid/{options.bucket}"
            yield Settled(index, None, f"{place}/{name}{style}")


def difference(post: Post, text: str) -> str:
    """How the post would change, as a unified diff that a terminal can show."""
    name = printable(str(post.path))
    before, after = (list(map(_shown, _LINE_END.split(text))) for text in (post.text, text))
    return "\n".join(unified_diff(before, after, name, name, lineterm=""))


def _shown(line: str) -> str:
    return "\t".join(map(printable, line.split("\t")))


def _failure(given: Input) -> Failure | None:
    if not isinstance(given, FileInput):
        return None
    path = Path(given.path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as exc:
        told = {"path": given.path, "detail": exc.strerror or str(exc)}
        why = Message("{path} cannot be read: {detail}; check its permissions", told)
        return Failure(SourceError.exit_code, why)
    if format_of(head):
        return None
    why = Message(REFUSALS[other_kind(head)].template, {"name": path.name})
    return Failure(ImageError.exit_code, why)


def _name(given: Input, journal: Rows) -> str:
    match given:
        case BytesInput(name):
            return name
        case RemoteInput(url) | LinkInput(url):
            return PurePath(url.partition("?")[0]).name
        case UploadedInput(record_id):
            return journal.get(record_id).name
        case FileInput(path) | EditorFile(path):
            return PurePath(path).name
