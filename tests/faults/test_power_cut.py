"""Row 16: whenever the power is cut, what was accepted is there after the next start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from imghost.app import App
from imghost.config_file import ConfigFile
from imghost.errors import MachineError
from imghost.server.asked import FileInput, UploadOptions, UploadRequest
from tests.fakes import pictures
from tests.fakes.program import DEADLINE_S, Program, eventually
from tests.faults.disks import Disk, ext4, needs_ext4
from tests.faults.injecting import WRITES, every_nth, killing, needs_strace
from tests.faults.promise import BASE, LOCAL, Home
from tests.faults.trial import Trial

pytestmark = [pytest.mark.row(16), needs_ext4]

CHECK_EACH = 10  # all of it takes longer and longer
EACH = 40  # more than are sent before the cut


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk whose power can be cut."""
    with ext4(tmp_path) as disk:
        yield disk


def _upload(home: Home, paths: list[Path], linked: list[Path]) -> None:
    """Upload files until the disk fails; those that got their link are added to `linked`."""
    file = ConfigFile(home.dirs.config / "config.json", {})
    request = UploadRequest(
        tuple(FileInput(str(path)) for path in paths), UploadOptions("", "", "", "", 0)
    )
    with (
        suppress(MachineError),  # the cut may come before it has begun
        App(home.dirs, file, file.load(), base_url=BASE) as app,
        closing(app.upload(request)) as settled,
    ):
        for one in settled:
            if one.failure:
                return
            linked.append(paths[one.index])


def _wait_for_links(linked: list[Path], count: int) -> None:
    eventually(lambda: len(linked) >= count)


def test_at_any_moment(trial: Trial, tmp_path: Path, disk: Disk) -> None:
    """Cut at random moments: each picture that got its link has it, its row and its original."""
    home = Home(disk.path / "imghost")
    linked: list[Path] = []
    cuts = trial.size(10, 200)
    for n in range(cuts):
        paths = [tmp_path / f"{seed}.png" for seed in range(n * EACH, (n + 1) * EACH)]
        for seed, path in enumerate(paths, start=n * EACH):
            path.write_bytes(pictures.png(8, 8, seed=seed))
        wanted = len(linked) + trial.chance.randint(0, 12)
        with ThreadPoolExecutor(1) as pool:
            uploading = pool.submit(_upload, home, paths, linked)
            _wait_for_links(linked, wanted)
            disk.cut()
            uploading.result(DEADLINE_S)
        disk.boot()
        with trial.recovering():
            home.restart()
        assert set(home.states) <= {"done"}
        accepted = {row["original"] for row in home.rows}
        assert {sha256(path.read_bytes()).hexdigest() for path in linked} <= accepted
        if n % CHECK_EACH == 0 or n == cuts - 1:
            home.check(behind=4 * (n + 1))
        disk.settle()
    trial.note(f"power cut at random moments, {len(linked)} pictures linked", cuts)


@needs_strace
def test_at_each_write(trial: Trial, tmp_path: Path, disk: Disk) -> None:
    """At the Nth write, N = 1, 2, 3...: what had its link has it, and what had a row is sent."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())

    def meets(call: str, n: int) -> bool:
        home = Home(disk.path / f"{call}-{n}")
        home.dirs.data.mkdir(parents=True)
        program = Program(home.path, prefix=killing(call, n))
        program.configure(**LOCAL)
        os.sync()
        result = program.run("upload", path)
        disk.cut()
        disk.boot()
        home.restart()
        assert len(home.rows) >= len(result.lines)
        assert set(home.states) <= {"done"}, home.rows
        home.check(behind=1)
        shutil.rmtree(home.path)
        return result.code != 0

    with ThreadPoolExecutor(1) as pool:
        cuts = every_nth(trial, pool, WRITES, meets, quick_step=15)
    trial.note("power cut at the Nth write", cuts)
