"""The outbox: sends what was accepted, at each host's pace, and is the one place that retries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from imghost.errors import (
    ConfigError,
    HostUnavailable,
    ImghostError,
    LoginExpired,
    MachineError,
)
from imghost.gate import Gate
from imghost.keep.journal import Journal
from imghost.models import Image, Limits, Message, Record, State
from imghost.pipeline import Pipeline

_LOOK_S = 2.0
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


class Outbox:
    """What is to be sent, of every process that shares the journal; safe from several threads.

    `pipeline` gives the current one. What is sent by oneself (`take`, then `work`) minds holds and
    pauses; a Delivery minds only the host's pace (`enter`, then `work`).
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
        self._journal = journal
        self._pipeline = pipeline
        self._owner = owner
        self._clock = clock
        self._draw = draw or _random
        self._gates: dict[str, Gate] = {}
        self._claimed: dict[int, Gate] = {}
        self._slots: dict[int, Gate] = {}
        self._sending: dict[int, Gate] = {}
        self._unsettled: set[int] = set()
        self._changed = threading.Condition()
        self.stopping = False

    def take(self, *, patient: bool = False) -> Record | None:
        """Claim the next queued row whose host may be asked; `work` must follow.

        `patient` waits for the hosts' pace; None then means that nothing is left that may be sent.
        """
        with self._changed:
            while not self.stopping:
                waits = []
                for host in self._journal.queued_hosts():
                    gate, now = self._gate(host), self._clock()
                    if gate.shut_s(now) > 0:
                        continue
                    if not gate.has_room(now):
                        waits.append(gate.pace_s(now))
                    elif record := self._claim_next(host, gate, now):
                        return record
                if not (patient and waits):
                    break
                self._changed.wait(min([_LOOK_S, *waits]))
        return None

    def is_free(self, host: str) -> bool:
        """Whether the host may be asked by oneself at this moment."""
        with self._changed:
            gate, now = self._gate(host), self._clock()
            return not self.stopping and gate.shut_s(now) <= 0 and gate.pace_s(now) <= 0

    def is_held(self, host: str) -> bool:
        """Whether nothing is sent there by oneself until its login changes."""
        with self._changed:
            return self._gate(host).held

    def is_shut(self, host: str) -> bool:
        """Whether nothing is sent there by oneself just now: it is held, or rests."""
        with self._changed:
            return self._gate(host).shut_s(self._clock()) > 0

    def enter(self, record: Record) -> bool:
        """Wait for the host's own pace to send a claimed row; False if the outbox stops."""
        with self._changed:
            return self._has_slot(self._gate(record.host), record, lambda: False)

    def work(self, record: Record, image: Image | None = None) -> Outcome:
        """Try once to send a claimed row, and note how that ended."""
        if record.id in self._claimed and not self._enter_taken(record):
            return Outcome(self.give_back(record, record.reason), sent_later(), tried=False)
        gate = self._sending[record.id]
        try:
            sent = self._pipeline().send(record, image, lambda: self._free_slot(record))
            if sent.state is not State.DONE:  # it turned out to be another sender's
                return Outcome(sent, sent_elsewhere(), tried=False)
            with self._changed:
                gate.passed(record.id)
            return Outcome(sent, None)
        except ImghostError as exc:
            return Outcome(self._note_failure(gate, record, exc), exc)
        except BaseException:
            self.abandon(record)
            raise
        finally:
            self.leave(record)

    def leave(self, record: Record) -> None:
        """End a try that `enter` or `take` began: its host has a slot free again."""
        with self._changed:
            self._free_slot(record)
            self._sending.pop(record.id, None)
            self._changed.notify_all()

    def give_back(self, record: Record, reason: Message | None) -> Record:
        """Queue a claimed row again that was not tried."""
        return self._pipeline().settle(record, State.QUEUED, reason)

    def pause(self, wait_s: float) -> bool:
        """Wait this long before another try; True if the outbox stops meanwhile."""
        with self._changed:
            return self._changed.wait_for(lambda: self.stopping, wait_s)

    def rest(self, longest_s: float) -> None:
        """Wait until something may be sent again, but not longer than this."""
        with self._changed:
            now = self._clock()
            waits = [w for gate in self._gates.values() if (w := gate.next_s(now)) > 0]
            if not self.stopping:
                self._changed.wait(min([longest_s, *waits]))

    def wake(self) -> None:
        """Something was accepted or has changed: look again."""
        with self._changed:
            self._changed.notify_all()

    def lift(self, host: str) -> None:
        """Something changed at a host: one try shows whether the rest may follow."""
        with self._changed:
            self._gate(host).lift()
            self._changed.notify_all()

    def host_changed(self, host: str) -> None:
        """The host's config or login changed: it is asked anew, by its new limits."""
        with self._changed:
            self._gates.pop(host, None)
            self._changed.notify_all()

    def stop(self) -> None:
        """Begin no further try."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def finish(self, wait_s: float) -> None:
        """Let the tries that were begun end, for so long."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._sending or self._claimed), wait_s)

    def tidy(self) -> None:
        """Queue again what this process had claimed and could not settle."""
        while self._unsettled:
            record_id = next(iter(self._unsettled))
            self._journal.give_back(record_id, self._owner, None)
            self._unsettled.discard(record_id)

    def abandon(self, record: Record) -> None:
        """A claimed row will not be settled by its caller: `tidy` queues it again."""
        self._unsettled.add(record.id)

    def waits_s(self, record: Record) -> float:
        """How long until a queued row is tried by oneself; infinite while its host is held."""
        with self._changed:
            return self._gate(record.host).row_wait_s(record.id, self._clock())

    def _claim_next(self, host: str, gate: Gate, now: float) -> Record | None:
        record = None
        if gate.probe_after:
            record = self._journal.claim_next(host, self._owner, after=gate.probe_after)
        record = record or self._journal.claim_next(host, self._owner, besides=gate.resting(now))
        if record:
            self._claimed[record.id] = gate
            gate.claimed += 1
        return record

    def _enter_taken(self, record: Record) -> bool:
        """Wait for a slot; False if the host is to be left in peace by then."""
        with self._changed:
            gate = self._claimed[record.id]
            try:
                return self._has_slot(gate, record, lambda: gate.shut_s(self._clock()) > 0)
            finally:
                del self._claimed[record.id]
                gate.claimed -= 1
                self._changed.notify_all()

    def _has_slot(self, gate: Gate, record: Record, is_shut: Callable[[], bool]) -> bool:
        while not self.stopping and not is_shut():
            if (wait_s := gate.pace_s(self._clock())) <= 0:
                gate.start(record.id, self._clock())
                self._sending[record.id] = self._slots[record.id] = gate
                return True
            self._changed.wait(min(_LOOK_S, wait_s))
        return False

    def _free_slot(self, record: Record) -> None:
        """The host has answered; what is still to be written is no concern of its."""
        with self._changed:
            if gate := self._slots.pop(record.id, None):
                gate.end()
                self._changed.notify_all()

    def _note_failure(self, gate: Gate, record: Record, error: ImghostError) -> Record:
        state = State.FAILED
        with self._changed:
            if isinstance(error, MachineError):  # nothing can be noted now: `tidy` will
                self.abandon(record)
                gate.rest_row(record.id, self._clock() + _MACHINE_REST_S)
                return record
            if isinstance(error, LoginExpired):
                gate.hold()
                state = State.QUEUED
            elif isinstance(error, HostUnavailable):
                given_up = gate.failed(record.id, error, self._clock())
                state = State.FAILED if given_up else State.QUEUED
        if isinstance(error, HostUnavailable) and error.ambiguous:
            self._journal.add_note(record.id, _AMBIGUOUS)
        return self._pipeline().settle(record, state, error.message)

    def _gate(self, host: str) -> Gate:
        if host not in self._gates:
            self._gates[host] = self._new_gate(host)
        return self._gates[host]

    def _new_gate(self, host: str) -> Gate:
        try:
            return Gate(self._pipeline().hosts(host).limits, self._draw)
        except ConfigError:  # a host of another version: its rows wait for that one
            return Gate(Limits(0, frozenset()), self._draw, held=True)


def sent_elsewhere() -> HostUnavailable:
    """What to say of an image that another sender has."""
    return HostUnavailable("another imghost is sending it just now")


def sent_later() -> HostUnavailable:
    """What to say of an image whose host wanted peace before its turn came."""
    return HostUnavailable("its host is left in peace for a while")


def _random() -> float:
    import random

    return random.random()  # noqa: S311 - jitter
