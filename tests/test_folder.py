"""Watched folders: every new image is found, whole and once; nothing else is."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from imghost.errors import SourceError
from imghost.keep.database import Database
from imghost.keep.seen import Seen
from imghost.models import Message
from imghost.sources.folder import FileFind, Folders, looks_like_an_image
from tests.fakes.program import eventually
from tests.fakes.watching import watching
from tests.fakes.writers import END, MAGIC

ROOT = Path(__file__).parent.parent
PNG = MAGIC + b"and the rest"


class Watcher:
    """Watched folders, and somebody who reads and settles whatever is found."""

    def __init__(self, db: Database, besides: tuple[Path, ...] = ()) -> None:
        self.seen = Seen(db)
        self.found: list[FileFind] = []
        self.read: list[tuple[str, bytes]] = []
        self.gone: list[SourceError] = []
        self.told: list[Message] = []
        self.expected: list[tuple[int, int]] = []
        self.folders = Folders(
            self.seen,
            self._take,
            self.told.append,
            besides=besides,
            expect=lambda count: self.expected.append((count, len(self.read))),
        )

    @property
    def names(self) -> list[str]:
        """What was read, in alphabetical order."""
        return sorted(name for name, _ in self.read)

    def watch(self, *folders: Path, existing: bool = False) -> None:
        """Watch these folders."""
        self.folders.watch(folders, existing=existing)

    def sees(self, *names: str) -> None:
        """Wait until these were read, and no others, each once."""
        eventually(lambda: len(self.read) >= len(names))
        assert self.names == sorted(names)

    def sees_nothing_but(self, folder: Path, *names: str) -> None:
        """Write one file more: when that is found, all that came before is found, or never."""
        (folder / "last.png").write_bytes(PNG)
        eventually(lambda: "last.png" in self.names)
        self.sees(*names, "last.png")

    def _take(self, find: FileFind) -> None:
        self.found.append(find)
        try:
            self.read.append((find.path.name, find.load(10_000_000)))
        except SourceError as exc:
            self.gone.append(exc)
        self.folders.settled(find)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """An empty folder."""
    (tmp_path / "shots").mkdir()
    return tmp_path / "shots"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Database]:
    """An empty journal."""
    db = Database(tmp_path / "journal.db")
    yield db
    db.close()


@contextmanager
def running(db: Database, *besides: Path) -> Iterator[Watcher]:
    """A run of the program."""
    watcher = Watcher(db, besides)
    try:
        yield watcher
    finally:
        watcher.folders.close()


@pytest.fixture
def watcher(journal: Database) -> Iterator[Watcher]:
    """A run of the program that watches nothing yet."""
    with running(journal) as watcher:
        yield watcher


# -- what is found


def test_what_cannot_be_noted_waits_and_is_told(
    watcher: Watcher, shots: Path, journal: Database
) -> None:
    """Once as it begins, and to who asks until it is over; then all is found."""
    watcher.watch(shots)
    journal.lose_patience(0)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for name in ("a.png", "b.png"):
            (shots / name).write_bytes(PNG)
            eventually(lambda: bool(watcher.told))
        (told,) = watcher.folders.problems()
        assert "busy" in str(told)
    watcher.sees("a.png", "b.png")
    assert watcher.told == [told]
    assert watcher.folders.problems() == []


def test_what_is_new_is_found_and_what_was_there_is_left_alone(
    watcher: Watcher, shots: Path
) -> None:
    """Once, with the folder that the user named, its path, and its bytes."""
    (shots / "july").mkdir()
    for name in ("old.png", "july/old.png", "changes.png"):
        (shots / name).write_bytes(PNG)
    watcher.watch(shots)
    (shots / "july" / "new.png").write_bytes(PNG)
    (shots / "changes.png").write_bytes(PNG + b" and more")
    watcher.sees_nothing_but(shots, "changes.png", "new.png")
    find = next(find for find in watcher.found if find.path.name == "new.png")
    assert (find.folder, find.path, find.tries) == (shots, shots / "july" / "new.png", 0)
    assert set(watcher.read) == {
        ("new.png", PNG),
        ("changes.png", PNG + b" and more"),
        ("last.png", PNG),
    }


def test_files_are_found_when_they_get_their_names(watcher: Watcher, shots: Path) -> None:
    """What is hidden or has an unfinished file's name is not looked at; then it is renamed."""
    watcher.watch(shots)
    unfinished = ["1.png.part", "2.crdownload", ".3.png", "4.TMP", "5.png~", "6.png.download"]
    for name in unfinished:
        (shots / name).write_bytes(PNG)
    watcher.sees_nothing_but(shots)
    for number, name in enumerate(unfinished, 1):
        (shots / name).rename(shots / f"{number}.png")
    watcher.sees("last.png", *(f"{number}.png" for number in range(1, 7)))


def test_what_comes_from_elsewhere_is_found(watcher: Watcher, shots: Path, tmp_path: Path) -> None:
    """A file moved in, whatever its name, a tree copied in, and a tree moved in."""
    watcher.watch(shots)
    tree = tmp_path / "tree"
    for number in range(20):
        folder = tree / "a" / "b" / str(number)
        folder.mkdir(parents=True)
        (folder / f"{number}.png").write_bytes(PNG)
    no_text = os.fsdecode(b"\xff\xfe \n.png")
    (tmp_path / no_text).write_bytes(PNG)
    (tmp_path / no_text).rename(shots / no_text)
    shutil.copytree(tree, shots / "copied")
    tree.rename(shots / "moved")
    watcher.sees(no_text, *(f"{number}.png" for number in range(20) for _ in range(2)))


def test_old_files_stay_old_under_new_names(watcher: Watcher, shots: Path) -> None:
    """A folder of old pictures is not published because somebody renamed it."""
    (shots / "old").mkdir()
    for number in range(20):
        (shots / "old" / f"{number}.png").write_bytes(PNG)
    watcher.watch(shots)
    (shots / "old").rename(shots / "older")
    (shots / "older" / "1.png").rename(shots / "one.png")
    watcher.sees_nothing_but(shots)


def test_links_and_other_things_are_no_files(watcher: Watcher, shots: Path, tmp_path: Path) -> None:
    """Whatever they lead to."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secret.png").write_bytes(PNG)
    watcher.watch(shots)
    (shots / "folder").symlink_to(tmp_path / "secrets")
    (shots / "link.png").symlink_to(tmp_path / "secrets" / "secret.png")
    (shots / "folder.png").mkdir()
    os.mkfifo(shots / "pipe.png")
    watcher.sees_nothing_but(shots)
    assert watcher.gone == []


def test_many_files_at_once_are_found_once_each(watcher: Watcher, shots: Path) -> None:
    """However many, and also if the system loses count."""
    watcher.watch(shots)
    program = (
        "import sys\n"
        "for n in range(1500):\n"
        " with open(f'{sys.argv[1]}/{n}.png', 'wb') as f: f.write(sys.argv[2].encode('latin-1'))"
    )
    subprocess.run([sys.executable, "-c", program, shots, PNG.decode("latin-1")], check=True)
    watcher.sees(*(f"{number}.png" for number in range(1500)))
    eventually(lambda: not any(mark.is_due for mark in watcher.seen.marks().values()))
    assert len(watcher.seen.marks()) == 1500


def test_what_is_waited_for_is_expected(watcher: Watcher, shots: Path, tmp_path: Path) -> None:
    """Before an image is found it is told that it will come, unless it will not."""
    watcher.watch(shots)
    watcher.folders.pause()
    (shots / "passed.png").write_bytes(PNG)
    watcher.folders.resume()
    (shots / "note.md").write_text("a note")
    made = tmp_path / "made"
    made.mkdir()
    for n in range(3):
        (made / f"{n}.png").write_bytes(PNG)
    made.rename(shots / "made")
    watcher.sees("0.png", "1.png", "2.png")
    assert watcher.expected == [(3, 0)]


# -- what is not whole yet


def test_slow_writers_are_waited_for(journal: Database, shots: Path) -> None:
    """Whatever their manners, each file is taken whole, and once."""
    whole: list[str] = []

    def take(find: FileFind) -> None:
        data = find.load(1_000_000)
        if data.endswith(END) and data.startswith(MAGIC):
            whole.append(find.path.name)
            folders.settled(find)
        else:
            assert folders.again(find)

    folders = Folders(Seen(journal), take, print)
    try:
        folders.watch([shots], existing=False)
        subprocess.run(
            [sys.executable, "-m", "tests.fakes.writers", shots, "24"], check=True, cwd=ROOT
        )
        eventually(lambda: len(whole) >= 24)
    finally:
        folders.close()
    assert sorted(whole) == sorted(f"{number}.png" for number in range(24))


def test_a_file_that_is_still_open_is_not_read(watcher: Watcher, shots: Path) -> None:
    """However long its writer thinks about the rest."""
    watcher.watch(shots)
    with (shots / "slow.png").open("wb", buffering=0) as file:
        file.write(PNG)
        watcher.sees_nothing_but(shots)
        file.write(b" and more")
    watcher.sees("last.png", "slow.png")
    assert dict(watcher.read)["slow.png"] == PNG + b" and more"


def test_the_last_time_is_known_to_be_the_last(journal: Database, shots: Path) -> None:
    """Who could not decode a file hears whether it will be found again."""
    (shots / "a.png").write_bytes(PNG)
    folders = Folders(Seen(journal), lambda _: None, print)
    find = watched_find(shots / "a.png")
    assert folders.again(find)
    assert not folders.again(FileFind(find.folder, find.path, find.stamp, tries=4))
    (shots / "a.png").write_bytes(PNG + b" and more")
    assert folders.again(FileFind(find.folder, find.path, find.stamp, tries=4))
    (shots / "a.png").unlink()
    assert not folders.again(find)
    folders.close()


def watched_find(path: Path) -> FileFind:
    """A find of this file."""
    from imghost.sources.file_find import stamp_of

    stamp = stamp_of(str(path))
    assert stamp
    return FileFind(path.parent, path, stamp)


# -- across restarts


def test_what_was_settled_is_not_found_by_a_later_run(journal: Database, shots: Path) -> None:
    """Even by one that takes what exists; what was left alone before is taken then."""
    (shots / "old.png").write_bytes(PNG)
    with running(journal) as first:
        first.watch(shots)
        (shots / "new.png").write_bytes(PNG)
        (shots / "words.txt").write_bytes(b"words")
        first.sees("new.png")
    with running(journal) as second:
        second.watch(shots, existing=True)
        second.sees_nothing_but(shots, "old.png")


def test_what_a_killed_run_had_found_is_found_by_the_next(
    journal: Database, shots: Path, tmp_path: Path
) -> None:
    """From the moment it is noted; what came while nothing ran is left alone."""
    with watching(tmp_path / "journal.db", shots) as (process, said):
        assert said.readline() == "ready\n"
        (shots / "found.png").write_bytes(PNG)
        assert said.readline() == "found found.png\n"
        (shots / "noted.png").write_bytes(PNG)
        eventually(lambda: len(Seen(journal).marks()) == 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
    (shots / "meanwhile.png").write_bytes(PNG)
    with running(journal) as watcher:
        watcher.watch(shots)
        watcher.sees_nothing_but(shots, "found.png", "noted.png")


def test_a_run_that_ends_leaves_to_the_next_what_is_not_settled(
    journal: Database, shots: Path, tmp_path: Path
) -> None:
    """Whoever was given it had no time for it."""
    with watching(tmp_path / "journal.db", shots) as (process, said):
        assert said.readline() == "ready\n"
        (shots / "due.png").write_bytes(PNG)
        assert said.readline() == "found due.png\n"
        assert process.communicate(timeout=60)[0] == ""
        assert process.returncode == 0
    with running(journal) as watcher:
        watcher.watch(shots)
        watcher.sees("due.png")


# -- which folders


def test_nested_folders_find_a_file_once(watcher: Watcher, shots: Path, tmp_path: Path) -> None:
    """For the innermost one, and for the name that the user gave it."""
    (shots / "july" / "first").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(shots / "july")
    watcher.watch(shots, link, shots / "july", shots)
    (shots / "a.png").write_bytes(PNG)
    (shots / "july" / "first" / "b.png").write_bytes(PNG)
    watcher.sees("a.png", "b.png")
    assert {find.path.name: find.folder for find in watcher.found} == {
        "a.png": shots,
        "b.png": link,
    }


def test_folders_come_and_go_while_it_runs(watcher: Watcher, tmp_path: Path) -> None:
    """Each is watched from then on, until it is watched no more."""
    folders = [tmp_path / name for name in ("one", "one/inner", "two")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        (folder / f"old{number}.png").write_bytes(PNG)
    one, inner, two = folders
    watcher.watch(inner)
    watcher.watch(one, two)
    (inner / "a.png").write_bytes(PNG)
    (two / "b.png").write_bytes(PNG)
    watcher.sees("a.png", "b.png")
    watcher.watch(inner)
    (one / "c.png").write_bytes(PNG)
    (two / "d.png").write_bytes(PNG)
    watcher.watch(two, inner)
    watcher.sees_nothing_but(two, "a.png", "b.png")


def test_a_folder_that_is_not_there_is_waited_for(watcher: Watcher, tmp_path: Path) -> None:
    """The user is told once; what is in it from its first moment on is new."""
    late = tmp_path / "drive" / "late"
    watcher.watch(late)
    late.mkdir(parents=True)
    (late / "a.png").write_bytes(PNG)
    watcher.sees("a.png")
    assert [(told.fields["folder"], told.fields["detail"]) for told in watcher.told] == [
        (str(late), os.strerror(errno.ENOENT))
    ]


def test_a_folder_that_is_made_anew_is_watched_again(watcher: Watcher, shots: Path) -> None:
    """What is in it from its first moment on is new; if it stays away, the user is told."""
    watcher.watch(shots)
    (shots / "a.png").write_bytes(PNG)
    watcher.sees("a.png")
    shutil.rmtree(shots)
    shots.mkdir()
    (shots / "b.png").write_bytes(PNG)
    watcher.sees("a.png", "b.png")
    shutil.rmtree(shots)
    eventually(lambda: bool(watcher.told))


# -- when it may not, or cannot


def test_what_comes_during_a_pause_is_left_alone(
    journal: Database, watcher: Watcher, shots: Path
) -> None:
    """By later runs too, even if they take what exists."""
    watcher.folders.pause()
    watcher.watch(shots)
    (shots / "private.png").write_bytes(PNG)
    watcher.folders.resume()
    watcher.folders.pause()
    (shots / "private too.png").write_bytes(PNG)
    watcher.folders.resume()
    watcher.sees_nothing_but(shots)
    watcher.folders.close()
    with running(journal) as later:
        later.watch(shots, existing=True)
        later.sees_nothing_but(shots)


LIMITED = 'echo "$2" > "/proc/sys/user/$1"; shift 2; exec "$@"'
UNSHARE = ("unshare", "--user", "--map-root-user")


@pytest.fixture
def own_limits() -> None:
    """A system on which a program can have limits of its own."""
    if subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody but root set limits")


def test_where_the_system_tells_of_nothing_more_it_looks(
    own_limits: None, shots: Path, tmp_path: Path
) -> None:
    """New files are found some seconds late, and the user is told what to raise."""
    for name in "abc":
        (shots / name).mkdir()
    prefix = (*UNSHARE, "sh", "-c", LIMITED, "sh", "max_inotify_watches", "2")
    with watching(tmp_path / "journal.db", shots, prefix=prefix) as (_, said):
        assert "raise fs.inotify.max_user_watches" in said.readline()
        assert said.readline() == "ready\n"
        for name in "abc":
            (shots / name / f"{name}.png").write_bytes(PNG)
        assert sorted(said.readline() for _ in "abc") == [f"found {name}.png\n" for name in "abc"]


def test_where_the_system_tells_nothing_it_says_so(
    own_limits: None, shots: Path, tmp_path: Path
) -> None:
    """Other programs may have used up all that there is."""
    prefix = (*UNSHARE, "sh", "-c", LIMITED, "sh", "max_inotify_instances", "0")
    with watching(tmp_path / "journal.db", shots, prefix=prefix) as (_, said):
        assert "raise fs.inotify.max_user_instances" in said.readline()
        assert said.readline() == "ready\n"


# -- races


def test_files_that_vanish_in_every_way_do_no_harm(watcher: Watcher, shots: Path) -> None:
    """Deleted, renamed or replaced at any moment: what is there in the end is found."""
    watcher.watch(shots)
    chance = random.Random(5)
    paths = [shots / str(number % 7) / f"{number}.png" for number in range(160)]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(PNG + os.fsencode(path.name))
    for path in chance.sample(paths, len(paths)):
        threading.Event().wait(0.003)
        spoil(path, chance.randrange(8))
    left = {path.read_bytes() for path in shots.glob("*/*.png") if is_file(path)}
    assert len(left) > 40
    eventually(lambda: left <= {data for _, data in watcher.read})
    assert all("changed" in str(exc) or "gone" in str(exc) for exc in watcher.gone)


def spoil(path: Path, manner: int) -> None:
    """Do to a file what people and programs do."""
    if manner == 0:
        path.with_suffix(".new").write_bytes(path.read_bytes() + b" replaced")
        path.with_suffix(".new").replace(path)
    elif manner == 1:
        path.rename(path.with_suffix(".renamed.png"))
    elif manner == 2:
        path.write_bytes(path.read_bytes() + b" rewritten")
    elif manner < 7:
        path.unlink()
    if manner == 4:
        path.symlink_to("/etc/hostname")
    elif manner == 5:
        path.mkdir()
    elif manner == 6:
        os.mkfifo(path)


def is_file(path: Path) -> bool:
    """Whether it is a file, and no link to one."""
    return path.is_file() and not path.is_symlink()


def test_names_tell_what_is_meant_to_be_an_image() -> None:
    """By the ending alone, in any case."""
    assert looks_like_an_image("a.PNG")
    assert looks_like_an_image("drawing.svg")
    assert not looks_like_an_image("png")
    assert not looks_like_an_image("a.txt")
