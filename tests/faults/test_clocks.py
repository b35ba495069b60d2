"""Row 17: the clock jumps, and the machine sleeps for long."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.fakes import bilibili
from tests.fakes.bilibili import Answer, FakeBilibili
from tests.fakes.needs import may_skip
from tests.fakes.program import Program, eventually
from tests.faults.arrivals import arrivals, sent_twice, wait_for_another
from tests.faults.folder import Folder
from tests.faults.processes import cpu_s
from tests.faults.proxy import Fault, FaultProxy, Plan
from tests.faults.trial import Trial

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
DAY_S = 86_400
LOOK_AGAIN_S = 300
QUIET_S = 2.0
RECOVERY_S = 10.0
JUMPS_S = (-400 * DAY_S, -DAY_S, -3600, -1, 1, 3600, DAY_S, 400 * DAY_S)

needs_faketime = pytest.mark.skipif(
    not shutil.which("faketime") and may_skip(), reason="faketime is not installed here"
)


class WallClock:
    """What a program's wall clock shows, apart from the true time; the monotonic one goes on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, ahead_s: float) -> None:
        """Show so much more than the true time."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(f"{ahead_s:+.0f}")
        unfinished.replace(self._file)

    @property
    def environ(self) -> dict[str, str]:
        """For whoever is to see this clock."""
        (library,) = Path("/").glob(LIBRARY[1:])
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    """A wall clock that jumps."""
    return WallClock(tmp_path / "clock")


@pytest.fixture
def folder(home: Path, tmp_path: Path, fake: FakeBilibili) -> Folder:
    """A folder whose pictures go to Bilibili."""
    return Folder(Program(home / "imghost"), tmp_path / "watched", bilibili.settings(fake))


def _busy_s(pid: int) -> float:
    """How long it computes of the next seconds."""
    before_s = cpu_s(pid)
    threading.Event().wait(QUIET_S)
    return cpu_s(pid) - before_s


@needs_faketime
@pytest.mark.row(17)
def test_jumps(trial: Trial, folder: Folder, fake: FakeBilibili, clock: WallClock) -> None:
    """Forwards or backwards, while the host is down: what failed is tried again soon, and once."""
    folder.program.environ |= clock.environ
    jumps = trial.size(2, 40)
    with folder.watching() as watching:
        for _ in range(jumps):
            fake.answers.append(Answer(status=503))
            there = len(arrivals(fake))
            folder.save(2)
            wait_for_another(fake, than=there)
            clock.set(trial.chance.choice(JUMPS_S))
            with trial.recovering():
                eventually(lambda: folder.is_done)
        eventually(lambda: _busy_s(watching.process.pid) < 0.1 * QUIET_S)
    checked = folder.home.check(*folder.given)
    assert sent_twice(fake) == jumps  # each 503 was tried again
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("jumps of the wall clock, up to 400 days", jumps, checked=checked)


@needs_faketime
@pytest.mark.row(17)
def test_overdue(trial: Trial, folder: Folder, fake: FakeBilibili, clock: WallClock) -> None:
    """A look at a link that would be due while the machine slept is made when it wakes."""
    folder.program.environ |= clock.environ
    plans = iter([Plan(Fault.NONE), Plan(Fault.DOWN)])
    with FaultProxy(fake.port, lambda: next(plans, Plan(Fault.NONE))) as proxy:
        folder.settings["hosts"]["bilibili"]["api"] = f"http://{proxy.address}"
        folder.configure()
        with folder.watching():
            folder.save()
            eventually(lambda: proxy.done[Fault.DOWN] == 1)
            eventually(lambda: folder.home.rows[0]["check_at"] > time.time() + LOOK_AGAIN_S / 2)
            assert folder.home.rows[0]["alive"] == "unknown"
            clock.set(LOOK_AGAIN_S)
            with trial.recovering():
                eventually(lambda: folder.home.rows[0]["alive"] == "alive")
    checked = folder.home.check(*folder.given)
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("a look at a link overdue on wake", 1, checked=checked)


@pytest.mark.row(25)
def test_sleep(trial: Trial, folder: Folder, fake: FakeBilibili) -> None:
    """Stopped in the middle of anything and woken later: what came meanwhile is sent soon."""
    sleeps = trial.size(2, 10)
    fake.delay_s = 0.05
    with folder.watching() as watching:
        for _ in range(sleeps):
            there = len(arrivals(fake))
            folder.save(5)
            wait_for_another(fake, than=there)
            watching.process.send_signal(signal.SIGSTOP)
            folder.save(3)
            threading.Event().wait(trial.chance.uniform(0.5, trial.size(2.0, 20.0)))
            watching.process.send_signal(signal.SIGCONT)
            with trial.recovering():
                eventually(lambda: folder.is_done)
    checked = folder.home.check(*folder.given)
    assert sent_twice(fake) == 0
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note(
        "stopped and continued while sending", sleeps, checked=checked, twice=sent_twice(fake)
    )
