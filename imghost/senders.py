"""The threads that send by themselves what was accepted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor

from imghost.models import Image, Record
from imghost.outbox import Outbox, Outcome
from imghost.survival import Survival, nobody

log = logging.getLogger(__name__)


class Senders:
    """Sends with the threads of `pool`, and tells `ended` how each try ended, on that thread."""

    def __init__(self, outbox: Outbox, pool: Executor, survive: Survival) -> None:
        self._outbox = outbox
        self._pool = pool
        self._survive = survive
        self.ended: Callable[[Outcome], None] = nobody

    def send_queued(self) -> None:
        """Begin to send all that may be sent now."""
        while record := self._outbox.take():
            self._pool.submit(self._survive, self._send_on, record, None)

    def send(self, record: Record, image: Image) -> None:
        """Send a row that was claimed as it was accepted, unless its host wants peace by then."""
        self._outbox.expect(record)
        self._pool.submit(self._survive, self._send_on, record, image)

    def _send_on(self, record: Record | None, image: Image | None) -> None:
        while record:
            outcome = self._outbox.work(record, image)
            if outcome.error:
                log.info("%d is not sent: %s", record.id, outcome.error)
            self._survive(self.ended, outcome)
            record, image = self._outbox.take(), None
