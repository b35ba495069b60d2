"""What goes wrong in the background is logged and costs only itself."""

from __future__ import annotations

import logging

import pytest

from imghost.errors import JournalDamaged, MachineError
from imghost.survival import Survival


def _raise(exc: BaseException) -> None:
    raise exc


def test_work_is_done_with_what_it_is_given() -> None:
    """Its arguments reach it, and that it went well is known."""
    done: list[int] = []
    assert Survival()(done.insert, 0, 7)
    assert done == [7]


@pytest.mark.parametrize(
    ("error", "said", "is_in_doubt"),
    [
        (MachineError("the disk is full"), "the disk is full", False),
        (JournalDamaged("it is damaged"), "it is damaged", True),
        (ZeroDivisionError("of zero"), "ZeroDivisionError: of zero", False),
    ],
)
def test_errors_are_survived(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture, *, is_in_doubt: bool
) -> None:
    """Logged, a bug with its traceback; a damaged journal is to be looked at."""
    survive = Survival()
    assert not survive(_raise, error)
    assert said in caplog.text
    assert survive.in_doubt is is_in_doubt
    is_bug = any(record.exc_info for record in caplog.records)
    assert is_bug == isinstance(error, ZeroDivisionError)
    assert {record.levelno for record in caplog.records} <= {logging.WARNING, logging.ERROR}


def test_the_end_is_not_survived() -> None:
    """Whoever wants the process to end is obeyed."""
    with pytest.raises(KeyboardInterrupt):
        Survival()(_raise, KeyboardInterrupt())
