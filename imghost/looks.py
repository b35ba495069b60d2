"""The daemon's looks at new links: right after the upload, an hour later, and a day later."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import field

from imghost.app import App
from imghost.hosts import HOSTS
from imghost.models import Alive, Record
from imghost.survival import Survival, nobody
from imghost.values import dataclass

_THEN_S = (3_600.0, 82_800.0)  # Bilibili's links of 2023 and 2025 died after 45 minutes
_TOGETHER_S = 60.0  # what was uploaded together is due together, and told together
_LOOK_S = 30.0
_AGAIN_S, _AGAIN_AT_MOST_S, _AGAIN_SHARE = 300.0, 86_400.0, 4
_REST_AFTER = 3
_REST_S = 300.0

OF_A_HOST = 2

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Place:
    """A host: what is being looked at, how many looks in a row told nothing, since when it rests.

    It rests by the wall clock, so that a long sleep ends the rest; a clock set back does as well.
    """

    looking: set[int] = field(default_factory=set)
    unknown: int = 0
    rests_since: float = -math.inf

    def may_be_asked(self, now: float) -> bool:
        return len(self.looking) < OF_A_HOST and not 0 <= now - self.rests_since < _REST_S

    def told(self, alive: Alive, now: float) -> None:
        self.unknown = self.unknown + 1 if alive is Alive.UNKNOWN else 0
        if self.unknown >= _REST_AFTER:
            self.rests_since = now


class Looks:
    """Looks with the threads of `workers`, of which each host takes OF_A_HOST at most.

    A host that tells nothing several times in a row rests. `lost` is told of broken links, on the
    caretaker's thread.
    """

    def __init__(self, app: App, workers: Executor, survive: Survival) -> None:
        self._app = app
        self._workers = workers
        self._survive = survive
        self._places = {name: _Place() for name in HOSTS}
        self._lost: list[Record] = []
        self.lost: Callable[[Sequence[Record]], None] = nobody

    def begin_due(self) -> None:
        """Begin what is due; once nothing more is, tell of all links that were found broken."""
        now = self._app.clock()
        begun = [
            self._begin(host, place, now)
            for host, place in self._places.items()
            if place.may_be_asked(now)
        ]
        if self._lost and not any(begun) and not any(p.looking for p in self._places.values()):
            lost, self._lost = self._lost, []
            self.lost(lost)

    def _begin(self, host: str, place: _Place, now: float) -> bool:
        due = self._app.journal.due_looks(host, now, 2 * OF_A_HOST)
        new = [record for record in due if record.id not in place.looking]
        for record in new[: OF_A_HOST - len(place.looking)]:
            place.looking.add(record.id)
            self._workers.submit(self._survive, self._look, record, place)
        return bool(new)

    def _look(self, record: Record, place: _Place) -> None:
        alive = Alive.UNKNOWN
        try:
            alive = self._app.look(record, timeout_s=_LOOK_S)
            self._app.journal.looked(record.id, alive, *next_look(record, alive, self._app.clock()))
            if alive in (Alive.DEAD, Alive.SUSPECT):
                log.warning("the link of %d is %s: %s", record.id, alive, record.url)
                if alive is not record.alive:
                    self._lost.append(record)
        finally:
            place.told(alive, self._app.clock())
            place.looking.discard(record.id)
            self._app.outbox.wake()


def next_look(record: Record, alive: Alive, now: float) -> tuple[int, float]:
    """How many looks the link has had after this one, and when the next is due (0: never).

    One that told nothing is made again, the later the longer the link was out of sight. Times are
    seconds since the epoch.
    """
    if alive is Alive.UNKNOWN:
        again_s = (now - record.seen_at) / _AGAIN_SHARE
        return record.looks, now + min(max(again_s, _AGAIN_S), _AGAIN_AT_MOST_S)
    if record.looks >= len(_THEN_S):
        return record.looks + 1, 0.0
    due_at = now + _THEN_S[record.looks]
    return record.looks + 1, math.ceil(due_at / _TOGETHER_S) * _TOGETHER_S
