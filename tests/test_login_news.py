"""The end of a login is told a week ahead, once a day, to who uses it, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from imghost.dirs import Dirs
from imghost.login import Login, LoginFile
from imghost.models import State, Target
from imghost.secret import Secret
from imghost.watch.login_news import LoginNews
from imghost.watch.telling import Topic
from tests.fakes.images import entry
from tests.fakes.taking import Taking

DAY_S = 86_400.0
NOW = 1_800_000_000.0
HOUR_S = 3600.0
USED: dict[str, Any] = {"host": "bilibili"}


class News:
    """A login that ends after some days, and the time of day; `told` is what the person hears."""

    def __init__(self, dirs: Dirs, **sections: Any) -> None:
        self.dirs, self.now = dirs, NOW
        self.taking = Taking(dirs, **sections)
        self.begin()

    def begin(self) -> None:
        """The program starts anew."""
        self._news = LoginNews(self.taking.app, self.taking.teller.tell_of_login, lambda: self.now)

    def login(self, ends_at: float) -> None:
        """Somebody logs in, until then."""
        LoginFile(self.dirs.login).save(Login(Secret("abc"), Secret("def"), ends_at))
        self.taking.app.pipeline()

    def told(self, after_s: float = 0.0) -> list[str]:
        """What is told when so much time has passed."""
        self.now += after_s
        before = len(self.taking.told(Topic.LOGIN))
        for _ in range(3):
            self._news.look()
        return self.taking.told(Topic.LOGIN)[before:]


@pytest.fixture
def news(dirs: Dirs) -> Iterator[News]:
    """New pictures go where the login is."""
    made = News(dirs, **USED)
    yield made
    made.taking.close()


def test_nothing_is_told_before_the_last_week(news: News) -> None:
    """Nor of a login whose end nobody knows, nor where there is none."""
    assert news.told() == []
    news.login(NOW + 8 * DAY_S)
    assert news.told() == []
    news.login(float("inf"))
    assert news.told(1000 * DAY_S) == []


def test_in_the_last_week_it_is_told_once_a_day(news: News) -> None:
    """With the days that are left, also across a restart; and that it has ended, once."""
    news.login(NOW + 7 * DAY_S)
    told = news.told()
    assert len(told) == 1
    assert "days left: 7" in told[0]
    assert news.told(23 * HOUR_S) == []
    news.begin()
    assert news.told() == []
    assert "days left: 6" in news.told(HOUR_S)[0]
    assert news.told(5.5 * DAY_S)
    (ended,) = news.told(DAY_S)
    assert "has ended" in ended
    assert news.told(DAY_S) == []
    news.begin()
    assert news.told(30 * DAY_S) == []


def test_a_new_login_is_told_of_in_its_own_time(news: News) -> None:
    """That the former one ended says nothing of it."""
    news.login(NOW - 1)
    assert len(news.told()) == 1
    news.login(NOW + 180 * DAY_S)
    assert news.told(DAY_S) == []
    assert "days left: 5" in news.told(174 * DAY_S)[0]


@pytest.mark.parametrize("wrong_s", [400 * DAY_S, -400 * DAY_S])
def test_a_clock_that_jumps_silences_nothing(news: News, wrong_s: float) -> None:
    """What was told while the clock was wrong is told again when it is right."""
    news.now = NOW + wrong_s
    news.login(news.now + 2 * DAY_S)
    assert len(news.told()) == 1
    news.now = NOW
    news.login(NOW + 3 * DAY_S)
    assert len(news.told()) == 1


@pytest.mark.parametrize("is_watched", [False, True])
def test_who_does_not_use_it_is_left_in_peace(dirs: Dirs, is_watched: bool) -> None:
    """It matters where pictures go, also those of a watched folder."""
    folders = [{"path": str(dirs.data), "host": "bilibili"}] if is_watched else []
    news = News(dirs, watch={"folders": folders})
    news.login(NOW + 2 * DAY_S)
    assert len(news.told()) == len(folders)
    news.taking.close()


def test_what_waits_there_makes_it_of_use(dirs: Dirs) -> None:
    """Whatever the config says by now."""
    news = News(dirs)
    news.login(NOW + 2 * DAY_S)
    news.taking.app.journal.accept(entry(target=Target("bilibili", "live")), State.QUEUED, "me")
    assert len(news.told()) == 1
    news.taking.close()
