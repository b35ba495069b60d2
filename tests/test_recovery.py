"""A lost journal is written anew from the originals and their slips."""

from __future__ import annotations

import json
import math
import os
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.errors import JournalDamaged, MachineError
from imghost.keep.copies import Copies
from imghost.keep.facts import Facts
from imghost.keep.journal import Journal
from imghost.keep.recovery import JournalFile
from imghost.keep.schema import COLUMNS
from imghost.keep.seen import Seen
from imghost.keep.store import Store
from imghost.models import Message, Record, State, Stored
from imghost.report import iso_time
from imghost.text import Speaker
from tests.fakes.images import TARGET, entry, image

CORRUPTIONS = 40


@dataclass
class Kept:
    """A data folder with a journal in it."""

    root: Path
    store: Store

    @property
    def path(self) -> Path:
        """The journal."""
        return self.root / "journal.db"

    def open(self, *, thorough: bool = True) -> JournalFile:
        """Open the journal as a starting process does."""
        file = JournalFile(self.path, self.store, TARGET)
        file.open(thorough=thorough)
        return file

    def rows(self) -> list[Record]:
        """What a starting process finds."""
        file = self.open()
        rows = sorted(Journal(file.db).history(), key=lambda r: r.id)
        file.close()
        return rows

    def lose(self) -> None:
        """Delete the journal."""
        for path in self.root.glob("journal.db*"):
            path.unlink()

    def slips_path(self, n: int) -> Path:
        """Where the slips of an original are."""
        return self.store.path(image(n).sha256).with_suffix(".json")

    def slip(self, n: int) -> dict[str, Any]:
        """What was noted of an original."""
        slip: dict[str, Any] = json.loads(self.slips_path(n).read_bytes())[0]
        return slip

    def damage(self, change: str, *values: object) -> None:
        """Have a row of the journal say what imghost never wrote."""
        with sqlite3.connect(self.path) as db:
            db.execute(f"UPDATE uploads SET {change} WHERE id = 1", values)
        db.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Four images: one done, one queued, one being sent, and one original without a row."""
    store = Store(tmp_path / "originals", tmp_path / "outgoing", tmp_path / "tmp")
    kept = Kept(tmp_path, store)
    file = kept.open()
    journal = Journal(file.db, lambda: 1000.0)
    for n, state in ((1, State.UPLOADING), (2, State.QUEUED), (3, State.UPLOADING)):
        store.keep(image(n).sha256, image(n).data)
        record, _ = journal.accept(entry(n), state, "dead")
        if n == 1:
            journal.done(record.id, "dead", Stored("local", "images", "k", "http://x/k", 5))
        store.write_slips(image(n).sha256, journal.slips)
    store.keep(image(4).sha256, image(4).data)
    file.close()
    yield kept
    for folder in tmp_path.glob("tmp/*"):
        assert not folder.exists()


def _check_rebuilt(rows: list[Record]) -> None:
    assert [r.original for r in rows[:3]] == [image(n).sha256 for n in (1, 2, 3)]
    assert [r.state for r in rows] == [State.DONE, State.QUEUED, State.QUEUED, State.ASKING]
    assert rows[0].url == "http://x/k"
    assert rows[0].notes == entry(1).notes
    assert rows[3].original == image(4).sha256


def test_a_journal_deleted_under_a_running_process_comes_back(kept: Kept) -> None:
    """What was written into the new file stays, and what was in the old one comes back."""
    file = kept.open()
    for path in kept.root.glob("journal.db*"):
        path.unlink()
    journal = Journal(file.db)
    journal.accept(entry(9), State.QUEUED, "")
    file.look_after()
    assert {r.original for r in journal.history()} == {image(n).sha256 for n in (1, 2, 3, 4, 9)}
    file.close()


@pytest.mark.parametrize("loss", ["deleted", "emptied", "foreign", "truncated", "another"])
def test_is_rebuilt(kept: Kept, loss: str) -> None:
    """Known rows come back as they were, sent ones queued, and unknown originals ask."""
    for path in kept.root.glob("journal.db-*"):
        path.unlink()
    match loss:
        case "deleted":
            kept.path.unlink()
        case "emptied":
            kept.path.write_bytes(b"")
        case "foreign":
            kept.path.write_bytes(b"PK\x03\x04 something else" * 1000)
        case "another":
            kept.path.unlink()
            with sqlite3.connect(kept.path) as other:
                other.execute("CREATE TABLE songs (title)")
            other.close()
        case "truncated":
            kept.path.write_bytes(kept.path.read_bytes()[:5000])
    _check_rebuilt(kept.rows())
    aside = [p for p in kept.root.iterdir() if ".damaged-" in p.name]
    assert len(aside) == (1 if loss in ("foreign", "truncated", "another") else 0)


def test_slips_that_a_power_cut_took_are_written_again(kept: Kept) -> None:
    """They were not synced, and may be zeros or gone: a start that reads the whole journal sees."""
    sound = {n: kept.slips_path(n).read_bytes() for n in (1, 2, 3)}
    kept.slips_path(1).write_bytes(bytes(len(sound[1])))
    kept.slips_path(2).unlink()
    kept.slips_path(3).write_bytes(b"")
    kept.rows()
    assert {n: kept.slips_path(n).read_bytes() for n in (1, 2, 3)} == sound
    assert not kept.slips_path(4).exists()


def test_is_left_alone_when_sound(kept: Kept) -> None:
    """A sound journal is opened as it is; an original without a row is none of its business."""
    assert [r.state for r in kept.rows()] == [State.DONE, State.QUEUED, State.UPLOADING]
    assert not [p for p in kept.root.iterdir() if ".damaged-" in p.name]


def test_random_damage_never_stops_a_start(kept: Kept) -> None:
    """Whatever bytes are overwritten, the journal opens and no original is without a row."""
    chance = random.Random(7)
    sound = kept.path.read_bytes()
    for _ in range(CORRUPTIONS):
        for path in [*kept.root.glob("journal.db*")]:
            path.unlink()
        damaged = bytearray(sound)
        for _ in range(chance.randrange(1, 40)):
            start = chance.randrange(len(damaged))
            damaged[start : start + chance.randrange(1, 400)] = chance.randbytes(8)
        kept.path.write_bytes(damaged)
        originals = {r.original for r in kept.rows()}
        assert {image(n).sha256 for n in (1, 2, 3)} <= originals


def test_a_slip_of_another_making_is_no_row(kept: Kept) -> None:
    """A slip that does not fit the tables leads to a question, not to an error."""
    kept.path.unlink()
    kept.store.write_slips(
        image(1).sha256, lambda _: [{"id); DROP TABLE uploads; --": 1}, {"id": []}]
    )
    kept.store.write_slips(image(2).sha256, lambda _: [{"state": "dancing", "inputs": [1, None]}])
    states = {r.original: r.state for r in kept.rows()}
    assert states[image(1).sha256] is State.ASKING
    assert states[image(2).sha256] is State.ASKING
    assert states[image(3).sha256] is State.QUEUED


def test_nobody_rebuilds_what_another_uses(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process has the journal open it is not moved away under it."""
    monkeypatch.setattr("imghost.keep.recovery._LOCK_WAIT_S", 0.1)
    first = kept.open()
    kept.path.write_bytes(b"damaged " * 5000)
    with pytest.raises(MachineError, match="another imghost is using it"):
        kept.open()
    first.close()
    assert {r.original for r in kept.rows()} >= {image(n).sha256 for n in (1, 2, 3)}


DEEP = "[" * 100_000
HOSTILE: list[dict[str, Any]] = [
    *({"id": n} for n in (-1, 2**53, 2**63 - 1, 2**63, "x", [1])),
    *({"size_bytes": n} for n in (-1, 2**63, 10**400, 1.5, "x", None)),
    *({"width_px": -1}, {"frames": 1e300}),
    *({"name": "\ud800"}, {"host": "\udfff"}, {"inputs": [{"recipe": "\ud800"}]}),
    *({"alive": "x"}, {"state": "dancing"}, {"format": "html"}, {"sha1": "*"}),
    *({"reason": text} for text in ("{", DEEP, '["{a}", {}]', '["{", {}]', '["x"]', "1" * 5000)),
    *({"reason": f'["{{a:>{n}}}", {{"a": 1}}]'} for n in ("2000000000", ".__class__", "!r")),
    *({"notes": text} for text in ("7", "null", DEEP, "[1]", '[["{a}", {}]]', "", None)),
    *({"created_at": at} for at in (math.inf, -math.inf, math.nan, 1e18, -1.0, "now", 10**400)),
    *({"seen_at": at} for at in (math.inf, "x")),
    *({"url": url} for url in ("javascript:alert(1)", "file:///etc/passwd", "http://", 7, None)),
    *({"original": name} for name in ("/etc/passwd", "../../x", "", "A" * 64, 7)),
    *({"sha256": "../../x"}, {"no such column": 1}, {"select": 1}, {"": 1}, {"\ud800": 1}),
    *({"inputs": None}, {"inputs": 7}, {"inputs": "x"}, {"inputs": [1]}, {"inputs": [{}]}),
    {"inputs": [{"original": "/etc/passwd"}]},
]


@pytest.mark.parametrize("wrong", HOSTILE, ids=lambda wrong: str(wrong)[:40])
def test_a_slip_that_cannot_be_true_is_no_row(kept: Kept, wrong: dict[str, Any]) -> None:
    """It leads to a question; its neighbours come back, and new ids are still given."""
    kept.lose()
    kept.slips_path(1).write_text(json.dumps([kept.slip(1) | wrong]))
    rows = {r.original: r for r in kept.rows()}
    assert rows[image(1).sha256].state is State.ASKING
    assert rows[image(2).sha256].state is State.QUEUED
    file = kept.open()
    assert Journal(file.db).accept(entry(9), State.QUEUED, "")[0].id < 100
    file.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
column_names = st.sampled_from(
    [*COLUMNS.split(", "), "owner", "check_at", "inputs", "rowid", "more"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.dictionaries(column_names, json_values | json_values.map(json.dumps), max_size=4))
def test_no_slip_stops_a_rebuild(kept: Kept, changes: dict[str, Any]) -> None:
    """Whatever stands in a slip's columns, every original has a row that can be told."""
    sound = kept.slips_path(1).read_bytes()
    try:
        kept.slips_path(1).write_text(json.dumps([kept.slip(1) | changes]))
        _check_told(kept)
    finally:
        kept.slips_path(1).write_bytes(sound)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), max_size=8))
def test_no_damage_to_slips_stops_a_rebuild(kept: Kept, hits: list[tuple[int, bytes]]) -> None:
    """Whatever bytes of a slip are overwritten or lost, every original has a row."""
    sound = kept.slips_path(1).read_bytes()
    damaged = bytearray(sound)
    for place, new in hits:
        start = place % len(damaged)
        damaged[start : start + 2] = new
    try:
        kept.slips_path(1).write_bytes(damaged)
        _check_told(kept)
    finally:
        kept.slips_path(1).write_bytes(sound)


def _check_told(kept: Kept) -> None:
    kept.lose()
    rows = kept.rows()
    assert {r.original for r in rows} >= {image(n).sha256 for n in (2, 3, 4)}
    file = kept.open()
    journal = Journal(file.db)
    assert all(journal.records_of(image(n).sha256) for n in (1, 2, 3, 4))
    file.close()
    for row in rows:
        assert row.url == "" or row.url.lower().startswith(("http://", "https://"))
        assert row.size_bytes >= 0
        assert iso_time(row.created_at)
        assert all(map(Speaker("en"), filter(None, (row.reason, *row.notes))))


def test_what_another_original_became_has_its_row(kept: Kept) -> None:
    """An original without a slip joins the row that sends its very bytes."""
    kept.lose()
    kept.slips_path(1).unlink()
    kept.slips_path(2).write_text(json.dumps([kept.slip(2) | {"sha256": image(1).sha256}]))
    file = kept.open()
    (row,) = Journal(file.db).records_of(image(1).sha256)
    assert row.original == image(2).sha256
    assert file.news
    assert file.news.fields == {"known": 2, "unknown": 1}
    file.close()


def test_an_original_from_before_time_is_asked_about(kept: Kept) -> None:
    """A file's time that no journal would take does not stop a rebuild either."""
    kept.lose()
    os.utime(kept.store.path(image(4).sha256), (-5, -5))
    assert kept.rows()[3].created_at == 0


@pytest.mark.parametrize(
    ("change", "value"),
    [
        *(("alive = ?", "x"), ("reason = ?", "{"), ("reason = ?", '["{a}", {}]')),
        *(("reason = ?", DEEP), ("notes = ?", "7"), ("created_at = ?", math.inf)),
        *(("url = ?", "javascript:1"), ("created_at = ?", "now"), ("name = ?", b"\xff")),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_row_that_cannot_be_read_is_made_anew(kept: Kept, change: str, value: object) -> None:
    """It is told once as damage; whoever opens the journal next has it whole."""
    kept.damage(change, value)
    file = kept.open(thorough=False)
    with pytest.raises(JournalDamaged):
        Journal(file.db).history()
    file.close()
    file = kept.open(thorough=False)
    _check_rebuilt(Journal(file.db).history()[::-1])
    file.close()
    assert len([p for p in kept.root.iterdir() if ".damaged-" in p.name]) == 1


@pytest.mark.parametrize("column", ["original", "name"])
def test_a_text_that_is_not_utf_8_is_damage(kept: Kept, column: str) -> None:
    """It is met at the start, or by whoever reads it, and then the row is as it was."""
    kept.damage(f"{column} = CAST(? AS TEXT)", b"3d96\xff")
    file = kept.open()
    with suppress(JournalDamaged):
        Journal(file.db).history()
    file.look_after(thorough=True)
    _check_rebuilt(Journal(file.db).history()[::-1])
    file.close()


_NO_UTF_8, _BLOB = "CAST(x'33ff' AS TEXT)", "x'33'"


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        *(("uploads", column, _NO_UTF_8) for column in ("owner", "notes", "bucket", "original")),
        *(("inputs", column, _NO_UTF_8) for column in ("original", "recipe")),
        *(("copies", column, _NO_UTF_8) for column in ("original", "url")),
        *((table, "original", "'../../x'") for table in ("uploads", "inputs", "copies")),
        *(("uploads", "owner", _BLOB), ("inputs", "recipe", _BLOB), ("copies", "url", _BLOB)),
        *(("facts", "value", _NO_UTF_8), ("facts", "value", _BLOB)),
        *(("seen_files", "mtime_ns", "1.5"), ("seen_files", "inode", "'x'")),
        *(("sqlite_sequence", "seq", "'x'"), ("sqlite_sequence", "seq", "1 << 60")),
    ],
)
def test_whatever_column_is_damaged(kept: Kept, table: str, column: str, value: str) -> None:
    """It is met once at most, and then all rows are as they were."""
    with closing(sqlite3.connect(kept.path)) as db, db:
        db.execute("INSERT INTO facts VALUES ('a', 'b')")
        db.execute("INSERT INTO copies VALUES ('https://a', ?, 1)", (image(1).sha256,))
        db.execute("INSERT INTO seen_files VALUES (x'2f61', 1, 1, 1, 0)")
        where = f"WHERE {column} IN (SELECT max({column}) FROM {table})"
        db.execute(f"UPDATE {table} SET {column} = {value} {where}")
    file = kept.open()
    with suppress(JournalDamaged):
        _use(file)
    file.close()
    file = kept.open(thorough=False)
    _use(file)
    _check_rebuilt(Journal(file.db).history()[::-1])
    file.close()


def test_damage_met_in_a_transaction_is_remembered(kept: Kept) -> None:
    """The end of the transaction does not take that back."""
    file = kept.open()
    with pytest.raises(JournalDamaged), file.db.changing(), file.db.errors():
        raise ValueError
    assert file.db.read("PRAGMA application_id")[0][0] == 0
    file.close()


def _use(file: JournalFile) -> None:
    journal = Journal(file.db)
    journal.owners()
    journal.last_id()
    Seen(file.db).marks()
    for original in journal.originals():
        journal.slips(original)
    Copies(file.db).of(["https://a"])
    Facts(file.db).get("a")


def test_wherever_a_hash_is_damaged(kept: Kept) -> None:
    """In a table or in an index: it is met once at most, and then every original has its row."""
    sound, digest = kept.path.read_bytes(), image(2).sha256.encode()
    places = [found.start() for found in re.finditer(digest, sound)]
    assert len(places) > 3
    for place in places:
        kept.lose()
        kept.path.write_bytes(sound[:place] + b"\xff\xfe\xfd" + sound[place + 3 :])
        file = kept.open()
        journal = Journal(file.db)
        with suppress(JournalDamaged):
            _check_found(journal)
        file.look_after()
        _check_found(journal)
        file.close()


def _check_found(journal: Journal) -> None:
    for n in (1, 2, 3):
        digest = image(n).sha256
        (record,) = [row for row in journal.records_of(digest) if row.original == digest]
        assert digest in journal.originals_of(record.id)


@pytest.mark.parametrize(
    ("sound", "damaged"),
    [
        (b"REFERENCES uploads (id)", b"REFERENCES uploads$(id)"),
        (b"host, bucket)", b"host, buckep)"),
        (b"AND state = 'done'", b"AND statf = 'done'"),
        (b"looks INTEGER NOT NULL DEFAULT 0", b"looks INTEGER NOT NULL DEFAULT 1"),
    ],
)
def test_a_table_that_is_described_wrongly(kept: Kept, sound: bytes, damaged: bytes) -> None:
    """It is met at the start, though SQLite sees nothing wrong with it; then all can be kept."""
    data = kept.path.read_bytes()
    assert sound in data
    kept.lose()
    kept.path.write_bytes(data.replace(sound, damaged))
    file = kept.open()
    journal = Journal(file.db)
    _check_rebuilt(journal.history()[::-1])
    journal.accept(entry(9), State.QUEUED, "")
    file.close()


def test_a_table_that_a_command_finds_described_wrongly(kept: Kept) -> None:
    """It is told as damage, and who looks then finds it, too."""
    data = kept.path.read_bytes()
    kept.lose()
    kept.path.write_bytes(data.replace(b"REFERENCES uploads (", b"REFERENCES uploads$("))
    file = kept.open(thorough=False)
    with pytest.raises(JournalDamaged):
        Journal(file.db).accept(entry(9), State.QUEUED, "")
    file.look_after()
    Journal(file.db).accept(entry(9), State.QUEUED, "")
    file.close()


def test_a_row_that_cannot_be_read_is_not_changed(kept: Kept) -> None:
    """A sender that comes upon it claims nothing, and the journal is looked at, too."""
    kept.damage("state = 'queued', notes = ?", "7")
    file = kept.open(thorough=False)
    with pytest.raises(JournalDamaged):
        Journal(file.db).claim(1, "me")
    file.look_after()
    assert Journal(file.db).get(1).state is State.DONE
    file.close()


def test_what_was_brought_back_is_news(kept: Kept) -> None:
    """How many rows came back and how many are asked about is there to be told, or nothing is."""
    file = kept.open()
    assert file.news is None
    file.close()
    kept.lose()
    file = kept.open()
    assert file.news == Message(
        "the journal was damaged and made anew: {known} uploads brought back, {unknown} to ask "
        "about",
        {"known": 3, "unknown": 1},
    )
    file.close()


def test_a_first_start_is_no_news(tmp_path: Path) -> None:
    """Where nothing was there is nothing to tell; a foreign file in the way is told."""
    kept = Kept(tmp_path, Store(tmp_path / "originals", tmp_path / "outgoing", tmp_path / "tmp"))
    file = kept.open()
    assert file.news is None
    file.close()
    kept.path.write_bytes(b"something else" * 1000)
    file = kept.open()
    assert file.news
    assert file.news.fields == {"known": 0, "unknown": 0}
    file.close()


def test_a_reason_may_name_any_path(kept: Kept) -> None:
    """A file name that is no text in any encoding is no damage."""
    reason = Message("{path} is lost", {"path": os.fsdecode(b"/home/\xff")})
    file = kept.open()
    journal = Journal(file.db)
    journal.fail(3, "dead", reason)
    assert journal.get(3).reason == reason
    file.close()
