"""One file in a watched folder: read as it was seen, or not at all."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from imghost.errors import ImageError, SourceError
from imghost.sources.file_find import FileFind, stamp_of

DATA = b"\x89PNG and more"
SECRET = b"\x89PNG of nobody's business"
MAKE: dict[str, Callable[[Path], object]] = {
    "replaced": Path.touch,
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A watched folder with one file below it, and a secret beside it."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "a.png").write_bytes(SECRET)
    folder = tmp_path / "shots"
    (folder / "july").mkdir(parents=True)
    (folder / "july" / "a.png").write_bytes(DATA)
    return folder


def find_of(folder: Path, name: str = "july/a.png") -> FileFind:
    """The file as it is now."""
    stamp = stamp_of(str(folder / name))
    assert stamp
    return FileFind(folder, folder / name, stamp)


def test_a_file_is_read_as_it_was_found(folder: Path) -> None:
    """Its bytes, and its first bytes."""
    find = find_of(folder)
    assert find.load(100) == DATA
    assert find.head() == DATA


def test_a_file_may_be_as_large_as_is_allowed(folder: Path) -> None:
    """One byte more is refused, without reading it."""
    assert find_of(folder).load(len(DATA)) == DATA
    with pytest.raises(ImageError, match="larger than 0 MB"):
        find_of(folder).load(len(DATA) - 1)


def test_a_file_that_is_gone_is_said_to_be(folder: Path) -> None:
    """Whether it was deleted, or its folder renamed."""
    find = find_of(folder)
    (folder / "july").rename(folder / "august")
    with pytest.raises(SourceError, match="is gone"):
        find.load(100)
    (folder / "august" / "a.png").unlink()
    with pytest.raises(SourceError, match="is gone"):
        find.head()


def test_a_watched_folder_may_be_a_link_itself(folder: Path, tmp_path: Path) -> None:
    """The user named it; what it leads to is where files are."""
    link = tmp_path / "link"
    link.symlink_to(folder)
    find = find_of(folder)
    assert FileFind(link, find.path, find.stamp).load(100) == DATA
    link.unlink()
    link.symlink_to(tmp_path / "secrets")
    with pytest.raises(SourceError, match="is gone"):
        FileFind(link, find.path, find.stamp).load(100)


@pytest.mark.parametrize("change", ["more", "less", "same size", *MAKE])
def test_another_file_in_its_place_is_not_read(folder: Path, change: str) -> None:
    """It is the one that was found, unchanged, or none."""
    find = find_of(folder)
    path = find.path
    if change in ("more", "less", "same size"):
        size = len(DATA) + {"more": 1, "less": -1, "same size": 0}[change]
        path.write_bytes(b"x" * size)
        os.utime(path, ns=(0, find.stamp.mtime_ns + (change == "same size")))
    else:
        path.unlink()
        MAKE[change](path)
    for read in find.head, lambda: find.load(100):
        with pytest.raises(SourceError, match="changed while it was read"):
            read()


@pytest.mark.parametrize("change", [bytes(len(DATA)), bytes(len(DATA) + 1)])
def test_a_file_that_is_written_while_it_is_read_is_not_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
) -> None:
    """It is looked at before and after."""
    find = find_of(folder)
    fstat, looks = os.fstat, itertools.count()

    def look(handle: int) -> os.stat_result:
        status = fstat(handle)
        if next(looks) == 0:
            find.path.write_bytes(change)
            os.utime(find.path, ns=(0, find.stamp.mtime_ns + 1))
        return status

    monkeypatch.setattr(os, "fstat", look)
    with pytest.raises(SourceError, match="changed while it was read"):
        find.load(100)


def test_a_file_that_may_not_be_read_is_said_to_be(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own words stand in the error."""
    find = find_of(folder)

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceError, match="Permission denied"):
        find.load(100)


@pytest.mark.parametrize("linked", ["july/a.png", "july"])
def test_a_link_is_refused_though_all_else_fits(folder: Path, tmp_path: Path, linked: str) -> None:
    """Somebody who swaps fast enough may have had the secret's own stamp taken."""
    secret = tmp_path / "secrets" / "a.png"
    stamp = stamp_of(str(secret))
    assert stamp
    place = folder / linked
    place.rename(tmp_path / "aside")
    place.symlink_to(secret if place.suffix else secret.parent)
    assert (folder / "july" / "a.png").read_bytes() == SECRET
    with pytest.raises(SourceError, match="is gone"):
        FileFind(folder, folder / "july" / "a.png", stamp).load(100)


@pytest.mark.parametrize("swapped", ["july/a.png", "july"])
def test_a_link_is_never_followed(folder: Path, tmp_path: Path, swapped: str) -> None:
    """Whoever swaps files, or folders, and links as fast as he can gets nobody else's file read."""
    place, aside = folder / swapped, tmp_path / "aside"
    secret = tmp_path / "secrets" / ("a.png" if place.is_file() else "")
    find = find_of(folder)
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            place.rename(aside)
            place.symlink_to(secret)
            place.unlink()
            aside.rename(place)

    swapper = threading.Thread(target=swap)
    swapper.start()
    read: list[bytes] = []
    refused = 0
    try:
        while len(read) < 50 or refused < 500:
            # An attacker may even be lucky when the file is first looked at.
            stamp = stamp_of(str(find.path)) or find.stamp
            try:
                read.append(FileFind(folder, find.path, stamp).load(100))
            except SourceError:
                refused += 1
    finally:
        is_over.set()
        swapper.join()
    assert set(read) == {DATA}


def test_only_files_have_stamps(folder: Path, tmp_path: Path) -> None:
    """Links, folders, pipes, and names that cannot be have none."""
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to(folder / "july" / "a.png")
    paths = [folder, folder / "pipe.png", folder / "link.png", folder / "none.png"]
    assert [stamp_of(str(path)) for path in paths] == [None] * 4
    assert stamp_of("a\0b") is None
