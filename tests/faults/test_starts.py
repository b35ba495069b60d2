"""Row 24: many starts at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from imghost.door import find_door
from tests.fakes.program import DEADLINE_S, Program, eventually
from tests.faults.promise import Home
from tests.faults.trial import Trial


@pytest.mark.row(24)
def test_one_of_many_starts_lives(trial: Trial, home: Path) -> None:
    """Of servers started together one serves, and each of the others says so with 8."""
    starts, rounds = trial.size((6, 1), (20, 5))
    program = Program(home / "imghost", {"IMGHOST_LOG": "debug"})
    program.configure()
    for _ in range(rounds):
        servers = [program.start("serve", stdin=subprocess.DEVNULL) for _ in range(starts)]
        with trial.recovering():
            _wait_for_the_one(servers)
        eventually(lambda: find_door(Home(program.home).dirs) is not None)
        assert program.run("stop").code == 0
        codes = []
        for server in servers:
            with server:
                server.communicate(timeout=DEADLINE_S)
            codes.append(server.returncode)
        assert sorted(codes) == [0, *[8] * (starts - 1)]
    checked = Home(program.home).check()
    trial.note(f"{starts} simultaneous starts", rounds, checked=checked)


def _wait_for_the_one(servers: list[subprocess.Popen[bytes]]) -> None:
    eventually(lambda: sum(server.poll() is None for server in servers) == 1, 2 * DEADLINE_S)
