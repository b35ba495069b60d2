"""Secrets that were sent, taken out of what came back, whatever they were turned into there."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

from imghost.secret import MASK, Secret

_SHORTEST = 8
_UNKNOWN = (0, 2, 3)
"""How many letters of base64 depend on what came before, by its bytes modulo three."""


def masked(text: str, secrets: Iterable[Secret]) -> str:
    """The text without the secrets: as they are, percent-encoded or decoded, each in base64 too.

    Secrets of fewer than 8 characters stay: too much else looks like them.
    """
    plain = {secret.reveal() for secret in secrets}
    forms = {form for secret in plain if len(secret) >= _SHORTEST for form in _forms(secret)}
    return re.sub("|".join(sorted(forms, key=len, reverse=True)), MASK, text) if forms else text


def _forms(plain: str) -> Iterator[str]:
    """Patterns of all that the secret can look like."""
    for reading in (plain, quote(plain, safe="", errors="replace"), unquote(plain)):
        yield "".join(map(_spelled, reading))
        for before in range(3):
            yield _in_base64(reading.encode(errors="replace"), before)


def _spelled(char: str) -> str:
    """The character itself, or escaped in a URL or in JSON, once or again."""
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in char.encode(errors="replace"))
    return rf"(?:(?i:{percent}|\\{{1,2}}u{ord(char):04x})|\\?{re.escape(char)})"


def _in_base64(data: bytes, before: int) -> str:
    """Either alphabet's letters that say nothing but the data, behind so many other bytes."""
    known = slice(_UNKNOWN[before], (before + len(data)) * 8 // 6)
    letters = b64encode(bytes(before) + data).decode()[known]
    either = {"+": f"(?:{_spelled('+')}|-)", "/": f"(?:{_spelled('/')}|_)"}
    return "".join(either.get(letter, letter) for letter in letters)
