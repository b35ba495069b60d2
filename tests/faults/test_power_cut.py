"""Row 16: whenever the power is cut, what was accepted is there after the next start."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pictures
from tests.fakes.program import DEADLINE_S, Program
from tests.faults.disks import Disk, ext4, needs_ext4
from tests.faults.injecting import WRITES, every_nth, killing, needs_strace
from tests.faults.promise import LOCAL, Home
from tests.faults.trial import Trial

pytestmark = [pytest.mark.row(16), needs_ext4]

FRESH_EACH = 20  # cuts: a journal is made under them as well, and looks at all of it stay short
EACH = 40  # more than are sent before the cut
START_S = 0.5  # until the first link


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk whose power can be cut."""
    with ext4(tmp_path) as disk:
        yield disk


def _read_links(process: subprocess.Popen[bytes], count: int) -> list[bytes]:
    """The first so many links that it prints."""
    assert process.stdout
    return [process.stdout.readline() for _ in range(count)]


def _check_kept(home: Home, told: list[dict[str, Any]]) -> None:
    """Each row that was told of is there and done, an original without one was never accepted."""
    rows = {row["id"]: row for row in home.rows}
    assert {row["state"] for row in rows.values()} <= {"done"}
    for row in told:
        now = rows[row["id"]]
        assert (now["original"], now["sha256"]) == (row["original"], row["sha256"])
        assert now["url"] == row["url"] or row["state"] != "done"
    for name in home.originals.keys() - {row["original"] for row in rows.values()}:
        assert not (home.dirs.originals / name[:2] / f"{name}.json").exists()


def _saved(folder: Path, first: int) -> list[Path]:
    """Pictures that nobody has seen."""
    paths = [folder / f"{seed}.png" for seed in range(first, first + EACH)]
    for seed, path in enumerate(paths, first):
        path.write_bytes(pictures.png(8, 8, seed=seed))
    return paths


def test_at_any_moment(trial: Trial, tmp_path: Path, disk: Disk) -> None:
    """Cut at random moments: each picture that got a row or a link has it, and its original."""
    cuts, checked, linked = trial.size(10, 200), 0, 0
    for n in range(cuts):
        if n % FRESH_EACH == 0:
            home = Home(disk.path / f"imghost-{n}")
            given: list[bytes] = []
        paths = _saved(tmp_path, n * EACH)
        wanted = trial.chance.randint(0, 12)
        with Program(home.path).start("upload", *map(str, paths)) as process:
            links = _read_links(process, wanted)
            told = home.rows if wanted else []  # to readers a row is there once it is synced
            threading.Event().wait(0 if wanted else trial.chance.uniform(0.0, START_S))
            disk.cut()
            out, err = process.communicate(timeout=DEADLINE_S)
        assert b"Traceback" not in err, err
        lines = [*links, *out.splitlines()]
        got = [path for path, line in zip(paths, lines, strict=False) if line.strip()]
        given += [path.read_bytes() for path in got]
        disk.boot()
        with trial.recovering():
            home.restart()
        _check_kept(home, told)
        count = home.check(*given, behind=4 * (n % FRESH_EACH + 1))
        linked += len(got)
        if n == cuts - 1 or (n + 1) % FRESH_EACH == 0:
            checked += count
            shutil.rmtree(home.path)
        disk.settle()
    trial.note(f"power cut at random moments, {linked} pictures linked", cuts, checked=checked)


@needs_strace
def test_at_each_write(trial: Trial, tmp_path: Path, disk: Disk) -> None:
    """At the Nth write, N = 1, 2, 3...: what had its link has it, and what was begun is sent."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())
    checked: list[int] = []

    def meets(call: str, n: int) -> bool:
        home = Home(disk.path / f"{call}-{n}")
        home.dirs.data.mkdir(parents=True)
        program = Program(home.path, prefix=killing(call, n))
        program.configure(**LOCAL)
        disk.settle()
        result = program.run("upload", path)
        is_begun = any(home.dirs.local.glob("*/*"))  # only what was accepted is sent
        disk.cut()
        disk.boot()
        home.restart()
        _check_kept(home, [])
        given = [path.read_bytes()] if is_begun or result.lines else []
        checked.append(home.check(*given, behind=1))
        shutil.rmtree(home.path)
        return result.code != 0

    with ThreadPoolExecutor(1) as pool:
        cuts = every_nth(trial, pool, WRITES, meets, quick_step=15)
    trial.note("power cut at the Nth write", cuts, checked=sum(checked))
