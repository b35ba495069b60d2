"""Pictures in prose: Markdown's own, Obsidian's, and those of tags."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping

from imghost.posts.leaves import Leaf, Span
from imghost.posts.pictures import Pictures, names_image
from imghost.posts.references import Form
from imghost.posts.syntax import LABEL, LINK_TAIL, LONGEST_LABEL, TAG, label_key, plain
from imghost.posts.tags import find_in_tag, find_in_template
from imghost.sources.candidates import ENDINGS
from imghost.values import dataclass

_SIGN = re.compile(r"\\.|`+|<|!\[|[\[\]]|\{[%{]|%%", re.DOTALL)
_EMBED = re.compile(r"!\[\[(?P<target>[^\[\]\n|]+?)(?:\\?\|[^\[\]\n]*)?\]\]")
_ANGLE = re.compile(
    rf"{TAG}|<!--?>|<!--->"
    r"|<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\x00-\x20]*>"
    r"|<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?>",
)
_LONG = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>", "<!": ">", "%%": "%%"}
"""What hides all up to its end; the last is Obsidian's."""

_LONG_SIGN = re.compile(r"<!--|<\?|<!\[CDATA\[|<!(?=[A-Za-z])|%%")
_TICKS = re.compile(r"`+")
_TEMPLATE = r"\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}"
_LOOSE_TAIL = re.compile(
    rf"\([ \t]*+(?P<destination>(?:(?>{_TEMPLATE}|[^\n()<>]|\([^\n()]*+\)){{0,2000}}?"
    rf"(?:{'|'.join(map(re.escape, ENDINGS))})(?:[?#][^\s()]{{0,2000}}+)?+|{_TEMPLATE}))"
    r"(?:[ \t]++(?:\"[^\"\n]*+\"|'[^'\n]*+'|=[0-9x%]++)){0,9}+[ \t]*+\)",
    re.IGNORECASE,
)
"""What follows a picture's text as editors and templates write it: with blanks, or with a size.

How long it may be is limited, so that what looks like one at every sign takes no longer.
"""


@dataclass(slots=True)
class _Bracket:
    end: int
    is_image: bool
    found_before: int


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
        self._linked = 0  # the brackets before this one are around a link
        self._unclosed: set[str] = set()
        self._code_ends: dict[str, list[int]] | None = None

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
        if self._code_ends is None:
            self._code_ends = defaultdict(list)
            for other in _TICKS.finditer(self._text, end):
                self._code_ends[other[0]].append(other.end())
        ends = self._code_ends.get(ticks, ())
        at = bisect_right(ends, end)
        return ends[at] if at < len(ends) else end

    def _after_angle(self, at: int) -> int:
        if angle := _ANGLE.match(self._text, at):
            find_in_tag(angle[0], self._start + at, self._pictures)
            return angle.end()
        long = _LONG_SIGN.match(self._text, at)
        if long and long[0] not in self._unclosed:
            closing = _LONG[long[0]]
            end = self._text.find(closing, long.end())
            if end >= 0:
                return end + len(closing)
            self._unclosed.add(long[0])
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
        outer = len(self._brackets)
        is_around_link, self._linked = outer < self._linked, min(outer, self._linked)
        if not bracket or (is_around_link and not bracket.is_image):
            return end
        tail = LINK_TAIL.match(self._text, end)
        if not tail and bracket.is_image:
            tail = _LOOSE_TAIL.match(self._text, end)
        if tail:
            start, stop = tail.span("destination") if tail["destination"] else (0, 0)
            self._add(bracket, Form.MARKDOWN, Span(self._start + start, self._start + stop))
            return tail.end()
        label = LABEL.match(self._text, end)
        start, stop = label.span("label") if label else (bracket.end, at)
        definition = self._definition(start, stop)
        if not definition:
            return end
        self._add(bracket, Form.DEFINITION, definition)
        if label:
            return label.end()
        return end + 2 if self._text.startswith("[]", end) else end

    def _definition(self, start: int, end: int) -> Span | None:
        """What the label at `text[start:end]` stands for."""
        if not self._definitions or end - start > LONGEST_LABEL:
            return None
        return self._definitions.get(label_key(self._text[start:end]))

    def _add(self, bracket: _Bracket, form: Form, place: Span) -> None:
        if not bracket.is_image:  # a link holds no other link
            self._linked = len(self._brackets)
            return
        self._pictures.take_back(bracket.found_before)  # nobody sees what is in its text
        raw = self._document[slice(*place)]
        raw = raw[1:-1] if raw.startswith("<") else raw
        self._pictures.add(form, place.start, place.end, raw, plain)
