"""Rows 1 to 6: whatever happens on the way to a host, each picture arrives, and is told truly."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from tests.fakes import bilibili
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.program import Program, eventually
from tests.faults.arrivals import arrivals, sent_twice
from tests.faults.folder import Folder
from tests.faults.proxy import Fault, FaultProxy, plans
from tests.faults.trial import Trial

TIMEOUT_S = 1.0
FAULTY = 0.3
STALL_S = 2.0


def _wait_for_another(folder: Folder, than: int) -> None:
    eventually(lambda: folder.home.states["done"] > than, STALL_S)


def _persist(folder: Folder, within_s: float) -> None:
    """Until all is done; when nothing moves, say that something changed: no pause is waited out."""
    until = monotonic() + within_s
    while not folder.is_done:
        assert monotonic() < until, folder.home.states
        with suppress(AssertionError):
            _wait_for_another(folder, folder.home.states["done"])
            continue
        folder.retry()


@pytest.mark.row(4)
def test_storm(trial: Trial, home: Path, tmp_path: Path, fake: FakeBilibili) -> None:
    """A third of all exchanges fail in some way: one row each, and what came twice says so."""
    pictures = trial.size(40, 1000)
    faults = sorted(set(Fault) - {Fault.NONE})
    with FaultProxy(fake.port, partial(next, plans(trial.chance, FAULTY, *faults))) as proxy:
        settings = bilibili.settings(fake)
        settings["hosts"]["bilibili"] |= {
            "api": f"http://{proxy.address}",
            "timeout_s": TIMEOUT_S,
            "parallel": 8,
        }
        folder = Folder(Program(home / "imghost"), tmp_path / "watched", settings)
        with folder.watching(), trial.recovering():
            folder.save(pictures)
            _persist(folder, within_s=pictures * 1.0)
    folder.home.check(*folder.given)
    often = {sha256 for sha256, count in arrivals(fake).items() if count > 1}
    told = {row["sha256"] for row in folder.home.rows if "twice" in row["notes"]}
    assert often <= told
    assert proxy.done.keys() >= set(faults)
    faulty = proxy.done.total() - proxy.done[Fault.NONE]
    trial.note(f"faults on the wire, {pictures} pictures", faulty, twice=sent_twice(fake))
