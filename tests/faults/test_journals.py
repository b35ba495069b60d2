"""Rows 13 and 14: a journal that another process keeps, and one that is not what was written."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imghost.app import App
from imghost.config_file import ConfigFile
from imghost.models import Found, State
from tests.fakes import pictures
from tests.fakes.program import DEADLINE_S, Program, eventually
from tests.faults.folder import Folder
from tests.faults.promise import BASE, LOCAL, Home
from tests.faults.trial import Trial

PICTURES = 20
START_S = 5.0
STATES = (State.UPLOADING, State.QUEUED, State.ASKING, State.UPLOADING)
TOLD = ("original", "sha256", "host", "bucket", "name", "origin", "state", "key", "size_bytes")

Damage = Callable[[random.Random, Path], None]


def _overwritten(chance: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 40)):
        start, size = chance.randrange(len(data)), chance.randrange(1, 400)
        data[start : start + size] = chance.randbytes(size)
    path.write_bytes(data)


def _a_bit_flipped(chance: random.Random, path: Path) -> None:
    """One that can be seen: SQLite keeps no sums, and what a text or number was, nobody knows."""
    sound = path.read_bytes()
    rows = _readable(path)
    while True:
        data = bytearray(sound)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        if _readable(path) in (None, rows):
            return


def _readable(path: Path) -> list[tuple[Any, ...]] | None:
    """What the rows say; None if SQLite sees that something is wrong."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as db:
        try:
            is_sound = db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return db.execute("SELECT * FROM uploads").fetchall() if is_sound else None
        except (sqlite3.Error, UnicodeDecodeError):
            return None


def _zeroed(chance: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    start = chance.randrange(len(data))
    data[start : start + 4096] = bytes(len(data[start : start + 4096]))
    path.write_bytes(data)


def _truncated(chance: random.Random, path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size))


def _pages_swapped(chance: random.Random, path: Path) -> None:
    data = path.read_bytes()
    pages = [data[n : n + 4096] for n in range(0, len(data), 4096)]
    chance.shuffle(pages)
    path.write_bytes(b"".join(pages))


def _foreign(chance: random.Random, path: Path) -> None:
    path.write_bytes(chance.choice([b"", b"PK\x03\x04", b"SQLite format 3\0"]) + bytes(9000))


def _longer(chance: random.Random, path: Path) -> None:
    with path.open("ab") as file:
        file.write(chance.randbytes(chance.randrange(1, 9000)))


def _a_log_of_noise(chance: random.Random, path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(chance.randbytes(9000))


def _gone(_: random.Random, path: Path) -> None:
    path.unlink()


DAMAGES: tuple[Damage, ...] = (
    *(_overwritten, _a_bit_flipped, _zeroed, _truncated, _pages_swapped),
    *(_foreign, _longer, _a_log_of_noise, _gone),
)


@dataclass(frozen=True)
class Case:
    """A sound home with pictures in it, and what its rows say once all of it was sent."""

    home: Home
    given: list[bytes]
    rows: list[dict[str, Any]]

    @property
    def sent(self) -> int:
        """How many of them have a link."""
        return sum(row["state"] == "done" for row in self.rows)

    def damaged(self, path: Path, damage: Damage, chance: random.Random) -> Home:
        """A copy of it whose journal was damaged."""
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.home.path, path)
        home = Home(path)
        damage(chance, home.dirs.journal)
        return home

    def check(self, home: Home, damage: Damage) -> int:
        """All of it is there as it was, the oldest of what is there: how many rows that are."""
        assert _told(home)[: len(self.rows)] == self.rows, damage
        return home.check(*self.given)


def _told(home: Home) -> list[dict[str, Any]]:
    """What the rows say that does not depend on when it was written."""
    return [{name: row[name] for name in TOLD} for row in home.rows]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Pictures in every state in which they can stand while nobody works."""
    home, sent = Home(tmp_path / "sound"), Home(tmp_path / "sent")
    Program(home.path).configure(**LOCAL)
    given = [pictures.png(seed=seed) for seed in range(PICTURES)]
    file = ConfigFile(home.dirs.config / "config.json", {})
    with App(home.dirs, file, file.load(), base_url=BASE) as app:
        pipeline = app.pipeline()
        for number, data in enumerate(given):
            found = Found("command", f"{number}.png", partial(bytes, data))
            pipeline.accept(found, pipeline.order(), STATES[number % len(STATES)])
            if number == PICTURES // 2:
                app.drain()
    assert set(home.states) == {"done", "uploading", "queued", "asking"}
    shutil.copytree(home.path, sent.path)
    sent.restart()
    return Case(home, given, _told(sent))


@pytest.mark.row(14)
def test_random_damage(trial: Trial, tmp_path: Path, case: Case) -> None:
    """Whatever was done to the file: the start takes little time, and every row is as it was."""
    damages, checked = trial.size(27, 207), 0
    for n in range(damages):
        damage = DAMAGES[n % len(DAMAGES)]
        home = case.damaged(tmp_path / "damaged", damage, trial.chance)
        with trial.recovering():
            home.restart()
        checked += case.check(home, damage)
    assert trial.longest_s < trial.bound_s(START_S)
    trial.note("a damaged, foreign or lost journal at the start", damages, checked=checked)


@pytest.mark.row(14)
def test_a_daemon_starts_with_any_damage(trial: Trial, tmp_path: Path, case: Case) -> None:
    """It is ready soon, sends all that may be sent, and takes what comes then."""
    damages = trial.size(trial.chance.sample(DAMAGES, 3), list(DAMAGES))
    checked = 0
    for damage in damages:
        path = tmp_path / damage.__name__
        home = case.damaged(path / "imghost", damage, trial.chance)
        folder = Folder(Program(home.path), path / "watched", {})
        folder.given = list(case.given)
        with ExitStack() as stack:
            with trial.recovering():
                stack.enter_context(folder.watching())
            folder.save()
            eventually(lambda: folder.home.states["done"] == case.sent + 1)  # noqa: B023 - at once
        checked += case.check(home, damage)
        home.check(*folder.given)
    assert trial.longest_s < trial.bound_s(START_S)
    trial.note("a daemon started with such a journal", len(damages), checked=checked)


@pytest.mark.row(13)
def test_locked_by_another_process(trial: Trial, home: Path, tmp_path: Path) -> None:
    """Commands and the daemon wait for as long as that takes, and then go on without a word."""
    lock_s = trial.size(3.0, 30.0)
    folder = Folder(Program(home / "imghost"), tmp_path / "watched", {})
    other_config = tmp_path / "other.json"
    other_config.write_text("{}")
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png(seed=99))
    with ExitStack() as stack:
        watching = stack.enter_context(folder.watching())
        db = stack.enter_context(closing(sqlite3.connect(folder.home.dirs.journal)))
        db.execute("BEGIN IMMEDIATE")
        command = ("--config", str(other_config), "upload", str(path))
        uploading = stack.enter_context(folder.program.start(*command))
        folder.save(5)
        with pytest.raises(subprocess.TimeoutExpired):
            uploading.wait(lock_s)
        assert folder.home.states == {}
        db.execute("ROLLBACK")
        with trial.recovering():
            out, err = uploading.communicate(timeout=DEADLINE_S)
            assert (len(out.splitlines()), b"busy" in err) == (1, False)
            folder.given.append(path.read_bytes())
            eventually(lambda: folder.is_done)
        assert "busy" not in watching.said
        assert not any("busy" in problem for problem in folder.program.status["missing"])
    checked = folder.home.check(*folder.given)
    trial.note(f"the journal locked for {lock_s:.0f} s", 1, checked=checked)
