"""Rows 15 and 28: a daemon ended again and again in its work has it all done in the end."""

from __future__ import annotations

import statistics
import subprocess
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.fakes import bilibili
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.program import END_S, Program, eventually
from tests.faults.arrivals import arrivals, sent_twice, wait_for_another
from tests.faults.folder import Folder
from tests.faults.trial import Trial

PARALLEL = 4
BACKLOG = 24
SEND_S = 0.05
START_S = 0.8  # until the first picture goes out
RESTART_S = 2.0
FINISH_S = 120.0


@pytest.fixture
def folder(home: Path, tmp_path: Path, fake: FakeBilibili) -> Folder:
    """A folder whose pictures go to Bilibili, some at a time."""
    settings = bilibili.settings(fake)
    settings["hosts"]["bilibili"]["parallel"] = PARALLEL
    return Folder(Program(home / "imghost"), tmp_path / "watched", settings)


def _wait(process: subprocess.Popen[bytes], wait_s: float) -> None:
    """Let it work for so long; it does not end by itself."""
    with suppress(subprocess.TimeoutExpired):
        raise AssertionError(f"it ended by itself: {process.wait(wait_s)}")


def _wait_for_upload(fake: FakeBilibili, than: int) -> None:
    eventually(lambda: len(fake.uploads) > than)


@pytest.mark.row(15)
def test_killed_anywhere(trial: Trial, folder: Folder, fake: FakeBilibili) -> None:
    """Whenever it is killed, each picture that was saved is at its host in the end.

    Each fourth time it is killed while it starts, else between its first picture and its last.
    """
    fake.delay_s = SEND_S
    kills, files = trial.size((12, 24), (300, 200))
    restarts, sending = [], 0
    for n in range(kills):
        folder.save(BACKLOG - (len(folder.given) - len(arrivals(fake))))
        came = len(fake.uploads)
        with folder.started() as process:
            if n % 4 == 0:
                _wait(process, trial.chance.uniform(0.0, START_S))
            else:
                begun = time.monotonic()
                _wait_for_upload(fake, than=came)
                restarts.append(time.monotonic() - begun)
                _wait(process, trial.chance.uniform(0.0, 4 * SEND_S))
            process.kill()
        sending += came < len(fake.uploads) and len(arrivals(fake)) < len(folder.given)
    checked = folder.finish(FINISH_S, behind=PARALLEL * kills)
    assert arrivals(fake).keys() == {sha256(data).hexdigest() for data in folder.given}
    assert sent_twice(fake) <= PARALLEL * kills
    assert len(folder.given) >= files
    assert sending > kills / 2
    trial.longest_s = max(restarts)
    assert trial.longest_s < trial.bound_s(RESTART_S)
    what = f"killed at random moments, {sending} of them while sending"
    more = f"restart to uploading: median {statistics.median(restarts):.1f} s"
    trial.note(what, kills, checked=checked, twice=sent_twice(fake), more=more)


@pytest.mark.row(28)
def test_told_to_end_anywhere(trial: Trial, folder: Folder, fake: FakeBilibili) -> None:
    """Whatever it is doing, it ends well within five seconds, and leaves nothing claimed."""
    fake.delay_s = 0.05
    ends = trial.size(6, 60)
    for _ in range(ends):
        folder.save(5)
        there = len(arrivals(fake))
        with folder.started() as process:
            wait_for_another(fake, than=there)
            _wait(process, trial.chance.uniform(0.0, 0.3))
            with trial.recovering():
                process.terminate()
                assert process.wait(END_S) == 0
        assert folder.home.states.keys() <= {"done", "queued"}
    checked = folder.finish(FINISH_S)
    assert sent_twice(fake) <= PARALLEL * ends
    what = "told to end in the middle of sending"
    trial.note(what, ends, checked=checked, twice=sent_twice(fake))
