"""What the user wants taken: what is on the clipboard now, and what was left alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from imghost.clipboard import Held
from imghost.errors import ImghostError, SourceError
from imghost.watch.board import Board
from imghost.watch.finding import Finder
from imghost.watch.intake import Find
from imghost.watch.telling import Teller, Topic


class Wishes:
    """They may come from any thread, are heeded on the watcher's, and what is wrong is told.

    `board` gives the clipboard, or None where there is none; `max_bytes` how much of it is read.
    `came` is called when there is something to heed.
    """

    def __init__(
        self,
        board: Callable[[], Board | None],
        finder: Finder,
        teller: Teller,
        max_bytes: Callable[[], int],
        came: Callable[[], None],
    ) -> None:
        self._board = board
        self._finder = finder
        self._teller = teller
        self._max_bytes = max_bytes
        self._came = came
        self._wishes: deque[Callable[[], None]] = deque()

    def take_copied(self) -> None:
        """Take what is on the clipboard, and put its link there, also while paused."""
        self._wish(self._take_copied)

    def take_anyway(self, number: int) -> None:
        """Take one of what was left alone."""
        self._wish(partial(self._take_anyway, number))

    def heed(self) -> None:
        """Do what was wished."""
        while self._wishes:
            try:
                self._wishes.popleft()()
            except ImghostError as exc:
                self._teller.tell(Topic.REFUSED, exc.message)

    def _wish(self, work: Callable[[], None]) -> None:
        self._wishes.append(work)
        self._came()

    def _take_copied(self, copies: int | None = None) -> None:
        board = self._board()
        if board is None:
            raise SourceError("the clipboard is not watched; set watch.clipboard to true")
        if copies not in (None, board.copies):
            raise SourceError("something else was copied since; copy the picture again")
        then = board.copies
        held = board.take(self._max_bytes())
        if not (held.bitmap or held.paths or held.reason):
            raise SourceError("there is no image on the clipboard; copy one first")
        self._teller.left_alone.drop(then)
        self._finder.copied(held, board.copies, wanted=True)

    def _take_anyway(self, number: int) -> None:
        left = self._teller.left_alone.pop(number)
        board = self._board()
        copies = board.copies if board else 0
        match left.thing if left else None:
            case int(then):
                self._take_copied(then)
            case Held() as rest:
                self._finder.copied(rest, copies, wanted=True)
            case Find() as find:
                self._finder.take_anyway(find, copies)
