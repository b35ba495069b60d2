"""From what was copied or saved to finds: which of it are pictures, and where they are to go."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from imghost.app import App
from imghost.clipboard import MARKED, NOT_HANDED_OVER, TOO_LARGE, Held
from imghost.errors import ConfigError
from imghost.hosts.base import KeepsFiles
from imghost.models import Found, Message
from imghost.pipeline import Order
from imghost.sources.file_find import FileFind
from imghost.sources.files import found_file, may_be_image
from imghost.watch.bursts import Bursts, Item, Origin
from imghost.watch.giving import CLIPBOARD, Giver
from imghost.watch.intake import Find, Intake
from imghost.watch.telling import Teller, Topic

_AGAIN_S = 3.0
_ASKED_AT_MOST = 100
_ORDER = "order"
_TOLD = frozenset({TOO_LARGE.template, NOT_HANDED_OVER.template})


class Finder:
    """Makes finds and has `submit` run what takes them, and later what must be done about them.

    `submit_file` runs what takes the files of watched folders, which may be slow.
    """

    def __init__(
        self,
        app: App,
        bursts: Bursts,
        intake: Intake,
        giver: Giver,
        teller: Teller,
        submit: Callable[[Callable[[], None]], object],
        submit_file: Callable[[Callable[[], None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._bursts = bursts
        self._intake = intake
        self._giver = giver
        self._teller = teller
        self._submit = submit
        self._submit_file = submit_file
        self._clock = clock
        self._later: deque[tuple[float, Callable[[], None]]] = deque()
        self._drafts: deque[tuple[float, Item]] = deque()

    def copied(self, held: Held, copies: int, *, wanted: bool = False) -> None:
        """Somebody copied this, as the so-manyth copy.

        `wanted`: the user asked for just this, so it is not asked about, and ConfigError is raised.
        """
        if held.reason:
            thing = None if held.reason.template == MARKED.template else copies
            self._teller.left_alone.add(CLIPBOARD, held.reason, thing)
            if wanted or held.reason.template in _TOLD:
                self._teller.tell(Topic.REFUSED, held.reason)
        founds = self._founds(held)
        if not founds:
            return
        try:
            order = self._ordered("", "", "")
        except ConfigError as exc:
            self._teller.left_alone.add(founds[0].name or CLIPBOARD, exc.message, copies)
            if wanted:
                raise
            return
        self._giver.copied(held, copies)
        watch = self._app.config.watch
        too_many = bool(held.paths) and len(founds) > watch.max_files
        if too_many:
            founds = self._asked_about(founds, held, order)
        names = [found.name for found in founds]
        origin, now = Origin(CLIPBOARD, copies), self._clock()
        items = self._bursts.add_all(origin, names, order, now, kept_back=too_many)
        for found, item in zip(founds, items, strict=True):
            asks = too_many or (watch.ask and not wanted)
            self._take(Find(found, item, asks=asks, is_told=too_many, is_wanted=wanted))

    def saved(self, file: FileFind, copies: int) -> None:
        """A file stands still in a watched folder, after so many copies."""
        watch = self._app.config.watch
        chosen = next((f for f in watch.folders if Path(f.path) == file.folder), None)
        if chosen is None:
            return
        try:
            order = self._ordered(chosen.host, chosen.bucket, chosen.style)
        except ConfigError:
            self._save_later(file, copies)
            return
        item = self._bursts.add(
            Origin(str(file.folder), copies), file.path.name, order, self._clock()
        )
        load = partial(file.load, self._app.config.limits.input_bytes)
        found = Found("folder", file.path.name, load)
        self._take(Find(found, item, asks=watch.ask, file=file))

    def take_anyway(self, find: Find, copies: int) -> None:
        """The user wants what was refused to be looked at again."""
        item = find.item
        origin = Origin(item.burst.origin.source, copies)
        again = self._bursts.add_all(origin, [item.name], item.order, self._clock())[0]
        self._take(Find(find.found, again, is_wanted=True))

    def take_later(self, find: Find) -> None:
        """This machine could not take the watched file now."""
        if find.file:
            self._save_later(find.file, find.item.burst.origin.copies)

    def do_due(self, now: float) -> None:
        """Take again what could not be taken, and draft what its host did not answer for."""
        while self._later and self._later[0][0] <= now:
            self._later.popleft()[1]()
        while self._drafts and self._drafts[0][0] <= now:
            self._submit(partial(self._intake.overdue, self._drafts.popleft()[1]))

    def next_s(self, now: float) -> float:
        """How long until `do_due` has something to do."""
        ends = [queue[0][0] for queue in (self._later, self._drafts) if queue]
        return max(0.0, min(ends, default=float("inf")) - now)

    def _save_later(self, file: FileFind, copies: int) -> None:
        self._later.append((self._clock() + _AGAIN_S, partial(self.saved, file, copies)))

    def _founds(self, held: Held) -> list[Found]:
        if held.bitmap:
            return [Found(CLIPBOARD, "", lambda: held.bitmap, len(held.bitmap))]
        max_bytes, limits = self._app.config.limits.input_bytes, self._app.off_limits
        return [found_file(path, max_bytes, limits, CLIPBOARD) for path in self._images(held)]

    def _images(self, held: Held) -> list[str]:
        return [path for path in held.paths if may_be_image(path, self._app.off_limits)]

    def _asked_about(self, founds: list[Found], held: Held, order: Order) -> list[Found]:
        """Those of too many files that are asked about; all of them in one notice."""
        told = Message(
            "{count} copied pictures would go to {host}/{bucket}; nothing is sent before you say "
            "so: imghost status lists them, imghost retry ID sends one",
            {"count": len(founds), "host": order.target.host, "bucket": order.target.bucket},
        )
        self._teller.tell(Topic.ASKING, told)
        if rest := tuple(self._images(held)[_ASKED_AT_MOST:]):
            reason = Message(
                "it and {count} more came after the first {most} files that were copied at once",
                {"count": len(rest) - 1, "most": _ASKED_AT_MOST},
            )
            self._teller.left_alone.add(Path(rest[0]).name, reason, replace(held, paths=rest))
        return founds[:_ASKED_AT_MOST]

    def _take(self, find: Find) -> None:
        order, watch = find.item.order, self._app.config.watch
        host = self._app.pipeline().hosts(order.target.host)
        if watch.draft_after_s and not isinstance(host, KeepsFiles):
            self._drafts.append((self._clock() + watch.draft_after_s, find.item))
        submit = self._submit_file if find.file else self._submit
        submit(partial(self._intake.take, find))

    def _ordered(self, host: str, bucket: str, style: str) -> Order:
        """Where it goes; why the config says no such thing is told once. Raises ConfigError."""
        try:
            order = self._app.pipeline().order(host, bucket, "", style)
        except ConfigError as exc:
            self._teller.tell_once(Topic.PROBLEM, _ORDER, exc.message)
            raise
        self._teller.over(_ORDER)
        return order
