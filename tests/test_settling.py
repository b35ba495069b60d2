"""Waiting for files: none is handed on while it changes, and each soon after it stands still."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from imghost.keep.seen import Stamp
from imghost.sources.settling import LOOK_S, RETRIES_S, Settling, Still

PATH = "/shots/a.png"


class Disk:
    """Files that change when the test says so."""

    def __init__(self) -> None:
        self.stamps: dict[str, Stamp] = {}

    def write(self, size_bytes: int, path: str = PATH) -> Stamp:
        """A file has this size now."""
        self.stamps[path] = Stamp(1, size_bytes, size_bytes)
        return self.stamps[path]

    def look(self, path: str) -> Stamp | None:
        """The file's stamp."""
        return self.stamps.get(path)


def run(settling: Settling, disk: Disk, until: float) -> list[tuple[float, Still]]:
    """Look whenever there is something to look at; what stood still, and when."""
    still = []
    while (now := settling.next_at) <= until:
        still += [(now, one) for one in settling.take(now, disk.look)]
    return still


def test_a_file_that_stands_still_is_looked_at_twice() -> None:
    """Two looks, one interval apart each, and it is handed on, once."""
    settling, disk = Settling(), Disk()
    stamp = disk.write(10)
    settling.begin(PATH, stamp, 0.0, 0.0)
    assert run(settling, disk, LOOK_S * 1.5) == []
    assert run(settling, disk, 100.0) == [(2 * LOOK_S, Still(PATH, stamp, 0, 0.0))]
    assert PATH not in settling
    assert settling.next_at == math.inf


def test_a_file_that_was_finished_before_it_came_needs_one_look() -> None:
    """What is moved into its place was written before: its age counts as the first look."""
    settling, disk = Settling(), Disk()
    settling.begin(PATH, disk.write(10), 0.0, 0.0, age_s=LOOK_S)
    assert [at for at, _ in run(settling, disk, 100.0)] == [LOOK_S]


def test_a_change_begins_the_wait_anew() -> None:
    """Whether it is told or only seen at a look."""
    settling, disk = Settling(), Disk()
    settling.begin(PATH, disk.write(10), 0.0, 0.0)
    settling.saw(PATH, disk.write(20), 0.2, 0.2)
    disk.write(30)
    assert [at for at, _ in run(settling, disk, 100.0)] == [0.2 + LOOK_S + 2 * LOOK_S]


def test_a_file_that_is_written_waits_for_its_close() -> None:
    """However still it stands meanwhile."""
    settling, disk = Settling(), Disk()
    settling.begin(PATH, disk.write(10), 0.0, 0.0)
    settling.wrote(PATH, 0.1, 0.1, is_closed=False)
    assert run(settling, disk, 29.0) == []
    settling.wrote(PATH, 29.0, 29.0, is_closed=True)
    assert [at for at, _ in run(settling, disk, 100.0)] == [29.0 + LOOK_S + LOOK_S]


def test_the_file_that_takes_its_place_needs_no_close() -> None:
    """Who replaces a file that is being written brings one that nobody writes to."""
    settling, disk = Settling(), Disk()
    settling.begin(PATH, disk.write(10), 0.0, 0.0)
    settling.wrote(PATH, 0.1, 0.1, is_closed=False)
    disk.stamps[PATH] = Stamp(2, 10, 10)
    settling.saw(PATH, disk.stamps[PATH], 0.2, 0.2)
    assert [at for at, _ in run(settling, disk, 100.0)] == [0.2 + LOOK_S + LOOK_S]


def test_a_close_that_never_comes_is_waited_for_half_a_minute() -> None:
    """Half a minute after the last change, the wait of a closed file begins."""
    settling, disk = Settling(), Disk()
    settling.begin(PATH, disk.write(10), 0.0, 0.0)
    settling.wrote(PATH, 0.0, 0.0, is_closed=False)
    settling.saw(PATH, disk.write(20), 20.0, 20.0)
    assert [at for at, _ in run(settling, disk, 100.0)] == [50.0 + LOOK_S + LOOK_S]


def test_a_file_that_is_gone_is_waited_for_no_longer() -> None:
    """It was somebody's temporary file."""
    settling, disk = Settling(), Disk()
    settling.begin(PATH, disk.write(10), 0.0, 0.0)
    disk.stamps.clear()
    assert run(settling, disk, 100.0) == []
    assert PATH not in settling


def test_what_could_not_be_decoded_stands_still_for_longer_each_time() -> None:
    """Half a second, one, two and four; how often it was tried is told."""
    settling, disk = Settling(), Disk()
    stamp = disk.write(10)
    for tries, wait_s in enumerate(RETRIES_S, 1):
        settling.retry(Still(PATH, stamp, tries, -5.0), 0.0)
        assert run(settling, disk, 100.0) == [(wait_s, Still(PATH, stamp, tries, -5.0))]


def test_when_it_changed_is_told() -> None:
    """However late that is known: of several changes the last."""
    settling, disk = Settling(), Disk()
    settling.begin(PATH, disk.write(10), 10.0, 7.0)
    settling.saw(PATH, disk.write(20), 10.1, 8.0)
    settling.wrote(PATH, 10.1, 9.0, is_closed=True)
    (found,) = run(settling, disk, 100.0)
    assert found[1].since == 9.0


def test_a_change_makes_an_undecodable_file_a_new_one() -> None:
    """Its tries begin anew."""
    settling, disk = Settling(), Disk()
    settling.retry(Still(PATH, disk.write(10), 4, -5.0), 0.0)
    settling.saw(PATH, stamp := disk.write(20), 1.0, 0.9)
    assert run(settling, disk, 100.0) == [(1.0 + LOOK_S + LOOK_S, Still(PATH, stamp, 0, 0.9))]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.floats(0.0, 2.0),
        st.sampled_from(["write", "silently", "close", "vanish"]),
    ),
    max_size=30,
)


@given(events=EVENTS)
def test_nothing_is_handed_on_in_the_middle_of_its_changes(
    events: list[tuple[str, float, str]],
) -> None:
    """Whatever happens, each file is handed on as it is in the end, once, a while after that."""
    settling, disk, now = Settling(), Disk(), 0.0
    changed_at: dict[str, float] = {}
    handed_on: list[Stamp] = []

    def go_on(until: float) -> None:
        for at, still in run(settling, disk, until):
            assert still.stamp == disk.stamps[still.path]
            assert at - changed_at[still.path] > LOOK_S * 0.99
            handed_on.append(still.stamp)

    for number, (path, wait_s, event) in enumerate(events):
        now += wait_s
        go_on(now)
        if event == "vanish":
            disk.stamps.pop(path, None)
        elif event != "close":
            disk.write(number, path)
            changed_at[path] = now
        if stamp := disk.stamps.get(path):
            if path not in settling and stamp not in handed_on:
                settling.begin(path, stamp, now, now)
            elif path in settling and event != "silently":
                settling.saw(path, stamp, now, now)
                settling.wrote(path, now, now, is_closed=event == "close")
    go_on(now + 100.0)
    assert settling.next_at == math.inf
    assert set(handed_on) >= set(disk.stamps.values())
    assert len(set(handed_on)) == len(handed_on)
