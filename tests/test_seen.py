"""The durable memory of files: what is written is there after a restart, whatever its name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.errors import JournalDamaged
from imghost.keep.database import Database
from imghost.keep.seen import Mark, Seen, Stamp

STAMP = Stamp(7, 100, 1_700_000_000_123_456_789)
NAMES = st.binary(min_size=1, max_size=40).map(os.fsdecode)
NUMBERS = st.integers(0, (1 << 63) - 1)
MARKS = st.builds(Mark, st.builds(Stamp, NUMBERS, NUMBERS, NUMBERS), st.booleans())


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A journal."""
    db = Database(tmp_path / "journal.db")
    yield db
    db.close()


def test_what_is_written_is_remembered(db: Database) -> None:
    """Another run reads what this one wrote; a later mark of a file takes the former's place."""
    Seen(db).write({"/a": Mark(STAMP, is_due=True), "/b": Mark(STAMP, is_due=True)})
    Seen(db).write({"/a": Mark(STAMP, is_due=False)})
    assert Seen(db).marks() == {"/a": Mark(STAMP, is_due=False), "/b": Mark(STAMP, is_due=True)}


def test_what_has_no_mark_is_forgotten(db: Database) -> None:
    """A change to nothing erases the row, or is nothing if there was none."""
    seen = Seen(db)
    seen.write({"/a": Mark(STAMP, is_due=True)})
    seen.write({"/a": None, "/never": None})
    assert seen.marks() == {}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=st.dictionaries(NAMES, MARKS, max_size=5))
def test_any_name_and_stamp_comes_back(db: Database, marks: dict[str, Mark]) -> None:
    """Names are bytes to the system: those that are no text are remembered too."""
    seen = Seen(db)
    seen.write(dict.fromkeys(seen.marks()))
    seen.write(marks)
    assert seen.marks() == marks


def test_stamps_of_strange_file_systems_fit(db: Database) -> None:
    """Inodes and times beyond 63 bits, and times before 1970, can be remembered."""
    for inode, mtime_ns in ((1 << 64) - 1, -5), ((1 << 127) + 3, 1 << 64):
        status = os.stat_result([0o100600, inode, *[0] * 8], {"st_mtime_ns": mtime_ns})
        mark = Mark(Stamp.of(status), is_due=True)
        Seen(db).write({"/a": mark})
        assert Seen(db).marks() == {"/a": mark}


@pytest.mark.parametrize("column", ["path", "inode"])
def test_damage_is_known(db: Database, column: str) -> None:
    """A row that nobody can have written is damage, which the journal's keeper mends."""
    Seen(db).write({"/a": Mark(STAMP, is_due=True)})
    with db.changing() as connection:
        connection.execute(f"UPDATE seen_files SET {column} = 'text'")
    with pytest.raises(JournalDamaged):
        Seen(db).marks()
