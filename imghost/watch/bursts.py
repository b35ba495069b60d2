"""Bursts: pictures that belong together, whose links reach the clipboard together."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imghost.pipeline import Order

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
    were copied with it. `link` is "" until there is one, and stays so if it failed. `draft` is the
    embedded host's link to the same picture.
    """

    name: str
    order: Order
    burst: Burst = field(repr=False)
    place: int
    record_id: int = 0
    link: str = ""
    draft: str = ""
    is_settled: bool = False


@dataclass(slots=True, eq=False)
class Burst:
    """Items that were found together; times are seconds of a monotonic clock.

    `apart` are those of them that ask, which is a burst that `asks`.
    """

    origin: Origin
    number: int
    began_at: float
    last_at: float
    by_name: bool
    is_late: bool = False
    is_drafted: bool = False
    asks: bool = False
    apart: Burst | None = None
    items: list[Item] = field(default_factory=list)
    waiting: int = 0
    drafts: int = 0
    news: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """What a burst has to give now: the links of its pictures, in order.

    `number` counts bursts in the order of their first find. `is_late`: others of the burst came
    before. `is_draft`: some are drafts, and the real ones follow. `news` is how many pictures were
    settled since the burst last gave something.
    """

    origin: Origin
    number: int
    texts: tuple[str, ...]
    news: int
    is_late: bool
    is_draft: bool


class Bursts:
    """The bursts of which something is still to come.

    A burst's links are given when all that it has so far is settled, and again, all together, if
    more joined it. After SPLIT_S it gives what is settled, and the rest becomes a late burst. Safe
    from several threads at once.
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

    def add_all(self, origin: Origin, names: Sequence[str], order: Order, now: float) -> list[Item]:
        """Pictures were copied at once: a burst of their own, in this order."""
        with self._lock:
            burst = self._begun(origin, now, by_name=False)
            return [_added(burst, name, order) for name in names]

    def accept(self, item: Item, record_id: int) -> None:
        """The picture is this row's."""
        with self._lock:
            item.record_id = record_id
            self._pending.setdefault(record_id, []).append(item)

    def drop(self, item: Item) -> None:
        """The picture is none of the burst after all."""
        with self._lock:
            self._forget(item)
            if not item.is_settled:
                _no_longer_waits(item)
                item.is_settled = True
            if item in item.burst.items:
                item.burst.items.remove(item)

    def set_apart(self, item: Item) -> None:
        """The picture waits for the user's word, and holds up no other: it comes later.

        Those that were found together and ask come together as far as they have their links.
        """
        with self._lock:
            whole = item.burst
            if item.is_settled or whole.asks:
                return
            whole.items.remove(item)
            whole.waiting -= 1
            item.burst = apart = whole.apart = whole.apart or _apart(whole)
            apart.items.append(item)
            apart.waiting += 1
            if apart not in self._open:
                self._open.append(apart)

    def draft(self, item: Item, link: str) -> None:
        """The picture is seen at this link until it has its own."""
        with self._lock:
            if link and not item.is_settled and not item.draft:
                item.draft = link
                item.burst.drafts += 1

    def settle(self, item: Item, link: str) -> None:
        """The picture has its link, or will have none: ""."""
        with self._lock:
            if not item.is_settled:
                self._forget(item)
                _no_longer_waits(item)
                item.link, item.is_settled = link, True
                item.burst.news += 1

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
                and burst.waiting
                and not (burst.asks and now - burst.began_at >= SPLIT_S)
                for burst in self._open
            )

    def due(self, now: float) -> list[Links]:
        """What is to be given out now, the oldest burst first."""
        with self._lock:
            given = [links for burst in list(self._open) for links in self._due(burst, now)]
            self._open = [burst for burst in self._open if not _is_over(burst, now)]
            return given

    def next_s(self, now: float) -> float:
        """How long until `due` may have something without anything happening before."""
        with self._lock:
            ends = [
                burst.began_at + SPLIT_S - now
                for burst in self._open
                if burst.waiting and not burst.asks
            ]
            return max(0.0, min(ends, default=math.inf))

    def _due(self, burst: Burst, now: float) -> Iterator[Links]:
        if burst.asks or not burst.waiting:
            if burst.news:
                yield _links(burst, with_drafts=False)
        elif now - burst.began_at >= SPLIT_S:
            if burst.news:
                yield _links(burst, with_drafts=False)
            self._split(burst, now)
        elif not burst.is_drafted and burst.drafts == burst.waiting:
            burst.is_drafted = True
            yield _links(burst, with_drafts=True)

    def _split(self, burst: Burst, now: float) -> None:
        late = Burst(burst.origin, burst.number, now, now, burst.by_name, is_late=True)
        late.is_drafted, late.drafts = burst.is_drafted, burst.drafts
        late.apart = burst.apart
        late.items = [item for item in burst.items if not item.is_settled]
        burst.items = [item for item in burst.items if item.is_settled]
        late.waiting, burst.waiting, burst.drafts = burst.waiting, 0, 0
        for item in late.items:
            item.burst = late
        self._open.append(late)

    def _joined(self, origin: Origin, now: float) -> Burst | None:
        for burst in reversed(self._open):
            if burst.origin == origin and not burst.is_late:
                fresh = now - burst.last_at < JOIN_S and now - burst.began_at < SPLIT_S
                return burst if fresh else None
        return None

    def _begun(self, origin: Origin, now: float, *, by_name: bool) -> Burst:
        self._number += 1
        burst = Burst(origin, self._number, now, now, by_name)
        self._open.append(burst)
        return burst

    def _forget(self, item: Item) -> None:
        waiting = self._pending.get(item.record_id, [])
        if item in waiting:
            waiting.remove(item)
            if not waiting:
                del self._pending[item.record_id]


def _added(burst: Burst, name: str, order: Order) -> Item:
    item = Item(name, order, burst, len(burst.items))
    burst.items.append(item)
    burst.waiting += 1
    return item


def _apart(whole: Burst) -> Burst:
    apart = Burst(whole.origin, whole.number, whole.began_at, whole.last_at, whole.by_name)
    apart.is_late = apart.is_drafted = apart.asks = True
    return apart


def _no_longer_waits(item: Item) -> None:
    item.burst.waiting -= 1
    item.burst.drafts -= bool(item.draft)


def _links(burst: Burst, *, with_drafts: bool) -> Links:
    items = sorted(burst.items, key=lambda item: item.name if burst.by_name else item.place)
    texts = [item.link or (item.draft if with_drafts else "") for item in items]
    news, burst.news = burst.news, 0
    return Links(
        burst.origin,
        burst.number,
        tuple(filter(None, texts)),
        news,
        burst.is_late,
        with_drafts,
    )


def _is_over(burst: Burst, now: float) -> bool:
    joinable = burst.by_name and not burst.is_late and now - burst.last_at < JOIN_S
    return not burst.waiting and not joinable
