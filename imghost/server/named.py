"""What an editor's JSON asks for: files and links to upload, or uploads to delete."""

from __future__ import annotations

import re

from imghost.errors import UsageError
from imghost.server.asked import EditorFile, LinkInput, read_json
from imghost.sources.files import is_link

Named = EditorFile | LinkInput

MAX_INPUTS = 1000
_ID = re.compile(r"[0-9]{1,18}")  # SQLite can count as far


def named_inputs(body: bytes) -> tuple[Named, ...]:
    """What the body names, in its order; none if the clipboard is meant. Raises UsageError.

    That is what an empty body, `{}` and an empty list mean, and nothing else.
    """
    value = read_json(body) if body.strip() else {}
    return () if value == {} else tuple(map(_input, _list_of(value)))


def deletions(body: bytes) -> list[tuple[int, str]]:
    """The ids and links of the uploads that the body names. Raises UsageError."""
    return [_deletion(item) for item in _list_of(read_json(body))]


def _list_of(value: object) -> list[object]:
    items = value.get("list") if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise UsageError(
            'the request must be JSON with a "list" of files and links, or a form with files'
        )
    if len(items) > MAX_INPUTS:
        raise UsageError("at most {most} pictures can be asked for at a time", most=MAX_INPUTS)
    return items


def _input(value: object) -> Named:
    if not isinstance(value, str):
        raise UsageError('each of "list" in the request must be the text of a path or a link')
    return LinkInput(value) if is_link(value) else EditorFile(value)


def _deletion(value: object) -> tuple[int, str]:
    match value:
        case {"id": int() | str() as told, "imgUrl": str(link)} if _ID.fullmatch(str(told)):
            return int(told), link
    raise UsageError(
        'each of "list" in the request must be what "fullResult" told of an upload, with its "id" '
        'and "imgUrl"'
    )
