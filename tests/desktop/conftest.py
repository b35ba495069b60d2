"""What tests of the desktop share: an X display."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.x11 import xvfb


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of an X display of our own, without a desktop on it."""
    with xvfb() as (name, _server):
        yield name
