"""One line of Markdown, read from the left, in columns: a tab goes to the next multiple of 4."""

from __future__ import annotations

_TAB = 4


class Line:
    """`text[pos:end]`: `indent` columns of blanks from `column` on, and then `at` a sign."""

    __slots__ = ("at", "column", "end", "indent", "pos", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.pos = start
        self.end = end
        self.column = 0
        self._look()

    @property
    def is_blank(self) -> bool:
        """Whether nothing else follows."""
        return self.at == self.end

    @property
    def is_quote(self) -> bool:
        """Whether the sign of a quote comes next; `>}}` ends a shortcode of Hugo's."""
        if self.is_blank or self.indent >= _TAB:
            return False
        return self.text[self.at] == ">" and not self.text.startswith(">}}", self.at)

    def step_over_quote(self) -> None:
        """Go over that sign, and a blank behind it."""
        self.step_over(1)
        self.step(1)

    def step(self, columns: int) -> None:
        """Go over so many columns of blanks, perhaps into the middle of a tab."""
        to = self.column + columns
        while self.column < to and self.pos < self.at:
            after = self._after_blank(self.pos, self.column)
            if after > to:
                self.column = to
                break
            self.column = after
            self.pos += 1
        self._look()

    def step_over(self, signs: int) -> None:
        """Go over the blanks and so many signs behind them."""
        self.pos = self.at + signs
        self.column += self.indent + signs
        self._look()

    def _look(self) -> None:
        at, column = self.pos, self.column
        while at < self.end and self.text[at] in " \t":
            column = self._after_blank(at, column)
            at += 1
        self.at = at
        self.indent = column - self.column

    def _after_blank(self, at: int, column: int) -> int:
        return column + (_TAB - column % _TAB if self.text[at] == "\t" else 1)
