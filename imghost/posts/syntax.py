"""The pieces of CommonMark that blocks and lines share: destinations, titles, labels, tags."""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5

_BLANK = r"[ \t\n]"
_PUNCTUATION = r"[!-/:-@\[-`{-~]"
_PARENTHESES = 6


def _bare(depth: int) -> str:
    """A destination without < >, in which parentheses stand in pairs."""
    inner = rf"|\({_bare(depth - 1)}\)" if depth else ""
    return rf"(?:\\{_PUNCTUATION}|[^\x00-\x20\x7f()\\]|\\{inner})*+"


_ANGLE = r"<(?:[^<>\n\\]|\\.)*+>"
_DESTINATION = rf"(?P<destination>{_ANGLE}|(?![<)]){_bare(_PARENTHESES)})"
_TITLE = r'(?:"(?:[^"\\]|\\.)*+"|\'(?:[^\'\\]|\\.)*+\'|\((?:[^()\\]|\\.)*+\))'
_LABEL = r"\[(?P<label>(?:[^\[\]\\]|\\.){1,999}+)\]"

LINK_TAIL = re.compile(
    rf"\({_BLANK}*+(?:{_DESTINATION}(?:{_BLANK}+{_TITLE})?)?{_BLANK}*+\)", re.DOTALL
)
"""What follows the text of an inline link."""

LABEL = re.compile(_LABEL, re.DOTALL)
LONGEST_LABEL = 2 * 999
"""In characters, each of which may be escaped."""

DEFINITION = re.compile(
    rf"[ \t]*+(?!\[{_BLANK}*+\]){_LABEL}:{_BLANK}*+(?![ \t\n]){_DESTINATION}"
    rf"(?:{_BLANK}++{_TITLE}(?=[ \t]*+(?:\n|\Z)))?[ \t]*+(?:\n|\Z)",
    re.DOTALL,
)

_ATTRIBUTE = (
    r"[ \t\n]+[A-Za-z_:][A-Za-z0-9:._-]*+"
    r"(?:[ \t\n]*=[ \t\n]*(?:[^\"'=<>`\x00-\x20]++|'[^']*+'|\"[^\"]*+\"))?"
)
TAG = rf"<(?:[A-Za-z][A-Za-z0-9-]*+(?:{_ATTRIBUTE})*[ \t\n]*/?|/[A-Za-z][A-Za-z0-9-]*+[ \t\n]*)>"
"""An opening or closing tag."""

_ESCAPE = re.compile(rf"\\({_PUNCTUATION})|&(?:#[0-9]{{1,7}}|#[xX][0-9A-Fa-f]{{1,6}}|\w+);")


def plain(text: str) -> str:
    """A destination without its escapes and character references."""
    if "\\" not in text and "&" not in text:
        return text
    return _ESCAPE.sub(_unescaped, text)


def label_key(label: str) -> str:
    """By which a label is compared: neither case nor the kind of blanks matters."""
    return " ".join(label.split()).casefold()


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        return escape[1]
    if escape[0][1] == "#":
        return unescape(escape[0])
    return html5.get(escape[0][1:], escape[0])
