"""A link takes the place of its picture, and of nothing else; a person hears of it once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imghost.clipboard import Offer
from imghost.config import Config, NotifyConfig, WatchConfig
from imghost.errors import SourceError
from imghost.keep.store import Store
from imghost.survival import Survival
from imghost.text import Speaker
from imghost.watch.board import Board
from imghost.watch.bursts import Links, Origin
from imghost.watch.giving import CLIPBOARD, Giver
from imghost.watch.telling import Teller, Topic
from tests.fakes import pictures
from tests.fakes.clipboards import Desktop
from tests.fakes.desk import Screen, Speakers
from tests.fakes.program import eventually
from tests.fakes.sender import Clock

PICTURE = pictures.png()


class Bench:
    """A desktop that is watched, and links to give there."""

    def __init__(self, root: Path) -> None:
        self.desktop, self.screen, self.speakers = Desktop(), Screen(), Speakers()
        self.clock = Clock(100.0)
        self.config = Config()
        self.store = Store(root / "originals", root / "outgoing", root / "tmp")
        self.teller = Teller(
            Speaker("en"), self.screen, self.speakers, lambda: self.config, self.clock
        )
        self.opened = Board(
            self.desktop.open, lambda: None, Survival(), clock=self.clock, reopen_s=0.01
        )
        self.board: Board | None = self.opened
        self.giver = Giver(
            lambda: self.board, self.teller, lambda: self.config, self.store, self.clock
        )
        self.look()

    def close(self) -> None:
        """Watch no more."""
        self.opened.close()

    def look(self, *, is_awaited: bool = False) -> None:
        """See the next change, as the watcher does."""
        eventually(lambda: self.opened.next_s(self.clock.now) < math.inf)
        self.clock.now += 0.2
        held = self.opened.look(1_000_000, is_awaited=is_awaited)
        if held and (held.bitmap or held.paths):
            self.giver.copied(held, self.opened.copies)

    def copied(self, copy: Callable[[], None]) -> None:
        """Somebody copies, and it is seen."""
        copy()
        self.look()

    def copied_picture(self) -> None:
        """Somebody copies the picture, which is accepted."""
        self.copied(lambda: self.desktop.copy_picture(PICTURE))
        self.store.keep(hashlib.sha256(PICTURE).hexdigest(), PICTURE)

    def links(
        self, *texts: str, number: int = 1, source: str = CLIPBOARD, is_draft: bool = False
    ) -> Links:
        """Links to what was found just now."""
        origin = Origin(source, self.opened.copies)
        ids = tuple(range(1, len(texts) + 1))
        return Links(origin, number, texts, () if is_draft else texts, is_draft, "bilibili", ids)

    def told(self, topic: Topic) -> list[str]:
        """What was told about this."""
        self.teller.flush(all_of_it=True)
        return self.screen.texts(topic)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Somebody watches."""
    made = Bench(tmp_path)
    yield made
    made.close()


def test_the_link_takes_the_pictures_place(bench: Bench) -> None:
    """One line for each, a chime, and no notice unless that is wanted."""
    bench.copied_picture()
    bench.giver.give(bench.links("one", "two"))
    assert bench.desktop.text == "one\ntwo"
    assert bench.speakers.heard == ["done.wav"]
    bench.teller.flush(all_of_it=True)
    assert bench.screen.notices == []


def test_a_link_can_be_shown_too(bench: Bench) -> None:
    """With notify.done each success is shown, on one line."""
    bench.config = replace(Config(), notify=NotifyConfig(done=True))
    bench.copied_picture()
    bench.giver.give(bench.links(".. image:: a\n   :alt: b"))
    assert bench.told(Topic.LINKED) == [".. image:: a :alt: b"]


def test_of_several_links_it_is_shown_how_many(bench: Bench) -> None:
    """With notify.done, and not only the first of them."""
    bench.config = replace(Config(), notify=NotifyConfig(done=True))
    bench.copied_picture()
    bench.giver.give(bench.links("one", "two"))
    assert bench.told(Topic.LINKED) == ["2 links, the first of them one"]


def test_a_late_link_is_told_once(bench: Bench) -> None:
    """What was copied since stays, and one notice says where the link is."""
    bench.copied_picture()
    links = bench.links("the link")
    bench.copied(lambda: bench.desktop.copy_text("text"))
    bench.giver.give(links)
    bench.giver.give_again()
    assert bench.desktop.text == "text"
    assert bench.told(Topic.LATE) == ["imghost history has the link: the link"]
    assert bench.speakers.heard == []


def test_late_links_are_counted(bench: Bench) -> None:
    """Several are one notice without their texts."""
    bench.copied_picture()
    links = bench.links("one", "two")
    bench.copied(lambda: bench.desktop.copy_text("text"))
    bench.giver.give(links)
    assert bench.told(Topic.LATE) == ["imghost history has the 2 links"]


def test_of_late_links_only_the_new_ones_are_told(bench: Bench) -> None:
    """Those that were on the clipboard already are no news."""
    bench.copied_picture()
    links = replace(bench.links("one", "two"), fresh=("two",))
    bench.copied(lambda: bench.desktop.copy_text("text"))
    bench.giver.give(links)
    bench.giver.give(replace(links, fresh=()))
    assert bench.told(Topic.LATE) == ["imghost history has the link: two"]


def test_what_changed_just_now_is_looked_at_first(bench: Bench) -> None:
    """A link that cannot be put there for a moment is, if only a manager was there."""
    bench.copied_picture()
    bench.desktop.take_over()
    bench.giver.give(bench.links("the link"))
    assert bench.desktop.text == ""
    assert 0 < bench.giver.next_s(bench.clock.now) <= 1
    bench.look(is_awaited=True)
    bench.giver.give_again()
    assert bench.desktop.text == "the link"
    assert bench.giver.next_s(bench.clock.now) == math.inf
    assert bench.told(Topic.LATE) == []


def test_what_changed_just_now_may_be_a_copy(bench: Bench) -> None:
    """Then the link is late, whether that is seen or not."""
    for is_seen in (True, False):
        bench.copied_picture()
        bench.desktop.copy_text("text")
        bench.giver.give(bench.links("the link"))
        if is_seen:
            bench.look()
        bench.clock.now += 1
        bench.giver.give_again()
        assert bench.desktop.text == "text"
        assert bench.giver.next_s(bench.clock.now) == math.inf
        bench.teller.flush(all_of_it=True)
    bench.look()
    assert len(bench.told(Topic.LATE)) == 2


def test_a_draft_is_silent(bench: Bench) -> None:
    """The chime comes with the link that takes its place."""
    bench.copied_picture()
    bench.giver.give(bench.links("a draft", is_draft=True))
    assert bench.desktop.text == "a draft"
    assert bench.speakers.heard == []
    (told,) = bench.told(Topic.DRAFT)
    assert told.startswith("bilibili has not answered yet")
    bench.look()
    bench.giver.give(bench.links("the link"))
    assert bench.desktop.text == "the link"
    assert bench.speakers.heard == ["done.wav"]
    late = bench.links("a draft", is_draft=True)
    bench.copied(lambda: bench.desktop.copy_text("text"))
    bench.giver.give(late)
    assert bench.told(Topic.LATE) == []


@pytest.mark.parametrize("end", ["late", "put back", "given"])
def test_each_burst_with_drafts_is_told_once(bench: Bench, end: str) -> None:
    """However the former one ended; and a draft that stays beside a link is no news."""
    for number in (1, 2):
        bench.copied_picture()
        draft = bench.links("a draft", number=number, is_draft=True)
        bench.giver.give(draft)
        bench.look()
        bench.giver.give(replace(draft, texts=("a link", "a draft"), fresh=("a link",)))
        bench.look()
        if end == "put back":
            bench.giver.put_back()
            bench.look()
        if end != "given":
            bench.copied(lambda: bench.desktop.copy_text("text"))
        bench.giver.give(replace(draft, fresh=("a link",), is_draft=False))
        if end == "given":
            bench.look()
        assert len(bench.told(Topic.DRAFT)) == number
    assert "done.wav" in bench.speakers.heard


def test_links_of_an_earlier_find_replace_none_of_a_later(bench: Bench) -> None:
    """Of two files the link of the one that was found last stays."""
    bench.giver.give(bench.links("second", number=2, source="/folder"))
    bench.look()
    bench.giver.give(bench.links("first", number=1, source="/folder"))
    assert bench.desktop.text == "second"
    assert bench.told(Topic.LATE) == ["imghost history has the link: first"]
    bench.giver.give(bench.links("second and another", number=2, source="/folder"))
    assert bench.desktop.text == "second and another"


def test_nothing_is_given_of_pictures_that_failed(bench: Bench) -> None:
    """A burst without a single link leaves everything as it is."""
    bench.copied_picture()
    bench.giver.give(bench.links())
    assert bench.desktop.text == ""
    assert bench.speakers.heard == []


def test_without_a_clipboard_a_chime_is_enough(bench: Bench) -> None:
    """Whether it is not watched, or the desktop is gone."""
    bench.copied_picture()
    bench.board = None
    bench.giver.give(bench.links("the link"))
    bench.board = bench.opened
    bench.desktop.go_away()
    eventually(lambda: bench.opened.problem is not None)
    bench.giver.give(bench.links("the link"))
    assert bench.speakers.heard == ["done.wav", "done.wav"]
    bench.teller.flush(all_of_it=True)
    assert bench.screen.notices == []


def test_what_was_found_before_a_pause_is_late(bench: Bench) -> None:
    """Nobody knows what was copied in between, so the clipboard stays as it is."""
    bench.copied_picture()
    links = bench.links("the link")
    bench.opened.begin_anew()
    bench.giver.give(links)
    assert bench.speakers.heard == []
    bench.look()
    bench.giver.give_again()
    assert bench.desktop.text == ""
    assert bench.told(Topic.LATE) == ["imghost history has the link: the link"]


def test_it_knows_whose_links_stand_there(bench: Bench) -> None:
    """From when they took the place until anything else does, also something of our own."""
    bench.copied_picture()
    assert bench.giver.given() == ()
    bench.giver.give(bench.links("one", "two"))
    assert bench.giver.given() == (1, 2)
    bench.look()
    assert bench.giver.given() == (1, 2)
    bench.giver.put_back()
    assert bench.giver.given() == ()
    bench.copied_picture()
    bench.giver.give(bench.links("one", number=2))
    assert bench.opened.put(Offer("another link"))
    assert bench.giver.given() == ()
    bench.look()
    bench.giver.give(bench.links("a file's link", number=3, source="/folder"))
    assert bench.giver.given() == (1,)
    bench.desktop.copy_text("text")
    assert bench.giver.given() == ()
    bench.board = None
    assert bench.giver.given() == ()


def test_the_picture_can_be_put_back(bench: Bench) -> None:
    """With its type, once for each link that replaced one."""
    for _ in range(2):
        bench.copied_picture()
        bench.giver.give(bench.links("the link"))
        bench.look()
        bench.giver.put_back()
        assert bench.desktop.content
        assert bench.desktop.content.picture == PICTURE
        bench.look()
        with pytest.raises(SourceError):
            bench.giver.put_back()
        bench.copied(lambda: bench.desktop.copy_text("text"))


def test_files_can_be_put_back(bench: Bench) -> None:
    """As the files that were copied, in their order."""
    bench.copied(lambda: bench.desktop.copy_files("/b.png", "/a.png"))
    bench.giver.give(bench.links("one", "two"))
    bench.giver.put_back()
    assert bench.desktop.content
    assert bench.desktop.content.paths == ("/b.png", "/a.png")


def test_a_picture_that_a_files_link_replaced_can_be_put_back(bench: Bench) -> None:
    """That picture, but none from before something else was copied."""
    bench.copied_picture()
    bench.giver.give(bench.links("a file's link", source="/folder"))
    bench.look()
    bench.giver.put_back()
    assert bench.desktop.content
    assert bench.desktop.content.picture == PICTURE
    bench.look()
    bench.copied(lambda: bench.desktop.copy_text("text"))
    bench.giver.give(bench.links("a file's link", number=2, source="/folder"))
    with pytest.raises(SourceError):
        bench.giver.put_back()


def test_there_may_be_nothing_to_put_back(bench: Bench) -> None:
    """Before a link took a picture's place, and when the clipboard is gone."""
    with pytest.raises(SourceError, match="no link"):
        bench.giver.put_back()
    bench.giver.give(bench.links("a file's link", source="/folder"))
    with pytest.raises(SourceError, match="no link"):
        bench.giver.put_back()
    bench.look()
    bench.copied_picture()
    bench.giver.give(bench.links("the link", number=2))
    bench.desktop.go_away()
    eventually(lambda: bench.opened.problem is not None)
    with pytest.raises(SourceError, match="try again"):
        bench.giver.put_back()


def test_the_picture_can_stay_beside_its_link(bench: Bench) -> None:
    """With watch.offer, for a single copied picture; not if its original is gone."""
    bench.config = replace(Config(), watch=WatchConfig(offer="link+picture"))
    bench.copied_picture()
    bench.giver.give(bench.links("the link"))
    assert bench.desktop.content
    assert (bench.desktop.text, bench.desktop.content.picture) == ("the link", PICTURE)
    bench.look()
    for links in (bench.links("one", "two"), bench.links("a file's", source="/folder")):
        bench.giver.give(links)
        assert (bench.desktop.text, bench.desktop.content.picture) == (
            "\n".join(links.texts),
            b"",
        )
        bench.look()
    bench.store.erase(hashlib.sha256(PICTURE).hexdigest())
    bench.giver.give(bench.links("the link"))
    assert (bench.desktop.text, bench.desktop.content.picture) == ("the link", b"")
