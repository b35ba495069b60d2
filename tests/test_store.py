"""Originals are kept unchanged under their hash, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.errors import MachineError, SourceError
from imghost.keep.store import Store

DATA = b"the original"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "originals", tmp_path / "outgoing", tmp_path / "tmp")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.binary())
def test_keeps_bytes_as_they_are(store: Store, data: bytes) -> None:
    """What is read is what was kept, and the file is named by its hash."""
    sha256 = hashlib.sha256(data).hexdigest()
    store.keep(sha256, data)
    store.keep(sha256, data)
    assert store.read(sha256) == data
    assert store.path(sha256).name == sha256
    assert sha256 in set(store.hashes())


def test_tells_when_an_original_is_gone_or_changed(store: Store) -> None:
    """Bytes that are not those of the hash are never handed out."""
    with pytest.raises(SourceError, match="gone"):
        store.read(SHA256)
    store.keep(SHA256, DATA)
    store.path(SHA256).write_bytes(DATA[:-1])
    with pytest.raises(SourceError, match="changed"):
        store.read(SHA256)


def test_a_spoilt_original_is_written_anew(store: Store) -> None:
    """Given in again, bytes that were emptied or changed on the disk are put right."""
    for spoilt in (b"", DATA[:-1], b"x" * len(DATA)):
        store.keep(SHA256, DATA)
        store.path(SHA256).write_bytes(spoilt)
        store.keep(SHA256, DATA)
        assert store.read(SHA256) == DATA


def test_slips_come_back_and_damaged_ones_are_nothing(store: Store) -> None:
    """What was noted of an original is read again; a note that cannot be read counts as none."""
    store.keep(SHA256, DATA)
    store.write_slips(SHA256, lambda _: [{"name": "图.png", "id": 1}])
    assert store.read_slips(SHA256) == [{"name": "图.png", "id": 1}]
    path = store.path(SHA256).with_suffix(".json")
    for content in (b"", b"[1, 2]", b"{}", b"\xff\xfe", b"[" * 200_000):
        path.write_bytes(content)
        assert store.read_slips(SHA256) == []
    assert list(store.hashes()) == [SHA256]


def test_a_slip_is_the_one_that_was_written_last(store: Store) -> None:
    """A shorter note takes a longer one's place, of which nothing is left."""
    store.keep(SHA256, DATA)
    path = store.path(SHA256).with_suffix(".json")
    long, short = [{"name": "a" * 2000, "id": 1}], [{"name": "b", "id": 2}]
    store.write_slips(SHA256, lambda _: long)
    former = path.read_bytes()
    store.write_slips(SHA256, lambda _: short)
    assert store.read_slips(SHA256) == short
    assert b"aa" not in path.read_bytes()
    written = path.read_bytes().rstrip()
    path.write_bytes(written + former[len(written) :])  # another wrote more at the same time
    assert store.read_slips(SHA256) == short


def test_a_slip_that_was_overtaken_is_written_anew(store: Store) -> None:
    """Whoever read the journal before another changed it does not have the last word."""
    store.keep(SHA256, DATA)
    rows = [{"id": 1, "state": "queued"}]

    def slips_of(_: str) -> list[dict[str, object]]:
        read = [dict(row) for row in rows]
        if rows[0]["state"] == "queued":
            rows[0]["state"] = "done"
            store.write_slips(SHA256, slips_of)
        return read

    store.write_slips(SHA256, slips_of)
    assert store.read_slips(SHA256) == [{"id": 1, "state": "done"}]


def test_outgoing_bytes_are_a_help_and_no_promise(store: Store, tmp_path: Path) -> None:
    """What was kept to be sent comes back whole or not at all."""
    store.keep_outgoing(SHA256, DATA)
    assert store.read_outgoing(SHA256) == DATA
    assert store.outgoing() == {SHA256}
    (tmp_path / "outgoing" / SHA256).write_bytes(b"other")
    assert store.read_outgoing(SHA256) is None
    store.drop_outgoing(SHA256)
    store.drop_outgoing(SHA256)
    assert list((tmp_path / "outgoing").iterdir()) == []


def test_erases_an_original_with_its_slips(store: Store) -> None:
    """Nothing is left of what was erased."""
    store.keep(SHA256, DATA)
    store.write_slips(SHA256, lambda _: [])
    assert store.size_bytes() == len(DATA)
    store.erase(SHA256)
    store.erase(SHA256)
    assert not store.path(SHA256).exists()
    assert store.original_bytes(SHA256) == 0
    assert list(store.path(SHA256).parent.iterdir()) == []


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    """If the store cannot be written, nothing is accepted."""
    (tmp_path / "originals").write_text("a file where the folder should be")
    store = Store(tmp_path / "originals", tmp_path / "outgoing", tmp_path / "tmp")
    with pytest.raises(MachineError, match="originals"):
        store.keep(SHA256, DATA)
