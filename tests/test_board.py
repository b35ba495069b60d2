"""What somebody copied is news once; what managers and we ourselves put there is none."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator

import pytest

from imghost.clipboard import CUT, MARKED, TOO_LARGE, WITH_TEXT, Held, Offer
from imghost.errors import MachineError, SourceError
from imghost.models import Message
from imghost.survival import Survival
from imghost.watch.board import BEFORE, MEANWHILE, RESTORED, Board, content_of
from tests.fakes.clipboards import NO_DESKTOP, Desktop
from tests.fakes.program import eventually
from tests.fakes.sender import Clock

LINK = Offer("a link")
MAX_BYTES = 1000


class Bench:
    """A board, the clock it goes by, and somebody who looks at it as often as it says."""

    def __init__(self, desktop: Desktop, *, copies: int = 0) -> None:
        self.clock = Clock(100.0)
        self.wakes = 0
        self.desktop = desktop
        self.board = Board(
            desktop.open, self._woken, Survival(), copies=copies, clock=self.clock, reopen_s=0.01
        )

    def begun(self) -> Bench:
        """Once what was there at the start was looked at."""
        there = self.look()
        assert there is None or (there.reason, content_of(there)) == (BEFORE, "")
        assert self.board.is_followed
        return self

    def look(self, *, is_awaited: bool = False) -> Held | None:
        """What it has to say of the next change."""
        eventually(lambda: self.board.next_s(self.clock.now) < math.inf)
        self.clock.now += 1
        return self.board.look(MAX_BYTES, is_awaited=is_awaited)

    def hears(self, change: Callable[[], None]) -> None:
        """Have something changed, and wait until the board was told."""
        wakes = self.wakes
        change()
        eventually(lambda: self.wakes > wakes)

    def taken(self) -> bytes:
        """The picture that it hands on next; nothing if it is none."""
        held = self.look()
        return held.bitmap if held else b""

    def _woken(self) -> None:
        self.wakes += 1


@pytest.fixture
def desktop() -> Desktop:
    """A desktop on which nothing was copied."""
    return Desktop()


@pytest.fixture
def watch(desktop: Desktop) -> Iterator[Callable[[], Bench]]:
    """Begins to watch."""
    begun: list[Bench] = []

    def watch() -> Bench:
        begun.append(Bench(desktop))
        return begun[-1].begun()

    yield watch
    for bench in begun:
        bench.board.close()


def test_what_was_there_is_left_alone(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """A picture that was copied before the start is no news; copied again it is."""
    desktop.copy_picture(b"picture")
    bench = watch()
    assert bench.board.copies == 1
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"
    assert bench.board.copies == 2


def test_what_was_there_at_resume_is_left_alone(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """Beginning anew, what was copied since it looked last is no news, and cannot be replaced."""
    bench = watch()
    bench.board.begin_anew()
    assert not bench.board.is_followed
    assert not bench.board.replace(LINK)
    desktop.copy_picture(b"picture")
    there = bench.look()
    assert there
    assert (there.reason, there.bitmap) == (MEANWHILE, b"")
    assert bench.board.is_followed
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"


def test_what_was_seen_before_a_pause_is_no_news(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """It was not copied meanwhile; the same picture copied again during the pause was."""
    bench = watch()
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"
    bench.board.begin_anew()
    assert bench.look() is None
    bench.board.begin_anew()
    desktop.copy_picture(b"picture")
    there = bench.look()
    assert there
    assert there.reason == MEANWHILE


def test_what_we_put_there_before_a_pause_is_no_news(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """Nobody wonders why a picture is left alone that stands beside its own link."""
    bench = watch()
    desktop.copy_picture(b"picture")
    bench.look()
    assert bench.board.replace(Offer("a link", b"picture", "image/png"))
    bench.board.begin_anew()
    assert bench.look() is None


def test_our_link_is_no_news_and_can_be_replaced(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """What we put there is not found, nor counted; the real link can follow a draft."""
    bench = watch()
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"
    assert bench.board.replace(Offer("a draft"))
    assert bench.look() is None
    assert bench.board.replace(LINK)
    assert desktop.text == "a link"
    assert bench.look() is None
    assert bench.board.copies == 2


def test_nothing_that_was_copied_since_is_replaced(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """Text copied after the picture stays, whether it was looked at already or not."""
    bench = watch()
    desktop.copy_picture(b"picture")
    bench.look()
    desktop.copy_text("text")
    assert not bench.board.replace(LINK)
    assert bench.look() == Held(desktop.mark)
    assert bench.board.copies == 3
    assert desktop.text == "text"


def test_a_takeover_of_what_is_awaited_moves_the_mark(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """The same content in a manager's hands is no copy, and the link takes its place there."""
    bench = watch()
    desktop.copy_picture(b"picture")
    bench.look()
    for _ in range(3):
        desktop.take_over()
        assert not bench.board.replace(LINK)
        assert bench.look(is_awaited=True) is None
    assert bench.board.copies == 2
    assert bench.board.replace(LINK)


def test_a_known_manager_takes_over_at_any_time(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """Nobody waits for the picture any more, and still its takeover is no copy."""
    bench = watch()
    desktop.copy_picture(b"picture")
    bench.look()
    desktop.take_over(inherited=True)
    assert bench.look() is None
    assert bench.board.copies == 2
    desktop.put(None)
    assert bench.look() is None
    assert bench.board.copies == 2


def test_the_link_comes_although_who_copied_has_ended(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """An empty clipboard is nobody's copy: the link takes the place of what was there."""
    bench = watch()
    desktop.copy_files("/a.png")
    assert bench.look()
    desktop.vanish()
    assert bench.look(is_awaited=True) is None
    assert bench.board.replace(LINK)


def test_a_manager_that_keeps_restoring_wins(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """A picture that always comes back in place of its link is left alone after some times."""
    bench = watch()
    desktop.restores = 100
    desktop.copy_picture(b"picture")
    given = 0
    while (held := bench.look()) and held.bitmap:
        assert bench.board.replace(LINK)
        given += 1
    assert held
    assert held.reason == RESTORED
    assert given == 4


def test_what_came_back_too_often_is_taken_later(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """Half a minute after a picture kept coming back it can be copied again as any other."""
    bench = watch()
    for _ in range(4):
        desktop.copy_picture(b"picture")
        assert bench.taken() == b"picture"
    desktop.copy_picture(b"picture")
    assert bench.look() == Held(desktop.mark, reason=RESTORED)
    bench.clock.now += 31
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"


def test_pictures_in_turn_do_not_come_too_often(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """Two that are copied again and again, one after the other, are somebody's wish."""
    bench = watch()
    for _ in range(6):
        for picture in (b"one", b"two"):
            desktop.copy_picture(picture)
            assert bench.taken() == picture


def test_other_links_do_not_make_a_picture_come_too_often(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """Links of files that were given meanwhile say nothing of a picture that is copied again."""
    bench = watch()
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"
    for _ in range(6):
        assert bench.board.replace(LINK)
        assert bench.look() is None
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"


def test_what_is_put_back_is_not_found_again(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """Neither by itself nor by whoever takes it over; what is copied later by a person is."""
    bench = watch()
    desktop.copy_files("/a.png")
    bench.look()
    assert bench.board.put(Offer(paths=("/a.png",)), "/a.png")
    assert desktop.content
    assert desktop.content.paths == ("/a.png",)
    assert bench.board.copies == 3
    assert bench.look() is None
    desktop.take_over()
    assert bench.look() is None
    bench.clock.now += 3
    desktop.take_over(inherited=True)
    assert bench.look() is None
    for _ in range(2):
        desktop.copy_files("/a.png")
        held = bench.look()
        assert held
        assert held.paths == ("/a.png",)


def test_a_text_of_the_users_is_not_replaced(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """A link that the user has put there counts as copied."""
    bench = watch()
    assert bench.board.put(Offer("another link"))
    assert bench.board.copies == 2
    assert bench.look() is None


def test_flapping_is_waited_for(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """While it changes all the time it is not read; what stands still is."""
    bench = watch()
    eventually(lambda: bench.wakes == 1)
    reads = desktop.reads
    for n in range(20):
        bench.clock.now += 0.02
        bench.hears(lambda: desktop.copy_picture(b"%d" % n))  # noqa: B023 - called at once
        if n:
            assert bench.board.look(MAX_BYTES, is_awaited=False) is None
            assert 0 < bench.board.next_s(bench.clock.now) <= 0.11
    assert desktop.reads == reads
    assert bench.taken() == b"19"


@pytest.mark.parametrize("was_there", [True, False])
def test_what_could_not_be_read_is_read_again(desktop: Desktop, *, was_there: bool) -> None:
    """A second later, and what was there at the start is still left alone then."""

    def copy() -> None:
        desktop.failures.append(MachineError("it keeps it to itself"))
        desktop.copy_picture(b"picture")

    if was_there:
        copy()
    bench = Bench(desktop)
    try:
        if not was_there:
            bench.begun()
            copy()
        eventually(lambda: bench.board.next_s(bench.clock.now) < math.inf)
        assert bench.look() is None
        assert 0 < bench.board.next_s(bench.clock.now) <= 1
        assert bench.taken() == (b"" if was_there else b"picture")
        assert bench.board.is_followed
    finally:
        bench.board.close()


def test_a_lost_desktop_is_waited_for(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """It is told while it is gone, and what is there when it is back is left alone."""
    bench = watch()
    desktop.copy_picture(b"picture")
    bench.look()
    desktop.copy_picture(b"another")
    desktop.go_away()
    eventually(lambda: bench.board.problem == Message(NO_DESKTOP))
    eventually(lambda: not bench.board.is_followed)
    assert not bench.board.replace(LINK)
    assert not bench.board.put(LINK)
    assert bench.board.look(MAX_BYTES, is_awaited=False) is None
    desktop.come_back()
    eventually(lambda: bench.board.problem is None)
    bench.begun()
    assert bench.board.copies == 3
    desktop.copy_picture(b"picture")
    assert bench.taken() == b"picture"


def test_who_waits_hears_that_there_is_no_clipboard(desktop: Desktop) -> None:
    """Without a desktop there is a reason at once, and whoever waits for it is woken."""
    desktop.is_there = False
    bench = Bench(desktop)
    try:
        eventually(lambda: bench.wakes > 0)
        assert bench.board.problem == Message(NO_DESKTOP)
        assert bench.board.look(MAX_BYTES, is_awaited=False) is None
    finally:
        bench.board.close()


def test_a_failing_desktop_costs_no_link_twice(
    desktop: Desktop, watch: Callable[[], Bench]
) -> None:
    """What cannot be replaced because the desktop is gone is not, and nothing is raised."""
    bench = watch()
    with desktop.changed:  # it is gone, and nobody has told so far
        desktop.life += 1
        assert not bench.board.replace(LINK)
        assert not bench.board.put(LINK)
    assert bench.board.copies == 1


def test_why_it_is_left_alone_is_handed_on(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """Cut, marked, with text, too large: each is told once, and counts as copied."""
    bench = watch()
    cases: tuple[tuple[Callable[[], None], Message], ...] = (
        (lambda: desktop.copy_files("/a.png", are_cut=True), CUT),
        (lambda: desktop.copy_marked(b"picture"), MARKED),
        (lambda: desktop.copy_picture(b"picture", text="a cell"), WITH_TEXT),
        (lambda: desktop.copy_picture(bytes(MAX_BYTES + 1)), TOO_LARGE),
    )
    for number, (copy, reason) in enumerate(cases, 2):
        copy()
        assert bench.look() == Held(desktop.mark, reason=reason)
        assert bench.board.copies == number


def test_a_clipboard_is_closed_once(desktop: Desktop) -> None:
    """By whoever ends it: a manager may still be asking for what is there."""
    bench = Bench(desktop).begun()
    closers = [threading.Thread(target=bench.board.close) for _ in range(3)]
    desktop.go_away()
    eventually(lambda: desktop.closes == 1)
    desktop.come_back()
    eventually(lambda: bench.board.problem is None)
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join()
    assert desktop.closes == 2


def test_a_later_board_counts_on(desktop: Desktop) -> None:
    """A link that was to come when the clipboard was last watched finds another count."""
    bench = Bench(desktop, copies=7)
    assert bench.board.copies == 7
    bench.begun()
    assert bench.board.copies == 8
    bench.board.close()


def test_copies_are_counted_back(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """How often somebody had copied a while ago, for what was saved then and is found now."""
    bench = watch()
    desktop.copy_text("first")
    assert bench.look()
    bench.clock.now += 1.0
    desktop.copy_text("second")
    assert bench.look()
    now = bench.clock.now
    assert [bench.board.copies_at(now - age_s) for age_s in (0.0, 1.5, 50.0)] == [3, 2, 1]


def test_who_asks_is_told_what_is_there_now(desktop: Desktop, watch: Callable[[], Bench]) -> None:
    """What was there before the start, too; that changes nothing of what is news."""
    desktop.copy_picture(b"before")
    bench = watch()
    assert bench.board.held_now(MAX_BYTES).bitmap == b"before"
    bench.hears(lambda: desktop.copy_picture(b"picture"))
    assert bench.board.held_now(MAX_BYTES).bitmap == b"picture"
    assert bench.taken() == b"picture"


def test_who_asks_without_a_desktop_is_told_why(desktop: Desktop) -> None:
    """A clipboard that is gone, or that fails, is an error with its reason."""
    bench = Bench(desktop).begun()
    try:
        desktop.failures.append(MachineError("it keeps it to itself"))
        with pytest.raises(SourceError, match="keeps it to itself"):
            bench.board.held_now(MAX_BYTES)
        desktop.go_away()
        eventually(lambda: bench.board.problem is not None)
        with pytest.raises(SourceError, match=NO_DESKTOP):
            bench.board.held_now(MAX_BYTES)
    finally:
        bench.board.close()
