"""Row 15: killed anywhere, everything that was accepted is sent in the end, and once."""

from __future__ import annotations

import signal
import subprocess
import zlib
from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import bilibili, pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.program import DEADLINE_S, Program
from tests.faults.arrivals import arrivals, sent_twice
from tests.faults.injecting import WRITES, every_nth, killing, needs_strace
from tests.faults.promise import LOCAL, Home
from tests.faults.trial import Trial

pytestmark = [pytest.mark.row(15), needs_strace]

DEBUG = {"IMGHOST_LOG": "debug"}
KILLED = -signal.SIGKILL

UNMET = 4  # an N may be met in the next race that was not in this one

NETWORK = ("connect", "sendto", "recvfrom")


def _picture(path: Path, seed: int) -> Path:
    path.write_bytes(pictures.png(seed=seed) + b"trailer")
    return path


def _killed_uploading(
    path: Path, folder: Path, prefix: tuple[str, ...], **sections: Any
) -> tuple[bool, int]:
    """Whether the upload was killed, and how many rows are well, all done, after the next start."""
    home = Home(folder)
    program = Program(home.path, DEBUG, prefix)
    program.configure(**sections, **LOCAL)
    result = program.run("upload", path)
    assert result.code in (0, KILLED), result
    assert "Traceback" not in result.err
    home.restart()
    assert set(home.states) <= {"done"}, home.rows
    checked = home.check(*[path.read_bytes() for _ in result.lines], behind=1)
    return result.code == KILLED, checked


def test_at_each_write(trial: Trial, tmp_path: Path, pool: Executor) -> None:
    """Killed at the Nth write, N = 1, 2, 3...: what was accepted is done after the next start."""
    path = _picture(tmp_path / "a.png", seed=1)
    checked: list[int] = []

    def meets(call: str, n: int) -> bool:
        killed, count = _killed_uploading(path, tmp_path / f"{call}-{n}", killing(call, n))
        checked.append(count)
        return killed

    kills = every_nth(trial, pool, WRITES, meets, quick_step=12)
    trial.note("killed at the Nth write, built-in host", kills, checked=sum(checked))


def test_at_each_write_and_send(
    trial: Trial, tmp_path: Path, pool: Executor, fake: FakeBilibili
) -> None:
    """So it is with a host elsewhere, which has a picture twice at most for each kill."""
    checked: list[int] = []

    def meets(call: str, n: int) -> bool:
        path = _picture(tmp_path / f"{call}-{n}.png", seed=zlib.crc32(f"{call}{n}".encode()))
        sections = bilibili.settings(fake)
        killed, count = _killed_uploading(
            path, tmp_path / f"{call}-{n}", killing(call, n), **sections
        )
        checked.append(count)
        return killed

    kills = every_nth(trial, pool, (*NETWORK, *WRITES), meets, quick_step=20)
    assert max(arrivals(fake).values()) <= 1 + 1
    what, twice = "killed at the Nth write or send, bilibili", sent_twice(fake)
    trial.note(what, kills, checked=sum(checked), twice=twice)


def _others_sent(process: subprocess.Popen[bytes], count: int) -> None:
    """It printed so many links, and found nothing wrong."""
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, err
    assert len(out.splitlines()) == count, out
    assert b"Traceback" not in err, err


def test_one_of_three_at_each_write(trial: Trial, tmp_path: Path, pool: Executor) -> None:
    """While two others use the same journal, which send all of theirs and partly the same."""
    paths = [_picture(tmp_path / f"{seed}.png", seed) for seed in range(5)]
    checked: list[int] = []

    def meets(call: str, n: int) -> bool:
        home = Home(tmp_path / f"{call}-{n}")
        victim = Program(home.path, DEBUG, killing(call, n))
        victim.configure(**LOCAL)
        others = Program(home.path, DEBUG)
        own = paths[n % 2]  # one picture, by one thread; each other time another sends it as well
        with ExitStack() as stack:
            killed, *started = [
                stack.enter_context(program.start("upload", *map(str, mine)))
                for program, mine in ((victim, [own]), (others, paths[1:4]), (others, paths[2:]))
            ]
            out, err = killed.communicate(timeout=DEADLINE_S)
            for process in started:
                _others_sent(process, 3)
        assert killed.returncode in (0, KILLED)
        assert b"Traceback" not in err, err
        home.restart()
        assert set(home.states) == {"done"}, home.rows
        given = [*paths[1:], *[own for _ in out.splitlines()]]
        checked.append(home.check(*(path.read_bytes() for path in given), behind=1))
        return killed.returncode == KILLED

    kills = every_nth(trial, pool, WRITES, meets, quick_step=12, unmet=UNMET)
    what = "one of three processes killed at the Nth write"
    trial.note(what, kills, checked=sum(checked))
