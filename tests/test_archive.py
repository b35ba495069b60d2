"""What one machine exports, another has after the import: all of it, once, nothing worse."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imghost.errors import UsageError
from imghost.keep.copies import Copies
from imghost.keep.learning import IMPORTED, Lesson
from imghost.models import Alive, Record, State, Target
from imghost.pipeline import FRESH_S
from imghost.posts.remembered import links_in_use, remember
from tests.fakes.archives import FAR, NOW, TARGET, Machine, image, machine


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    """The machine that exports."""
    with machine(tmp_path / "here") as made:
        yield made


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Machine]:
    """The machine that imports."""
    with machine(tmp_path / "there") as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the archive is."""
    return tmp_path / "pictures.tar"


def _known(record: Record) -> Record:
    """A row without what an import is to change: its number, and when its link was seen."""
    return replace(record, id=0, seen_at=0.0)


def test_a_new_machine_has_all_of_it(here: Machine, there: Machine, path: Path) -> None:
    """Originals, files and finished or failed rows come as they were, in their order."""
    here.add(1)
    here.add(1, target=FAR)
    here.add(2, stripped=True)
    here.add(3, State.FAILED, FAR)
    here.kept.journal.mark(here.add(4, target=FAR).id, Alive.DEAD)
    done = here.export(path)
    assert (done.originals, done.uploads, done.files) == (4, 5, 2)
    imported = there.bring_in(path)
    assert (imported.originals, imported.files, imported.skipped) == (4, 2, [])
    assert imported.uploads[Lesson.NEW] == 5
    assert there.originals == here.originals
    assert there.files == here.files
    expected = [_known(row) for row in here.rows]
    expected[3] = replace(expected[3], format="", width_px=0, height_px=0, frames=0)
    assert [_known(row) for row in there.rows] == expected
    again = there.kept.journal.find(image(2).sha256, TARGET, "recipe")
    assert again
    assert again.url == here.rows[2].url
    assert [slip["name"] for slip in there.kept.store.read_slips(image(2).sha256)] == ["图 2.png"]


def test_twice_is_once(here: Machine, there: Machine, path: Path) -> None:
    """A second import changes no row and no file, and says that all was known."""
    for seed, state in enumerate((State.DONE, State.QUEUED, State.ASKING, State.FAILED)):
        here.add(seed, state, FAR)
    here.add(9, stripped=True)
    here.export(path)
    there.bring_in(path)
    rows, files = there.rows, there.all_files()
    imported = there.bring_in(path)
    assert (there.rows, there.all_files()) == (rows, files)
    assert (imported.originals, imported.files, imported.skips) == (0, 0, 0)
    assert imported.uploads == dict.fromkeys(Lesson, 0) | {Lesson.KNOWN: 5}
    own = here.bring_in(path)
    assert own.uploads[Lesson.KNOWN] == 5


@pytest.mark.parametrize("state", [State.QUEUED, State.UPLOADING, State.ASKING])
def test_what_was_not_sent_there_asks_here(
    here: Machine, there: Machine, path: Path, state: State
) -> None:
    """It is never queued by an import; its picture is to be checked again before it is sent."""
    here.add(1, state, FAR)
    here.export(path)
    assert there.bring_in(path).uploads[Lesson.ASKS] == 1
    (row,) = there.rows
    assert (row.state, row.origin, row.format) == (State.ASKING, IMPORTED, "")
    assert row.reason
    assert "imghost retry" in str(row.reason)
    assert here.rows[0].state is state
    assert there.kept.journal.claim_next("far", "sender") is None


def test_an_archive_is_private_and_of_use_to_people(here: Machine, path: Path) -> None:
    """0600 whatever the umask; pictures have dates, names and endings; nobody is named."""
    here.add(1)
    here.add(2, stripped=True)
    former = os.umask(0)
    try:
        here.export(path)
    finally:
        os.umask(former)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        pictures = [m.name for m in members if m.name.startswith("pictures/")]
        assert all(re.fullmatch(r"pictures/2023-11-1\d 图 \d\.\w{64}\.png", n) for n in pictures)
        opened = tar.extractfile(pictures[0])
        assert opened
        assert opened.read() == image(1).data
    assert {(m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, "", "", 0o600)}
    assert [m.name for m in members if m.name.startswith("local/")] == [
        f"local/images/{image(2, stripped=True).sha1}.png"
    ]


def test_nothing_is_overwritten_unasked(here: Machine, tmp_path: Path) -> None:
    """A file that is there stays, but for --overwrite; a place that cannot be is told."""
    path = tmp_path / "x" / "a.tar"
    with pytest.raises(UsageError, match="make it first"):
        here.export(path)
    path.parent.mkdir()
    path.write_bytes(b"precious")
    with pytest.raises(UsageError, match="--overwrite"):
        here.export(path)
    with pytest.raises(UsageError, match="is a folder"):
        here.export(path.parent)
    assert path.read_bytes() == b"precious"
    here.export(path, overwrite=True)
    assert tarfile.is_tarfile(path)
    assert list(path.parent.iterdir()) == [path]


def test_a_killed_export_leaves_nothing_for_good(here: Machine, tmp_path: Path) -> None:
    """Its unfinished file goes with an export to the same path an hour later; all else stays."""
    path = tmp_path / "x" / "a[1].tar"
    path.parent.mkdir()
    others = {f"{path.name}.part", f"{path.name}.notes.part", "a1.tar.0123abcd.part"}
    for name in (f"{path.name}.0123abcd.part", *others):
        (path.parent / name).write_bytes(b"cut")
        os.utime(path.parent / name, (0, 0))
    (path.parent / f"{path.name}.89abcdef.part").write_bytes(b"of an export that is under way")
    here.export(path)
    others.add(f"{path.name}.89abcdef.part")
    assert {left.name for left in path.parent.iterdir()} == {path.name, *others}


def test_what_is_spoilt_on_the_disk_is_left_out(here: Machine, there: Machine, path: Path) -> None:
    """An original or a file with other bytes is named and not exported; its upload's row is."""
    here.add(1, target=FAR)
    here.add(2, stripped=True)
    here.add(3, State.QUEUED, FAR)
    here.kept.store.erase(here.add(4, target=FAR).original)
    for spoilt in (here.kept.store.path(image(1).sha256), *here.kept.local.glob("*/*")):
        spoilt.write_bytes(b"rotten")
    done = here.export(path)
    assert [str(problem).split(" was")[0] for problem in done.left_out] == [
        "图 1.png",
        f"images/{image(2, stripped=True).sha1}.png",
    ]
    assert (done.originals, done.files, done.uploads) == (2, 0, 4)
    there.bring_in(path)
    assert len(there.rows) == 4
    assert there.originals == {image(2).sha256, image(3).sha256}


def test_a_lost_picture_comes_back(here: Machine, there: Machine, path: Path) -> None:
    """Originals and files that are gone or spoilt here are mended from the archive."""
    here.add(1)
    here.export(path)
    original = here.kept.store.path(image(1).sha256)
    (file,) = here.kept.local.glob("*/*")
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"rotten")):
        spoil(original)
        spoil(file)
        imported = here.bring_in(path)
        assert (imported.originals, imported.files) == (1, 1)
        assert original.read_bytes() == file.read_bytes() == image(1).data


def test_what_is_done_there_need_not_be_sent_here(
    here: Machine, there: Machine, path: Path
) -> None:
    """A picture that waits here and has a link there takes that link, which is to be looked at."""
    for seed, state in enumerate((State.QUEUED, State.ASKING, State.FAILED, State.UPLOADING)):
        here.add(seed, target=FAR)
        there.add(seed, state, FAR)
    here.export(path)
    assert there.bring_in(path).uploads[Lesson.BETTER] == 3
    assert [row.state for row in there.rows] == [State.DONE] * 3 + [State.UPLOADING]
    assert [row.url for row in there.rows[:3]] == [row.url for row in here.rows[:3]]
    assert len(there.kept.journal.due_looks("far", time.time(), 9)) == 3


@pytest.mark.parametrize(
    ("alive_there", "seen_later", "is_taken"),
    [
        (Alive.ALIVE, True, True),
        (Alive.UNKNOWN, True, True),
        (Alive.ALIVE, False, False),
        (Alive.DEAD, True, False),
        (Alive.SUSPECT, True, False),
    ],
)
def test_a_dead_link_gives_way_to_one_seen_later(
    here: Machine, there: Machine, path: Path, alive_there: Alive, seen_later: bool, is_taken: bool
) -> None:
    """Only to one that is not known to be dead itself, and that was seen after ours."""
    there_at, here_at = (NOW, NOW + 60) if seen_later else (NOW + 60, NOW)
    ours = there.add(1, target=FAR, url="https://far.example/old", at=there_at)
    there.kept.journal.mark(ours.id, Alive.DEAD)
    other = here.add(1, target=FAR, url="https://far.example/new", at=here_at)
    if alive_there is not Alive.ALIVE:
        here.kept.journal.mark(other.id, alive_there)
    here.export(path)
    there.bring_in(path)
    (row,) = there.rows
    expected = "new" if is_taken else "old"
    assert row.url == f"https://far.example/{expected}"
    assert row.alive is (Alive.UNKNOWN if is_taken else Alive.DEAD)


def test_a_link_that_waits_to_be_replaced_is_not_brought_back(
    here: Machine, there: Machine, path: Path
) -> None:
    """A dead link that the user has sent anew stays queued when an old archive knows it alive."""
    here.add(1, target=FAR)
    here.export(path)
    there.bring_in(path)
    there.kept.journal.mark(1, Alive.DEAD)
    there.kept.journal.reopen(1)
    assert there.bring_in(path).uploads[Lesson.KNOWN] == 1
    assert there.rows[0].state is State.QUEUED


def test_an_imported_link_is_looked_at_before_it_is_given_again(
    here: Machine, there: Machine, path: Path
) -> None:
    """What an archive says of a link does not count as seen lately, however it was dated."""
    here.add(1, target=FAR, at=NOW * 2)
    here.export(path)
    there.bring_in(path)
    (row,) = there.rows
    now = there.kept.store.kept_at(row.original)
    assert row.seen_at < now - FRESH_S + 60
    assert row.created_at < now + 60


def test_drafts_come_along(here: Machine, there: Machine, path: Path) -> None:
    """Files of the embedded host without a row, such as drafts, keep their links working."""
    here.add(1, State.QUEUED, FAR)
    here.put_file("drafts", image(1).data)
    here.put_file("drafts", image(7).data)
    here.export(path)
    there.bring_in(path)
    assert there.files == here.files
    assert len(there.files) == 2


def test_looks_that_were_due_there_are_due_here(here: Machine, there: Machine, path: Path) -> None:
    """The looks at a new link go on where they were; one that had them all is left alone."""
    for seed, looks in ((1, 1), (2, 3)):
        row = here.add(seed, target=FAR)
        due_at = NOW * 2 if looks == 1 else 0.0
        here.kept.journal.looked(row.id, Alive.ALIVE, looks, due_at)
    here.export(path)
    there.bring_in(path)
    assert [row.looks for row in there.rows] == [1, 3]
    due = there.kept.journal.due_looks("far", time.time(), 9)
    assert [row.original for row in due] == [image(1).sha256]


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8080", "192.168.1.1", "169.254.169.254", "localhost"]
)
def test_an_archive_sends_nobody_into_our_network(
    here: Machine, there: Machine, path: Path, address: str
) -> None:
    """An inner link that comes with it is not looked at by oneself."""
    row = here.add(1, target=FAR, url=f"http://{address}/a.png")
    here.kept.journal.looked(row.id, Alive.ALIVE, 1, NOW * 2)
    here.export(path)
    there.bring_in(path)
    assert there.kept.journal.due_looks("far", time.time(), 9) == []


def test_copies_of_what_others_host_come_along(here: Machine, there: Machine, path: Path) -> None:
    """With their pictures; of two copies of a link the later one counts, on whichever side."""
    links = [f"https://others.example/a/{n}.png?x=1" for n in range(3)]
    for side, seeds, at in ((here, (1, 2, 3), NOW + 9), (there, (4, 5), NOW)):
        for url, seed in zip(links, seeds, strict=False):
            side.kept.store.keep(image(seed).sha256, image(seed).data)
            Copies(side.db, partial(float, at if seed < 5 else NOW + 99)).add(
                url, image(seed).sha256
            )
    assert (done := here.export(path)).copies == 3
    assert done.uploads == 0
    with tarfile.open(path) as tar:
        assert tar.getnames()[1].startswith("pictures/2023-11-14 2.")
    assert there.bring_in(path).copies == 2
    known = Copies(there.db).of(links)
    assert known == {
        links[0]: image(1).sha256,
        links[1]: image(5).sha256,
        links[2]: image(3).sha256,
    }
    assert there.rows == []
    assert there.bring_in(path).copies == 0
    assert [slip["url"] for slip in there.kept.store.read_slips(image(3).sha256)] == [links[2]]


def test_known_posts_come_along(here: Machine, there: Machine, path: Path) -> None:
    """What they show is not pruned there either, wherever they are."""
    for side, known in (
        (here, {"/blog/a.md": ["https://x.example/1"], "/blog/b.md": ["https://x.example/2"]}),
        (there, {"/blog/b.md": ["https://x.example/3"]}),
    ):
        for post, links in known.items():
            remember(side.kept.posts, side.kept.tmp, [], {Path(post): links})
    here.add(1)
    here.export(path)
    for _ in range(2):
        assert there.bring_in(path).skips == 0
        assert links_in_use(there.kept.posts) == {f"https://x.example/{n}" for n in (1, 2, 3)}


def test_exporting_while_others_work(here: Machine, there: Machine, path: Path) -> None:
    """Pictures that come, change and go meanwhile are in it whole or not at all."""
    for seed in range(40):
        here.add(seed, target=FAR)
    stop = threading.Event()

    def work() -> None:
        seed = 100
        while not stop.is_set():
            here.add(seed, target=FAR)
            here.kept.journal.erase(here.add(seed - 100).id, here.kept.store.erase)
            seed += 1

    worker = threading.Thread(target=work, name="worker")
    worker.start()
    try:
        here.export(path)
    finally:
        stop.set()
        worker.join()
    assert there.bring_in(path).skipped == []
    assert there.originals >= {image(seed).sha256 for seed in range(40)}
    assert all(row.original in there.originals for row in there.rows)


def test_bringing_in_while_others_work(here: Machine, there: Machine, path: Path) -> None:
    """Pictures given in meanwhile and those that are imported end up beside one another, once."""
    for seed in range(40):
        here.add(seed, target=FAR)
    here.export(path)
    worker = threading.Thread(
        target=lambda: [there.add(seed, State.QUEUED, FAR) for seed in range(20, 60)], name="worker"
    )
    worker.start()
    imported = there.bring_in(path)
    worker.join()
    assert imported.skipped == []
    assert sorted(row.original for row in there.rows) == sorted(
        image(seed).sha256 for seed in range(60)
    )
    there.bring_in(path)
    assert [row.original for row in there.rows if row.state is not State.DONE] == [
        image(seed).sha256 for seed in range(40, 60)
    ]


pictures = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(State),
        st.sampled_from([TARGET, FAR, Target("far", "old")]),
        st.booleans(),
        st.integers(0, 3),
        st.sampled_from([*Alive, None]),
    ),
    max_size=7,
)


@settings(max_examples=25)
@given(pictures, pictures)
def test_journals_meet(first: list[tuple], second: list[tuple]) -> None:  # type: ignore[type-arg] # as drawn
    """Both know all, what was known stays, nothing is queued by it, and again changes nothing."""
    with (
        TemporaryDirectory() as folder,
        machine(Path(folder, "a")) as a,
        machine(Path(folder, "b")) as b,
    ):
        for side, drawn in ((a, first), (b, second)):
            for seed, state, target, stripped, later, alive in drawn:
                url = f"https://far.example/{later}" if target.host == "far" else ""
                at = NOW + later
                row = side.add(seed, state, target, url=url, stripped=stripped, at=at)
                if alive and row.state is State.DONE:
                    side.kept.journal.mark(row.id, alive)
        for n, (source, target_side) in enumerate(((a, b), (b, a))):
            former = {_key(row): row for row in target_side.rows}
            path = Path(folder, f"{n}.tar")
            source.export(path)
            assert target_side.bring_in(path).skipped == []
            _check_met(source, target_side, former)
            rows, files = target_side.rows, target_side.all_files()
            target_side.bring_in(path)
            assert (target_side.rows, target_side.all_files()) == (rows, files)
        assert {_key(row) for row in a.rows} == {_key(row) for row in b.rows}
        assert a.originals == b.originals
        assert a.files == b.files


def _key(record: Record) -> tuple[str, str, str]:
    return record.sha256, record.host, record.bucket


def _check_met(source: Machine, side: Machine, former: dict[tuple[str, str, str], Record]) -> None:
    rows = {_key(row): row for row in side.rows}
    assert len(rows) == len(side.rows)
    assert rows.keys() == former.keys() | {_key(row) for row in source.rows}
    assert source.originals <= side.originals
    for key, row in rows.items():
        was = former.get(key)
        if was is None:
            assert row.state not in (State.QUEUED, State.UPLOADING)
        elif was.state is State.DONE:
            assert row.state is State.DONE
            assert was.alive in (Alive.DEAD, Alive.SUSPECT) or row == was
        else:
            assert row == was or (row.state is State.DONE and was.state is not State.UPLOADING)
    for original in source.originals:
        for target in (TARGET, FAR):
            if known := source.kept.journal.find(original, target, "recipe"):
                found = side.kept.journal.find(original, target, "recipe")
                assert found
                assert _key(found) == _key(known) or _key(found) in former
    for name, data in side.files.items():
        assert hashlib.sha1(data).hexdigest() == Path(name).stem
