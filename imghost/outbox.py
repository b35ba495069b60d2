"""The outbox: sends what was accepted, at each host's pace, and is the one place that retries."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from imghost.errors import (
    ConfigError,
    DaemonError,
    HostUnavailable,
    ImghostError,
    LoginExpired,
    MachineError,
    UsageError,
)
from imghost.gate import Gate
from imghost.keep.journal import Journal
from imghost.models import Image, Message, Record, State
from imghost.pipeline import Pipeline
from imghost.turns import Turns
from imghost.values import dataclass

_MACHINE_REST_S = 5.0
_AMBIGUOUS = Message("an answer was lost after the whole image was sent; it may be there twice")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an accepted image stands now; `error` is None if its link works.

    `reused`: it was there before, and nothing was sent. `tried`: its host was asked.
    """

    record: Record
    error: ImghostError | None
    reused: bool = False
    tried: bool = True


class Outbox(Turns):
    """What is to be sent, of every process that shares the journal; safe from several threads.

    `pipeline` gives the current one. What is sent by oneself (`take` or `expect`, then `work`)
    minds holds and pauses; a Delivery minds only the host's pace (`enter`, then `work`).
    """

    def __init__(
        self,
        journal: Journal,
        pipeline: Callable[[], Pipeline],
        owner: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(lambda host: pipeline().hosts(host).limits, clock, draw or _random)
        self._journal = journal
        self._pipeline = pipeline
        self._owner = owner
        self._unsettled: set[int] = set()

    def take(self, *, patient: bool = False) -> Record | None:
        """Claim the next queued row whose host may be asked; `work` must follow.

        `patient` waits for the hosts' pace; None then means that nothing is left that may be sent.
        """
        while not self.stopping:
            waits: list[float] = []
            ends = self._ends
            for host in self._journal.queued_hosts():
                gate = self._room(host, waits)
                if gate and (record := self._claim_next(host, gate)):
                    return record
            if not (patient and waits):
                break
            self._wait_for_end(ends, min(waits))
        return None

    def work(self, record: Record, image: Image | None = None) -> Outcome:
        """Try once to send a claimed row, and note how that ended."""
        try:
            outcome = self._tried(record, image)
        except BaseException:
            self.abandon(record)
            raise
        finally:
            self.leave(record)
        if outcome.error:
            self.wake()
        return outcome

    def give_back(self, record: Record, reason: Message | None) -> Record:
        """Queue a claimed row again that was not tried."""
        return self._pipeline().settle(record, State.QUEUED, reason)

    def tidy(self) -> None:
        """Queue again what this process had claimed and could not settle."""
        for record_id in tuple(self._unsettled):
            with suppress(UsageError):  # it was forgotten
                self._journal.give_back(record_id, self._owner, None)
            self._unsettled.discard(record_id)

    def abandon(self, record: Record) -> None:
        """A claimed row will not be settled by its caller: `tidy` queues it again."""
        self._unsettled.add(record.id)

    def _claim_next(self, host: str, gate: Gate) -> Record | None:
        """Claim a row for which there is room; nobody who is sending waits for the journal."""
        with self._lock:
            after, resting = gate.probe_after, gate.resting(self._clock())
        record = None
        try:
            if after:
                record = self._journal.claim_next(host, self._owner, after=after)
            record = record or self._journal.claim_next(host, self._owner, besides=resting)
        finally:
            if record:
                self._claimed[id(record)] = gate
            else:
                self._give_room(gate)
        return record

    def _tried(self, record: Record, image: Image | None) -> Outcome:
        gate = self._claimed.get(id(record)) or self._sending[id(record)]
        mine = record
        try:
            if image is None:  # before its turn comes: no slot waits for the disk
                mine, image = self._pipeline().to_send(record)
            if image is None:
                return Outcome(mine, sent_elsewhere(), tried=False)
            if id(record) in self._claimed and not self._enter_taken(record):
                return Outcome(self.give_back(mine, record.reason), sent_later(), tried=False)
            sent = self._pipeline().send(mine, image, lambda: self._free_slot(record))
            if sent.state is not State.DONE:
                return Outcome(sent, sent_elsewhere(), tried=False)
            self._passed(gate, record)
            return Outcome(sent, None)
        except DaemonError:  # what would make the image has ended
            return Outcome(self.give_back(mine, mine.reason), stopped(), tried=False)
        except ImghostError as exc:
            return Outcome(self._note_failure(gate, mine, exc), exc)

    def _note_failure(self, gate: Gate, record: Record, error: ImghostError) -> Record:
        with self._lock:
            if isinstance(error, MachineError):  # nothing can be noted now: `tidy` will
                self.abandon(record)
                gate.rest_row(record.id, self._clock() + _MACHINE_REST_S)
                return record
            state = self._state_after(gate, record, error)
        if isinstance(error, HostUnavailable) and error.ambiguous:
            self._journal.add_note(record.id, _AMBIGUOUS)
        return self._pipeline().settle(record, state, error.message)

    def _state_after(self, gate: Gate, record: Record, error: ImghostError) -> State:
        """Queued if the host is in trouble, or lacks a login or a setting; else failed."""
        if isinstance(error, HostUnavailable):
            waits = not gate.failed(record.id, error, self._clock())
        elif waits := isinstance(error, LoginExpired) or self._is_unusable(record.host, error):
            gate.hold()
        if waits:
            return State.QUEUED
        gate.forget(record.id)
        return State.FAILED

    def _is_unusable(self, host: str, error: ImghostError) -> bool:
        return isinstance(error, ConfigError) and self._limits_of(host)[1]


def sent_elsewhere() -> HostUnavailable:
    """What to say of an image that another sender has."""
    return HostUnavailable("another imghost is sending it just now")


def sent_later() -> HostUnavailable:
    """What to say of an image whose host wanted peace before its turn came."""
    return HostUnavailable("its host is left in peace for a while")


def stopped() -> HostUnavailable:
    """What to say of an image that imghost sends no more."""
    return HostUnavailable("imghost was stopped before it was sent")


def _random() -> float:
    import random

    return random.random()  # noqa: S311 - jitter
