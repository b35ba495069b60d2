"""What is never opened: the journal under whatever name, and what else is no picture of anybody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imghost.clipboard import Held
from imghost.copying import inputs_of
from imghost.dirs import Dirs
from imghost.errors import ImageError, SourceError
from imghost.keep.database import Database
from imghost.models import Found
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.files import found_file, found_named, may_be_image
from imghost.sources.off_limits import OffLimits, off_limits
from tests.fakes import pictures
from tests.fakes.editor import open_door

LOADED: dict[str, Callable[[str, OffLimits], Found]] = {
    "command": lambda path, limits: found_file(path, 1_000_000, limits),
    "editor": lambda path, limits: found_named(path, 1_000_000, limits),
}
_COUNT_ROWS = """
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(f"SELECT count(*) FROM {sys.argv[2]}").fetchone()[0])
"""


@pytest.fixture
def journal(dirs: Dirs) -> Iterator[Database]:
    """A journal in use."""
    dirs.state.mkdir(parents=True)
    db = Database(dirs.journal)
    add(db)
    yield db
    db.close()


def add(db: Database) -> None:
    """Write one row more."""
    with db.changing() as changing:
        changing.execute(
            "INSERT INTO seen_files (path, inode, size_bytes, mtime_ns, is_due)"
            " VALUES (hex(randomblob(8)), 1, 1, 1, 0)"
        )


def rows_elsewhere(path: Path, table: str = "seen_files") -> int:
    """How many rows another process sees."""
    command = [sys.executable, "-c", _COUNT_ROWS, str(path), table]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


def names_of_the_journal(dirs: Dirs, folder: Path) -> list[Path]:
    """Its files themselves, and ways to them that have other names."""
    (folder / "linked").symlink_to(dirs.data)
    names = [folder / "linked" / "journal.db", dirs.run / ".." / ".." / "data" / "journal.db"]
    dirs.run.mkdir()
    for end in ("", "-wal", "-shm"):
        file = dirs.journal.with_name(f"journal.db{end}")
        (hard := folder / f"x{end}.png").hardlink_to(file)
        names += [file, hard]
    return names


@pytest.mark.parametrize("way", LOADED)
def test_the_journal_is_not_opened(dirs: Dirs, journal: Database, tmp_path: Path, way: str) -> None:
    """By no name: else its locks are lost, and other processes no longer see its rows."""
    for name in names_of_the_journal(dirs, tmp_path):
        with pytest.raises(SourceError, match="imghost's own"):
            LOADED[way](str(name), off_limits(dirs)).load()
        assert not may_be_image(str(name), off_limits(dirs))
        before = rows_elsewhere(dirs.journal)
        add(journal)
        assert rows_elsewhere(dirs.journal) == before + 1
    assert dirs.journal.with_name("journal.db-wal").exists()


def test_a_hard_link_to_the_journal_in_a_watched_folder(
    dirs: Dirs, journal: Database, tmp_path: Path
) -> None:
    """It is refused for good, neither its first bytes read nor all of them."""
    (link := tmp_path / "x.png").hardlink_to(dirs.journal)
    stamp = stamp_of(str(link))
    assert stamp
    find = FileFind(tmp_path, link, stamp, off_limits=off_limits(dirs))
    for read in (find.head, lambda: find.load(1_000_000)):
        with pytest.raises(ImageError, match="imghost's own"):
            read()
    before = rows_elsewhere(dirs.journal)
    add(journal)
    assert rows_elsewhere(dirs.journal) == before + 1


def test_nothing_of_our_own_folders_is(dirs: Dirs, tmp_path: Path) -> None:
    """Neither originals nor the token of the door, also where a folder has another name."""
    limits = off_limits(dirs)
    mine = [dirs.originals / "ab" / "x.png", dirs.state / "door.json", dirs.data / "new" / "y.png"]
    for file in mine:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pictures.png())
        assert limits.reason(file)
    (tmp_path / "pictures").symlink_to(dirs.originals / "ab")
    assert limits.reason(tmp_path / "pictures" / "x.png")
    other = tmp_path / "x.png"
    other.write_bytes(pictures.png())
    assert limits.reason(other) is None
    assert limits.reason("a\0b") is limits.reason("\udcff") is limits.reason("/x" * 100_000) is None


def test_a_link_of_a_parent_folder_is_followed(dirs: Dirs, tmp_path: Path) -> None:
    """It is the user's own arrangement, as of ~/Pictures on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.png").write_bytes(pictures.png())
    (tmp_path / "Pictures").symlink_to(tmp_path / "disk")
    path = str(tmp_path / "Pictures" / "a.png")
    assert found_named(path, 1_000_000, off_limits(dirs)).load() == pictures.png()


@pytest.mark.skipif(sys.platform != "linux", reason="the folders that Linux makes up")
@pytest.mark.parametrize("way", LOADED)
def test_what_the_system_makes_up_is_not_opened(dirs: Dirs, tmp_path: Path, way: str) -> None:
    """Below /proc, /dev and /sys opening alone can do something, also through a link."""
    (tmp_path / "link").symlink_to("/proc/self")
    for path in (
        "/proc/version",
        "/sys/devices/system/cpu/online",
        "/dev/zero",
        tmp_path / "link" / "environ",
    ):
        with pytest.raises(SourceError, match="is not a file"):
            LOADED[way](str(path), off_limits(dirs)).load()


def test_a_copied_journal_is_no_image(dirs: Dirs, journal: Database, tmp_path: Path) -> None:
    """A file manager's copy of it is left alone."""
    assert journal.path == dirs.journal
    (link := tmp_path / "x.png").hardlink_to(dirs.journal)
    held = Held(1, paths=(str(link), str(dirs.journal)))
    assert inputs_of(held, off_limits(dirs)) == ()


def test_an_editor_that_names_the_journal_costs_no_row(dirs: Dirs, tmp_path: Path) -> None:
    """What is uploaded after that is seen by other processes."""
    (picture := tmp_path / "a.png").write_bytes(pictures.png())
    with open_door(dirs) as door:
        told = door.upload(str(dirs.journal))
        assert told["success"] is False
        assert "imghost's own" in told["message"]
        assert door.upload(str(picture))["success"]
        assert rows_elsewhere(dirs.journal, "uploads") == 1
