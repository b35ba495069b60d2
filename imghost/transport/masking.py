"""Secrets that were sent, taken out of what came back, whatever they were turned into there."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, unquote

from imghost.secret import MASK, Secret

_SHORTEST = 8
_DECODINGS = 4
_BASE64 = str.maketrans("-_", "+/")
_ESCAPE = re.compile(r"\\{1,2}u([0-9a-fA-F]{4})")
_UNKNOWN = (0, 2, 3)
"""How many letters of base64 depend on what came before, by its bytes modulo three."""


def masked(text: str, secrets: Iterable[Secret]) -> str:
    """The text without the secrets: as they are, percent-encoded or decoded, each in base64 too.

    Secrets of fewer than 8 characters stay: too much else looks like them.
    """
    plain = {secret.reveal() for secret in secrets if len(secret.reveal()) >= _SHORTEST}
    if not _may_hold(text, plain):
        return text
    forms = {form for secret in plain for form in _forms(secret)}
    return re.sub("|".join(sorted(forms, key=len, reverse=True)), MASK, text)


def _may_hold(text: str, plain: Iterable[str]) -> bool:
    """Whether the text is worth the patterns, which take longer to build than most replies to come.

    It is decoded step by step, and at each step looked through for each secret as it is then.
    """
    sought = {part for secret in plain for part in _sought(secret)}
    for _ in range(_DECODINGS):
        if _holds(text, sought) or _holds(text.translate(_BASE64), sought):
            return True
        text = _decoded(text)
    return False


def _holds(text: str, sought: Iterable[str]) -> bool:
    return any(part in text for part in sought)


@lru_cache(maxsize=8)  # the same few secrets are sought in every reply
def _sought(plain: str) -> frozenset[str]:
    """What a text that holds the secret holds by one of the steps, at the latest."""
    sought = set()
    for reading in (plain, quote(plain, safe="", errors="replace"), unquote(plain)):
        sought |= {_letters(reading.encode(errors="replace"), before) for before in range(3)}
        for _ in range(_DECODINGS):
            sought.add(reading)
            reading = _decoded(reading)  # noqa: PLW2901 - as the text will be by then
    return frozenset(sought)


def _decoded(text: str) -> str:
    text = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    return unquote(text.replace("\\", ""))


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
    letters = _letters(data, before)
    either = {"+": f"(?:{_spelled('+')}|-)", "/": f"(?:{_spelled('/')}|_)"}
    return "".join(either.get(letter, letter) for letter in letters)


def _letters(data: bytes, before: int) -> str:
    known = slice(_UNKNOWN[before], (before + len(data)) * 8 // 6)
    return b64encode(bytes(before) + data).decode()[known]
