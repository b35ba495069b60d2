"""What the sweeps share: their trial, homes, and an end at which nothing is left over."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes import bilibili
from tests.fakes.held import strays
from tests.fakes.needs import linux_alone
from tests.fakes.program import eventually
from tests.faults.trial import Trial, trial_for


def pytest_configure(config: pytest.Config) -> None:
    """Have the mark that names a test's row."""
    config.addinivalue_line("markers", "row(number): the row of the fault table that it proves")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sweeps use what Linux has to do damage with, and /proc to see what is left."""
    linux_alone(items, Path(__file__).parent, "faults are made by the means of Linux")


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    """How large this sweep is, and its chance."""
    return trial_for(request)


@pytest.fixture
def fake() -> Iterator[bilibili.FakeBilibili]:
    """A Bilibili on loopback."""
    with bilibili.FakeBilibili() as server:
        yield server


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """As many hands as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield pool


@pytest.fixture(autouse=True)
def nothing_left(home: Path, tmp_path: Path) -> Iterator[None]:
    """Fail a test that leaves a process or an open file behind; threads are looked after by all.

    What a daemon holds while it lives is looked at by who ends it.
    """
    before, open_before = strays(tmp_path), _open_files()

    def left() -> list[tuple[int, str]]:
        return [stray for stray in strays(tmp_path).items() if stray[0] not in before]

    yield
    eventually(lambda: not left(), say=left)
    gc.collect()
    threads = [thread.name for thread in threading.enumerate()]
    assert _open_files() <= open_before, threads


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0
