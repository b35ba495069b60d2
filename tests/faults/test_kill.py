"""Row 15: killed anywhere, everything that was accepted is sent in the end, and once."""

from __future__ import annotations

import signal
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

NETWORK = ("connect", "sendto", "recvfrom")


def _picture(path: Path, seed: int) -> Path:
    path.write_bytes(pictures.png(seed=seed) + b"trailer")
    return path


def _killed_uploading(path: Path, folder: Path, prefix: tuple[str, ...], **sections: Any) -> bool:
    """Whether the upload was killed; what was accepted is done after the next start."""
    home = Home(folder)
    program = Program(home.path, DEBUG, prefix)
    program.configure(**sections, **LOCAL)
    result = program.run("upload", path)
    assert result.code in (0, KILLED), result
    home.restart()
    assert len(home.rows) >= len(result.lines)
    assert set(home.states) <= {"done"}, home.rows
    home.check(behind=1)
    return result.code == KILLED


def test_at_each_write(trial: Trial, tmp_path: Path, pool: Executor) -> None:
    """Killed at the Nth write, N = 1, 2, 3...: what was accepted is done after the next start."""
    path = _picture(tmp_path / "a.png", seed=1)

    def meets(call: str, n: int) -> bool:
        return _killed_uploading(path, tmp_path / f"{call}-{n}", killing(call, n))

    kills = every_nth(trial, pool, WRITES, meets, quick_step=12)
    trial.note("killed at the Nth write, built-in host", kills)


def test_at_each_write_and_send(
    trial: Trial, tmp_path: Path, pool: Executor, fake: FakeBilibili
) -> None:
    """So it is with a host elsewhere, which has a picture twice at most for each kill."""

    def meets(call: str, n: int) -> bool:
        path = _picture(tmp_path / f"{call}-{n}.png", seed=zlib.crc32(f"{call}{n}".encode()))
        sections = bilibili.settings(fake)
        return _killed_uploading(path, tmp_path / f"{call}-{n}", killing(call, n), **sections)

    kills = every_nth(trial, pool, (*NETWORK, *WRITES), meets, quick_step=20)
    assert max(arrivals(fake).values()) <= 1 + 1
    trial.note("killed at the Nth write or send, bilibili", kills, twice=sent_twice(fake))


def test_one_of_three_at_each_write(
    trial: Trial, tmp_path: Path, pool: Executor, fake: FakeBilibili
) -> None:
    """While two others use the same journal, and send partly the same pictures."""
    fake.delay_s = 0.02
    paths = [_picture(tmp_path / f"{seed}.png", seed) for seed in range(5)]

    def meets(call: str, n: int) -> bool:
        home = Home(tmp_path / f"{call}-{n}")
        victim = Program(home.path, DEBUG, killing(call, n))
        victim.configure(**LOCAL)
        others = Program(home.path, DEBUG)
        with ExitStack() as stack:
            started = [
                stack.enter_context(program.start("upload", *map(str, mine)))
                for program, mine in (
                    (victim, paths[:3]),
                    (others, paths[1:4]),
                    (others, paths[2:]),
                )
            ]
            for process in started:
                process.communicate(timeout=DEADLINE_S)
        codes = [process.returncode for process in started]
        assert codes[0] in (0, KILLED)
        home.restart()
        assert set(home.states) == {"done"}, home.rows
        home.check(*(path.read_bytes() for path in paths[1:]), behind=4)
        return codes[0] == KILLED

    kills = every_nth(trial, pool, WRITES, meets, quick_step=40)
    trial.note("one of three processes killed at the Nth write", kills)
