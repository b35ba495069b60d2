"""Folder trees: everything in them is seen, and little is looked at twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from imghost.keep.seen import Stamp
from imghost.sources.tree import Tree

LONG_AGO_NS = 1_600_000_000_000_000_000
ROOT = Path(__file__).parent.parent


def names(files: Iterable[tuple[str, Stamp]]) -> list[str]:
    """The files' names, in alphabetical order."""
    return sorted(Path(path).name for path, _ in files)


def age(root: Path) -> None:
    """Let all folders seem to have stood as they are for long."""
    for folder, _, _ in os.walk(root):
        os.utime(folder, ns=(LONG_AGO_NS, LONG_AGO_NS))


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """A folder with files on three floors."""
    (tmp_path / "shots" / "july" / "first").mkdir(parents=True)
    for name in ("a.png", "july/b.png", "july/first/c.png"):
        (tmp_path / "shots" / name).touch()
    age(tmp_path)
    return tmp_path / "shots"


def test_all_files_are_seen_but_links_and_passing_names(shots: Path, tmp_path: Path) -> None:
    """Files of all floors; nothing hidden, temporary, linked, or other than a file."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.png").touch()
    (shots / "linked").symlink_to(tmp_path / "elsewhere")
    (shots / "link.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    for folder in (".hidden", "photo.download", "mine"):
        (shots / folder).mkdir()
        (shots / folder / "x.png").touch()
    for name in (".x.png", "x.png.part", "X.PNG.CRDOWNLOAD", "x.tmp", "x.png~"):
        (shots / name).touch()
    os.mkfifo(shots / "pipe.png")
    tree = Tree([str(shots / "mine")])
    assert names(tree.look_into(str(shots))) == ["a.png", "b.png", "c.png"]


def test_a_folder_that_did_not_change_is_not_listed_again(shots: Path) -> None:
    """A new file is seen with those beside it; other folders are left in peace."""
    tree = Tree()
    assert len(list(tree.look_into(str(shots)))) == 3
    assert names(tree.look_around()) == []
    (shots / "july" / "new.png").touch()
    assert names(tree.look_around()) == ["b.png", "new.png"]


def test_a_folder_that_changes_just_now_is_listed_once_more(shots: Path) -> None:
    """A file may come within the same tick of the file system's clock."""
    (shots / "july" / "new.png").touch()
    tree = Tree()
    list(tree.look_into(str(shots)))
    assert names(tree.look_around()) == ["b.png", "new.png"]
    age(shots)
    assert names(tree.look_around()) == ["b.png", "new.png"]
    assert names(tree.look_around()) == []


def test_asked_for_all_files_it_lists_all_folders(shots: Path) -> None:
    """Files may have changed in folders that did not."""
    tree = Tree()
    list(tree.look_into(str(shots)))
    assert names(tree.look_into(str(shots), thoroughly=True)) == ["a.png", "b.png", "c.png"]


def test_folders_come_and_go(shots: Path, tmp_path: Path) -> None:
    """A folder that was moved is seen where it is, and a new one of its name as the new one."""
    tree = Tree()
    list(tree.look_into(str(shots)))
    (shots / "july").rename(shots / "august")
    (tmp_path / "july").mkdir()
    (tmp_path / "july" / "d.png").touch()
    age(tmp_path / "july")
    (tmp_path / "july").rename(shots / "july")
    assert names(tree.look_around()) == ["a.png", "b.png", "c.png", "d.png"]
    assert str(shots / "august" / "first") in tree
    assert str(shots / "july" / "first") not in tree


def test_what_is_gone_is_nothing(tmp_path: Path) -> None:
    """A folder that is not there, or is none, has no files."""
    (tmp_path / "file").touch()
    tree = Tree()
    for name in ("none", "file"):
        assert list(tree.look_into(str(tmp_path / name))) == []
        assert str(tmp_path / name) not in tree


def test_what_is_mounted_came_with_its_files(shots: Path) -> None:
    """Another drive's folder is shown once, by itself; when it is gone, so is what was below it."""
    program = """
import subprocess, sys
from pathlib import Path
from imghost.sources.tree import Tree
shots = sys.argv[1]
july = shots + "/july"
tree = Tree()
list(tree.look_into(shots))
subprocess.run(["mount", "-t", "tmpfs", "none", july], check=True)
Path(july, "drive").mkdir()
Path(july, "drive", "x.png").touch()
assert [p for p, _ in tree.look_around() if "july" in p] == []
assert tree.apart == {july}, tree.apart
tree.apart.clear()
assert [p for p, _ in tree.look_into(july, thoroughly=True)] == [july + "/drive/x.png"]
assert [p for p, _ in tree.look_into(shots, thoroughly=True) if "july" in p]
assert tree.apart == set()
subprocess.run(["umount", july], check=True)
list(tree.look_around())
assert tree.apart == {july}, tree.apart
"""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody but root mount")
    subprocess.run([*unshare, sys.executable, "-c", program, shots], check=True, cwd=ROOT)
