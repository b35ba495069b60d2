"""Rows 18 to 20: many files, files that vanish or are swapped, and files written slowly."""

from __future__ import annotations

import errno
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from tests.fakes import bilibili, pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.program import Program, eventually
from tests.faults.arrivals import arrivals, sent_twice
from tests.faults.folder import Folder
from tests.faults.processes import Memory
from tests.faults.promise import Home
from tests.faults.trial import Trial

MEMORY_KB = 150_000
MOMENT_S = 0.3
FIRST_LINK_S = 2.0
TAKEN_S = 1.5
WRITERS = 8
SECRET = b"only I may read this"


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Folder:
    """A folder whose pictures stay on this machine."""
    return Folder(Program(home / "imghost"), tmp_path / "watched", {})


def _wait_until_done(folder: Folder, memory: Memory) -> None:
    """Wait until all was sent, and see how much memory that takes meanwhile."""
    count = len(folder.given)
    eventually(lambda: memory.look() and folder.done == count, within_s=30 + count / 20)
    assert folder.is_done


@pytest.mark.row(18)
def test_many(trial: Trial, folder: Folder) -> None:
    """All of a great many are sent, in little memory, that of the decoders counted too."""
    count = trial.size(100, 20_000)
    with folder.watching() as watching:
        memory = Memory(watching.process.pid)
        begun = time.monotonic()
        folder.save(count)
        saved_s = time.monotonic() - begun
        with trial.recovering():
            _wait_until_done(folder, memory)
    checked = folder.home.check(*folder.given)
    assert checked == count
    assert memory.used_kb < MEMORY_KB
    took = f"saved in {saved_s:.1f} s, {memory.used_kb / 1000:.0f} MB above idle with its decoders"
    trial.note("files saved into a watched folder", count, checked=checked, more=took)


@pytest.mark.row(18)
def test_many_at_once(trial: Trial, home: Path, tmp_path: Path, fake: FakeBilibili) -> None:
    """What is there from one moment to the next is sent once each, the first of it soon."""
    count = trial.size(200, 1000)
    folder = Folder(Program(home / "imghost"), tmp_path / "watched", bilibili.settings(fake))
    with folder.watching() as watching:
        memory = Memory(watching.process.pid)
        begun = folder.save_at_once(count, trial.bound_s(MOMENT_S))
        with trial.recovering():
            eventually(lambda: folder.home.states["done"] > 0)
            first_s = time.monotonic() - begun
            assert not folder.is_done
            _wait_until_done(folder, memory)
    checked = folder.home.check(*folder.given)
    assert checked == count
    assert arrivals(fake).keys() == _hashes(folder.given)
    assert sent_twice(fake) == 0
    assert first_s < trial.bound_s(FIRST_LINK_S)
    assert memory.used_kb < MEMORY_KB
    trial.note(
        "files moved into a watched folder in one moment",
        count,
        checked=checked,
        twice=sent_twice(fake),
        more=f"the first link after {first_s:.1f} s, {memory.used_kb / 1000:.0f} MB above idle",
    )


def _write(path: Path, data: bytes) -> None:
    """Write to a file itself, and never through a link."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _truncate(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        os.ftruncate(handle, 100)
    finally:
        os.close(handle)


def _step(folder: Path, chance: random.Random, secret: Path, known: list[bytes]) -> None:
    """Change something in a folder. Raises OSError if somebody else was faster."""
    path, other = (folder / f"{chance.randrange(40)}.png" for _ in range(2))
    unfinished = folder / f".{chance.random()}"
    match chance.randrange(6):
        case 0:
            _write(path, chance.choice(known))
        case 1:
            path.unlink()
        case 2:
            path.rename(other)
        case 3:
            _write(unfinished, chance.choice(known))
            unfinished.replace(path)
        case 4:
            unfinished.symlink_to(secret)
            unfinished.replace(path)
        case 5:
            _truncate(path)


def _race(folder: Path, chance: random.Random, steps: int, secret: Path, known: list[bytes]) -> int:
    """Make, replace, rename, swap and delete files until that was done so often; how often."""
    done = 0
    while done < steps:
        try:
            _step(folder, chance, secret, known)
        except OSError as exc:
            if exc.errno not in (errno.ENOENT, errno.ELOOP):
                raise
        else:
            done += 1
            time.sleep(chance.uniform(0.0, 0.01))
    return done


@pytest.mark.row(19)
def test_races(trial: Trial, folder: Folder, tmp_path: Path) -> None:
    """Whatever happens to a file while it is looked at: no bug, nothing else is read or sent."""
    steps = trial.size(1000, 10_000)
    known = [pictures.png(seed=seed) for seed in range(50)]
    secret = tmp_path / "secret.png"
    secret.write_bytes(private := pictures.png(seed=999) + SECRET)
    racers = [random.Random(f"{trial.seed} {n}") for n in range(4)]
    with folder.watching() as watching:
        with ThreadPoolExecutor(len(racers)) as pool:
            racing = [
                pool.submit(_race, folder.path, chance, steps // len(racers), secret, known)
                for chance in racers
            ]
        done = sum(race.result() for race in racing)
        left = {path.read_bytes() for path in folder.path.glob("[!.]*") if not path.is_symlink()}
        whole = sorted(left & set(known))
        eventually(lambda: _hashes(whole) <= folder.home.originals.keys())
        watching.end()
    assert secret.read_bytes() == private
    assert folder.home.originals.keys() <= _hashes(known)
    assert {row["sha256"] for row in folder.home.rows} <= _hashes(known)
    assert _said(folder.home, "a bug", "Traceback") == []
    checked = folder.home.check(*whole)
    trial.note("files made, swapped and deleted at random", done, checked=checked)


def _hashes(data: list[bytes]) -> set[str]:
    return {sha256(one).hexdigest() for one in data}


def _said(home: Home, *words: str) -> list[str]:
    """The lines of the log that hold one of these words."""
    lines = [line for path in home.dirs.logs.glob("*") for line in path.read_text().splitlines()]
    return [line for line in lines if any(word in line for word in words)]


def _in_pieces(path: Path, data: bytes, chance: random.Random) -> None:
    """As a slow program writes, with pauses in between."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(data), 1 + len(data) // 4):
            file.write(data[start : start + 1 + len(data) // 4])
            time.sleep(chance.uniform(0.0, 0.6))


def _under_another_name(path: Path, data: bytes, chance: random.Random) -> None:
    """As browsers do, who give the file its name in the end."""
    unfinished = path.with_suffix(chance.choice([".part", ".crdownload", ".tmp", ".png.part"]))
    _in_pieces(unfinished, data, chance)
    unfinished.rename(path)


def _sparse(path: Path, data: bytes, chance: random.Random) -> None:
    """As downloads do that take their room first."""
    with path.open("wb", buffering=0) as file:
        file.truncate(len(data))
        time.sleep(chance.uniform(0.0, 0.6))
        for start in sorted(range(0, len(data), 500), key=lambda _: chance.random()):
            file.seek(start)
            file.write(data[start : start + 500])


def _again_and_again(path: Path, data: bytes, chance: random.Random) -> None:
    """As programs do that open the file for each piece."""
    path.write_bytes(b"")
    for start in range(0, len(data), 1 + len(data) // 3):
        with path.open("ab") as file:
            file.write(data[start : start + 1 + len(data) // 3])
        time.sleep(chance.uniform(0.0, 0.3))


def _half(path: Path, data: bytes, chance: random.Random) -> None:
    """As a program does that dies."""
    path.write_bytes(data[: chance.randrange(len(data) - 12)])


WAYS = (_in_pieces, _under_another_name, _sparse, _again_and_again, _half)


@pytest.mark.row(20)
def test_slow_writers(trial: Trial, folder: Folder) -> None:
    """Each file is taken whole, soon after the last write; half of one never."""
    count = trial.size(40, 500)
    folder.given = [pictures.png(200, 200, seed=seed) for seed in range(count)]
    ends: dict[str, float] = {}
    took: dict[str, float] = {}

    def write(seed: int) -> None:
        way = WAYS[seed % len(WAYS)]
        way(folder.path / f"{seed}.png", folder.given[seed], random.Random(f"{trial.seed} {seed}"))
        if way is not _half:
            ends[sha256(folder.given[seed]).hexdigest()] = time.monotonic()

    def look() -> bool:
        kept = {path.name for path in folder.program.originals}
        for original in kept & ends.keys() - took.keys():
            took[original] = time.monotonic() - ends[original]
        return len(took) == count - count // len(WAYS)

    with folder.watching():
        with ThreadPoolExecutor(WRITERS) as pool:
            writing = [pool.submit(write, seed) for seed in range(count)]
            eventually(look, within_s=20 + count)
            for one in writing:
                one.result()
        eventually(lambda: folder.home.states == {"done": len(took)})
    assert folder.home.originals.keys() == took.keys()
    whole = [data for seed, data in enumerate(folder.given) if WAYS[seed % len(WAYS)] is not _half]
    checked = folder.home.check(*whole)
    trial.longest_s = max(took.values())
    assert trial.longest_s < trial.bound_s(TAKEN_S)
    median = f"median {sorted(took.values())[len(took) // 2]:.1f} s"
    trial.note("slow and half-written files", count, checked=checked, more=median)
