"""The daemon's looks: a link is seen at once, an hour and a day later, and nobody is hammered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from imghost.app import App
from imghost.dirs import Dirs
from imghost.looks import Looks
from imghost.models import Alive
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from tests.fakes import pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.sender import Clock
from tests.fakes.taking import AtOnce, Watchful, at_bilibili, write_config

HOUR_S, DAY_S = 3_600.0, 86_400.0


class Looking:
    """A daemon's looks at what was uploaded to a fake Bilibili, by a clock that tests move."""

    def __init__(self, app: App, fake: FakeBilibili, clock: Clock) -> None:
        self.app = app
        self.fake = fake
        self.clock = clock
        self.told: list[list[int]] = []
        self.seeds = itertools.count()
        self.start()

    def start(self) -> None:
        """Begin anew, as a daemon that was just started."""
        self.survive = Watchful()
        self.looks = Looks(self.app, AtOnce(), self.survive)
        self.looks.lost = lambda records: self.told.append([record.id for record in records])

    def upload(self, count: int = 1) -> list[int]:
        """Upload so many pictures."""
        inputs = [BytesInput("a.png", pictures.png(seed=next(self.seeds))) for _ in range(count)]
        settled = self.app.upload(UploadRequest(tuple(inputs), UploadOptions()))
        return [one.record.id for one in settled if one.record]

    def rounds(self, count: int = 1, *, after_s: float = 0.0) -> int:
        """Let time pass, then the caretaker go round; how many times the host was asked."""
        self.clock.now += after_s
        before = len(self.fake.fetches)
        for _ in range(count):
            self.looks.begin_due()
        assert not self.survive.bugs
        return len(self.fake.fetches) - before

    def alive(self) -> set[Alive]:
        """What is noted of all links."""
        return {record.alive for record in self.app.journal.history()}


@pytest.fixture
def looking(dirs: Dirs) -> Iterator[Looking]:
    """The looks of a daemon whose host is a fake Bilibili."""
    with FakeBilibili() as fake:
        file = write_config(dirs, at_bilibili(fake))
        clock = Clock(1_700_000_000.0)
        with App(dirs, file, file.load(), clock=clock) as app:
            yield Looking(app, fake, clock)


def test_a_link_is_seen_three_times(looking: Looking) -> None:
    """At once, an hour later and a day later, never in between and never afterwards."""
    (row,) = looking.upload()
    assert looking.rounds(3) == 1
    assert looking.rounds(3, after_s=HOUR_S - 1) == 0
    assert looking.rounds(3, after_s=61) == 1
    assert looking.rounds(3, after_s=DAY_S - HOUR_S - 61) == 0
    assert looking.rounds(3, after_s=121) == 1
    assert looking.rounds(3, after_s=300 * DAY_S) == 0
    assert looking.app.journal.get(row).looks == 3
    assert looking.told == []


def test_a_link_that_dies_within_the_hour_is_found(looking: Looking) -> None:
    """It is marked and told; later it may be seen alive again, or as dead, which is no news."""
    (row,) = looking.upload()
    looking.rounds()
    (picture,) = looking.fake.images.items()
    looking.fake.images.clear()
    looking.rounds(3, after_s=HOUR_S + 60)
    assert looking.alive() == {Alive.DEAD}
    assert looking.told == [[row]]
    looking.fake.images.update([picture])
    looking.rounds(3, after_s=DAY_S)
    assert looking.alive() == {Alive.ALIVE}
    assert looking.told == [[row]]


def test_what_broke_together_is_told_together(looking: Looking) -> None:
    """Of a burst whose links all died there is one notice, with all of them."""
    rows = looking.upload(7)
    looking.rounds(10)
    looking.fake.images.clear()
    looking.rounds(20, after_s=HOUR_S + 60)
    assert list(map(sorted, looking.told)) == [sorted(rows)]


def test_what_came_due_in_a_sleep_is_seen_on_waking(looking: Looking) -> None:
    """Hours, or a restart, later the look that was missed is made at once, and once."""
    looking.upload()
    looking.rounds()
    looking.start()
    assert looking.rounds(5, after_s=9 * HOUR_S) == 1


def test_an_offline_machine_condemns_nothing_and_asks_seldom(looking: Looking) -> None:
    """Without a network all stays unknown; an hour of it costs few tries, then all is seen."""
    looking.upload(20)
    images, looking.fake.images = looking.fake.images, {}
    looking.fake.down = True
    asked = sum(looking.rounds(after_s=2) for _ in range(1800))
    assert asked <= 12 * 6
    assert looking.alive() == {Alive.UNKNOWN}
    looking.fake.down, looking.fake.images = False, images
    for _ in range(40):
        looking.rounds(10, after_s=60)
    assert looking.alive() == {Alive.ALIVE}
    assert looking.told == []


def test_one_link_without_an_answer_holds_up_no_other(looking: Looking) -> None:
    """It is asked for more and more seldom, while the others of its host are seen at once."""
    looking.upload(8)
    (first, *_), looking.fake.broken = looking.fake.images, set(list(looking.fake.images)[:1])
    looking.rounds(10)
    assert [record.alive for record in looking.app.journal.history()].count(Alive.ALIVE) == 7
    tries = sum(looking.rounds(after_s=60) for _ in range(24 * 60)) - 7
    assert 10 < tries < 40
    assert [path for path, _ in looking.fake.fetches].count(first) == tries + 1


@pytest.mark.parametrize("jump_s", [-300 * DAY_S, -30.0, 300 * DAY_S])
def test_a_clock_that_jumps_does_no_harm(looking: Looking, jump_s: float) -> None:
    """Wherever the clock is put, a link is seen three times, and three times only."""
    looking.upload()
    asked = looking.rounds(3) + looking.rounds(3, after_s=jump_s)
    for _ in range(4):
        asked += looking.rounds(3, after_s=DAY_S)
    assert asked == 3
    assert looking.alive() == {Alive.ALIVE}


def test_a_look_of_others_puts_off_none(looking: Looking) -> None:
    """A link that was looked at before it was given out again is still seen an hour later."""
    (row,) = looking.upload()
    looking.rounds()
    looking.app.journal.mark(row, Alive.ALIVE)
    assert looking.rounds(after_s=HOUR_S + 60) == 1


def test_what_is_sent_again_begins_anew(looking: Looking) -> None:
    """A picture that was brought back is seen at once, an hour and a day later again."""
    (row,) = looking.upload()
    looking.fake.images.clear()
    looking.rounds()
    looking.app.retry([row])
    looking.app.drain()
    assert looking.rounds(3) == 1
    assert looking.app.journal.get(row).looks == 1
    assert looking.alive() == {Alive.ALIVE}
