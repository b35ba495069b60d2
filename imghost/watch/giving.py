"""Giving links to the person: onto the clipboard, where the picture was, or else in words."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from imghost.clipboard import Held, Offer
from imghost.config import Config
from imghost.errors import SourceError
from imghost.imaging.sniff import format_of
from imghost.keep.store import Store
from imghost.models import MIME_TYPES, Message
from imghost.watch.board import Board, content_of
from imghost.watch.bursts import Links
from imghost.watch.telling import Teller, Topic

CLIPBOARD = "clipboard"
_TRY_FOR_S = 1.0


@dataclass(frozen=True, slots=True)
class _Copied:
    """What somebody copied, as far as it is needed to put it there again."""

    copies: int
    content: str
    paths: tuple[str, ...]
    mime_type: str


class Giver:
    """Puts links onto the clipboard unless something was copied, or found and given, since.

    `board` gives the clipboard, or None where there is none. All but `put_back` is for one thread.
    """

    def __init__(
        self,
        board: Callable[[], Board | None],
        teller: Teller,
        config: Callable[[], Config],
        store: Store,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board = board
        self._teller = teller
        self._config = config
        self._store = store
        self._clock = clock
        self._ungiven: list[tuple[Links, float]] = []
        self._number = 0
        self._copied: _Copied | None = None
        self._replaced: _Copied | None = None

    def copied(self, held: Held, copies: int) -> None:
        """Somebody copied this; its link may take its place."""
        mime_type = MIME_TYPES.get(format_of(held.bitmap), "")
        self._copied = _Copied(copies, content_of(held), held.paths, mime_type)

    def give(self, links: Links) -> None:
        """Let the person have these links."""
        board = self._board()
        if not links.texts:
            return
        if board is None or not board.is_followed:
            self._given(links)
        elif self._is_current(board, links) and not self._put(board, links):
            self._ungiven.append((links, self._clock() + _TRY_FOR_S))
        elif not self._is_current(board, links):
            self._late(links)

    def give_again(self) -> None:
        """Try again with those for which something had changed that was not yet looked at."""
        board, ungiven, self._ungiven = self._board(), self._ungiven, []
        for links, until in ungiven:
            if board is None or not self._is_current(board, links) or self._clock() > until:
                self._late(links)
            elif not self._put(board, links):
                self._ungiven.append((links, until))

    def next_s(self, now: float) -> float:
        """How long until `give_again` has something to say."""
        return max(0.0, min((until for _, until in self._ungiven), default=math.inf) - now)

    def put_back(self) -> None:
        """Put back the picture that a link replaced. Raises SourceError if there is none."""
        board, replaced = self._board(), self._replaced
        if board is None or replaced is None:
            raise SourceError("no link has taken a picture's place since imghost was started")
        if not board.put(self._offer_of(replaced), replaced.content):
            raise SourceError("the picture could not be put onto the clipboard; try again")
        self._replaced = None

    def _is_current(self, board: Board, links: Links) -> bool:
        return links.origin.copies == board.copies and links.number >= self._number

    def _put(self, board: Board, links: Links) -> bool:
        if not board.replace(self._offer(links)):
            return False
        self._number = links.number
        if links.origin.source == CLIPBOARD and self._copied:
            self._replaced = self._copied
        self._given(links)
        return True

    def _given(self, links: Links) -> None:
        if links.is_draft or not links.news:
            return
        self._teller.chime()
        if self._config().notify.done:
            text = Message("{text}", {"text": links.texts[0]})
            self._teller.tell(Topic.LINKED, text)

    def _late(self, links: Links) -> None:
        if links.news and not links.is_draft:
            told = Message(
                "{count} links are in the history; imghost history --limit {count} --copy "
                "copies them",
                {"count": len(links.texts)},
            )
            self._teller.tell(Topic.LATE, told)

    def _offer(self, links: Links) -> Offer:
        text = "\n".join(links.texts)
        copied = self._copied
        is_one = len(links.texts) == 1 and links.origin.source == CLIPBOARD
        wanted = self._config().watch.offer == "link+picture" and is_one
        if not (wanted and copied and copied.mime_type):
            return Offer(text)
        return Offer(text, self._store.read(copied.content), copied.mime_type)

    def _offer_of(self, copied: _Copied) -> Offer:
        if copied.paths:
            return Offer(paths=copied.paths)
        return Offer(picture=self._store.read(copied.content), mime_type=copied.mime_type)
