"""Bursts: pictures that belong together, whose links reach the clipboard together."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import field

from imghost.pipeline import Order
from imghost.values import dataclass

JOIN_S = 1.0
SPLIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when pictures were found.

    `source` tells the clipboard and each watched folder apart. `copies` is how often somebody had
    copied something by then.
    """

    source: str
    copies: int


@dataclass(slots=True, eq=False)
class Item:
    """One picture of a burst, from its find to its link; changed by its Bursts alone.

    `order` says where it goes and how its link is written; `place` where it stands among those that
    were copied with it. `link` is "" until there is one, and stays so if it failed; it `is_fresh`
    until the burst has given it. `draft` is the embedded host's link to the same picture, wanted
    once it `is_overdue`. What `asks` waits for the user's word.
    """

    name: str
    order: Order
    burst: Burst = field(repr=False)
    place: int
    record_id: int = 0
    link: str = ""
    draft: str = ""
    is_overdue: bool = False
    asks: bool = False
    is_settled: bool = False
    is_fresh: bool = False

    @property
    def text(self) -> str:
        """What stands for it now."""
        return self.link if self.is_settled else self.draft


@dataclass(slots=True, eq=False)
class Burst:
    """Items that were found together; times are seconds of a monotonic clock.

    `waits_since` is when it began to wait for what it gives next. `waiting` and `asking` count what
    is not settled, `drafts` those of the first that have one. `has_news`: something was settled
    that was not given. While it is `kept_back` nothing is given if anything `asked`.
    """

    origin: Origin
    number: int
    began_at: float
    last_at: float
    waits_since: float
    by_name: bool
    kept_back: bool = False
    asked: bool = False
    is_drafted: bool = False
    items: list[Item] = field(default_factory=list)
    waiting: int = 0
    asking: int = 0
    drafts: int = 0
    has_news: bool = False

    @property
    def is_held_back(self) -> bool:
        """Whether it gives nothing, for something in it asks."""
        return self.kept_back and self.asked


@dataclass(frozen=True, slots=True)
class Links:
    """What a burst has to give now: all the links of its pictures, in order.

    `number` counts bursts in the order of their first find. `fresh` are those of the links that it
    gives for the first time. `is_draft`: some are drafts, and the real ones follow when `host` has
    answered. `record_ids` are the rows of the `texts`.
    """

    origin: Origin
    number: int
    texts: tuple[str, ...]
    fresh: tuple[str, ...]
    is_draft: bool
    host: str
    record_ids: tuple[int, ...] = ()


class Bursts:
    """The bursts of which something is still to come.

    What a burst gives is always the whole of it, for it takes the place of what it gave before:
    when all that it has so far is settled, or has drafts, and after each SPLIT_S in which something
    was. What asks is not waited for. Safe from several threads at once.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._open: list[Burst] = []
        self._pending: dict[int, list[Item]] = {}
        self._number = 0

    def add(self, origin: Origin, name: str, order: Order, now: float) -> Item:
        """A file was found: it joins what its folder had just before; links go by name there."""
        with self._lock:
            burst = self._joined(origin, now) or self._begun(origin, now, by_name=True)
            burst.last_at = now
            return _added(burst, name, order)

    def add_all(
        self,
        origin: Origin,
        names: Sequence[str],
        order: Order,
        now: float,
        *,
        kept_back: bool = False,
    ) -> list[Item]:
        """Pictures were copied at once: a burst of their own, in this order.

        `kept_back`: if any of them asks, nothing is given before one that did has its link.
        """
        with self._lock:
            burst = self._begun(origin, now, by_name=False)
            burst.kept_back = kept_back
            return [_added(burst, name, order) for name in names]

    def accept(self, item: Item, record_id: int) -> None:
        """The picture is this row's."""
        with self._lock:
            item.record_id = record_id
            self._pending.setdefault(record_id, []).append(item)

    def drop(self, item: Item) -> None:
        """The picture is none of the burst after all."""
        with self._lock:
            self._end(item)
            if item in item.burst.items:
                item.burst.items.remove(item)

    def set_apart(self, item: Item) -> None:
        """The picture waits for the user's word, and holds up no other: it comes later."""
        with self._lock:
            if not (item.is_settled or item.asks):
                item.asks = item.burst.asked = True
                item.burst.waiting -= 1
                item.burst.asking += 1

    def overdue(self, item: Item) -> None:
        """The picture's link is long in coming."""
        with self._lock:
            item.is_overdue = True

    def draft(self, item: Item, link: str) -> None:
        """The picture is seen at this link until it has its own."""
        with self._lock:
            if link and not (item.is_settled or item.asks or item.draft):
                item.draft = link
                item.burst.drafts += 1

    def settle(self, item: Item, link: str, record_id: int = 0) -> None:
        """The picture has its link, that of this row unless it is accepted; or has none: ""."""
        with self._lock:
            if not item.is_settled:
                self._end(item)
                item.record_id = item.record_id or record_id
                item.link, item.is_fresh = link, bool(link)
                item.burst.has_news = True
                if item.asks:
                    item.burst.kept_back = False

    def pending(self, record_id: int) -> list[Item]:
        """The items that wait for this row."""
        with self._lock:
            return list(self._pending.get(record_id, ()))

    def pending_ids(self) -> list[int]:
        """The rows that items wait for."""
        with self._lock:
            return list(self._pending)

    def is_expected(self, origin: Origin, now: float) -> bool:
        """Whether a link of this origin is still to come; of what asks, only at first."""
        with self._lock:
            return any(
                burst.origin == origin
                and (
                    burst.waiting
                    or (burst.has_news and not burst.is_held_back)
                    or (burst.asking and now - burst.began_at < SPLIT_S)
                )
                for burst in self._open
            )

    def due(self, now: float) -> list[Links]:
        """What is to be given out now, the oldest burst first."""
        with self._lock:
            given = [links for burst in self._open for links in _due(burst, now)]
            self._open = [burst for burst in self._open if not _is_over(burst, now)]
            return given

    def next_s(self, now: float) -> float:
        """How long until `due` may have something without anything happening before."""
        with self._lock:
            ends = [burst.waits_since + SPLIT_S - now for burst in self._open if burst.waiting]
            return max(0.0, min(ends, default=math.inf))

    def _joined(self, origin: Origin, now: float) -> Burst | None:
        for burst in reversed(self._open):
            if burst.origin == origin:
                fresh = now - burst.last_at < JOIN_S and now - burst.began_at < SPLIT_S
                return burst if fresh else None
        return None

    def _begun(self, origin: Origin, now: float, *, by_name: bool) -> Burst:
        self._number += 1
        burst = Burst(origin, self._number, now, now, now, by_name)
        self._open.append(burst)
        return burst

    def _end(self, item: Item) -> None:
        """Nothing is waited for any more."""
        waiting = self._pending.get(item.record_id, [])
        if item in waiting:
            waiting.remove(item)
            if not waiting:
                del self._pending[item.record_id]
        if not item.is_settled:
            item.is_settled = True
            item.burst.waiting -= not item.asks
            item.burst.asking -= item.asks
            item.burst.drafts -= bool(item.draft)


def _added(burst: Burst, name: str, order: Order) -> Item:
    item = Item(name, order, burst, len(burst.items))
    burst.items.append(item)
    burst.waiting += 1
    return item


def _due(burst: Burst, now: float) -> Iterator[Links]:
    is_time = not burst.waiting or now - burst.waits_since >= SPLIT_S
    if is_time:
        burst.waits_since = now
    if burst.is_held_back:
        return
    if is_time and burst.has_news:
        fresh = [item for item in _in_order(burst) if item.is_fresh]
        yield _links(burst, fresh)
        burst.has_news = False
        for item in fresh:
            item.is_fresh = False
    elif not is_time and not burst.is_drafted and burst.drafts == burst.waiting:
        burst.is_drafted = True
        yield _links(burst, [])


def _links(burst: Burst, fresh: Sequence[Item]) -> Links:
    items = _in_order(burst)
    given = [item for item in items if item.text]
    return Links(
        burst.origin,
        burst.number,
        tuple(item.text for item in given),
        tuple(item.link for item in fresh),
        bool(burst.drafts),
        items[0].order.target.host if items else "",
        tuple(item.record_id for item in given),
    )


def _in_order(burst: Burst) -> list[Item]:
    return sorted(burst.items, key=lambda item: item.name if burst.by_name else item.place)


def _is_over(burst: Burst, now: float) -> bool:
    joinable = burst.by_name and now - burst.last_at < JOIN_S
    return not (burst.waiting or burst.asking or joinable)
