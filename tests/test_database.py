"""The journal's file among threads and other processes: waited for, and let go of in time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from imghost.errors import JournalDamaged, MachineError, UsageError
from imghost.keep.database import Database
from imghost.keep.facts import Facts
from tests.fakes.program import DEADLINE_S


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A journal that was used already."""
    db = Database(tmp_path / "journal.db")
    Facts(db).note("a", "1")
    yield db
    db.close()


@pytest.fixture
def other(db: Database) -> Iterator[sqlite3.Connection]:
    """Another process, in the middle of a transaction."""
    with closing(sqlite3.connect(db.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_another_process_is_waited_for(db: Database, other: sqlite3.Connection) -> None:
    """What cannot be written now is written as soon as it can be, and reading goes on meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(Facts(db).note, "a", "2")
        assert Facts(db).get("a") == "1"
        assert not writing.done()
        other.execute("ROLLBACK")
        writing.result(DEADLINE_S)
    assert Facts(db).get("a") == "2"


def test_patience_can_end(db: Database, other: sqlite3.Connection) -> None:
    """In the end nobody waits for long, neither who waited before nor who comes later."""
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(Facts(db).note, "a", "2")
        begun = time.monotonic()
        db.lose_patience(0.1)
        with pytest.raises(MachineError, match="busy") as caught:
            writing.result(DEADLINE_S)
        assert not isinstance(caught.value, JournalDamaged)
        with pytest.raises(MachineError, match="busy"):
            Facts(db).note("a", "3")
    assert time.monotonic() - begun < 2
    other.execute("ROLLBACK")
    Facts(db).note("a", "4")
    assert Facts(db).get("a") == "4"


def test_who_waits_behind_others_waits_no_longer(
    db: Database, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All threads that write give up when the first of them does, if another process goes on."""
    monkeypatch.setattr("imghost.keep.database._BUSY_S", 0.5)
    monkeypatch.setattr("imghost.keep.database._SLICE_S", 0.01)
    with ThreadPoolExecutor(6) as pool:
        begun = time.monotonic()
        writing = [pool.submit(Facts(db).note, name, "2") for name in "bcdefg"]
        for one in writing:
            with pytest.raises(MachineError, match="busy"):
                one.result(DEADLINE_S)
    assert time.monotonic() - begun < 2.5
    assert other.in_transaction


def test_threads_that_write_queue(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each begins when the one before has ended, and does not have to look whether it has."""
    monkeypatch.setattr("imghost.keep.database._SLICE_S", 0.0)
    opened = threading.Barrier(6)

    def work(name: str) -> None:
        Facts(db).get(name)
        opened.wait(DEADLINE_S)
        for number in range(20):
            Facts(db).note(name, str(number))

    with ThreadPoolExecutor(5) as pool:
        working = [pool.submit(work, name) for name in "bcdef"]
        opened.wait(DEADLINE_S)
        monkeypatch.setattr("imghost.keep.database._LOOK_S", DEADLINE_S)
        for one in working:
            one.result(DEADLINE_S)


def test_nothing_is_closed_while_it_is_used(db: Database) -> None:
    """A thread in the middle of a transaction ends it well though all is closed around it."""
    begun, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with db.changing() as mine:
            mine.execute("UPDATE facts SET value = '2'")
            begun.set()
            go_on.wait(DEADLINE_S)
            mine.execute("UPDATE facts SET value = value || '3'")

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert begun.wait(DEADLINE_S)
        db.close()
        go_on.set()
        writing.result(DEADLINE_S)
    assert Facts(db).get("a") == "23"


def test_closing_hits_no_thread(db: Database) -> None:
    """However often it is closed, threads that read and write find it open."""
    stopping = threading.Event()

    def work(name: str) -> None:
        for number in range(10_000):
            if stopping.is_set():
                return
            Facts(db).note(name, str(number))
            assert Facts(db).get(name) == str(number)

    with ThreadPoolExecutor(3) as pool:
        working = [pool.submit(work, name) for name in "bcd"]
        for _ in range(100):
            db.close()
        stopping.set()
        for one in working:
            one.result(DEADLINE_S)


def test_what_is_no_text_is_no_damage(db: Database) -> None:
    """Lone surrogates are the caller's mistake; the journal goes on."""
    with pytest.raises(UsageError, match="no character"):
        db.read("SELECT * FROM facts WHERE name = ?", ("\ud800",))
    with pytest.raises(UsageError, match="no character"):
        Facts(db).note("\udcff", "1")
    assert Facts(db).get("a") == "1"
