"""A host is asked at its own pace, left in peace when it fails, and never given up for good."""

from __future__ import annotations

import math

import pytest

from imghost.errors import HostUnavailable
from imghost.gate import Gate
from imghost.models import Limits

DOWN = HostUnavailable("the host is down")


def _gate(parallel: int = 4, min_gap_s: float = 0.0) -> Gate:
    return Gate(Limits(1, frozenset(), parallel=parallel, min_gap_s=min_gap_s), lambda: 1.0)


def _fail(gate: Gate, row: int, now: float, error: HostUnavailable = DOWN) -> bool:
    gate.start(row, now)
    gate.end()
    return gate.failed(row, error, now)


def _pass(gate: Gate, row: int, now: float) -> None:
    gate.start(row, now)
    gate.end()
    gate.passed(row)


def test_keeps_the_hosts_pace() -> None:
    """No more tries at once than the host allows, and none sooner after another."""
    gate = _gate(parallel=2, min_gap_s=0.5)
    assert gate.pace_s(0) == 0
    gate.start(1, 0)
    assert gate.pace_s(0.2) == pytest.approx(0.3)
    gate.start(2, 0.5)
    assert gate.pace_s(9) == math.inf
    gate.end()
    assert gate.pace_s(9) == 0


def test_a_failed_row_rests_longer_each_time() -> None:
    """Waits double from two seconds to a minute, scaled by the jitter."""
    gate = _gate()
    waits = []
    for n in range(8):
        _pass(gate, 99, 1000.0 * n)
        _fail(gate, 1, 1000.0 * n)
        waits.append(gate.row_wait_s(1, 1000.0 * n))
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert gate.resting(7000.0) == [1]
    assert gate.resting(7061.0) == []


def test_a_row_that_fails_while_others_pass_is_given_up() -> None:
    """Eight failures between which the host took others are the row's own fault."""
    gate = _gate()
    verdicts = []
    for n in range(8):
        verdicts.append(_fail(gate, 1, 100.0 * n))
        _pass(gate, 2, 100.0 * n + 1)
    assert verdicts == [False] * 7 + [True]


def test_who_is_forgotten_begins_anew() -> None:
    """Of a row that ended nothing is left, whether it was given up or refused."""
    gate = _gate()
    for n in range(8):
        _fail(gate, 1, 100.0 * n)
        _pass(gate, 2, 100.0 * n + 1)
    gate.forget(1)
    gate.forget(3)
    assert gate.row_wait_s(1, 701) == 0
    assert not _fail(gate, 1, 800)


def test_an_outage_gives_nothing_up() -> None:
    """A thousand failures with nothing passing leave every row queued."""
    gate = _gate()
    assert not any(_fail(gate, n % 7, 100.0 * n) for n in range(1000))


def test_five_failures_in_a_row_pause_the_host() -> None:
    """Then one probe each 30 s, or each 5 s while the network is missing; a pass ends it."""
    gate = _gate()
    for n in range(4):
        _fail(gate, n, 0)
    assert gate.shut_s(0) == 0
    _fail(gate, 4, 0)
    assert gate.shut_s(0) == 30
    assert gate.pace_s(30) == 0
    gate.start(5, 30)
    assert gate.pace_s(30) == math.inf
    gate.end()
    gate.failed(5, HostUnavailable("no network", offline=True), 30)
    assert gate.shut_s(30) == 5
    _pass(gate, 6, 35)
    assert gate.shut_s(35) == 0
    assert gate.resting(35) == []


def test_probes_rotate() -> None:
    """While paused, each probe goes on behind the row of the last."""
    gate = _gate()
    for n in range(5):
        _fail(gate, n, 0)
    assert gate.resting(0) == []
    _fail(gate, 7, 30)
    assert gate.probe_after == 7


@pytest.mark.parametrize(
    ("error", "rest_s"),
    [
        (HostUnavailable("busy", retry_after_s=77), 77),
        (HostUnavailable("suspicious", risk_control=True), 600),
        (HostUnavailable("suspicious", risk_control=True, retry_after_s=900), 900),
    ],
)
def test_the_host_says_how_long(error: HostUnavailable, rest_s: float) -> None:
    """Retry-After and risk control rest the whole host at the first failure."""
    gate = _gate()
    _fail(gate, 1, 0, error)
    assert gate.shut_s(0) == rest_s
    assert gate.shut_s(rest_s) == 0


def test_a_hold_lasts_until_it_is_lifted() -> None:
    """A host that wants a login is asked nothing until the user acts, then one try at first."""
    gate = _gate()
    gate.hold()
    assert gate.shut_s(1e9) == math.inf
    assert gate.row_wait_s(1, 1e9) == math.inf
    gate.lift()
    assert gate.shut_s(0) == 0
    gate.start(1, 0)
    assert gate.pace_s(0) == math.inf


def test_knows_when_to_look_again() -> None:
    """The next look is when the host opens or the first resting row may be tried."""
    gate = _gate()
    _fail(gate, 1, 0)
    assert gate.next_s(0) == 2
    _fail(gate, 2, 0, HostUnavailable("busy", retry_after_s=9))
    assert gate.next_s(0) == 9
