"""The texts of YAML by their keys, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from imghost.posts.keyed import KeyedText, joined

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")


def yaml_texts(source: str) -> Iterator[KeyedText]:
    """All of them; those in lines of their own stand from their sign on. Raises ValueError."""
    try:
        root = yaml.compose(source, Loader=_LOADER)
    except yaml.YAMLError as exc:
        raise ValueError(getattr(exc, "problem", None) or str(exc)) from exc
    for key, node in _scalars(root, "", set()):
        if node.tag == _TEXT:
            start = _after_properties(source, node.start_mark.index)
            end = start + len(source[start : node.end_mark.index].rstrip())
            quote = 1 if node.style in ("'", '"') else 0
            yield KeyedText(key, start + quote, end - quote, node.value)


def _after_properties(source: str, start: int) -> int:
    """Where a text begins behind its anchor and tag."""
    properties = _PROPERTIES.match(source, start)
    return properties.end() if properties else start


def _scalars(
    node: yaml.Node | None, key: str, seen: set[int]
) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """What several places share comes once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    match node:
        case yaml.MappingNode():
            for name, value in node.value:
                if isinstance(name, yaml.ScalarNode):
                    yield from _scalars(value, joined(key, name.value), seen)
        case yaml.SequenceNode():
            for value in node.value:
                yield from _scalars(value, key, seen)
        case yaml.ScalarNode():
            yield key, node
