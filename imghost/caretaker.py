"""What the daemon does by itself: send what is queued, look after links and dead processes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from threading import Event

from imghost.app import App
from imghost.forget import forget_unanswered
from imghost.imaging.crew import Crew
from imghost.models import Alive, Record
from imghost.presence import Presence
from imghost.senders import Senders
from imghost.survival import Survival

_REST_S = 2.0
_CARE_S = 30.0
_LOOKS_AT_ONCE = 2
_LOOK_AGAIN_S = 300.0
_LOOK_UNTIL_S = 86_400.0

log = logging.getLogger(__name__)


class Caretaker:
    """One thread runs it; `workers` do what may take long, `senders` what goes out.

    `lost` is told of the rows whose link does not work.
    """

    def __init__(
        self,
        app: App,
        presence: Presence,
        senders: Senders,
        workers: Executor,
        survive: Survival,
    ) -> None:
        self._app = app
        self._presence = presence
        self._senders = senders
        self._workers = workers
        self._survive = survive
        self._cared_at = float("-inf")
        self._looking: set[int] = set()
        self.lost: Callable[[Record], None] = nobody_is_told

    def run(self, stopping: Event, crews: Iterable[Crew]) -> None:
        """Look after everything until `stopping` is set and the outbox was stopped.

        The processes of `crews` end when they have had no work for a while.
        """
        while not stopping.is_set():
            self._survive(self._round)
            for crew in crews:
                crew.reap_idle()
            self._app.outbox.rest(_REST_S)

    def _round(self) -> None:
        app = self._app
        self._presence.keep()
        app.owner.keep()
        app.look_after_journal(thorough=self._survive.in_doubt)
        self._survive.in_doubt = False
        if time.monotonic() - self._cared_at > _CARE_S:
            self._cared_at = time.monotonic()
            app.reap()
            forget_unanswered(app, time.time())
        app.pipeline()  # a changed config may lift a hold
        app.outbox.tidy()
        self._senders.send_queued()
        if app.config.verify.after_upload:
            self._look_at_links()

    def _look_at_links(self) -> None:
        due = self._app.journal.due_checks(2 * _LOOKS_AT_ONCE)
        for record in [record for record in due if record.id not in self._looking]:
            if len(self._looking) < _LOOKS_AT_ONCE:
                self._looking.add(record.id)
                self._workers.submit(self._survive, self._look, record)

    def _look(self, record: Record) -> None:
        try:
            alive = self._app.look(record)
            again = alive is Alive.UNKNOWN and time.time() - record.seen_at < _LOOK_UNTIL_S
            check_at = time.time() + _LOOK_AGAIN_S if again else 0.0
            self._app.journal.mark(record.id, alive, check_at)
            if alive in (Alive.DEAD, Alive.SUSPECT):
                log.warning("the link of %d is %s: %s", record.id, alive, record.url)
                self.lost(record)
        finally:
            self._looking.discard(record.id)
            self._app.outbox.wake()


def nobody_is_told(_: object) -> None:
    """What happens when nobody listens."""
