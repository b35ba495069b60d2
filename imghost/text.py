"""Human languages: the one place that turns messages into sentences.

Templates stand in the code in English, and are the keys of `catalogues/<language>.json`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from imghost.models import Message

LANGUAGES = ("en", "zh_CN")
_CATALOGUES = Path(__file__).with_name("catalogues")
_LATIN_1_END = 0xFF
_UNIT = 1000
_ROUND = 10
_MINUTE_S = 60
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_FROM_ELSEWHERE = frozenset({"name", "path", "url", "text"})  # of any length
_SHOWN_CHARACTERS = 200
_STAND_INS = {"clipboard": Message("clipboard"), "image": Message("image")}
"""What stands in the field `name` for what has no name of its own."""


class Speaker:
    """Says messages in one language; what the catalogue lacks is said in English."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue: Mapping[str, str] = {}
        if language != "en":
            path = _CATALOGUES / f"{language}.json"
            self._catalogue = json.loads(path.read_text(encoding="utf-8"))

    def __call__(self, message: Message | str, **fields: str | float | Message) -> str:
        """The sentence; unknown templates and texts are made printable, messages are said."""
        if isinstance(message, str):
            message = Message(message, fields)
        template = self._catalogue.get(message.template) or printable(message.template)
        return template.format_map({k: self._field(k, v) for k, v in message.fields.items()})

    def _field(self, field: str, value: str | float | Message) -> str | float:
        if field == "name" and isinstance(value, str):
            value = _STAND_INS.get(value, value)
        if isinstance(value, Message):
            return self(value)
        if field in _FROM_ELSEWHERE and isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
            value = f"{value[: _SHOWN_CHARACTERS // 2]}…{value[-_SHOWN_CHARACTERS // 2 :]}"
        return printable(value) if isinstance(value, str) else value


def speaker(configured: str, environ: Mapping[str, str]) -> Speaker:
    """The speaker for the configured language, else for the user's locale."""
    return Speaker(configured or _language_of(_locale(environ)))


def printable(text: str) -> str:
    r"""The text with everything that could steer a terminal or hide shown as an escape.

    Control characters, bidirectional and zero-width ones, line ends and lone surrogates come out
    as `\x1b` or `\u202e`; joiners between letters too.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _HIDDEN else c for c in text)


def size_text(size_bytes: int) -> str:
    """A number of bytes as people read it: 512 B, 13 kB, 2.1 MB."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < _UNIT:
            break
        size, unit = size / _UNIT, larger
    return f"{size:.1f} {unit}" if size < _ROUND and unit != "B" else f"{size:.0f} {unit}"


def span_text(seconds: float) -> Message:
    """A time as people read it: 45 s, 12 min, 2 h 5 min."""
    if seconds < _MINUTE_S:
        return Message("{n} s", {"n": max(1, round(seconds))})
    hours, minutes = divmod(round(seconds / _MINUTE_S), 60)
    if not hours:
        return Message("{n} min", {"n": minutes})
    return Message("{hours} h {n} min", {"hours": hours, "n": minutes})


def _escaped(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point <= _LATIN_1_END else f"\\u{point:04x}"


def _locale(environ: Mapping[str, str]) -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return environ[name]
    import locale

    return locale.getlocale()[0] or ""


def _language_of(locale_name: str) -> str:
    return "zh_CN" if locale_name.lower().startswith(("zh", "chinese")) else "en"
