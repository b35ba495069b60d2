"""Looking now and then: what nobody told of is found, and little is done for it."""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from imghost.errors import MachineError
from imghost.keep.database import Database
from imghost.keep.seen import Mark, Seen
from imghost.models import Message
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.finding import Finding
from imghost.sources.looking import Looking
from imghost.sources.memory import Memory
from imghost.sources.observing import Observing, Told
from imghost.sources.roots import Roots
from imghost.sources.tree import Tree
from tests.fakes.program import eventually
from tests.fakes.writers import write_after

PNG = b"\x89PNG\r\n\x1a\n and the rest"


class Deaf:
    """Watched folders of which nobody tells, and a clock that the test moves."""

    def __init__(self, db: Database) -> None:
        self.found: list[FileFind] = []
        self.said: list[Message] = []
        self.told: set[str] = set()
        self.seen = Seen(db)
        self.memory = Memory(self.seen)
        self.observing = Observing(self._told)
        self.roots = Roots(self.observing, self.said.append)
        self.tree = Tree()
        self.finding = Finding(self.memory, self.roots.of, self.found.append)
        self.looking = Looking(self.roots, self.tree, self.finding, self._marks)
        self.is_broken = False
        self.now = 100.0

    def watch(self, *folders: Path, existing: bool = False) -> None:
        """Watch these folders."""
        self.looking.watch(folders, self.now, existing=existing)

    def run(self, seconds: float) -> list[str]:
        """Let time pass; the names of what is found meanwhile."""
        until, before = self.now + seconds, len(self.found)
        while (next_at := min(self.looking.next_at, self.finding.next_at)) <= until:
            self.now = max(self.now, next_at)
            self.looking.look(self.now)
            self.finding.hand_on(self.now)
        self.now = until
        return sorted(find.path.name for find in self.found[before:])

    def _marks(self) -> Mapping[str, Mark]:
        if self.is_broken:
            raise MachineError("the disk does not answer")
        return self.memory.marks()

    def _told(self, path: str, _: Told) -> None:
        self.told.add(Path(path).name)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """An empty folder."""
    (tmp_path / "shots").mkdir()
    return tmp_path / "shots"


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Deaf]:
    """Nothing watched yet."""
    db = Database(tmp_path / "journal.db")
    deaf = Deaf(db)
    yield deaf
    deaf.observing.close()
    db.close()


def test_new_files_are_found_within_a_minute(deaf: Deaf, shots: Path) -> None:
    """Wherever they are, if their folders show that something changed."""
    (shots / "old.png").write_bytes(PNG)
    deaf.watch(shots)
    (shots / "deep" / "er").mkdir(parents=True)
    (shots / "a.png").write_bytes(PNG)
    (shots / "deep" / "er" / "b.png").write_bytes(PNG)
    assert deaf.run(59.0) == []
    assert deaf.run(3.0) == ["a.png", "b.png"]


def test_files_that_were_changed_are_found_within_ten_minutes(deaf: Deaf, shots: Path) -> None:
    """Their folders do not show it."""
    (shots / "old.png").write_bytes(PNG)
    os.utime(shots, (1e9, 1e9))
    deaf.watch(shots)
    (shots / "old.png").write_bytes(PNG + b" and more")
    assert deaf.run(590.0) == []
    assert deaf.run(20.0) == ["old.png"]


class Full(Observing):
    """Changes, of which the system tells nothing as long as it `is_full`."""

    is_full = True

    def watch(self, folder: str) -> None:
        """Ask to be told of a folder."""
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().watch(folder)

    def has_room(self, folder: str) -> bool:
        """Whether that would help."""
        return not self.is_full and super().has_room(folder)


def test_a_shortage_stands_among_the_problems_while_it_lasts(shots: Path) -> None:
    """It is told once, and the folder is no less there for it."""
    said: list[Message] = []
    with closing(Full(lambda _path, _what: None)) as observing:
        roots = Roots(observing, said.append)
        roots.change([shots])
        for _ in range(3):
            roots.check()
            (problem,) = roots.problems
            assert "max_user_watches" in str(problem)
            assert roots.is_complete
        observing.is_full = False
        roots.check()
        assert roots.problems == []
    assert said == [problem]


def test_after_a_burst_everything_is_looked_at_soon(deaf: Deaf, shots: Path) -> None:
    """The system may have lost count."""
    (shots / "old.png").write_bytes(PNG)
    os.utime(shots, (1e9, 1e9))
    deaf.watch(shots)
    (shots / "old.png").write_bytes(PNG + b" and more")
    for number in range(600):
        deaf.looking.told(str(shots / f"{number}.png"), Told.CLOSED, deaf.now, deaf.now)
    assert deaf.run(3.0) == ["old.png"]


def test_a_drive_that_was_away_brings_its_old_files(
    deaf: Deaf, shots: Path, tmp_path: Path
) -> None:
    """They are old, but for what was due, and for what was written since; its absence is told."""
    for name in ("old.png", "due.png"):
        (shots / name).write_bytes(PNG + os.fsencode(name))
    deaf.watch(shots)
    away = shots.rename(tmp_path / "away")
    assert deaf.run(60.0) == []
    assert [said.fields["folder"] for said in deaf.said] == [str(shots)]
    stamp = stamp_of(str(away / "due.png"))
    assert stamp
    deaf.seen.write({str(shots / "due.png"): Mark(stamp, is_due=True)})
    write_after(time.time(), away / "newer.png", PNG)
    away.rename(shots)
    assert deaf.run(2.0) == ["due.png", "newer.png"]
    assert len(deaf.said) == 1


def test_what_does_not_answer_for_a_while_is_not_new_after_it(
    deaf: Deaf, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network drives do that, the whole of them or a folder; what came meanwhile is new."""
    (shots / "july").mkdir()
    for name in ("old.png", "july/old.png"):
        (shots / name).write_bytes(PNG + os.fsencode(name))
    deaf.watch(shots)
    for folder in (shots / "july", shots):
        with monkeypatch.context() as patched:
            fail_to_list(folder, patched)
            assert deaf.run(700.0) == []
            name = f"new in {folder.name}.png"
            (folder / name).write_bytes(PNG + os.fsencode(name))
        assert deaf.run(700.0) == [name]
    assert [said.fields["detail"] for said in deaf.said] == [os.strerror(errno.EIO)]


def test_a_folder_that_cannot_be_listed_at_first_brings_its_old_files(
    deaf: Deaf, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could know that they were there; what comes after that is new."""
    (shots / "july").mkdir()
    (shots / "july" / "old.png").write_bytes(PNG)
    with monkeypatch.context() as patched:
        fail_to_list(shots / "july", patched)
        deaf.watch(shots)
        assert deaf.run(700.0) == []
    assert deaf.run(700.0) == []
    (shots / "july" / "new.png").write_bytes(PNG)
    assert deaf.run(700.0) == ["new.png"]


def fail_to_list(folder: Path, patched: pytest.MonkeyPatch) -> None:
    """Have a folder not answer."""
    scandir = os.scandir

    def listed(path: str) -> Any:
        if path == str(folder):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return scandir(path)

    patched.setattr(os, "scandir", listed)


def test_a_folder_inside_of_others_may_take_what_exists(deaf: Deaf, shots: Path) -> None:
    """What was left alone before, as well; what is settled stays so."""
    (shots / "july").mkdir()
    for name in ("old.png", "july/old too.png"):
        (shots / name).write_bytes(PNG + os.fsencode(name))
    deaf.watch(shots)
    deaf.watch(shots, shots / "july", existing=True)
    assert deaf.run(2.0) == ["old too.png"]
    deaf.finding.settled(deaf.found[0], deaf.now)
    deaf.watch(shots)
    deaf.watch(shots, shots / "july", existing=True)
    assert deaf.run(2.0) == []


def test_an_observer_that_tells_nothing_is_replaced(
    deaf: Deaf, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found by looking, and was not told for long, shows that nobody tells."""
    monkeypatch.setattr("imghost.sources.looking._TOLD_WITHIN_S", 0.0)
    deaf.watch(shots)
    deaf.observing.close()
    (shots / "a.png").write_bytes(PNG)
    assert deaf.run(62.0) == ["a.png"]
    assert deaf.told == set()
    (shots / "b.png").write_bytes(PNG)
    eventually(lambda: "b.png" in deaf.told)


def test_without_the_journal_nobody_knows_what_is_new(deaf: Deaf, shots: Path) -> None:
    """Folders are looked into as soon as it can be read."""
    (shots / "old.png").write_bytes(PNG)
    deaf.is_broken = True
    deaf.watch(shots)
    deaf.looking.told(str(shots / "old.png"), Told.CLOSED, deaf.now, deaf.now)
    assert deaf.run(2.0) == []
    deaf.is_broken = False
    deaf.run(2.0)
    (shots / "a.png").write_bytes(PNG)
    deaf.looking.told(str(shots / "old.png"), Told.CLOSED, deaf.now, deaf.now)
    deaf.looking.told(str(shots / "a.png"), Told.CLOSED, deaf.now, deaf.now)
    assert deaf.run(2.0) == ["a.png"]


def test_what_is_told_of_hidden_folders_is_no_news(deaf: Deaf, shots: Path) -> None:
    """However deep it happens, and wherever else."""
    deaf.watch(shots)
    (shots / ".hidden" / "deep").mkdir(parents=True)
    (shots / ".hidden" / "deep" / "a.png").write_bytes(PNG)
    for path in (shots / ".hidden" / "deep" / "a.png", shots / ".b.png", Path("/none/c.png")):
        deaf.looking.told(str(path), Told.CLOSED, deaf.now, deaf.now)
        deaf.looking.told(str(path.parent), Told.FOLDER, deaf.now, deaf.now)
    assert deaf.run(120.0) == []


def test_nothing_is_done_when_nothing_happens(deaf: Deaf, shots: Path) -> None:
    """Thousands of old files cost a look at the watched folder, and each minute at all folders."""
    for folder in range(50):
        (shots / str(folder)).mkdir()
        for name in range(40):
            (shots / str(folder) / f"{name}.png").touch()
        os.utime(shots / str(folder), (1e9, 1e9))
    os.utime(shots, (1e9, 1e9))
    deaf.watch(shots)
    began = time.thread_time()
    deaf.run(60.0)
    assert time.thread_time() - began < 0.02
    assert deaf.looking.next_at - deaf.now == 5.0
    assert deaf.finding.next_at == math.inf


def test_a_folder_that_was_moved_away_and_made_anew_is_watched(deaf: Deaf, shots: Path) -> None:
    """Nobody tells of that; within seconds what is in the new one is found."""
    deaf.watch(shots)
    shots.rename(shots.with_name("elsewhere"))
    shots.mkdir()
    (shots / "a.png").write_bytes(PNG)
    assert deaf.run(8.0) == ["a.png"]
