"""Whether a page tells others that show its pictures where they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SILENT = frozenset({"no-referrer", "same-origin", "never"})
"""Policies by which another site's pictures are asked for without a Referer; `never` is the old
name (W3C, Referrer Policy, 3 and 4.1)."""
_KNOWN = _SILENT | {
    *("no-referrer-when-downgrade", "origin", "strict-origin", "origin-when-cross-origin"),
    *("strict-origin-when-cross-origin", "unsafe-url", "always", "default"),
}
_UNSEEN = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(script|style|template)\b.*?(?:</\1|\Z)", re.IGNORECASE | re.DOTALL
)
_META = re.compile(rb"<meta\s([^<>]*)>", re.IGNORECASE)
_VALUE = re.compile(
    rb"""(?<![a-z-])([a-z-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)


def sends_no_referrer(headers: Mapping[str, str], page: bytes) -> bool:
    """Whether a page, with its answer's headers, has pictures asked for without a Referer.

    Its last tag that says something known counts, else the last such word in the header.
    """
    words = [word.strip().lower() for word in headers.get("referrer-policy", "").split(",")]
    words += map(_policy, _META.findall(_UNSEEN.sub(b"", page)))
    told = [word for word in words if word in _KNOWN]
    return bool(told) and told[-1] in _SILENT


def _policy(attributes: bytes) -> str:
    """The policy that a meta tag with these attributes tells; "" if none."""
    told = {name.lower(): b"".join(values) for name, *values in _VALUE.findall(attributes)}
    is_ours = told.get(b"name", b"").strip().lower() == b"referrer"
    return told.get(b"content", b"").decode("latin-1").strip().lower() if is_ours else ""
