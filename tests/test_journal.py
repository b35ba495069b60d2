"""The journal: every accepted image in exactly one state, whoever asks at the same time."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.errors import JournalDamaged, MachineError, UsageError
from imghost.keep.copies import Copies
from imghost.keep.database import Database
from imghost.keep.journal import Journal
from imghost.keep.wanted import Wanted
from imghost.models import Alive, Message, State, Stored, Target
from tests.fakes.images import TARGET, entry, image

REASON = Message("the host said {code}", {"code": 503})
STORED = Stored("local", "images", "k", "http://127.0.0.1/k", 5)


class Clock:
    """A wall clock that tests move."""

    now = 1000.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The journal's clock."""
    return Clock()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """The journal's file."""
    made = Database(tmp_path / "data" / "journal.db")
    yield made
    made.close()


@pytest.fixture
def journal(db: Database, clock: Clock) -> Journal:
    """An empty journal."""
    return Journal(db, clock)


def test_accepts_and_gives_back_all_it_was_told(journal: Journal) -> None:
    """A row holds what the entry said, in the state it was given."""
    record, is_new = journal.accept(entry(1), State.QUEUED, "me")
    made = image(1)
    assert is_new
    assert record == journal.get(record.id)
    assert (record.sha256, record.sha1, record.original) == (made.sha256, made.sha1, made.sha256)
    assert (record.width_px, record.height_px, record.size_bytes) == (4, 3, len(made.data))
    assert record.notes == (Message("scaled to {n}", {"n": 3}),)
    assert (record.state, record.reason, record.created_at) == (State.QUEUED, None, 1000.0)


@pytest.mark.parametrize("half", ["\ud800", "a\udcff.png"])
def test_nothing_is_found_by_what_is_no_text(journal: Journal, half: str) -> None:
    """No row can hold a lone surrogate; that is no damage, whatever was asked besides."""
    record, _ = journal.accept(entry(1), State.UPLOADING, "me")
    link = journal.done(record.id, "me", STORED).url
    assert journal.history([half]) == journal.history(["a", half]) == []
    assert [row.url for row in journal.with_links([half, link])] == [link]
    for wanted in (Wanted((half,)), Wanted(host=half), Wanted(bucket=half)):
        assert journal.page(wanted, 5) == []


def test_the_same_bytes_to_the_same_place_join(journal: Journal) -> None:
    """One row per sent bytes, host and bucket; the joined row keeps its state."""
    first, _ = journal.accept(entry(1), State.UPLOADING, "me")
    again, is_new = journal.accept(entry(1, original="f" * 64), State.QUEUED, "you")
    other, other_is_new = journal.accept(
        entry(1, target=Target("local", "blog")), State.QUEUED, "you"
    )
    assert (again.id, again.state, is_new) == (first.id, State.UPLOADING, False)
    assert other.id != first.id
    assert other_is_new
    assert sorted(journal.originals_of(first.id)) == sorted([image(1).sha256, "f" * 64])


def test_finds_what_went_the_same_way_before(journal: Journal) -> None:
    """An original is found by place and recipe, and by nothing less."""
    record, _ = journal.accept(entry(1), State.QUEUED, "me")
    original = image(1).sha256
    assert journal.find(original, TARGET, "recipe") == record
    assert journal.find(original, TARGET, "another") is None
    assert journal.find(original, Target("local", "blog"), "recipe") is None
    assert journal.find("0" * 64, TARGET, "recipe") is None


def test_another_original_can_lead_to_a_row(journal: Journal) -> None:
    """A picture that was found twice is one row, found by either; there must be that row."""
    record, _ = journal.accept(entry(1), State.QUEUED, "me")
    assert journal.join("f" * 64, "recipe", record.id)
    assert journal.join("f" * 64, "recipe", record.id)
    assert journal.find("f" * 64, TARGET, "recipe") == record
    assert sorted(journal.originals_of(record.id)) == sorted([image(1).sha256, "f" * 64])
    assert not journal.join("e" * 64, "recipe", record.id + 1)


def test_a_row_is_claimed_once(journal: Journal) -> None:
    """Of many claims on a row one is granted."""
    record, _ = journal.accept(entry(1), State.QUEUED, "me")
    claims: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: claims.append(journal.claim(record.id, str(n))))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in claims) == 1
    assert journal.get(record.id).state is State.UPLOADING


def test_claims_the_oldest_first(journal: Journal) -> None:
    """Rows are taken in order of their ids, those that rest left out, or from a given one on."""
    ids = [journal.accept(entry(n), State.QUEUED, "")[0].id for n in range(4)]
    taken = [journal.claim_next("local", "me", besides=[ids[0]])]
    taken.append(journal.claim_next("local", "me", after=ids[2]))
    taken.append(journal.claim_next("local", "me"))
    assert [r.id for r in taken if r] == [ids[1], ids[3], ids[0]]
    assert journal.claim_next("elsewhere", "me") is None


def test_ends(journal: Journal) -> None:
    """A claimed row ends done, queued again or failed, and only its owner can say so."""
    ids = [journal.accept(entry(n), State.UPLOADING, "me")[0].id for n in range(3)]
    assert journal.done(ids[0], "you", STORED).state is State.UPLOADING
    assert journal.fail(ids[0], "you", REASON).state is State.UPLOADING
    done = journal.done(ids[0], "me", STORED)
    assert (done.state, done.url, done.key) == (State.DONE, STORED.url, "k")
    queued = journal.give_back(ids[1], "me", REASON)
    assert (queued.state, queued.reason) == (State.QUEUED, REASON)
    assert journal.fail(ids[2], "me", REASON).state is State.FAILED
    assert journal.counts() == {
        State.ASKING: 0,
        State.QUEUED: 1,
        State.UPLOADING: 0,
        State.DONE: 1,
        State.FAILED: 1,
    }


def test_reopens_what_the_user_asks_for(journal: Journal) -> None:
    """Failed, asking and dead rows are queued at the user's word; a living link is not."""
    failed = journal.accept(entry(1), State.UPLOADING, "me")[0].id
    journal.fail(failed, "me", REASON)
    asking = journal.accept(entry(2), State.ASKING, "")[0].id
    done = journal.accept(entry(3), State.UPLOADING, "me")[0].id
    journal.done(done, "me", STORED)
    journal.mark(done, Alive.ALIVE)
    assert journal.reopen(done) is None
    journal.mark(done, Alive.DEAD)
    for record_id in (failed, asking, done):
        reopened = journal.reopen(record_id)
        assert reopened
        assert (reopened.state, reopened.reason) == (State.QUEUED, None)


def test_words_without_end_are_refused(journal: Journal) -> None:
    """So many are no damage of the journal, which SQLite's answer would look like."""
    assert journal.history(["a"] * 100) == []
    with pytest.raises(UsageError):
        journal.history(["a"] * 101)


def test_a_dead_owners_rows_are_queued_again(journal: Journal) -> None:
    """Only what that owner claimed comes back."""
    mine = journal.accept(entry(1), State.UPLOADING, "me")[0].id
    kept = journal.accept(entry(2), State.UPLOADING, "me")[0].id
    other = journal.accept(entry(3), State.UPLOADING, "you")[0].id
    assert journal.owners() == {"me", "you"}
    assert journal.requeue("me") == 2
    states = {i: journal.get(i).state for i in (mine, kept, other)}
    assert states == {mine: State.QUEUED, kept: State.QUEUED, other: State.UPLOADING}


def test_looks_are_due_by_the_wall_clock(journal: Journal, clock: Clock) -> None:
    """A finished link is due at once, then when it was said, and is seen only when it was alive."""
    record_id = journal.accept(entry(1), State.UPLOADING, "me")[0].id
    journal.done(record_id, "me", STORED)

    def due() -> list[int]:
        return [record.id for record in journal.due_looks("local", clock.now, 5)]

    assert due() == [record_id]
    assert journal.due_looks("elsewhere", clock.now, 5) == []
    journal.looked(record_id, Alive.ALIVE, 1, 1060.0)
    assert due() == []
    clock.now = 1060.0
    assert due() == [record_id]
    journal.mark(record_id, Alive.DEAD)  # somebody else's look puts off none of the daemon's
    assert due() == [record_id]
    journal.looked(record_id, Alive.UNKNOWN, 1, 0.0)
    assert (journal.get(record_id).seen_at, journal.get(record_id).looks) == (1000.0, 1)
    assert due() == []


def test_a_clock_that_is_set_back_puts_off_no_look(journal: Journal, clock: Clock) -> None:
    """A link that would be due in a year is due now; one that is due tomorrow is not."""
    rows = [journal.accept(entry(n), State.UPLOADING, "me")[0].id for n in range(2)]
    for row, due_s in zip(rows, (86_400.0, 31_536_000.0), strict=True):
        journal.done(row, "me", STORED)
        journal.looked(row, Alive.ALIVE, 1, clock.now + due_s)
    assert [record.id for record in journal.due_looks("local", clock.now, 5)] == [rows[1]]


def test_broken_links_are_found_and_counted(journal: Journal) -> None:
    """Dead and suspect ones, the newest first, until they are sent again."""
    rows = [journal.accept(entry(n), State.UPLOADING, "me")[0].id for n in range(4)]
    for row, alive in zip(rows, Alive, strict=True):
        journal.done(row, "me", STORED)
        journal.mark(row, alive)
    assert [record.alive for record in journal.broken(5)] == [Alive.DEAD, Alive.SUSPECT]
    assert [record.id for record in journal.broken(1)] == [rows[3]]
    assert [r.id for r in journal.page(Wanted(broken=True), 5)] == [rows[3], rows[2]]
    assert journal.total(Wanted(broken=True)) == journal.count_broken() == 2
    journal.reopen(rows[3])
    assert journal.count_broken() == 1


def test_an_original_that_is_a_copy_stays(journal: Journal, db: Database) -> None:
    """Forgetting the upload erases no copy of what others host; only releasing copies does."""
    copies, original = Copies(db), image(1).sha256
    record, _ = journal.accept(entry(1), State.QUEUED, "")
    copies.add("https://else.example/a.png", original)
    erased: list[str] = []
    assert journal.erase(record.id, erased.append)
    assert not journal.release(original, lambda _: False, erased.append, with_copies=False)
    assert erased == []
    assert journal.release(original, lambda _: False, erased.append, with_copies=True)
    assert erased == [original]
    assert copies.of(["https://else.example/a.png"]) == {}


def test_a_different_result_is_noted_or_merged(journal: Journal) -> None:
    """What is sent after all is written into the row, or joins the row that sends it already."""
    first = journal.accept(entry(1), State.UPLOADING, "me")[0].id
    second = journal.accept(entry(2), State.UPLOADING, "me")[0].id
    changed, is_mine = journal.replace_image(first, "me", image(9), [REASON])
    assert is_mine
    assert (changed.id, changed.sha256, changed.notes) == (first, image(9).sha256, (REASON,))
    merged, is_mine = journal.replace_image(second, "me", image(9), [])
    assert (merged.id, is_mine) == (first, False)
    with pytest.raises(UsageError):
        journal.get(second)
    assert image(2).sha256 in journal.originals_of(first)


@pytest.mark.parametrize(
    ("state", "is_mine"), [(State.QUEUED, True), (State.ASKING, True), (State.UPLOADING, False)]
)
def test_the_row_that_is_joined_is_claimed_if_nobody_has_it(
    journal: Journal, state: State, is_mine: bool
) -> None:
    """Whoever joins a waiting row sends it; one that another sends is left to that one."""
    waiting = journal.accept(entry(9), state, "you")[0].id
    joining = journal.accept(entry(1), State.UPLOADING, "me")[0].id
    record, mine = journal.replace_image(joining, "me", image(9), [])
    assert (record.id, record.state, mine) == (waiting, State.UPLOADING, is_mine)


def test_searches(journal: Journal, clock: Clock) -> None:
    """History is the newest first, narrowed by words, time and number."""
    for n in range(5):
        clock.now = 1000.0 + n
        journal.accept(entry(n, target=Target("local", f"b{n}")), State.QUEUED, "")
    assert [r.bucket for r in journal.history()] == ["b4", "b3", "b2", "b1", "b0"]
    assert [r.bucket for r in journal.history(["A.PNG", "b3"])] == ["b3"]
    assert [r.bucket for r in journal.history(since=1002, until=1004)] == ["b3", "b2"]
    assert [r.bucket for r in journal.history(limit=1)] == ["b4"]
    assert journal.history(["%"]) == []


def test_erases_rows_but_never_one_that_is_being_sent(journal: Journal) -> None:
    """A forgotten row is gone with its inputs; a claimed one stays, and that is told."""
    shared = "a" * 64
    one = journal.accept(entry(1, original=shared), State.ASKING, "")[0].id
    two = journal.accept(entry(2, original=shared), State.UPLOADING, "me")[0].id
    erased: list[str] = []
    assert journal.erase(one, erased.append)
    assert [slip["id"] for slip in journal.slips(shared)] == [two]
    assert not journal.erase(two, erased.append)
    assert erased == []
    assert journal.get(two).state is State.UPLOADING


def test_the_file_is_private(journal: Journal, tmp_path: Path) -> None:
    """The journal and what SQLite puts beside it are readable by the user alone."""
    journal.accept(entry(1), State.QUEUED, "")
    files = list((tmp_path / "data").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


def test_is_safe_at_a_power_cut(journal: Journal, tmp_path: Path) -> None:
    """WAL with synchronous=FULL: measured to keep every acknowledged row."""
    journal.accept(entry(1), State.QUEUED, "")
    db = Database(tmp_path / "data" / "journal.db")
    assert [r[0] for r in db.read("PRAGMA journal_mode")] == ["wal"]
    assert [r[0] for r in db.read("PRAGMA synchronous")] == [2]
    db.close()


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be read as one" * 100, b"SQLite format 3\0"]
)
def test_a_foreign_file_is_damage(tmp_path: Path, content: bytes) -> None:
    """A file that is no journal is told apart from a disk that does not obey."""
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    db = Database(path)
    with pytest.raises(JournalDamaged, match="rebuilt"):
        db.read("SELECT * FROM uploads")
    db.close()


def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    """A journal of a later version is refused, not rewritten."""
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    db = Database(path)
    with pytest.raises(MachineError, match="newer") as caught:
        db.read("SELECT 1")
    assert not isinstance(caught.value, JournalDamaged)
    db.close()


def test_a_deleted_file_is_made_again(journal: Journal, tmp_path: Path) -> None:
    """A journal deleted under a running process is created anew, not written into nowhere."""
    journal.accept(entry(1), State.QUEUED, "")
    for file in (tmp_path / "data").iterdir():
        file.unlink()
    record, _ = journal.accept(entry(2), State.QUEUED, "")
    other = Database(tmp_path / "data" / "journal.db")
    assert [row["id"] for row in other.read("SELECT id FROM uploads")] == [record.id]
    other.close()


def _accept_many(path: Path, first: int) -> None:
    db = Database(path)
    journal = Journal(db)

    def accept(numbers: range) -> None:
        for n in numbers:
            journal.accept(entry(n), State.QUEUED, "")
            journal.claim_next("local", str(first))

    threads = [
        threading.Thread(target=accept, args=(range(first + 10 * k, first + 10 * k + 10),))
        for k in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.close()


def test_processes_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    """Six processes of three threads, all starting and writing at once, lose nothing."""
    path = tmp_path / "journal.db"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_accept_many, args=(path, 1000 * n)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 6
    db = Database(path)
    assert Journal(db).counts()[State.UPLOADING] == 180
    db.close()


def test_what_was_done_lately(journal: Journal) -> None:
    """The rows that are done, the newest first, and how many since a moment."""
    assert (journal.last_id(), journal.latest_done(5)) == (0, [])
    rows = [journal.accept(entry(seed), State.UPLOADING, "me")[0] for seed in range(4)]
    for row in rows[:3]:
        journal.done(row.id, "me", STORED)
    assert journal.last_id() == rows[3].id
    assert [row.id for row in journal.latest_done(2)] == [rows[2].id, rows[1].id]
    assert journal.done_after(rows[0].id) == 2
    journal.erase(rows[2].id, lambda _: None)
    assert journal.last_id() == rows[3].id
    assert journal.counts()[State.DONE] == 2


def test_a_long_history_costs_nothing(journal: Journal, tmp_path: Path) -> None:
    """What is asked every two seconds reads the few rows that are not done, and no others."""

    def steps() -> int:
        counted = 0

        def step() -> None:
            nonlocal counted
            counted += 1

        db = Database(tmp_path / "data" / "journal.db")
        with db.changing() as connection:
            connection.set_progress_handler(step, 20)
        looking = Journal(db)
        assert looking.queued_hosts() == [TARGET.host]
        assert len(looking.in_states(State.ASKING, State.QUEUED)) == 1
        assert looking.owners() == set()
        assert looking.due_looks("local", 2000.0, 4) == []
        assert looking.broken(4) == []
        assert looking.count_broken() == 0
        db.close()
        return counted

    journal.accept(entry(0), State.QUEUED, "me")
    alone = steps()
    for seed in range(1, 301):
        row, _ = journal.accept(entry(seed), State.UPLOADING, "me")
        journal.looked(journal.done(row.id, "me", STORED).id, Alive.ALIVE, 1, 4600.0)
    assert steps() <= alone + 5
