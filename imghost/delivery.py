"""What one command, or one caller of the server, has sent: at once, and with an answer soon."""

from __future__ import annotations

import time
from collections.abc import Callable

from imghost.errors import HostRefused, HostUnavailable, ImghostError, LoginExpired
from imghost.keep.journal import Journal
from imghost.models import Image, Record, State
from imghost.outbox import Outbox, Outcome, sent_elsewhere, stopped
from imghost.pipeline import Accepted, Pipeline

TRIES = 3
_BACKOFF_S = 0.3
_POLL_S = 0.05
_REAP_S = 1.0  # it looks at every process, and at all that waits to be sent


class Delivery:
    """The images of one caller; safe from several threads at once.

    Each is tried at most TRIES times. Once nothing has succeeded for `wait_s`, or the host wants
    peace or a login, the rest is not tried any more: it stays queued. `reap` gives back the rows of
    processes that died.
    """

    def __init__(
        self,
        outbox: Outbox,
        pipeline: Pipeline,
        journal: Journal,
        owner: str,
        reap: Callable[[], object],
        *,
        wait_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._pipeline = pipeline
        self._journal = journal
        self._owner = owner
        self._reap = reap
        self._wait_s = wait_s
        self._clock = clock
        self._until = clock() + wait_s
        self._over: ImghostError | None = None

    def send(self, accepted: Accepted) -> Outcome:
        """Have the image at its host if that is possible now.

        Raises MachineError, UsageError if it is forgotten meanwhile, and ConfigError for a row with
        a link whose host cannot be had.
        """
        record, image = accepted.record, accepted.image
        if image is None:
            if self._pipeline.works(record):
                return Outcome(record, None, reused=True)
            if record.state not in (State.QUEUED, State.UPLOADING):  # it may be done by now
                self._journal.reopen(record.id)
        outcome = Outcome(record, None)
        for attempt in range(TRIES):
            if attempt and not self._waited(_BACKOFF_S * 2**attempt, outcome.error):
                break
            mine = record if image and not attempt else self._claimed(record.id)
            if mine is None:
                return self._elsewhere(record.id)
            outcome = self._try(mine, image)
            if not isinstance(outcome.error, HostUnavailable):
                break
        return outcome

    def cancel(self) -> None:
        """The caller went away: what was not begun stays queued."""
        self._over = self._over or stopped()

    def _waited(self, wait_s: float, error: ImghostError | None) -> bool:
        """Wait before another try, if there is time for that."""
        if isinstance(error, HostUnavailable):
            wait_s = max(wait_s, error.retry_after_s)
        if self._over or self._clock() + wait_s >= self._until:
            return False
        return not self._outbox.pause(wait_s)

    def _try(self, record: Record, image: Image | None) -> Outcome:
        if not_begun := self._held_back(record):
            return not_begun
        outcome = self._outbox.work(record, image)
        error = outcome.error
        if error is None:
            self._until = self._clock() + self._wait_s
        elif isinstance(error, LoginExpired) or (
            isinstance(error, HostUnavailable)
            and (error.risk_control or self._clock() >= self._until)
        ):
            self._over = error
        return outcome

    def _held_back(self, record: Record) -> Outcome | None:
        """Wait for a claimed row's turn; how it ends if none comes."""
        try:
            entered = self._over is None and self._outbox.enter(record)
            over = self._over  # another of this caller's may have been told to stop meanwhile
            if entered and over is None:
                return None
            if entered:
                self._outbox.leave(record)
            self._over = over = over or stopped()
            return Outcome(self._outbox.give_back(record, over.message), over)
        except BaseException:
            self._outbox.abandon(record)
            raise

    def _claimed(self, record_id: int) -> Record | None:
        """The row to be sent by us; None if another caller or process has sent it, or goes on."""
        mine = self._journal.claim(record_id, self._owner)
        while mine is None and self._after_others(record_id) is State.QUEUED:
            mine = self._journal.claim(record_id, self._owner)
        return mine

    def _after_others(self, record_id: int) -> State:
        """How the try of another ended; one that died has its row queued again."""
        reap_at = 0.0
        while (state := self._journal.get(record_id).state) is State.UPLOADING:
            is_ours = self._journal.owner_of(record_id) == self._owner
            if self._outbox.pause(_POLL_S) or (self._clock() >= self._until and not is_ours):
                break
            if is_ours:
                self._outbox.tidy()  # whoever had it may have given up
            elif self._clock() >= reap_at:
                self._reap()
                reap_at = self._clock() + _REAP_S
        return state

    def _elsewhere(self, record_id: int) -> Outcome:
        """The end of another's try is ours too."""
        record = self._journal.get(record_id)
        if record.state is State.DONE:
            return Outcome(record, None, reused=True)
        if record.state is State.FAILED and record.reason:
            return Outcome(record, HostRefused(record.reason.template, **record.reason.fields))
        return Outcome(record, sent_elsewhere())
