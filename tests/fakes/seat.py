"""Fixtures of somebody at an X display, for the folders whose tests need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.person import Person
from tests.fakes.program import Program
from tests.fakes.x11 import xvfb


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of an X display of our own, without a desktop on it."""
    with xvfb() as (name, _server):
        yield name


@pytest.fixture
def person(display: str) -> Iterator[Person]:
    """Somebody at that display."""
    with Person(display) as person:
        yield person


@pytest.fixture
def program(home: Path, display: str) -> Program:
    """The program on that display, on no message bus."""
    none = f"unix:path={home / 'none'}"
    buses = {f"DBUS_{which}_BUS_ADDRESS": none for which in ("SESSION", "SYSTEM")}
    program = Program(home / "imghost", {"DISPLAY": display, **buses})
    program.configure()
    return program
