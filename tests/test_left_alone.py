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
        left.add(f"{n}.png", CUT)
    latest = left.latest()
    assert [one.name for one in latest] == [f"{n}.png" for n in range(10, 60)]
    assert latest[-1] == LeftAlone("59.png", CUT, 59.0)
