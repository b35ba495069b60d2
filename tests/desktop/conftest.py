"""What tests of the desktop share: an X display, somebody at it, and the program beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import seat
from tests.fakes.buses import running_bus
from tests.fakes.loop import Loop, running_loop
from tests.fakes.needs import missing
from tests.fakes.notifications import Notifications, notification_service
from tests.fakes.program import Program
from tests.fakes.sound_server import SoundServer

display, person, program = seat.display, seat.person, seat.program


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what lacks a program, with its name; where nothing may be skipped, let it fail."""
    if os.environ.get("IMGHOST_TESTS_SKIP") == "nothing":
        return
    for item in items:
        if item.path.parent == Path(__file__).parent and (lacks := missing(item.path.stem)):
            item.add_marker(pytest.mark.skip(reason=f"not installed here: {', '.join(lacks)}"))


@pytest.fixture
def loop() -> Iterator[Loop]:
    """The loop on which all of it happens."""
    with running_loop() as loop:
        yield loop


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus."""
    with running_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture(scope="module")
def sound_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    """A sound server for a file's tests."""
    server = SoundServer(tmp_path_factory.mktemp("sound"))
    with server.running():
        yield server


@pytest.fixture
def notices(tmp_path: Path, program: Program) -> Iterator[Notifications]:
    """A desktop that shows what the program tells."""
    folder = tmp_path / "bus"
    folder.mkdir()
    with running_loop() as loop, running_bus(folder) as address:
        program.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        with notification_service(loop, address, "actions") as service:
            yield service
