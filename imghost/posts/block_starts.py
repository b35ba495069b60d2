"""How a block of Markdown begins and ends on a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from imghost.posts.syntax import TAG

MARKS = frozenset(">#`~<=|:-*_+{%0123456789")
"""With what a line begins that is no ordinary text."""

HEADING = re.compile(r"#{1,6}(?=[ \t\n]|\Z)")
UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*(?=\n|\Z)")
RULE = re.compile(r"([-*_])(?:[ \t]*\1){2,}[ \t]*(?=\n|\Z)")
ITEM = re.compile(r"(?:[-+*]|([0-9]{1,9})[.)])(?=[ \t\n]|\Z)")

_FENCE = re.compile(r"(`{3,})[^`\n]*(?=\n|\Z)|(~{3,})")
_TEMPLATE = re.compile(
    r"\{%-?[ \t]*(?P<tag>highlight|codeblock|comment)\b|\{\{(?P<sign>[<%])[ \t]*highlight\b"
)
_COMMENT = re.compile(r"%%[ \t]*(?=\n|\Z)")
_COMMENT_END = re.compile(r"\n {0,3}%%[ \t]*(?=\n|\Z)")
_DELIMITERS = re.compile(r"[|:-](?:[|:-]|(?<!-)[ \t])[|: \t-]*(?=\n|\Z)|[|:-]{2}(?=\n|\Z)")
_DELIMITER = re.compile(r"[ \t]*:?-+:?[ \t]*")
_PIPE = re.compile(r"(?<!\\)\|")

_BLOCK_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|"
    "dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|"
    "hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|"
    "search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul"
)
_HTML = tuple(
    (re.compile(start, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for start, end in (
        (r"<(?:script|pre|style|textarea)(?=[\s>]|\Z)", r"</(?:script|pre|style|textarea)>"),
        (r"<!--", r"-->"),
        (r"<\?", r"\?>"),
        (r"<![a-z]", r">"),
        (r"<!\[CDATA\[", r"\]\]>"),
    )
)
_HTML_BLOCK = re.compile(rf"</?(?:{_BLOCK_TAGS})(?=\s|/?>|\Z)", re.IGNORECASE)
_HTML_LINE = re.compile(rf"{TAG}[ \t]*(?=\n|\Z)")
BLANK_LINE = re.compile(r"(?!)")
"""The end of HTML that goes on until a blank line."""


class FenceEnd(NamedTuple):
    """The line that ends a code block: from its first sign on, and from any line's begin."""

    here: re.Pattern[str]
    later: re.Pattern[str]


def fence_end(text: str, at: int) -> FenceEnd | None:
    """What ends the code block that begins here, if one does."""
    fence = _FENCE.match(text, at)
    return _fence_end(fence[0][0], len(fence[1] or fence[2])) if fence else None


@cache
def _fence_end(mark: str, count: int) -> FenceEnd:
    here = rf"{mark}{{{count},}}[ \t]*$"
    return FenceEnd(re.compile(here, re.MULTILINE), re.compile(rf"^ {{0,3}}{here}", re.MULTILINE))


def html_end(text: str, at: int, end: int, *, in_text: bool) -> re.Pattern[str] | None:
    """What ends the HTML that begins here, if some does; not all of it ends a paragraph."""
    for start, until in _HTML:
        if start.match(text, at, end):
            return until
    if _HTML_BLOCK.match(text, at, end) or (not in_text and _HTML_LINE.match(text, at, end)):
        return BLANK_LINE
    return None


def template_end(text: str, at: int) -> re.Pattern[str] | None:
    """What ends the comment, or the code of a template's tag, that begins here, if one does."""
    if _COMMENT.match(text, at):
        return _COMMENT_END
    tag = _TEMPLATE.match(text, at)
    if not tag:
        return None
    until = rf"\{{%-?[ \t]*end{tag['tag']}\b" if tag["tag"] else r"\{\{[<%][ \t]*/[ \t]*highlight\b"
    return re.compile(until)


def columns_of(text: str, at: int, end: int) -> int:
    """How many columns the table has whose line of dashes this is; 0 if it is none."""
    if not _DELIMITERS.match(text, at, end):
        return 0
    columns = text[at:end].strip().removeprefix("|").removesuffix("|").split("|")
    return len(columns) if all(map(_DELIMITER.fullmatch, columns)) else 0


def cells(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the cells of a table's row stand."""
    while start < end and text[start] in " \t":
        start += 1
    end = start + len(text[start:end].rstrip(" \t"))
    if text.startswith("|", start):
        start += 1
    for pipe in _PIPE.finditer(text, start, end):
        yield start, pipe.start()
        start = pipe.end()
    if start < end:
        yield start, end
