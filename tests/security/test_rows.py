"""Every row of the threat table is proved somewhere."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.proofs import TESTS, not_there
from tests.security.rows import PROOFS


def test_each_row_is_proved() -> None:
    """By tests that are there: one that was renamed or moved is not forgotten."""
    assert all(PROOFS.values())
    assert not_there([name for names in PROOFS.values() for name in names]) == []


def test_each_attack_is_of_a_row() -> None:
    """No file of attacks stands here that no row names."""
    named = {name.partition("::")[0] for names in PROOFS.values() for name in names}
    here = {str(path.relative_to(TESTS)) for path in Path(__file__).parent.glob("test_*.py")}
    assert here - named == {"security/test_rows.py"}
