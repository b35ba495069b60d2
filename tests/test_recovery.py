"""A lost journal is written anew from the originals and their slips."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imghost.errors import MachineError
from imghost.keep.journal import Journal
from imghost.keep.recovery import JournalFile
from imghost.keep.store import Store
from imghost.models import Record, State, Stored
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
        store.write_slips(image(n).sha256, journal.slips(image(n).sha256))
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
    kept.store.write_slips(image(1).sha256, [{"id); DROP TABLE uploads; --": 1}, {"id": []}])
    kept.store.write_slips(image(2).sha256, [{"state": "dancing", "inputs": [1, None]}])
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
