"""Giving links to the person: onto the clipboard, where the picture was, or else in words."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from imghost.clipboard import Held, Offer
from imghost.config import Config
from imghost.errors import ImghostError, SourceError
from imghost.imaging.sniff import format_of
from imghost.keep.store import Store
from imghost.models import MIME_TYPES, Message
from imghost.values import dataclass
from imghost.watch.board import Board, content_of
from imghost.watch.bursts import Links, Origin
from imghost.watch.telling import Teller, Topic

CLIPBOARD = "clipboard"
_TRY_FOR_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Copied:
    """What somebody copied, as far as it is needed to put it there again."""

    copies: int
    content: str
    paths: tuple[str, ...]
    mime_type: str


class Giver:
    """Puts links onto the clipboard unless something was copied, or found and given, since.

    `board` gives the clipboard, or None where there is none. All but `given` and
    `put_back` is for one thread.
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
        self._number = self._drafted = 0
        self._copied: _Copied | None = None
        self._replaced: _Copied | None = None
        self._standing: tuple[int, tuple[int, ...]] = (0, ())

    def copied(self, held: Held, copies: int) -> None:
        """Somebody copied this, as the so-manyth copy; a link may take its place."""
        mime_type = MIME_TYPES.get(format_of(held.bitmap), "")
        self._copied = _Copied(copies, content_of(held), held.paths, mime_type)

    def give(self, links: Links) -> None:
        """Let the person have these links."""
        if links.texts:
            self._try(links, self._clock() + _TRY_FOR_S)

    def give_again(self) -> None:
        """Try again with those for which something had changed that was not yet looked at."""
        ungiven, self._ungiven = self._ungiven, []
        for links, until in ungiven:
            self._try(links, until)

    def is_giving(self, origin: Origin) -> bool:
        """Whether links of this origin are still to be given."""
        return any(links.origin == origin for links, _ in self._ungiven)

    def next_s(self, now: float) -> float:
        """How long until `give_again` has something to say."""
        return max(0.0, min((until for _, until in self._ungiven), default=math.inf) - now)

    def given(self) -> tuple[int, ...]:
        """The rows whose links stand on the clipboard, in pictures' place. Raises SourceError."""
        board, (copies, record_ids) = self._board(), self._standing
        if board is None or board.copies != copies or not board.held_now(0).ours:
            return ()
        return record_ids

    @property
    def can_put_back(self) -> bool:
        """Whether a link took a picture's place that can be put back."""
        return self._replaced is not None

    def put_back(self) -> None:
        """Put back the picture that a link replaced. Raises SourceError if there is none."""
        board, replaced = self._board(), self._replaced
        if board is None or replaced is None:
            raise SourceError("there is no picture to put back: no link has taken one's place")
        if not board.put(self._offer_of(replaced), replaced.content):
            raise SourceError("the picture could not be put onto the clipboard; try again")
        self._replaced = None

    def _try(self, links: Links, until: float) -> None:
        board = self._board()
        if board is None or board.problem:
            self._given(links)
        elif links.origin.copies != board.copies or links.number < self._number:
            self._late(links)
        elif board.replace(self._offer(links)):
            self._took_place(links)
        elif self._clock() < until:
            self._ungiven.append((links, until))
        else:
            self._late(links)

    def _took_place(self, links: Links) -> None:
        self._number = links.number
        self._standing = (links.origin.copies, links.record_ids)
        if self._copied and self._copied.copies == links.origin.copies:
            self._replaced = self._copied
        self._given(links)

    def _given(self, links: Links) -> None:
        if links.is_draft and links.number != self._drafted:
            self._drafted = links.number
            told = Message(
                "{host} has not answered yet: until then only you can see what the link on the "
                "clipboard shows",
                {"host": links.host},
            )
            self._teller.tell(Topic.DRAFT, told)
        if not links.fresh:
            return
        self._teller.chime()
        if self._config().notify.done:
            self._teller.tell(Topic.LINKED, _told_of(links.texts))

    def _late(self, links: Links) -> None:
        if len(links.fresh) > 1:
            told = Message("imghost history has the {count} links", {"count": len(links.fresh)})
        elif links.fresh:
            told = Message("imghost history has the link: {text}", {"text": _shown(links.fresh[0])})
        else:
            return
        self._teller.tell(Topic.LATE, told)

    def _offer(self, links: Links) -> Offer:
        text = "\n".join(links.texts)
        copied = self._copied
        is_one = len(links.texts) == 1 and links.origin.source == CLIPBOARD
        wanted = self._config().watch.offer == "link+picture" and is_one
        if not (wanted and copied and copied.mime_type):
            return Offer(text)
        try:
            return Offer(text, self._store.read(copied.content), copied.mime_type)
        except ImghostError as exc:
            log.info("the link is given without its picture: %s", exc)
            return Offer(text)

    def _offer_of(self, copied: _Copied) -> Offer:
        if copied.paths:
            return Offer(paths=copied.paths)
        return Offer(picture=self._store.read(copied.content), mime_type=copied.mime_type)


def _told_of(texts: tuple[str, ...]) -> Message:
    if len(texts) == 1:
        return Message("{text}", {"text": _shown(texts[0])})
    return Message(
        "{count} links, the first of them {text}", {"count": len(texts), "text": _shown(texts[0])}
    )


def _shown(link: str) -> str:
    """A link as a notice shows it: on one line."""
    return " ".join(link.split())
