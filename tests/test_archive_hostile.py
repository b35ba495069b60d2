"""Archives that are damaged, cut, foreign or made to harm bring in what is sound, no more."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import math
import os
import tarfile
import time
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imghost.errors import SourceError
from imghost.keep.learning import IMPORTED, Lesson
from imghost.models import State
from imghost.posts.remembered import links_in_use
from tests.fakes.archives import FAR, NOW, Forged, Machine, image, machine, row_of
from tests.test_recovery import DEEP, HOSTILE

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Machine]:
    """The machine that imports; whatever it is given, nothing appears beside its folder."""
    beside = {*tmp_path.rglob("*")}
    with machine(tmp_path / "there") as made:
        yield made
        new = {p for p in tmp_path.rglob("*") if made.root not in (p, *p.parents)} - beside
        assert {p.suffix for p in new} <= {".tar", ".md"}
        check(made)


def check(there: Machine) -> None:
    """Whatever came in is whole, can be told, and would not be sent by itself."""
    assert there.originals == {
        hashlib.sha256(there.kept.store.read(sha256)).hexdigest() for sha256 in there.originals
    }
    for name, data in there.files.items():
        assert hashlib.sha1(data).hexdigest() == Path(name).stem
    for row in there.rows:
        assert row.state not in (State.QUEUED, State.UPLOADING)
        assert str(row.reason)
        assert row.state is State.DONE or row.original in there.originals
    for file in there.all_files():
        assert file.relative_to(there.root).parts[0] in (
            *("originals", "local", "posts.json", "posts.lock"),
        )
        assert not file.is_symlink()
    assert there.add(99, State.ASKING, FAR).id < 10_000


@cache
def _sound() -> bytes:
    with TemporaryDirectory() as folder, machine(Path(folder, "here")) as here:
        for seed, state in enumerate((State.DONE, State.QUEUED, State.FAILED)):
            here.add(seed, state, FAR)
        here.add(5)
        here.add(6, stripped=True)
        path = Path(folder, "a.tar")
        here.export(path)
        return path.read_bytes()


@pytest.fixture
def sound() -> bytes:
    """An archive with a bit of everything."""
    return _sound()


def told(there: Machine) -> set[tuple[object, ...]]:
    """What is told of uploads, but for their numbers and times; pictures without a row aside."""
    return {
        (row.sha256, row.original, row.target, row.state, row.url, row.name, repr(row.notes))
        for row in there.rows
        if row.origin != IMPORTED or row.sha1
    }


mutations = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.floats(0, 1, exclude_max=True), st.binary(min_size=1)),
        st.tuples(st.just("cut"), st.floats(0, 1, exclude_max=True), st.just(b"")),
        st.tuples(st.just("put"), st.floats(0, 1, exclude_max=True), st.binary(min_size=1)),
        st.tuples(st.just("drop"), st.floats(0, 1, exclude_max=True), st.binary(min_size=1)),
        st.tuples(st.just("field"), st.floats(0, 1, exclude_max=True), st.binary(min_size=1)),
    ),
    min_size=1,
    max_size=4,
)


def mutated(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    """Bytes overwritten, cut off, put in or dropped; fields of headers get right checksums."""
    for kind, place, new in changes:
        at = int(place * len(data))
        match kind:
            case "set":
                data = data[:at] + new + data[at + len(new) :]
            case "cut":
                data = data[:at]
            case "put":
                data = data[:at] + new + data[at:]
            case "drop":
                data = data[:at] + data[at + len(new) :]
            case "field":
                data = _with_field(data, at, new)
    return data


def _with_field(data: bytes, at: int, new: bytes) -> bytes:
    """The header before that place says something else, soundly."""
    start = data.rfind(b"ustar", 0, at) - 257
    if start < 0:
        return data
    header = bytearray(data[start : start + 512])
    field = at % 300
    header[field : field + len(new)] = new
    header = header[:512].ljust(512, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return data[:start] + bytes(header) + data[start + 512 :]


@settings(max_examples=150)
@given(mutations)
def test_no_damage_escapes(changes: list[tuple[str, float, bytes]]) -> None:
    """Refused, or brought in but for what is damaged; then the sound archive brings the rest."""
    with (
        TemporaryDirectory() as folder,
        machine(Path(folder, "there")) as there,
        machine(Path(folder, "whole")) as whole,
    ):
        path, damaged = Path(folder, "sound.tar"), Path(folder, "damaged.tar")
        path.write_bytes(_sound())
        whole.bring_in(path)
        damaged.write_bytes(mutated(_sound(), changes))
        try:
            there.bring_in(damaged)
        except SourceError:
            assert (there.rows, there.originals, there.files) == ([], set(), {})
        assert there.originals <= whole.originals
        assert told(there) <= told(whole)
        there.bring_in(path)
        assert there.originals == whole.originals
        assert told(there) >= told(whole)
        check(there)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_cut_archive_brings_what_it_has(
    there: Machine, sound: bytes, tmp_path: Path, share: float
) -> None:
    """What stands before the cut is in, and the cut is told."""
    path = tmp_path / "a.tar"
    path.write_bytes(sound[: int(len(sound) * share)])
    imported = there.bring_in(path)
    assert "cut off" in str(imported.skipped[-1])
    assert len(there.originals) == pytest.approx(5 * share, abs=2)


def test_a_spoilt_piece_costs_only_itself(there: Machine, sound: bytes, tmp_path: Path) -> None:
    """A picture, a row or a header with a flipped bit is named; all others are in."""
    path = tmp_path / "a.tar"
    spoilt = bytearray(sound)
    for mark in (b"picture 1", b'"bucket": "blog"', b"pictures/", b"local/"):
        at = spoilt.index(mark, 3000)
        spoilt[at] ^= 4
    path.write_bytes(spoilt)
    imported = there.bring_in(path)
    assert imported.skips == len(imported.skipped) >= 4
    assert len(there.originals) >= 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no archive of imghost"),
        (b"imghost.json\0", "no archive of imghost"),
        (image(1).data, "no archive of imghost"),
        (bytes(100_000), "no archive of imghost"),
        (b"imghost.json" + bytes(245) + b"ustar" + b"x" * 5000, "beginning is damaged"),
        (b"imghost.json" + bytes(245) + b"usta", "no archive of imghost"),
    ],
)
def test_what_is_foreign_is_refused(
    there: Machine, tmp_path: Path, content: bytes, words: str
) -> None:
    """A file that is none of ours changes nothing."""
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words):
        there.bring_in(path)


def test_other_archives_are_refused(there: Machine, sound: bytes, tmp_path: Path) -> None:
    """Zips, other tars and packed ones are no archives of imghost, and are not unpacked."""
    packed, path = io.BytesIO(), tmp_path / "a.tar"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("imghost.json", "{}")
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("etc/passwd"))
    for content in (packed.getvalue(), other.getvalue(), gzip.compress(sound)):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="no archive of imghost"):
            there.bring_in(path)


@pytest.mark.parametrize(
    "manifest",
    [{"form": 99}, {"journal": 99}, {"form": "1"}, {"journal": None}, {"form": []}, {"form": True}],
)
def test_what_is_newer_or_unclear_is_refused(
    there: Machine, tmp_path: Path, manifest: dict[str, object]
) -> None:
    """An archive in another form than those that are known changes nothing."""
    forged = Forged(**manifest).picture(image(1).data)
    with pytest.raises(SourceError, match="nothing was changed"):
        there.bring_in(forged.written(tmp_path / "a.tar"))


def test_what_is_no_file_is_refused(there: Machine, tmp_path: Path) -> None:
    """A missing file, a folder, a pipe and a device are told, and nothing is waited for."""
    pipe = tmp_path / "pipe.tar"
    os.mkfifo(pipe)
    for path in (tmp_path / "none.tar", tmp_path, pipe, Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(SourceError, match="that imghost export wrote"):
            there.bring_in(path)


BOMB = 1 << 40
HEADERS: list[dict[str, Any]] = [
    *({"type": kind, "linkname": "../../x"} for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE)),
    *({"type": kind} for kind in (tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, b"Z")),
    *({"type": kind} for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME)),
    {"type": tarfile.GNUTYPE_SPARSE},
    {"pax_headers": {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}},
    {"pax_headers": {"GNU.sparse.size": str(BOMB), "GNU.sparse.map": f"0,{BOMB}"}},
    {"pax_headers": {"size": "-1"}},
    {"pax_headers": {"size": "-99999"}},
    {"pax_headers": {"size": str(BOMB)}},
    {"pax_headers": {"size": "9" * 4000}},
    {"pax_headers": {"path": "../../../evil.png"}},
    {"pax_headers": {"comment": "1" * 5000}},
    {"pax_headers": {"comment": "1" * 2_000_000}},
    {"size": BOMB},
    {"size": -512},
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: str(header)[:50])
def test_a_hostile_header_harms_nothing(
    there: Machine, tmp_path: Path, header: dict[str, Any]
) -> None:
    """It ends soon, with little memory; no link is made or followed and nothing is unpacked."""
    forged = Forged().picture(image(1).data).rows(image(1).sha256, row_of(1))
    forged.add(f"pictures/b.{image(2).sha256}.png", image(2).data, **header)
    path = forged.picture(image(3).data).written(tmp_path / "a.tar")
    started = time.monotonic()
    there.bring_in(path)
    assert time.monotonic() - started < 10
    assert image(1).sha256 in there.originals
    assert there.kept.store.size_bytes() < 1000


def test_headers_before_headers_end_somewhere(there: Machine, tmp_path: Path) -> None:
    """Long names of long names, thousands deep, are damage."""
    forged = Forged().picture(image(1).data)
    forged.raw((tarfile.TarInfo("x").tobuf()[:156] + b"L" + bytes(355)) * 5000)
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 2
    block = member.tobuf() + b"xx".ljust(512, b"\0")
    there.bring_in(forged.raw(block * 5000).written(tmp_path / "a.tar"))
    assert there.originals == {image(1).sha256}


NAMES = (
    "../../evil.png",
    "/etc/passwd",
    "pictures/../../evil.png",
    f"pictures/../../x/{'0' * 64}.png",
    f"pictures/a/b.{image(2).sha256}.png",
    f"pictures/a.{image(2).sha256.upper()}.png",
    "local/../../evil.png",
    "local/images/../../evil.png",
    f"local/../{image(2).sha1}.png",
    f"local/./{image(2).sha1}.png",
    f"local/ima ges/{image(2).sha1}.png",
    f"local/images/{image(2).sha1}.svg",
    f"local/images/{image(2).sha1}.png/x",
    f"local/images/{image(2).sha1}.png\n",
    f"local/{'b' * 300}/{image(2).sha1}.png",
    f"journal/../{image(2).sha256}.00000000.json",
    "journal/journal.db",
    "originals/aa/aa",
    "",
    "a" * 3000,
)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:40])
def test_a_name_leads_nowhere(there: Machine, tmp_path: Path, name: str) -> None:
    """Only names of the known forms are looked at, and none is used as a path."""
    imported = there.bring_in(Forged().add(name, image(2).data).written(tmp_path / "a.tar"))
    assert imported.skips == 1
    assert [file for file in there.all_files() if file.suffix != ".json"] == []


@pytest.mark.parametrize(
    "place", ["../x", "x", "/etc/x", f"../{image(1).sha1}.png", 7, None, "a/b"]
)
def test_a_file_stands_only_where_the_host_puts_them(
    there: Machine, tmp_path: Path, place: object
) -> None:
    """Places for the original that are none of the embedded host's are named and left out."""
    forged = Forged().picture(image(1).data)
    forged.rows(image(1).sha256, row_of(1), local=[place, f"images/{image(2).sha1}.png"])
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert (imported.skips, there.files) == (2, {})


def test_one_picture_does_not_fill_the_disk(there: Machine, tmp_path: Path) -> None:
    """It is put into some buckets, not into thousands."""
    places = [f"b{n}/{image(1).sha1}.png" for n in range(5000)]
    forged = Forged().picture(image(1).data).rows(image(1).sha256, row_of(1), local=places)
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert (len(there.files), imported.skips) == (20, 4980)


@pytest.mark.parametrize("data", [SVG, b"", b"<html>", b"PK\3\4", b"x" * 100_000])
def test_what_is_no_picture_stays_out(there: Machine, tmp_path: Path, data: bytes) -> None:
    """Bytes with the right hash that are no picture are neither original nor file."""
    sha1 = hashlib.sha1(data).hexdigest()
    forged = Forged().picture(data).add(f"local/images/{sha1}.png", data)
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert (imported.skips, there.originals, there.files) == (2, set(), {})


def test_a_wrong_hash_counts_for_nothing(there: Machine, tmp_path: Path) -> None:
    """A picture under another one's name is not kept, and an unsent one not even as a row."""
    forged = Forged().picture(image(2).data, image(1).sha256)
    forged.rows(image(1).sha256, row_of(1, state="queued"))
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert [str(problem).split(": ")[1] for problem in imported.skipped] == [
        "its bytes are not what its name says; they are damaged",
        "it was not sent, and its picture is missing",
    ]
    assert (there.rows, there.originals) == ([], set())


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "7", "[]", "{", DEEP, '{"uploads": 7}', '{"uploads": [7]}'),
        *('{"uploads": [[]]}', '{"uploads": {}}', '{"uploads": [], "local": 7}', '{"a": NaN}'),
        '{"uploads": [], "local": [' + "1," * 1000 + "1]}",
    ],
    ids=lambda text: text[:30],
)
def test_bad_json_leaves_the_picture(there: Machine, tmp_path: Path, text: str) -> None:
    """A picture of which nothing can be read asks, under the name that it has in the archive."""
    forged = Forged().picture(image(1).data).text(image(1).sha256, text.encode())
    there.bring_in(forged.written(tmp_path / "a.tar"))
    (row,) = there.rows
    assert (row.state, row.name, row.original) == (State.ASKING, "a", image(1).sha256)


@pytest.mark.parametrize("state", ["done", "queued", "failed"])
@pytest.mark.parametrize("wrong", HOSTILE, ids=lambda wrong: str(wrong)[:40])
def test_a_row_that_cannot_be_true_is_left_out(
    there: Machine, tmp_path: Path, wrong: dict[str, Any], state: str
) -> None:
    """Or is brought in without what is wrong in it; its neighbours are there."""
    rows = [row_of(1, state=state) | wrong, row_of(1, bucket="other")]
    path = Forged().picture(image(1).data).rows(image(1).sha256, *rows).written(tmp_path / "a.tar")
    imported = there.bring_in(path)
    assert imported.uploads[Lesson.NEW] + imported.uploads[Lesson.ASKS] + imported.skips >= 2
    assert "other" in {row.bucket for row in there.rows}
    there.bring_in(path)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        *(({"bucket": name}, "bucket") for name in ("../x", "a b", "", "x\ny", "b" * 64)),
        *(({"key": key}, "key") for key in ("a\nb", "\x1b[2J", "\0", "k" * 1025)),
        *(({"url": url}, "link") for url in ("ftp://a.example/k", "https://a.example/\x1b[2J")),
        ({"url": "https://far.example/k\nhttps://other.example/"}, "link"),
    ],
)
def test_a_row_says_only_what_a_host_could_say(
    there: Machine, tmp_path: Path, wrong: dict[str, Any], words: str
) -> None:
    """A bucket, key or link that no host gives is told and counted; the picture asks."""
    forged = Forged().picture(image(1).data).rows(image(1).sha256, row_of(1) | wrong)
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert imported.uploads[Lesson.UNUSABLE] == imported.skips == 1
    assert words in str(imported.skipped[0])
    assert [row.state for row in there.rows] == [State.ASKING]


@pytest.mark.parametrize("wrong", HOSTILE, ids=lambda wrong: str(wrong)[:40])
def test_no_row_spoils_one_that_is_here(
    there: Machine, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    """A waiting row takes over what is told of it only if that can be true."""
    there.add(1, State.ASKING, FAR)
    path = Forged().rows(image(1).sha256, row_of(1, seen_at=NOW * 2) | wrong)
    there.bring_in(path.written(tmp_path / "a.tar"))
    assert {row.url for row in there.rows} <= {"", "https://far.example/k"}


def test_no_picture_is_led_to_anothers_link(there: Machine, tmp_path: Path) -> None:
    """A row speaks for the original that it is told of, and for its own place."""
    inputs = [
        {"original": image(2).sha256, "host": "far", "bucket": "blog", "recipe": "recipe"},
        {"original": image(1).sha256, "host": "local", "bucket": "x", "recipe": "recipe"},
    ]
    forged = Forged().rows(image(1).sha256, row_of(1, inputs=inputs))
    there.bring_in(forged.written(tmp_path / "a.tar"))
    assert there.kept.journal.find(image(2).sha256, FAR, "recipe") is None
    assert there.kept.journal.find(image(1).sha256, FAR, "recipe")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"url": 7}, {"url": None}, {"url": "\ud800"}, {"url": {}}),
        *({"kept_at": at} for at in ("now", math.nan, None, [1])),
        *({"original": name} for name in (image(2).sha256, "../../x", None)),
        {"more": 1},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_copy_that_cannot_be_true_is_left_out(
    there: Machine, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    """Its picture asks; a copy whose picture is missing is none."""
    copy = {"url": "https://x.example/a", "original": image(1).sha256, "kept_at": NOW}
    forged = Forged().picture(image(1).data).rows(image(1).sha256, copy | wrong)
    forged.rows(image(3).sha256, copy | {"original": image(3).sha256})
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert (imported.copies, imported.skips) == (0, 2)
    assert there.db.read("SELECT * FROM copies") == []


@pytest.mark.parametrize("text", ["", "[", "7", DEEP, '{"a": 7}', '{"a": [7, null]}', "\\xff"])
def test_posts_that_cannot_be_read_are_none(there: Machine, tmp_path: Path, text: str) -> None:
    """Whatever is said of posts, no link comes of it that is none; nonsense is told."""
    forged = Forged().add("posts.json", text.encode("latin-1"))
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert imported.skips == (not text.startswith("{"))
    assert links_in_use(there.kept.posts) == set()


def test_posts_are_not_looked_for_where_an_archive_says(there: Machine, tmp_path: Path) -> None:
    """It may name any place; only the links that it tells of are kept."""
    (tmp_path / "private.md").write_text("![](https://x.example/private.png)")
    text = json.dumps({str(tmp_path): ["https://x.example/told"], "/": []})
    there.bring_in(Forged().add("posts.json", text.encode()).written(tmp_path / "a.tar"))
    assert links_in_use(there.kept.posts) == {"https://x.example/told"}


def test_thousands_of_bad_members_are_counted(there: Machine, tmp_path: Path) -> None:
    """Their reasons take little room, and their number is told."""
    forged = Forged()
    for n in range(3000):
        forged.add(f"junk/{n}")
    imported = there.bring_in(forged.written(tmp_path / "a.tar"))
    assert imported.skips == 3000
    assert len(imported.skipped) == 100


def test_many_rows_of_one_picture_are_told_at_once(there: Machine, tmp_path: Path) -> None:
    """What is known of a picture in thousands of buckets is gathered in their number's time."""
    forged = Forged().picture(image(1).data)
    forged.rows(image(1).sha256, *(_at(f"bucket-{n}") for n in range(6000)))
    there.bring_in(forged.written(tmp_path / "a.tar"))
    since = time.process_time()
    slips = there.kept.journal.slips(image(1).sha256)
    assert time.process_time() - since < 1.5
    assert [slip["sha256"] for slip in slips] == [image(1).sha256] * 6000


def _at(bucket: str) -> dict[str, Any]:
    row = row_of(1, bucket=bucket)
    return row | {"inputs": [entry | {"bucket": bucket} for entry in row["inputs"]]}
