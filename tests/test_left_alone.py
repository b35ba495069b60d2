"""What was not taken can be asked about, the latest of it."""

from __future__ import annotations

from imghost.clipboard import CUT
from imghost.watch.left_alone import LeftAlone, LeftAlones
from tests.fakes.sender import Clock


def test_the_latest_are_kept() -> None:
    """Fifty of them, the newest last, with their reasons and times."""
    clock = Clock()
    left = LeftAlones(clock)
    assert left.latest() == []
    for n in range(60):
        clock.now = float(n)
        left.add(f"{n}.png", CUT, n)
    latest = left.latest()
    assert [one.name for one in latest] == [f"{n}.png" for n in range(10, 60)]
    assert latest[-1] == LeftAlone(60, "59.png", CUT, 59.0, 59)


def test_each_is_taken_once() -> None:
    """What is taken all the same is left alone no more, and cannot be taken again."""
    left = LeftAlones(Clock())
    left.add("a.png", CUT, "a")
    left.add("b.png", CUT, "b")
    taken = left.pop(1)
    assert taken
    assert taken.thing == "a"
    assert [one.name for one in left.latest()] == ["b.png"]
    assert left.pop(1) is None
    assert left.pop(77) is None


def test_little_is_held_in_memory() -> None:
    """Beyond 100 MB the older pictures are named, and cannot be taken any more."""
    left = LeftAlones(Clock())
    left.add("first.png", CUT, "first", 60_000_000)
    left.add("file.png", CUT, "file")
    left.add("second.png", CUT, "second", 40_000_000)
    assert [one.thing for one in left.latest()] == ["first", "file", "second"]
    left.add("third.png", CUT, "third", 1)
    assert [one.thing for one in left.latest()] == [None, "file", "second", "third"]
    left.add("huge.png", CUT, "huge", 300_000_000)
    assert [one.thing for one in left.latest()] == [None, "file", None, None, "huge"]
