"""Pictures in prose: Markdown's own, Obsidian's, and those of tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imghost.posts.leaves import Leaf, Span
from imghost.posts.pictures import Pictures, names_image
from imghost.posts.references import Form
from imghost.posts.syntax import LABEL, LINK_TAIL, TAG, label_key, plain
from imghost.posts.tags import find_in_tag, find_in_template
from imghost.sources.candidates import ENDINGS

_SIGN = re.compile(r"\\.|`+|<|!\[|[\[\]]|\{[%{]|%%", re.DOTALL)
_EMBED = re.compile(r"!\[\[(?P<target>[^\[\]\n|]+?)(?:\\?\|[^\[\]\n]*)?\]\]")
_ANGLE = re.compile(
    rf"{TAG}|<!--?>|<!--->|<![A-Za-z][^>]*>"
    r"|<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\x00-\x20]*>"
    r"|<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?>",
)
_LONG = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>", "%%": "%%"}  # the last is Obsidian's
_TEMPLATE = r"\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}"
_LOOSE_TAIL = re.compile(
    rf"\([ \t]*(?P<destination>(?:(?:{_TEMPLATE}|[^\n()<>]|\([^\n()]*\))*?"
    rf"(?:{'|'.join(map(re.escape, ENDINGS))})(?:[?#][^\s()]*)?|{_TEMPLATE}))"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|=[0-9x%]+))*[ \t]*\)",
    re.IGNORECASE,
)
"""What follows a picture's text as editors and templates write it: with blanks, or with a size."""


@dataclass(slots=True)
class _Bracket:
    end: int
    is_image: bool
    found_before: int
    is_active: bool = True


def find_in_prose(
    leaf: Leaf, document: str, definitions: Mapping[str, Span], pictures: Pictures
) -> None:
    """The pictures of a leaf; `definitions` are where the document says what labels stand for."""
    _Prose(leaf, document, definitions, pictures).read()


class _Prose:
    """Pairs the brackets of a leaf from the inside out."""

    def __init__(
        self, leaf: Leaf, document: str, definitions: Mapping[str, Span], pictures: Pictures
    ) -> None:
        self._text = leaf.text
        self._start = leaf.start
        self._document = document
        self._definitions = definitions
        self._pictures = pictures
        self._brackets: list[_Bracket] = []
        self._unclosed: set[str] = set()

    def read(self) -> None:
        pos = 0
        while sign := _SIGN.search(self._text, pos):
            pos = self._read_sign(sign[0], sign.start(), sign.end())

    def _read_sign(self, sign: str, at: int, end: int) -> int:
        """Read what begins with this sign; where it ends."""
        match sign[0]:
            case "\\":
                return end
            case "`":
                return self._after_code(sign, end)
            case "<" | "%":
                return self._after_angle(at)
            case "{":
                return find_in_template(self._text, at, self._start, self._pictures)
            case "]":
                return self._after_closing(at, end)
        return self._after_opening(at, end)

    def _after_code(self, ticks: str, end: int) -> int:
        if ticks not in self._unclosed:
            for other in re.compile("`+").finditer(self._text, end):
                if other[0] == ticks:
                    return other.end()
            self._unclosed.add(ticks)
        return end

    def _after_angle(self, at: int) -> int:
        if angle := _ANGLE.match(self._text, at):
            find_in_tag(angle[0], self._start + at, self._pictures)
            return angle.end()
        for sign, closing in _LONG.items():
            if self._text.startswith(sign, at) and sign not in self._unclosed:
                end = self._text.find(closing, at + len(sign))
                if end >= 0:
                    return end + len(closing)
                self._unclosed.add(sign)
        return at + 1

    def _after_opening(self, at: int, end: int) -> int:
        embed = _EMBED.match(self._text, at)
        if embed and names_image(embed["target"]):
            start, stop = self._start + at, self._start + embed.end()
            self._pictures.add(Form.OBSIDIAN, start, stop, embed["target"])
            return embed.end()
        self._brackets.append(_Bracket(end, self._text[at] == "!", len(self._pictures)))
        return end

    def _after_closing(self, at: int, end: int) -> int:
        """Pair a closing bracket; where the link or picture ends, or just the bracket."""
        bracket = self._brackets.pop() if self._brackets else None
        if not bracket or not bracket.is_active:
            return end
        tail = LINK_TAIL.match(self._text, end)
        if not tail and bracket.is_image:
            tail = _LOOSE_TAIL.match(self._text, end)
        if tail:
            start, stop = tail.span("destination") if tail["destination"] else (0, 0)
            self._add(bracket, Form.MARKDOWN, Span(self._start + start, self._start + stop))
            return tail.end()
        label = LABEL.match(self._text, end)
        text = label["label"] if label else self._text[bracket.end : at]
        definition = self._definitions.get(label_key(text))
        if not definition:
            return end
        self._add(bracket, Form.DEFINITION, definition)
        if label:
            return label.end()
        return end + 2 if self._text.startswith("[]", end) else end

    def _add(self, bracket: _Bracket, form: Form, place: Span) -> None:
        if not bracket.is_image:  # a link holds no other link
            for outer in self._brackets:
                outer.is_active = outer.is_active and outer.is_image
            return
        self._pictures.take_back(bracket.found_before)  # nobody sees what is in its text
        raw = self._document[slice(*place)]
        target = plain(raw[1:-1] if raw.startswith("<") else raw)
        self._pictures.add(form, place.start, place.end, target)
