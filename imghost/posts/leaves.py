"""What a Markdown text's blocks hold: prose and HTML, and what labels stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from imghost.posts.syntax import DEFINITION, label_key


class Span(NamedTuple):
    """A part of a line."""

    start: int
    end: int


class Leaf(NamedTuple):
    """A paragraph, a heading, a cell or a piece of HTML, which begins at `start`.

    The signs of the quotes and lists around it are blanks in its `text`.
    """

    start: int
    text: str
    is_html: bool = False


class Leaves:
    """Collects them, but of the leaves only what stands around a place that is `wanted`.

    `wanted` ascends. `definitions`: where the destination of each label stands.
    """

    def __init__(self, text: str, wanted: Sequence[int]) -> None:
        self.found: list[Leaf] = []
        self.definitions: dict[str, Span] = {}
        self._text = text
        self._wanted = wanted

    def add(self, spans: Sequence[Span], *, is_html: bool = False) -> None:
        """A leaf of these lines."""
        if self._is_wanted(spans[0].start, spans[-1].end):
            self.found.append(self._leaf(spans, is_html=is_html))

    def add_paragraph(self, spans: Sequence[Span]) -> None:
        """A leaf, before which labels may be defined."""
        if not self._text[spans[0].start : spans[0].end].lstrip(" \t").startswith("["):
            self.add(spans)
            return
        leaf = self._leaf(spans)
        rest = self._define(leaf)
        if self._is_wanted(leaf.start + rest, spans[-1].end):
            self.found.append(Leaf(leaf.start + rest, leaf.text[rest:]))

    def _define(self, leaf: Leaf) -> int:
        """Read the definitions at the leaf's begin; where they end. Footnotes are text."""
        end = 0
        while (found := DEFINITION.match(leaf.text, end)) and not found["label"].startswith("^"):
            start, stop = found.span("destination")
            place = Span(leaf.start + start, leaf.start + stop)
            self.definitions.setdefault(label_key(found["label"]), place)
            end = found.end()
        return end

    def _is_wanted(self, start: int, end: int) -> bool:
        at = bisect_left(self._wanted, start)
        return at < len(self._wanted) and self._wanted[at] < end

    def _leaf(self, spans: Sequence[Span], *, is_html: bool = False) -> Leaf:
        start, end = spans[0].start, spans[-1].end
        if end - start == sum(span.end - span.start + 1 for span in spans) - 1:
            return Leaf(start, self._text[start:end], is_html)
        return Leaf(start, "".join(self._pieces(spans)), is_html)

    def _pieces(self, spans: Sequence[Span]) -> Iterable[str]:
        yield self._text[slice(*spans[0])]
        for before, span in pairwise(spans):
            yield "\n" + " " * (span.start - before.end - 1)
            yield self._text[slice(*span)]
