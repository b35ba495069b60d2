"""A person is told what matters, once, in few notices, as far as the config wants it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.config import ChimeConfig, Config, NotifyConfig
from imghost.desktop.notify import Button, Notice
from imghost.models import Message
from imghost.text import Speaker
from imghost.watch.telling import Teller, Topic
from tests.fakes.desk import Screen, Speakers
from tests.fakes.sender import Clock

A, B = Message("{name} is bad", {"name": "a.png"}), Message("b.png is bad")


class Told:
    """A teller, and the person who is told."""

    def __init__(self, language: str = "en") -> None:
        self.screen, self.speakers = Screen(), Speakers()
        self.clock = Clock(100.0)
        self.config = Config()
        self.teller = Teller(
            Speaker(language), self.screen, self.speakers, lambda: self.config, self.clock
        )

    def after(self, wait_s: float) -> list[str]:
        """What is shown after some seconds, as texts."""
        before = len(self.screen.notices)
        self.clock.now += wait_s
        self.teller.flush()
        return [notice.text for notice in self.screen.notices[before:]]


@pytest.fixture
def told() -> Told:
    """Nobody was told anything."""
    return Told()


def test_a_notice_comes_soon_and_whole(told: Told) -> None:
    """Within a second, with its title, picture and buttons."""
    button, picture = Button("Upload", lambda: None), Path("a.png")
    told.teller.tell(Topic.ASKING, A, picture=picture, buttons=(button,))
    assert told.after(0.9) == []
    assert 0 < told.teller.next_s(told.clock.now) <= 0.11
    told.after(0.1)
    assert told.screen.notices == [
        Notice("Upload this picture?", "a.png is bad", picture, (button,))
    ]
    assert told.teller.next_s(told.clock.now) == math.inf


def test_what_comes_together_is_told_together(told: Told) -> None:
    """Several of one topic are one notice, with the first one's words; others are not."""
    for _ in range(3):
        told.teller.tell(Topic.CHANGED, A)
    told.teller.tell(Topic.REFUSED, B)
    assert told.after(1.0) == ["a.png is bad (and 2 more)", "b.png is bad"]


@pytest.mark.parametrize("count", [2, 3])
def test_a_few_questions_are_asked_one_by_one(told: Told, count: int) -> None:
    """Each with its own words and buttons, though they came together."""
    buttons = [(Button(f"Upload {n}", lambda: None),) for n in range(count)]
    for n in range(count):
        told.teller.tell(Topic.ASKING, Message("{n}?", {"n": n}), buttons=buttons[n])
    assert told.after(1.0) == [f"{n}?" for n in range(count)]
    assert [notice.buttons for notice in told.screen.notices] == buttons


def test_many_questions_are_counted(told: Told) -> None:
    """One notice says how many, and where they stand; its button would be that of one."""
    for _ in range(4):
        told.teller.tell(Topic.ASKING, A, picture=Path("a"), buttons=(Button("x", lambda: None),))
    assert told.after(1.0) == ["4 questions at once; imghost status lists them"]
    (notice,) = told.screen.notices
    assert (notice.buttons, notice.picture) == ((), None)


@pytest.mark.parametrize("topic", [Topic.ADVICE, Topic.PROBLEM, Topic.WAITING, Topic.LOGIN])
def test_some_words_are_never_gathered_away(told: Told, topic: Topic) -> None:
    """What is to be known before publishing, and each trouble, if they do not say the same."""
    for message in (A, B, A):
        told.teller.tell(topic, message)
    assert told.after(1.0) == ["a.png is bad (and 1 more)", "b.png is bad"]


def test_what_keeps_coming_is_told_less_and_less_often(told: Told) -> None:
    """Fifty failures, two a second, are a handful of notices; later ones come soon again."""
    shown = []
    for _ in range(50):
        told.teller.tell(Topic.FAILED, A, is_failure=True)
        shown += told.after(0.5)
    shown += told.after(60.0)
    assert len(shown) <= 6
    assert sum(1 if text == "a.png is bad" else 1 + _more(text) for text in shown) == 50
    assert len(told.speakers.heard) == len(shown)
    told.clock.now += 100
    told.teller.tell(Topic.FAILED, A)
    assert told.after(1.0) == ["a.png is bad"]


def _count(text: str) -> int:
    if "questions" in text:
        return int(text.split(maxsplit=1)[0])
    return 1 if text == "b.png is bad" else 1 + _more(text)


def _more(text: str) -> int:
    return int(text.partition("(and ")[2].split()[0])


@given(st.lists(st.tuples(st.sampled_from(list(Topic)), st.floats(0, 90)), max_size=60))
def test_everything_is_told_once(tells: list[tuple[Topic, float]]) -> None:
    """Whatever comes when, each is shown or counted once, within a minute."""
    told = Told()
    for topic, wait_s in tells:
        told.teller.tell(topic, B)
        told.after(wait_s)
    told.after(60.0)
    texts = [notice.text for notice in told.screen.notices]
    assert sum(map(_count, texts)) == len(tells)
    assert told.teller.next_s(told.clock.now) == math.inf


def test_a_trouble_is_told_once_until_it_is_over(told: Told) -> None:
    """Each topic for itself; when it is over the next one is news."""
    for _ in range(3):
        told.teller.tell_once(Topic.WAITING, "bilibili", A, is_failure=True)
        told.teller.tell_once(Topic.LOGIN, "bilibili", B)
        told.teller.tell_once(Topic.WAITING, "local", B)
    assert told.after(1.0) == ["a.png is bad", "b.png is bad", "b.png is bad"]
    assert told.speakers.heard == ["failed.wav"]
    told.teller.over("bilibili")
    told.teller.tell_once(Topic.WAITING, "local", B)
    told.teller.tell_once(Topic.LOGIN, "bilibili", B)
    assert told.after(5.0) == ["b.png is bad"]


def test_the_end_shows_what_is_left(told: Told) -> None:
    """Nothing that was to be told is lost when imghost ends."""
    told.teller.tell(Topic.FAILED, A)
    told.teller.flush(all_of_it=True)
    assert told.screen.texts(Topic.FAILED) == ["a.png is bad"]


def test_notices_can_be_off(told: Told) -> None:
    """Then nothing is shown, but failures are still heard."""
    told.config = replace(Config(), notify=NotifyConfig(enabled=False))
    told.teller.tell(Topic.FAILED, A, is_failure=True)
    assert told.after(5.0) == []
    assert told.speakers.heard == ["failed.wav"]


def test_chimes_are_as_configured(told: Told, home: Path) -> None:
    """Ours, or files of the user's own, as loud as it is set; or none."""
    told.teller.chime()
    (home / "ding.ogg").touch()
    told.config = replace(Config(), chime=ChimeConfig(done="~/ding.ogg", volume=0.5))
    told.teller.chime()
    told.teller.chime(failed=True)
    assert told.speakers.heard == ["done.wav", "ding.ogg", "failed.wav"]
    assert told.speakers.volumes == [1.0, 0.5, 0.5]
    told.config = replace(Config(), chime=ChimeConfig(enabled=False))
    told.teller.chime()
    assert len(told.speakers.heard) == 3


def test_a_sound_that_is_gone_is_told(told: Told, tmp_path: Path) -> None:
    """Ours is heard instead, and the status says why."""
    gone, there = tmp_path / "gone.wav", tmp_path / "there.wav"
    there.touch()
    told.config = replace(Config(), chime=ChimeConfig(done=str(gone), failed=str(there)))
    told.teller.chime()
    told.teller.chime(failed=True)
    assert told.speakers.heard == ["done.wav", "there.wav"]
    (problem,) = told.teller.problems()
    assert str(gone) in str(problem)
    told.config = replace(Config(), chime=ChimeConfig(enabled=False, done=str(gone)))
    assert told.teller.problems() == []


def test_it_is_said_in_the_users_language() -> None:
    """Title and text come from the catalogue, as everything that is said."""
    told = Told("zh_CN")
    told.teller.tell(Topic.PAUSED, Message("you paused it"))
    told.after(1.0)
    say = Speaker("zh_CN")
    (notice,) = told.screen.notices
    assert (notice.title, notice.text) == (say("imghost is paused"), say("you paused it"))
