"""The texts of TOML and JSON by their keys, each with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_AFTER_KEY = re.compile(r"[ \t\n]*[=.:]")
_TOML_TEXT = re.compile(
    r"(?P<quote>\"{3}|'{3}).*?(?P=quote)|\"(?:\\.|[^\"\\\n])*+(?:\"|(?P<open>))"
    r"|'[^'\n]*+'|#[^\n]*",
    re.DOTALL,
)
_JSON_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*+(?:\"|(?P<open>))", re.DOTALL)
_BETWEEN_KEYS = re.compile(r"[=\n,\[\]{}]")
_MOST_NAMES = 100


class KeyedText(NamedTuple):
    """A text that stands at `source[start:end]`, quotes left out, below a key such as a.b."""

    key: str
    start: int
    end: int
    text: str


def joined(key: str, name: str) -> str:
    """The key of what is called so in a table with this key."""
    return f"{key}.{name}" if key else name


def toml_texts(source: str) -> Iterator[KeyedText]:
    """All texts of TOML. Raises ValueError."""
    from tomllib import loads as parsed

    def loads(text: str) -> dict[str, Any]:
        if any(key.count(".") > _MOST_NAMES for key in _BETWEEN_KEYS.split(text)):
            raise ValueError("a key of too many names")  # whose beginnings tomllib all keeps
        return parsed(text)

    return _texts(source, _TOML_TEXT, loads, lambda text: parsed(f"a = {text}")["a"])


def json_texts(source: str, *, braces: bool = False) -> Iterator[KeyedText]:
    """All texts of JSON, to which `braces` may have to be added. Raises ValueError."""

    def loads(text: str) -> object:
        return json.loads(f"{{{text}}}" if braces else text)

    return _texts(source, _JSON_TEXT, loads, json.loads)


def _texts(
    source: str,
    quoted: re.Pattern[str],
    loads: Callable[[str], object],
    decode: Callable[[str], Any],
) -> Iterator[KeyedText]:
    """The parsers do not tell places: so they are given numbers instead of the texts."""
    texts: list[re.Match[str]] = []

    def number(text: re.Match[str]) -> str:
        if text[0].startswith("#"):
            return ""
        if text["open"] is not None or _AFTER_KEY.match(source, text.end()):
            return text[0]
        texts.append(text)
        return f'"{len(texts) - 1}"'

    for key, at in _numbers(loads(quoted.sub(number, source)), ""):
        text = texts[int(at)]
        quote = 3 if text[0].startswith(('"""', "'''")) else 1
        yield KeyedText(key, text.start() + quote, text.end() - quote, decode(text[0]))


def _numbers(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, joined(key, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, key)
    elif isinstance(value, str):
        yield key, value
