"""A pause holds as long as it was meant to, also over a restart."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import MachineError
from imghost.keep.database import Database
from imghost.keep.facts import Facts
from imghost.watch.pausing import (
    AT_START,
    BY_USER,
    LOCKED,
    TIME_OVER,
    Followed,
    Pause,
    Turn,
    _plan_of,
)
from tests.fakes.sender import Clock


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    """What is remembered."""
    db = Database(tmp_path / "journal.db")
    yield Facts(db)
    db.close()


@pytest.fixture
def clock() -> Clock:
    """Seconds since the epoch."""
    return Clock(1000.0)


def test_it_watches_until_it_is_told_otherwise(facts: Facts, clock: Clock) -> None:
    """Paused at the user's word, and again watching at the next one."""
    pause = Pause(facts, clock)
    assert pause.reason is None
    pause.pause(None)
    assert pause.reason == BY_USER
    assert pause.ends_at == math.inf
    pause.resume(None)
    assert pause.reason is None


def test_minutes_end_by_themselves(facts: Facts, clock: Clock) -> None:
    """A pause of 30 minutes ends after them, and so does watching for 30 minutes."""
    pause = Pause(facts, clock)
    for told, before, after in (
        (pause.pause, BY_USER, None),
        (pause.resume, None, TIME_OVER),
    ):
        told(30)
        assert pause.ends_at == clock.now + 1800
        clock.now += 1799
        assert pause.reason == before
        clock.now += 1
        assert pause.reason == after
        assert pause.ends_at == math.inf


def test_a_restart_changes_nothing(facts: Facts, clock: Clock) -> None:
    """What the user said stands in the journal, by the wall clock."""
    Pause(facts, clock).pause(30)
    clock.now += 1799
    assert Pause(facts, clock).reason == BY_USER
    clock.now += 1
    assert Pause(facts, clock).reason is None


def test_what_cannot_be_written_down_holds_until_a_restart(
    facts: Facts, clock: Clock, tmp_path: Path
) -> None:
    """Whoever paused or resumed is told so, and no more than that is wrong."""
    Pause(facts, clock).resume(None)
    db = Database(tmp_path / "journal.db")
    db.lose_patience(0)
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        pause = Pause(Facts(db), clock)
        for change, words, reason in (
            (pause.pause, "paused, but", BY_USER),
            (pause.resume, "watching, but", None),
        ):
            with pytest.raises(MachineError, match=words) as caught:
                change(None)
            assert "busy" in str(caught.value)
            assert pause.reason == reason
    db.close()


def test_a_locked_screen_pauses(facts: Facts, clock: Clock) -> None:
    """While it is locked, and no longer; resuming counts as unlocking."""
    pause = Pause(facts, clock)
    pause.is_locked = True
    assert pause.reason == LOCKED
    pause.is_locked = False
    assert pause.reason is None
    pause.is_locked = True
    pause.resume(None)
    assert pause.reason is None


def test_autostart_begins_paused_unless_watching_was_asked_for(facts: Facts, clock: Clock) -> None:
    """After `resume 60` a start within the hour watches; after `resume` alone it does not."""
    pause = Pause(facts, clock)
    pause.begin_paused()
    assert pause.reason == AT_START
    assert Pause(facts, clock).reason is None
    pause.resume(None)
    again = Pause(facts, clock)
    again.begin_paused()
    assert again.reason == AT_START
    pause.resume(60)
    again = Pause(facts, clock)
    again.begin_paused()
    assert again.reason is None
    clock.now += 3600
    assert again.reason is not None


@given(st.text() | st.from_regex(r"\[(true|1), ?[0-9.e+-]*\]", fullmatch=True))
def test_a_spoilt_plan_is_none(text: str) -> None:
    """Whatever stands in the journal, it is a plan."""
    assert _plan_of(text).is_paused_at(0.0) in (True, False)


def test_a_pause_is_followed(facts: Facts) -> None:
    """Its beginning and its end are told once, also of one that came and went unseen."""
    pause = Pause(facts)
    followed = Followed(pause)
    assert followed.follow() is None
    pause.pause(None)
    followed.began()
    assert not followed.is_up_to_date
    assert (followed.follow(), followed.reason) == (Turn.BEGAN, BY_USER)
    assert followed.is_up_to_date
    assert followed.follow() is None
    pause.is_locked = True
    assert (followed.follow(), followed.reason) == (None, LOCKED)
    pause.resume(None)
    assert not followed.is_up_to_date
    assert (followed.follow(), followed.reason) == (Turn.ENDED, None)
    followed.began()
    assert not followed.is_up_to_date
    assert followed.follow() is Turn.ENDED
    assert followed.follow() is None
