"""What of a text need not be read line by line, because nothing in it is wanted."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from imghost.posts.block_starts import MARKS
from imghost.posts.syntax import LINK_TAIL

_LASTING = r" {0,3}(?:`{3}|~{3}|<(?:[!?]|pre|script|style|textarea)|\{[%{]|%%)"
"""What may go on over blank lines although it is in no list or quote."""

_FIRST = re.compile(_LASTING, re.IGNORECASE)
_LATER = re.compile(rf"\n{_LASTING}", re.IGNORECASE)

_BLANK_LINES = ("\n\n", "\n \n")  # the latter once was CR LF
_NO_PARAGRAPH = MARKS | frozenset(" \t\n")
_IMAGE_TEXT = re.compile(r"!\[[^\[\]\\`<\n]*\]")


class Skipping:
    """Knows which places of a text are `wanted`, ascending, and what else must be read for them.

    `last`: behind this place nothing more is needed.
    """

    def __init__(self, text: str, wanted: Sequence[int]) -> None:
        self._text = text
        self._wanted = wanted
        self._stop = 0
        self._reads_all = "]:" in text and not all(map(self._stands_alone, wanted))
        self.last = len(text) if self._reads_all else wanted[-1]

    def skip(self, pos: int) -> int:
        """Where reading goes on if nothing is open at the begin of the line at `pos`.

        A line after a blank one that begins with no blank and no sign ends everything before.
        """
        if pos < self._stop or self._reads_all:
            return pos
        at = bisect_left(self._wanted, pos)
        self._stop = self._wanted[at] if at < len(self._wanted) else len(self._text)
        if _FIRST.match(self._text, pos):
            self._stop = pos
        elif lasting := _LATER.search(self._text, pos, self._stop):
            self._stop = lasting.start() + 1
        last = {line: self._text.rfind(line, pos, self._stop) for line in _BLANK_LINES}
        while (blank := max(last.values())) >= 0:
            begin = self._text.index("\n", blank + 1) + 1
            if self._text[begin : begin + 1] not in _NO_PARAGRAPH:
                return begin
            (line,) = (line for line, at in last.items() if at == blank)
            last[line] = self._text.rfind(line, pos, blank + 1)
        return pos

    def _stands_alone(self, place: int) -> bool:
        """Whether what is wanted there needs no label."""
        image = _IMAGE_TEXT.match(self._text, place)
        tail = LINK_TAIL.match(self._text, image.end()) if image else None
        return self._text[place] != "!" or (tail is not None and "\n" not in tail[0])
