"""What a move would change, shown before it is made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import PurePath
from urllib.parse import quote

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
from imghost.server.wire import Settled
from imghost.text import printable

_LINE_END = re.compile(r"\r\n|\r|\n")


def placeholders(request: UploadRequest) -> Iterator[Settled]:
    """For each input a link that cannot be one: no name ends in .invalid (RFC 2606)."""
    options = request.options
    for index, given in enumerate(request.inputs):
        name = quote(_name(given))
        place = f"https://{options.host}.invalid/{options.bucket}"
        yield Settled(index, None, f"{place}/{name}{options.style}")


def difference(post: Post, text: str) -> str:
    """How the post would change, as a unified diff that a terminal can show."""
    name = printable(str(post.path))
    before, after = (list(map(_shown, _LINE_END.split(text))) for text in (post.text, text))
    return "\n".join(unified_diff(before, after, name, name, lineterm=""))


def _shown(line: str) -> str:
    return "\t".join(map(printable, line.split("\t")))


def _name(given: Input) -> str:
    match given:
        case BytesInput(name):
            return name
        case RemoteInput(url) | LinkInput(url):
            return PurePath(url.partition("?")[0]).name
        case UploadedInput(record_id):
            return str(record_id)
        case FileInput(path) | EditorFile(path):
            return PurePath(path).name
