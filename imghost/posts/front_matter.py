"""Pictures in a front matter: YAML, TOML or JSON above the text of a post."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from imghost.models import Message
from imghost.posts.pictures import Pictures, names_image
from imghost.posts.references import Form
from imghost.sources.files import is_link

if TYPE_CHECKING:
    from yaml import Node

_FENCED = re.compile(
    r"(?P<fence>-{3,}|\+{3}|;{3,})[ \t]*\n(?P<inside>(?:[^\n]*\n)*?)"
    r"(?:(?P=fence)|\.\.\.)[ \t]*(?:\n|\Z)"
)
_YAML_TEXT = "tag:yaml.org,2002:str"
_TOML_TEXT = re.compile(
    r"\"\"\".*?\"\"\"|'{3}.*?'{3}|\"(?:\\.|[^\"\\\n])*+\"|'[^'\n]*+'|#[^\n]*", re.DOTALL
)
_JSON_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*+\"", re.DOTALL)
_AFTER_KEY = re.compile(r"[ \t\n]*[=.:]")
_QUOTES = re.compile(r"\"\"\"|'''|\"|'")


class _Value(NamedTuple):
    """A text that stands at `source[start:end]`, quotes left out, below a key such as a.b."""

    key: str
    start: int
    end: int
    text: str


def find_in_front_matter(text: str, keys: Collection[str], pictures: Pictures) -> int:
    """The pictures that these keys name at the text's begin; where the front matter ends.

    A dot in a key leads into a table; lists are looked through; case does not matter.
    """
    fenced = _FENCED.match(text)
    start, stop, end = (*fenced.span("inside"), fenced.end()) if fenced else _bare_json(text)
    wanted = {key.casefold() for key in keys}
    source = text[start:stop]
    folded = source.casefold()
    if not any(key.rpartition(".")[2] in folded for key in wanted):
        return end
    try:
        for value in _READERS[text[0]](source):
            if value.key.casefold() in wanted and (names_image(value.text) or is_link(value.text)):
                place = start + value.start, start + value.end
                pictures.add(Form.FRONT_MATTER, *place, value.text)
    except (ValueError, RecursionError) as exc:
        pictures.leave(start, Message("the front matter cannot be read: {detail}", {"detail": str(exc)}))
    return end


def _bare_json(text: str) -> tuple[int, int, int]:
    try:
        end = json.JSONDecoder().raw_decode(text)[1] if text.startswith("{") else 0
    except (ValueError, RecursionError):  # a template's tag, perhaps
        end = 0
    return 0, end, end


def _yaml(source: str) -> Iterator[_Value]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(source, Loader=loader)
    except yaml.YAMLError as exc:
        raise ValueError(str(exc)) from exc
    return _yaml_texts(root, "", set()) if root else iter(())


def _yaml_texts(node: Node, key: str, seen: set[int]) -> Iterator[_Value]:
    """The texts below a node, what is named twice only once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if node.id == "mapping":
        for name, value in node.value:
            if name.id == "scalar":
                yield from _yaml_texts(value, _joined(key, name.value), seen)
    elif node.id == "sequence":
        for value in node.value:
            yield from _yaml_texts(value, key, seen)
    elif node.tag == _YAML_TEXT and node.style not in ("|", ">"):
        is_quoted = bool(node.style)
        start, end = node.start_mark.index + is_quoted, node.end_mark.index - is_quoted
        yield _Value(key, start, end, node.value)


def _toml(source: str) -> Iterator[_Value]:
    import tomllib

    return _marked(source, _TOML_TEXT, tomllib.loads, lambda text: tomllib.loads(f"a = {text}")["a"])


def _json(source: str) -> Iterator[_Value]:
    return _marked(source, _JSON_TEXT, json.loads, json.loads)


def _json_without_braces(source: str) -> Iterator[_Value]:
    return _marked(source, _JSON_TEXT, lambda text: json.loads(f"{{{text}}}"), json.loads)


_READERS: dict[str, Callable[[str], Iterator[_Value]]] = {
    "-": _yaml,
    "+": _toml,
    ";": _json_without_braces,
    "{": _json,
}


def _marked(
    source: str,
    quoted: re.Pattern[str],
    loads: Callable[[str], Any],
    decode: Callable[[str], str],
) -> Iterator[_Value]:
    """The texts of a syntax whose parser tells no places: it is given their numbers instead."""
    texts: list[re.Match[str]] = []

    def number(text: re.Match[str]) -> str:
        if text[0].startswith("#") or _AFTER_KEY.match(source, text.end()):
            return text[0]
        texts.append(text)
        return f'"{len(texts) - 1}"'

    for key, at in _texts(loads(quoted.sub(number, source)), ""):
        text = texts[int(at)]
        quote = len(_QUOTES.match(text[0])[0])
        yield _Value(key, text.start() + quote, text.end() - quote, decode(text[0]))


def _texts(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, _joined(key, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str):
        yield key, value


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
