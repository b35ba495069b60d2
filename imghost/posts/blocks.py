"""Markdown's blocks: which parts of a text are prose or HTML, and none of them code.

CommonMark 0.31 with GitHub's tables, line by line. The code of Hexo's, Jekyll's and Hugo's own
tags is code, too, and so are Obsidian's comments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from itertools import islice

from imghost.posts.block_starts import (
    BLANK_LINE,
    HEADING,
    ITEM,
    MARKS,
    RULE,
    UNDERLINE,
    FenceEnd,
    cells,
    columns_of,
    fence_end,
    html_end,
    template_end,
)
from imghost.posts.leaves import Leaves, Span
from imghost.posts.line import Line
from imghost.posts.skipping import Skipping

_CODE_INDENT = 4
_MAX_DEPTH = 100  # of quotes and lists in each other
_QUOTE = 0


class _Kind(Enum):
    NONE = auto()
    TEXT = auto()
    TABLE = auto()
    HTML = auto()
    CODE = auto()


class Blocks:
    """Reads a text from `start` on; only line feeds end its lines.

    Its leaves are what stands around the places that are `wanted`, of which there is one at least.
    """

    def __init__(self, text: str, start: int, wanted: Sequence[int]) -> None:
        self.leaves = Leaves(text, wanted)
        self._text = text
        self._containers: list[int] = []  # _QUOTE, or the width of an item's indent
        self._item_is_bare = False
        self._kind = _Kind.NONE
        self._spans: list[Span] = []
        self._can_head = False  # whether the last of these lines may be a table's first
        self._until = BLANK_LINE
        self._unclosed: set[re.Pattern[str]] = set()
        self._columns = 0
        self._read(start, Skipping(text, wanted))

    def _read(self, pos: int, skipping: Skipping) -> None:
        text, length = self._text, len(self._text)
        while pos < length and (pos <= skipping.last or self._kind is not _Kind.NONE):
            if self._kind is _Kind.NONE and not self._containers:
                pos = skipping.skip(pos)
            end = text.find("\n", pos)
            pos = self._read_line(pos, length if end < 0 else end) + 1
        self._close(0)

    def _read_line(self, start: int, end: int) -> int:
        """Read a line, or more; where the last of them ends."""
        line = Line(self._text, start, end)
        depth = self._descend(line)
        if self._kind in (_Kind.HTML, _Kind.CODE) and depth == len(self._containers):
            self._go_on(line)
            return end
        while not line.is_blank and line.indent < _CODE_INDENT and line.text[line.at] in MARKS:
            read_to = self._begin_block(line, depth)
            if read_to >= 0:
                return read_to
            if not self._begin_container(line, depth):
                break
            depth += 1
        self._add_text(line, depth)
        return end

    def _descend(self, line: Line) -> int:
        """Go over the signs of the containers that go on in this line, and count them."""
        was_bare, self._item_is_bare = self._item_is_bare, False
        innermost = len(self._containers) - 1
        for depth, width in enumerate(self._containers):
            if width == _QUOTE:
                if not line.is_quote:
                    return depth
                line.step_over_quote()
            elif line.is_blank:
                if was_bare and depth == innermost:
                    return depth
            elif line.indent < width:
                return depth
            else:
                line.step(width)
        return len(self._containers)

    def _begin_container(self, line: Line, depth: int) -> bool:
        if depth == _MAX_DEPTH:
            return False
        if line.is_quote:
            self._close(depth)
            self._containers.append(_QUOTE)
            line.step_over_quote()
            return True
        item = ITEM.match(line.text, line.at)
        if not item:
            return False
        is_bare = not line.text[item.end() : line.end].strip(" \t")
        if self._is_in_text(depth) and (is_bare or int(item[1] or 1) != 1):
            return False
        self._close(depth)
        outer, sign = line.indent, len(item[0])
        line.step_over(sign)
        inner = 1 if is_bare or line.indent > _CODE_INDENT else line.indent
        line.step(inner)
        self._containers.append(outer + sign + inner)
        self._item_is_bare = is_bare
        return True

    def _begin_block(self, line: Line, depth: int) -> int:
        """Begin what is neither container nor paragraph; where its first lines end, or -1."""
        text, at, end = line.text, line.at, line.end
        mark = text[at]
        if self._is_in_text(depth) and (self._begin_table(line) or self._underline(line)):
            return end
        if (mark == "#" and HEADING.match(text, at)) or RULE.match(text, at):
            self._close(depth)
            self.leaves.add([Span(at, end)])
            return end
        if mark in "`~" and (fence := fence_end(text, at)):
            self._close(depth)
            return self._begin_code(fence, end)
        if mark == "<" and (until := html_end(text, at, end, in_text=self._has_text())):
            self._close(depth)
            self._kind, self._until = _Kind.HTML, until
            self._go_on(line)
            return end
        if mark in "{%" and depth == 0 and (code := self._template_end(at)) >= 0:
            self._close(depth)
            end = text.find("\n", code)
            return len(text) if end < 0 else end
        return -1

    def _template_end(self, at: int) -> int:
        """Where a comment or a template's code that begins here ends; -1 if none does."""
        until = template_end(self._text, at)
        if until is None or until in self._unclosed:
            return -1
        if found := until.search(self._text, at):
            return found.end()
        self._unclosed.add(until)
        return -1

    def _is_in_text(self, depth: int) -> bool:
        return self._kind is _Kind.TEXT and depth == len(self._containers)

    def _underline(self, line: Line) -> bool:
        if not UNDERLINE.match(line.text, line.at):
            return False
        self._close(len(self._containers))
        return True

    def _has_text(self) -> bool:
        return self._kind in (_Kind.TEXT, _Kind.TABLE)

    def _begin_code(self, fence: FenceEnd, end: int) -> int:
        if self._containers:
            self._kind, self._until = _Kind.CODE, fence.here
            return end
        last = fence.later.search(self._text, end)
        return last.end() if last else len(self._text)

    def _begin_table(self, line: Line) -> bool:
        columns = columns_of(line.text, line.at, line.end)
        if not columns or not self._can_head:
            return False
        head = self._spans[-1]
        if "|" not in line.text[slice(*head)] or columns != len([*cells(line.text, *head)]):
            return False
        self._spans.pop()
        self._close(len(self._containers))
        self._kind, self._columns = _Kind.TABLE, columns
        self._add_row(head)
        return True

    def _go_on(self, line: Line) -> None:
        """Read one more line of HTML or of code."""
        if self._kind is _Kind.CODE:
            is_last = line.indent < _CODE_INDENT and bool(self._until.match(line.text, line.at))
        else:
            self._spans.append(Span(line.pos, line.end))
            ends = self._until.search(line.text, line.at, line.end)
            is_last = line.is_blank if self._until is BLANK_LINE else bool(ends)
        if is_last:
            self._close(len(self._containers))

    def _add_text(self, line: Line, depth: int) -> None:
        is_inside = depth == len(self._containers)
        is_code = line.indent >= _CODE_INDENT
        if line.is_blank:
            self._close(depth)
        elif self._kind is _Kind.TEXT:
            self._spans.append(Span(line.pos, line.end))
            self._can_head = is_inside and not is_code
        elif self._kind is _Kind.TABLE and is_inside and not is_code:
            self._add_row(Span(line.at, line.end))
        else:
            self._close(depth)
            if not is_code:
                self._kind, self._can_head = _Kind.TEXT, True
                self._spans.append(Span(line.pos, line.end))

    def _add_row(self, row: Span) -> None:
        for start, end in islice(cells(self._text, *row), self._columns):
            self.leaves.add([Span(start, end)])

    def _close(self, depth: int) -> None:
        """End the open block, and the containers from this depth on."""
        kind, spans = self._kind, self._spans
        self._kind, self._spans = _Kind.NONE, []
        del self._containers[depth:]
        if spans and kind is _Kind.HTML:
            self.leaves.add(spans, is_html=True)
        elif spans:
            self.leaves.add_paragraph(spans)
