"""What becomes of a file that is found: noted, looked at, handed on, tried again, settled."""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imghost.keep.database import Database
from imghost.keep.seen import Mark, Seen, Stamp
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.finding import Finding
from imghost.sources.memory import Memory
from imghost.sources.settling import RETRIES_S

PNG = b"\x89PNG\r\n\x1a\n and the rest"


class Bench:
    """A folder, and a clock that runs as far as there is something to do."""

    def __init__(self, folder: Path, db: Database) -> None:
        self.folder = folder
        self.seen = Seen(db)
        self.memory = Memory(self.seen)
        self.found: list[FileFind] = []
        self.finding = Finding(self.memory, lambda _: folder, self.found.append)
        self.now = 100.0

    def write(self, name: str, data: bytes = PNG) -> str:
        """Write a file, and have it seen."""
        path = self.folder / name
        path.write_bytes(data)
        self.see(str(path))
        return str(path)

    def see(self, path: str) -> Stamp:
        """Have a file seen."""
        stamp = stamp_of(path)
        assert stamp
        self.finding.see(path, stamp, self.now)
        return stamp

    def run(self, seconds: float = 100.0) -> list[str]:
        """Let time pass; the names of what is handed on meanwhile."""
        until, before = self.now + seconds, len(self.found)
        while self.finding.next_at <= until:
            self.now = max(self.now, self.finding.next_at)
            self.finding.hand_on(self.now)
        self.now = until
        return [find.path.name for find in self.found[before:]]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An empty folder."""
    (tmp_path / "shots").mkdir()
    db = Database(tmp_path / "journal.db")
    yield Bench(tmp_path / "shots", db)
    db.close()


def test_a_file_is_noted_before_it_is_handed_on(bench: Bench) -> None:
    """It stays due on the disk until it is settled, and then it is old."""
    path = bench.write("a.png")
    assert bench.run(0.1) == []
    assert bench.seen.marks() == {path: Mark(bench.see(path), is_due=True)}
    assert bench.run() == ["a.png"]
    assert bench.seen.marks()[path].is_due
    bench.finding.settled(bench.found[0], bench.now)
    bench.see(path)
    assert bench.run() == []
    assert bench.seen.marks() == {path: Mark(bench.found[0].stamp, is_due=False)}


def test_what_cannot_be_noted_is_not_handed_on(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk is full: it waits, says so once, and goes on when there is room."""
    bench.write("a.png")
    bench.run(0.1)
    path = bench.write("b.png")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, unlimited[1]))
    try:
        assert bench.run(10.0) == []
        assert "cannot be used" in str(bench.memory.problem)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert caplog.text.count("not taken yet") == 1
    assert "files in watched folders wait" in str(bench.memory.problem)
    assert path not in bench.seen.marks()
    assert bench.run(2.0) == ["a.png", "b.png"]
    assert bench.memory.problem is None


def test_what_is_handed_on_is_handed_on_once(bench: Bench) -> None:
    """While whoever got it is at work, nothing that is seen of it counts."""
    path = bench.write("a.png")
    assert bench.run() == ["a.png"]
    bench.see(path)
    os.utime(path)
    stamp = bench.see(path)
    bench.finding.see_arrived(path, stamp, None, bench.now, is_wanted=True, is_newer=True)
    assert bench.run() == []


def test_what_changed_while_it_was_read_is_found_anew(bench: Bench) -> None:
    """Settling one state of a file does not settle the next one."""
    path = bench.write("a.png")
    bench.run()
    Path(path).write_bytes(PNG + b" and more")
    bench.finding.settled(bench.found[0], bench.now)
    assert bench.run() == ["a.png"]
    assert bench.found[1].load(100) == PNG + b" and more"


def test_settling_twice_settles_nothing_else(bench: Bench) -> None:
    """A word that comes late says nothing of the file's next state."""
    path = bench.write("a.png")
    bench.run()
    bench.finding.settled(bench.found[0], bench.now)
    Path(path).write_bytes(PNG + b" and more")
    bench.see(path)
    bench.run()
    bench.finding.settled(bench.found[0], bench.now)
    bench.finding.again(bench.found[0], bench.now)
    bench.run()
    assert bench.seen.marks()[path] == Mark(bench.found[1].stamp, is_due=True)
    assert len(bench.found) == 2


def test_what_cannot_be_decoded_is_handed_on_again(bench: Bench) -> None:
    """After half a second, one, two and four; each time the find says how often that was."""
    bench.write("a.png")
    bench.run()
    for tries, wait_s in enumerate(RETRIES_S):
        assert bench.found[-1].tries == tries
        bench.finding.again(bench.found[-1], bench.now)
        assert bench.run(wait_s * 0.9) == []
        assert bench.run(wait_s * 0.2) == ["a.png"]


def test_what_was_wanted_again_and_changed_is_new(bench: Bench) -> None:
    """The rest of a file arrived: its tries begin anew."""
    path = bench.write("a.png")
    bench.run()
    bench.finding.again(bench.found[-1], bench.now)
    bench.run()
    Path(path).write_bytes(PNG + b" and more")
    bench.finding.again(bench.found[-1], bench.now)
    assert bench.run() == ["a.png"]
    assert [find.tries for find in bench.found] == [0, 1, 0]


@pytest.mark.parametrize("data", [b"", bytes(5000)])
def test_what_has_not_begun_is_waited_for(bench: Bench, data: bytes) -> None:
    """A file that is empty, or whose place is only reserved, may become an image yet."""
    path = bench.write("a", data)
    assert bench.run(5.0) == []
    Path(path).write_bytes(PNG)
    assert bench.run() == ["a"]


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a.png", PNG, True),
        ("no ending", PNG, True),
        ("a.png", b"no image at all", True),
        ("a.SVG", b"<svg/>", True),
        ("a.png", bytes(100), True),
        ("a.png", b"", False),
        ("a.bin", bytes(100), False),
        ("a.txt", b"words", False),
    ],
)
def test_only_what_may_be_an_image_is_handed_on(
    bench: Bench, name: str, data: bytes, found: bool
) -> None:
    """By its bytes, or by its name: then somebody will want to know why it was not taken."""
    path = bench.write(name, data)
    assert bench.run() == [name] * found
    assert bench.seen.marks()[path].is_due == found


def test_a_file_that_nobody_may_read_is_handed_on_in_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On some systems nobody can while it is written; later the reason is worth a word."""

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    bench.write("a.png")
    bench.write("a.txt")
    bench.run(0.1)
    monkeypatch.setattr(os, "open", refuse)
    assert bench.run(7.0) == []
    assert bench.run() == ["a.png"]


def test_a_file_of_another_name_is_no_new_one(bench: Bench) -> None:
    """Renamed, linked, or moved below another folder, it is the one that was settled."""
    path = Path(bench.write("a.png"))
    bench.run()
    bench.finding.settled(bench.found[0], bench.now)
    (bench.folder / "hard.png").hardlink_to(path)
    path.rename(path.with_name("b.png"))
    bench.see(str(path.with_name("b.png")))
    bench.see(str(path.with_name("hard.png")))
    assert bench.run() == []


def test_a_file_with_a_new_inode_is_no_new_one(bench: Bench) -> None:
    """Some file systems give one whenever they feel like it."""
    path = bench.write("a.png")
    bench.run()
    bench.finding.settled(bench.found[0], bench.now)
    stamp = replace(bench.found[0].stamp, inode=99)
    bench.finding.see(path, stamp, bench.now)
    bench.finding.see_arrived(
        path, stamp, bench.memory.marks()[path], bench.now, is_wanted=True, is_newer=True
    )
    assert bench.run() == []


def test_a_file_that_was_renamed_before_it_was_read_is_found(bench: Bench) -> None:
    """Whoever got the find could not read it: its new name is handed on, even if seen later."""
    path = Path(bench.write("a.png"))
    bench.run()
    path.rename(path.with_name("b.png"))
    bench.finding.settled(bench.found[0], bench.now)
    bench.see(str(path.with_name("b.png")))
    assert bench.run() == ["b.png"]
    assert str(path) not in bench.seen.marks()


def test_while_paused_nothing_is_handed_on(bench: Bench) -> None:
    """What was found before waits; what comes meanwhile is old, in later runs too."""
    bench.write("before.png")
    bench.finding.is_paused = True
    path = bench.write("meanwhile.png")
    assert bench.run() == []
    bench.finding.is_paused = False
    bench.see(path)
    assert bench.run() == ["before.png"]
    assert not bench.seen.marks()[path].is_due


@pytest.mark.parametrize(
    ("mark", "is_new", "found"),
    [
        (None, False, False),
        (None, True, True),
        ("due", False, True),
        ("due, changed", False, True),
        ("settled", True, False),
        ("settled", False, False),
        ("settled, changed", True, True),
        ("settled, changed", False, False),
    ],
)
def test_what_is_in_a_folder_that_arrives(
    bench: Bench, mark: str | None, is_new: bool, found: bool
) -> None:
    """It is found if it was due, or if it is wanted and was not settled as it is."""
    path = bench.folder / "a.png"
    path.write_bytes(PNG)
    stamp = stamp_of(str(path))
    assert stamp
    former = Stamp(1, 2, 3) if mark and "changed" in mark else stamp
    known = Mark(former, is_due="due" in mark) if mark else None
    bench.finding.see_arrived(str(path), stamp, known, bench.now, is_wanted=is_new, is_newer=False)
    bench.see(str(path))
    assert bench.run() == ["a.png"] * found


def test_what_is_gone_is_forgotten(bench: Bench) -> None:
    """Rows of files that are there no longer are erased, but for those that somebody works at."""
    gone, out, there = (bench.write(f"{name}.png") for name in ("1 gone", "2 out", "3 there"))
    bench.run()
    for find in bench.found[0], bench.found[2]:
        bench.finding.settled(find, bench.now)
    bench.run()
    assert gone in bench.seen.marks()
    bench.finding.keep({there})
    bench.run()
    assert bench.seen.marks().keys() == {there, out}
    assert not bench.memory.is_old(gone, bench.found[0].stamp)


def test_there_is_nothing_to_do_when_all_is_done(bench: Bench) -> None:
    """Nobody is woken for nothing."""
    bench.write("a.png")
    bench.run()
    bench.finding.settled(bench.found[0], bench.now)
    bench.run()
    assert bench.finding.next_at == math.inf
