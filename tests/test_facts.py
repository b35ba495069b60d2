"""Small facts are remembered across restarts and between processes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from imghost.keep.database import Database
from imghost.keep.facts import Facts


def test_a_fact_is_what_was_noted_last(tmp_path: Path) -> None:
    """Nothing before, the latest after, also when the file is opened again."""
    for expected, noted in (("", "a"), ("a", "二")):
        with closing(Database(tmp_path / "journal.db")) as db:
            facts = Facts(db)
            assert facts.get("paused") == expected
            facts.note("paused", noted)
            assert facts.get("paused") == noted
            assert facts.get("other") == ""


def test_something_is_first_once_ever(tmp_path: Path) -> None:
    """Only the first of all who ask is told so, in whichever process."""
    with closing(Database(tmp_path / "journal.db")) as db:
        assert Facts(db).is_first("local")
        assert not Facts(db).is_first("local")
        assert Facts(db).is_first("bilibili")
    with closing(Database(tmp_path / "journal.db")) as db:
        assert not Facts(db).is_first("local")
