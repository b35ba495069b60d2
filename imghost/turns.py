"""Whose turn it is at each host: who has one of its slots, and who waits for one."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from imghost.errors import ConfigError
from imghost.gate import Gate
from imghost.models import Limits, Record

_LOOK_S = 2.0


class Turns:
    """The hosts' gates, and who waits at them; safe from several threads.

    `limits` gives a host's; it raises ConfigError for one of another version. A slot that is freed
    wakes one of those who wait for it: to wake them all takes longer than to send. A try is known
    by the very record that its claim gave, for a row that it gave back may be claimed again before
    it has ended.
    """

    def __init__(
        self, limits: Callable[[str], Limits], clock: Callable[[], float], draw: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._draw = draw
        self._gates: dict[str, Gate] = {}
        self._claims = 0
        self._claimed: dict[int, Gate] = {}
        self._slots: dict[int, Gate] = {}
        self._sending: dict[int, Gate] = {}
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._ended = threading.Condition(self._lock)
        self._ends = 0
        self._freed = defaultdict[str, threading.Condition](lambda: threading.Condition(self._lock))
        self.stopping = False

    def has_room(self, host: str) -> bool:
        """Whether a row may be claimed, to be sent by oneself at once or when a slot is free."""
        with self._lock:
            gate, now = self._gate(host), self._clock()
            return not self.stopping and gate.shut_s(now) <= 0 and gate.has_room(now)

    def is_held(self, host: str) -> bool:
        """Whether nothing is sent there by oneself until its login changes."""
        with self._lock:
            return self._gate(host).held

    def is_shut(self, host: str) -> bool:
        """Whether nothing is sent there by oneself just now: it is held, or rests."""
        with self._lock:
            return self._gate(host).shut_s(self._clock()) > 0

    def waits_s(self, record: Record) -> float:
        """How long until a queued row is tried by oneself; infinite while its host is held."""
        with self._lock:
            return self._gate(record.host).row_wait_s(record.id, self._clock())

    def enter(self, record: Record) -> bool:
        """Wait for the host's own pace to send a claimed row; False if the outbox stops."""
        with self._lock:
            return self._has_slot(self._gate(record.host), record, lambda: False)

    def expect(self, record: Record) -> None:
        """A row that was claimed as it was accepted waits like one that was taken."""
        with self._lock:
            gate = self._gate(record.host)
            gate.claimed += 1
            self._claims += 1
            self._claimed[id(record)] = gate

    def leave(self, record: Record) -> None:
        """End a try that `enter`, `expect` or `take` began: its host has a slot free again."""
        with self._lock:
            self._free_slot(record)
            self._no_longer_claimed(record)
            self._sending.pop(id(record), None)
            self._note_end()

    def pause(self, wait_s: float) -> bool:
        """Wait this long before another try; True if the outbox stops meanwhile."""
        with self._lock:
            return self._changed.wait_for(lambda: self.stopping, wait_s)

    def rest(self, longest_s: float) -> None:
        """Wait until something may be sent again, but not longer than this."""
        with self._lock:
            now = self._clock()
            waits = [w for gate in self._gates.values() if (w := gate.next_s(now)) > 0]
            if not self.stopping:
                self._changed.wait(min([longest_s, *waits]))

    def wake(self) -> None:
        """Something was accepted or has changed: look again."""
        with self._lock:
            self._ends += 1
            for waiting in (self._changed, self._ended, *self._freed.values()):
                waiting.notify_all()

    def lift(self, host: str) -> None:
        """Something changed at a host: one try shows whether the rest may follow."""
        with self._lock:
            self._gate(host).lift()
            self.wake()

    def host_changed(self, host: str) -> None:
        """The host's config or login changed: it is asked anew, by its new limits."""
        with self._lock:
            if gate := self._gates.get(host):  # what its tries have yet to tell holds all the same
                gate.renew(*self._limits_of(host))
            self.wake()

    def stop(self) -> None:
        """Begin no further try."""
        with self._lock:
            self.stopping = True
            self.wake()

    def finish(self, wait_s: float) -> None:
        """Let the tries that were begun end, for so long."""
        with self._lock:
            self._ended.wait_for(lambda: not (self._sending or self._claims), wait_s)

    def _room(self, host: str, waits: list[float]) -> Gate | None:
        """The host's gate, with room kept for one row that is about to be claimed, if it has some.

        Else `waits` gets how long that may take, unless the host is to be left in peace.
        """
        with self._lock:
            gate, now = self._gate(host), self._clock()
            if gate.shut_s(now) > 0:
                return None
            if not gate.has_room(now):
                waits.append(gate.pace_s(now))
                return None
            gate.claimed += 1
            self._claims += 1
            return gate

    def _give_room(self, gate: Gate) -> None:
        with self._lock:
            gate.claimed -= 1
            self._claims -= 1
            self._note_end()

    def _no_longer_claimed(self, record: Record) -> None:
        with self._lock:
            if gate := self._claimed.pop(id(record), None):
                self._give_room(gate)

    def _enter_taken(self, record: Record) -> bool:
        """Wait for a slot; False if the host is to be left in peace by then."""
        with self._lock:
            gate = self._claimed[id(record)]
            try:
                return self._has_slot(gate, record, lambda: gate.shut_s(self._clock()) > 0)
            finally:
                self._no_longer_claimed(record)

    def _has_slot(self, gate: Gate, record: Record, is_shut: Callable[[], bool]) -> bool:
        while not self.stopping and not is_shut():
            if (wait_s := gate.pace_s(self._clock())) <= 0:
                gate.start(record.id, self._clock())
                self._sending[id(record)] = self._slots[id(record)] = gate
                return True
            self._freed[record.host].wait(min(_LOOK_S, wait_s))
        return False

    def _free_slot(self, record: Record) -> None:
        """The host has answered; what is still to be written is no concern of its."""
        with self._lock:
            if gate := self._slots.pop(id(record), None):
                gate.end()
                self._freed[record.host].notify()

    def _passed(self, gate: Gate, record: Record) -> None:
        with self._lock:
            was_probing = gate.probing
            gate.passed(record.id)
            if was_probing:  # the others may follow
                self.wake()

    def _note_end(self) -> None:
        self._ends += 1
        self._ended.notify_all()

    def _wait_for_end(self, after: int, wait_s: float) -> None:
        """Wait until there is room that was not there after so many ends."""
        with self._lock:
            self._ended.wait_for(lambda: self._ends > after or self.stopping, min(_LOOK_S, wait_s))

    def _gate(self, host: str) -> Gate:
        if host not in self._gates:
            self._gates[host] = self._new_gate(host)
        return self._gates[host]

    def _new_gate(self, host: str) -> Gate:
        limits, held = self._limits_of(host)
        return Gate(limits, self._draw, held)

    def _limits_of(self, host: str) -> tuple[Limits, bool]:
        """The host's limits, and whether it is held: rows of another version's host wait for it."""
        try:
            return self._limits(host), False
        except ConfigError:
            return Limits(0, frozenset()), True
