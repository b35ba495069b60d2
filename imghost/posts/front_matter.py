"""Pictures in a front matter: YAML, TOML or JSON above the text of a post."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from imghost.models import Message
from imghost.posts.keyed import KeyedText, json_texts, toml_texts
from imghost.posts.pictures import Pictures, names_image
from imghost.posts.references import Form
from imghost.sources.files import is_link

_FENCED = re.compile(
    r"(?P<fence>-{3,}|\+{3}|;{3,})[ \t]*\n(?P<inside>(?:[^\n]*\n)*?)"
    r"(?:(?P=fence)|\.\.\.)[ \t]*(?:\n|\Z)"
)
_LONGEST = 1 << 18


def find_in_front_matter(text: str, keys: Collection[str], pictures: Pictures) -> int:
    """The pictures that these keys name at the text's begin; where the front matter ends.

    A dot in a key leads into a table; lists are looked through; case does not matter.
    """
    fenced = _FENCED.match(text)
    start, stop, end = (*fenced.span("inside"), fenced.end()) if fenced else _bare_json(text)
    wanted = {key.casefold() for key in keys}
    source = text[start:stop]
    folded = source.casefold()
    if not source or not any(key.rpartition(".")[2] in folded for key in wanted):
        return end
    if len(source) > _LONGEST:
        most = {"most": _LONGEST}
        pictures.leave(start, Message("the front matter has more than {most} characters", most))
        return end
    longest = max(map(len, wanted))
    try:
        for found in _READERS[text[0]](source):
            target = found.text.strip()
            if (
                len(found.key) <= longest
                and found.key.casefold() in wanted
                and (names_image(target) or is_link(target))
            ):
                place = start + found.start, start + found.end
                pictures.add(Form.FRONT_MATTER, *place, target)
    except (ValueError, OverflowError, RecursionError) as exc:
        pictures.leave(
            start, Message("the front matter cannot be read: {detail}", {"detail": str(exc)})
        )
    return end


def _bare_json(text: str) -> tuple[int, int, int]:
    try:
        end = json.JSONDecoder().raw_decode(text)[1] if text.startswith("{") else 0
    except (ValueError, RecursionError):  # a template's tag, perhaps
        end = 0
    return 0, end, end


def _yaml(source: str) -> Iterator[KeyedText]:
    from imghost.posts.keyed_yaml import yaml_texts

    return yaml_texts(source)


_READERS: Mapping[str, Callable[[str], Iterator[KeyedText]]] = {
    "-": _yaml,
    "+": toml_texts,
    ";": lambda source: json_texts(source, braces=True),
    "{": json_texts,
}
