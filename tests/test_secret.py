"""A secret shows itself to nobody who did not ask for it by name."""

from __future__ import annotations

import json
import logging
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.secret import Secret

CANARY = "c4n4ry%2C1"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, lambda s: f"{s}"])
def test_masks_itself(show: object) -> None:
    """No way of printing or formatting a secret shows it."""
    assert callable(show)
    assert CANARY not in show(Secret(CANARY))


def test_is_masked_inside_others(caplog: pytest.LogCaptureFixture) -> None:
    """A secret inside a list, a log line or an exception stays masked."""
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("imghost").warning("%s %r", [Secret(CANARY)], {"a": Secret(CANARY)})
    assert CANARY not in caplog.text
    assert CANARY not in str(ValueError(Secret(CANARY)))


def test_is_not_serialised() -> None:
    """JSON and pickle refuse a secret."""
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))


@given(st.text(), st.text())
def test_compares_by_value(one: str, other: str) -> None:
    """Two secrets are equal exactly if their texts are, and empty ones are false."""
    assert (Secret(one) == Secret(other)) == (one == other)
    assert bool(Secret(one)) == bool(one)
    assert Secret(one).reveal() == one
    assert Secret(one) != one
