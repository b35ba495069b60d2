"""A sender's death is noticed, and only its death."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.keep.owner import Owner

SENDER = """
import sys, pathlib
from imghost.keep.owner import Owner
root = pathlib.Path(sys.argv[1])
owner = Owner(root / "run", root / "tmp")
owner.tmp.mkdir(parents=True)
(owner.tmp / "unfinished").touch()
print(owner.id, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """This process as a sender."""
    me = Owner(tmp_path / "run", tmp_path / "tmp")
    yield me
    me.close()


def test_a_dead_sender_is_reaped_and_a_living_one_is_not(owner: Owner, tmp_path: Path) -> None:
    """A killed process's rows, lock and unfinished files are given back, once."""
    with subprocess.Popen(
        [sys.executable, "-c", SENDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        other_id = other.stdout.readline().strip()
        reaped: list[str] = []
        owner.reap({other_id}, reaped.append)
        assert reaped == []
        assert (tmp_path / "tmp" / other_id / "unfinished").exists()
        other.kill()
        other.wait()
    owner.reap(set(), reaped.append)
    owner.reap(set(), reaped.append)
    assert reaped == [other_id]
    assert [p.stem for p in (tmp_path / "run").iterdir()] == [owner.id]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_owner_without_a_lock_is_dead(owner: Owner) -> None:
    """Rows of a sender of which nothing else is left are given back; our own are not."""
    reaped: list[str] = []
    owner.reap({"0" * 32, owner.id}, reaped.append)
    assert reaped == ["0" * 32]


def test_a_name_that_no_process_has_leads_nowhere(owner: Owner, tmp_path: Path) -> None:
    """Rows that a damaged journal gives to a path are given back, and nothing there is deleted."""
    others = tmp_path / "others"
    others.mkdir()
    (others / "picture.png").write_bytes(b"")
    (tmp_path / "tmp" / ("1" * 32)).mkdir(parents=True)
    (tmp_path / "run" / os.fsdecode(b"\xff.lock")).touch()
    before = set(tmp_path.rglob("*"))
    beside = set(tmp_path.iterdir())
    names = {"", "..", "../others", str(others), "a\0b", "A" * 32, f"{'1' * 32}\n"}
    reaped: list[str] = []
    owner.reap(names, reaped.append)
    assert set(reaped) == names | {"1" * 32}
    assert before - set(tmp_path.rglob("*")) == {tmp_path / "tmp" / ("1" * 32)}
    assert set(tmp_path.iterdir()) == beside  # nor is a lock made there


def test_leaves_nothing_behind(tmp_path: Path) -> None:
    """A sender that ends takes its lock and its folder away."""
    me = Owner(tmp_path / "run", tmp_path / "tmp")
    me.tmp.mkdir(parents=True)
    me.close()
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    assert not me.tmp.exists()
