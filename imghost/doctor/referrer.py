"""Whether a page tells others that show its pictures where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser

_SILENT = frozenset({"no-referrer", "same-origin", "never"})
"""Policies by which another site's pictures are asked for without a Referer; `never` is the old
name (W3C, Referrer Policy, 3 and 4.1)."""
_KNOWN = _SILENT | {
    *("no-referrer-when-downgrade", "origin", "strict-origin", "origin-when-cross-origin"),
    *("strict-origin-when-cross-origin", "unsafe-url", "always", "default"),
}


class _Policies(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: (value or "").strip().lower() for name, value in attrs}
        if tag == "meta" and told.get("name") == "referrer" and told.get("content") in _KNOWN:
            self.last = told["content"]


def sends_no_referrer(headers: Mapping[str, str], page: bytes) -> bool:
    """Whether a page, with its answer's headers, has pictures asked for without a Referer.

    Its last tag that says something known counts, else the last such word in the header.
    """
    parser = _Policies()
    parser.feed(page.decode(errors="replace"))
    words = [word.strip().lower() for word in headers.get("referrer-policy", "").split(",")]
    told = parser.last or next((word for word in reversed(words) if word in _KNOWN), "")
    return told in _SILENT
