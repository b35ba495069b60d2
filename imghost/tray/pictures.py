"""Small pictures for the menu, drawn when somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from imghost.errors import ImghostError
from imghost.imaging.style import Style
from imghost.models import Image, Record

STYLE = "@32w_32h_1e_1c.png"  # panels draw 16 px of it, or its own size
_HELD = 40


class Pictures:
    """PNGs by their row's id; b"" for what cannot be drawn.

    `draw` draws a row's original in a style. That is done by `submit`, and `drawn` is called when
    there is more to show.
    """

    def __init__(
        self,
        draw: Callable[[Record, Style], Image],
        submit: Callable[[Callable[[], None]], object],
        drawn: Callable[[], None],
    ) -> None:
        self._draw = draw
        self._submit = submit
        self._drawn = drawn
        self.held: dict[int, bytes] = {}

    def want(self, records: Iterable[Record]) -> None:
        """Have them drawn that are not yet, all of these before it is told."""
        missing = [record for record in records if record.id not in self.held]
        if missing:
            self.held |= {record.id: b"" for record in missing}
            self._submit(lambda: self._draw_all(missing))

    def _draw_all(self, records: list[Record]) -> None:
        style = Style.parse(STYLE)
        for record in records:
            try:
                drawn = self._draw(record, style).data
            except (ImghostError, OSError):  # it has gone, or is too large to be drawn
                continue
            self.held = {**dict(list(self.held.items())[-_HELD:]), record.id: drawn}
        self._drawn()
