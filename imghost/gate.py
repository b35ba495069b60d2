"""When a host may be asked: its own pace, rest after failures, and holds until the user acts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field

from imghost.errors import HostUnavailable
from imghost.models import Limits
from imghost.values import dataclass

PAUSE_AFTER_FAILURES = 5
PROBE_S = 30.0
PROBE_OFFLINE_S = 5.0
RISK_CONTROL_S = 600.0
RETRY_BASE_S = 1.0
RETRY_CAP_S = 60.0
FAILURES_WHILE_OTHERS_PASS = 8


@dataclass(slots=True)
class _Resting:
    """A row that failed: until when it rests, and how often it failed while others passed."""

    until: float = 0.0
    failures: int = 0
    counted: int = 0
    passed_before: int = -1


@dataclass(slots=True)
class Gate:
    """One host's gate; all times are seconds of the monotonic clock, handed in.

    `draw` gives a number from 0 to 1, for the jitter.
    """

    limits: Limits
    draw: Callable[[], float]
    held: bool = False
    open_at: float = -math.inf
    probing: bool = False
    probe_after: int = 0
    claimed: int = 0
    _active: int = 0
    _last_start: float = -math.inf
    _failures: int = 0
    _passed: int = 0
    _rows: dict[int, _Resting] = field(default_factory=dict)

    def pace_s(self, now: float) -> float:
        """How long the host's own pace makes the next try wait; infinite while no slot is free."""
        if self._active >= (1 if self.probing else self.limits.parallel):
            return math.inf
        return max(0.0, self._last_start + self.limits.min_gap_s - now)

    def has_room(self, now: float) -> bool:
        """Whether a row may be claimed: to be sent at once, or as soon as a slot is free.

        As many as the host has slots may wait for one, so that no slot waits for the journal.
        """
        may_begin = self.pace_s(now) <= 0
        if self.probing:
            return may_begin and not self.claimed
        is_busy = self._active or self.claimed
        return self.claimed < self.limits.parallel and (may_begin or bool(is_busy))

    def shut_s(self, now: float) -> float:
        """How long nothing is sent by oneself; infinite while held."""
        return math.inf if self.held else max(0.0, self.open_at - now)

    def resting(self, now: float) -> list[int]:
        """The rows whose turn has not come again; a probe takes any."""
        return [] if self.probing else [i for i, row in self._rows.items() if row.until > now]

    def next_s(self, now: float) -> float:
        """How long until there may be something to send by oneself, if anything is queued."""
        rests = [row.until - now for row in self._rows.values() if row.until > now]
        return max(self.shut_s(now), self.pace_s(now), min(rests, default=0.0))

    def row_wait_s(self, record_id: int, now: float) -> float:
        """How long this row waits at least; infinite while held."""
        row = self._rows.get(record_id, _Resting())
        return max(self.shut_s(now), row.until - now)

    def rest_row(self, record_id: int, until: float) -> None:
        """Leave a row alone for a while, through no fault of the host's."""
        self._rows.setdefault(record_id, _Resting()).until = until

    def start(self, record_id: int, now: float) -> None:
        """A try begins."""
        self._active += 1
        self._last_start = now
        self.probe_after = record_id if self.probing else 0

    def end(self) -> None:
        """A try ended, whichever way."""
        self._active -= 1

    def passed(self, record_id: int) -> None:
        """The host took an image: it is well."""
        self.forget(record_id)
        self._passed += 1
        self._failures = 0
        if self.probing or self.held:
            self.lift()
            self.probing = False

    def failed(self, record_id: int, error: HostUnavailable, now: float) -> bool:
        """The host was unavailable; whether the row is to be given up, since others passed."""
        self._failures += 1
        row = self._rows.setdefault(record_id, _Resting())
        row.failures += 1
        if self._passed > row.passed_before:
            row.counted += 1
        row.passed_before = self._passed
        row.until = now + self.draw() * min(RETRY_CAP_S, RETRY_BASE_S * 2**row.failures)
        rest_s = error.retry_after_s
        if error.risk_control:
            rest_s = max(rest_s, RISK_CONTROL_S)
            self.probing = True
        elif self.probing or self._failures >= PAUSE_AFTER_FAILURES:
            rest_s = max(rest_s, PROBE_OFFLINE_S if error.offline else PROBE_S)
            self.probing = True
        self.open_at = max(self.open_at, now + rest_s)
        return row.counted >= FAILURES_WHILE_OTHERS_PASS

    def forget(self, record_id: int) -> None:
        """The row ended: if it is ever tried again it begins anew."""
        self._rows.pop(record_id, None)

    def renew(self, limits: Limits, held: bool) -> None:  # noqa: FBT001 - as the field
        """Another config or login: begin anew, with what is under way."""
        self.limits = limits
        self.lift()
        self.held, self.probing = held, False
        self._failures = 0
        self._rows.clear()

    def hold(self) -> None:
        """Nothing is sent until the login changes or the user says so."""
        self.held = True

    def lift(self) -> None:
        """Something changed: end holds and rests, and let one try show whether the host is well."""
        self.held = False
        self.open_at = -math.inf
        self.probing = True
        for row in self._rows.values():
            row.until = -math.inf
