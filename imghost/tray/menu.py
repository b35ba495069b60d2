"""The tray's menu: what stands in it, and what each click asks for; the same on every system."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from imghost.account import time_left
from imghost.choosing import STYLES, Choice, Choices
from imghost.desktop.menu_items import Item, Menu
from imghost.models import Message, Record, State
from imghost.report import clock_text
from imghost.text import Speaker
from imghost.tray.pictures import Pictures
from imghost.tray.shown import Shown, Waiting

PAUSE_MINUTES, RESUME_MINUTES = 30, 60
COPIED_AT_ONCE = (5, 10)
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_TITLES = {
    Choice.HOST: "Host",
    Choice.BUCKET: "Bucket",
    Choice.FORMAT: "Format",
    Choice.STYLE: "Style",
}


class Clicks(Protocol):
    """What clicks ask for; each returns at once, and is done soon after."""

    def choose(self, choice: Choice, value: str) -> None:
        """Have this count for the next picture."""
        ...

    def pause(self, minutes: float | None) -> None:
        """Take nothing."""
        ...

    def resume(self, minutes: float | None) -> None:
        """Take what comes."""
        ...

    def take_copied(self) -> None:
        """Upload what is on the clipboard."""
        ...

    def put_back(self) -> None:
        """Put the picture back that a link replaced."""
        ...

    def copy_last(self, count: int) -> None:
        """Copy the links of the last so many pictures."""
        ...

    def copy(self, record_id: int) -> None:
        """Copy a picture's link again."""
        ...

    def take_anyway(self, number: int) -> None:
        """Take what was left alone."""
        ...

    def retry(self, record_id: int | None) -> None:
        """Send what waits, or the picture that asks or failed."""
        ...

    def discard(self, record_id: int) -> None:
        """Erase the picture that asks or failed."""
        ...

    def open_page(self, path: str) -> None:
        """Open a page of the gallery."""
        ...

    def open_config(self) -> None:
        """Open the config file in an editor."""
        ...

    def tell_about(self) -> None:
        """Say what this is."""
        ...

    def quit(self) -> None:
        """End imghost."""
        ...


class MenuMaker:
    """Makes menus of what is to be shown."""

    def __init__(self, clicks: Clicks, say: Speaker, pictures: Pictures) -> None:
        self._clicks = clicks
        self._say = say
        self._pictures = pictures

    def title(self, shown: Shown) -> str:
        """What imghost does, in a line."""
        parts = [self._state(shown), f"{shown.target.host}/{shown.target.bucket}"]
        counts = shown.counts
        told = [self._say("{count} sent", count=shown.sent)]
        if waiting := counts[State.QUEUED] + counts[State.UPLOADING]:
            told.append(self._say("{count} waiting", count=waiting))
        if asking := counts[State.ASKING]:
            told.append(self._say("{count} asking", count=asking))
        if failed := counts[State.FAILED]:
            told.append(self._say("{count} failed", count=failed))
        return " · ".join([*parts, self._say(", ").join(told)])

    def menu(self, shown: Shown) -> Menu:
        """All of it."""
        say = self._say
        return Menu(
            Item("state", self.title(shown), None, enabled=False),
            *self._problems(shown),
            Menu.SEPARATOR,
            *self._choices(shown.choices),
            Menu.SEPARATOR,
            *self._watching(shown),
            Menu.SEPARATOR,
            *self._doing(shown),
            Menu.SEPARATOR,
            self._lists("recent", say("Recent"), self._recent(shown)),
            self._lists("left", say("Left alone"), self._left_alone(shown)),
            self._lists("waiting", say("Waiting"), self._waiting(shown)),
            Menu.SEPARATOR,
            *self._opening(shown),
        )

    def _state(self, shown: Shown) -> str:
        if math.isinf(shown.changes_at):
            return self._say("Paused" if shown.pause_reason else "Watching")
        until = "Paused until {time}" if shown.pause_reason else "Watching until {time}"
        return self._say(until, time=clock_text(shown.changes_at))

    def _problems(self, shown: Shown) -> Iterator[Item]:
        if shown.problem:
            yield Item("problem", self._say(shown.problem), None, enabled=False)
        if shown.broken:
            text = self._say("Links that do not work: {count}", count=shown.broken)
            yield Item("broken", text, partial(self._clicks.open_page, "/?state=broken"))

    # -- what counts for the next picture

    def _choices(self, choices: Choices | None) -> Iterator[Item]:
        if choices is None:
            return
        say = self._say
        styles = {suffix: say(message) for suffix, message in STYLES.items()}
        for choice, values, shown_as in (
            (Choice.HOST, choices.hosts, {}),
            (Choice.BUCKET, choices.buckets, {}),
            (Choice.FORMAT, choices.formats, {}),
            (Choice.STYLE, choices.styles, styles),
        ):
            items = [
                self._radio(choices, choice, value, shown_as.get(value, value)) for value in values
            ]
            if choice in (Choice.BUCKET, Choice.STYLE):
                click = partial(self._clicks.open_page, "/settings")
                items.append(Item("more", say("Other..."), click))
            yield Item(choice, say(_TITLES[choice]), Menu(*items))

    def _radio(self, choices: Choices, choice: Choice, value: str, text: str) -> Item:
        click = partial(self._clicks.choose, choice, value)
        is_chosen = choices.chosen[choice] == value
        return Item(f"={value}", text, click, checked=is_chosen, radio=True)

    # -- watching, and doing something now

    def _watching(self, shown: Shown) -> Iterator[Item]:
        is_paused = bool(shown.pause_reason)
        clicks = self._clicks
        turn = clicks.resume if is_paused else clicks.pause
        yield Item("pause", self._say("Pause watching"), partial(turn, None), checked=is_paused)
        pause, resume = (
            self._say("Pause for {minutes} minutes", minutes=PAUSE_MINUTES),
            self._say("Resume for {minutes} minutes", minutes=RESUME_MINUTES),
        )
        yield Item("pause for", pause, partial(clicks.pause, PAUSE_MINUTES))
        yield Item("resume for", resume, partial(clicks.resume, RESUME_MINUTES))

    def _doing(self, shown: Shown) -> Iterator[Item]:
        clicks, say = self._clicks, self._say
        yield Item("upload", say("Upload clipboard now"), clicks.take_copied)
        yield Item(
            "put back", say("Put my picture back"), clicks.put_back, enabled=shown.can_put_back
        )
        for count in COPIED_AT_ONCE:
            text = self._say("Copy last {count} links", count=count)
            click = partial(clicks.copy_last, count)
            yield Item(f"copy {count}", text, click, enabled=bool(shown.recent))

    # -- lists

    def _lists(self, key: str, title: str, items: Iterator[Item]) -> Item:
        """A submenu that is never empty: some panels never show one again that once was."""
        listed = list(items) or [Item("none", self._say("(nothing)"), None, enabled=False)]
        return Item(key, title, Menu(*listed))

    def _recent(self, shown: Shown) -> Iterator[Item]:
        for record in shown.recent:
            age = self._age(record, shown.now)
            text = self._say("{name} · {age}", name=record.name, age=age)
            picture = self._pictures.held.get(record.id, b"")
            click = partial(self._clicks.copy, record.id)
            yield Item(f"{record.id}", text, click, picture=picture)

    def _left_alone(self, shown: Shown) -> Iterator[Item]:
        for left in shown.left_alone:
            text = self._named(left.name, left.reason)
            click = partial(self._clicks.take_anyway, left.number)
            yield Item(f"{left.number}", text, click, enabled=left.thing is not None)

    def _waiting(self, shown: Shown) -> Iterator[Item]:
        for one in shown.waiting:
            yield self._asking(one) if one.asks else self._queued(one)
        counts = shown.counts
        total = counts[State.ASKING] + counts[State.QUEUED]
        if more := total - len(shown.waiting):
            yield Item("more", self._say("and {count} more", count=more), None, enabled=False)
        for record in shown.failed:
            yield self._failed(record)
        if shown.waiting:
            yield Item("retry", self._say("Retry now"), partial(self._clicks.retry, None))

    def _queued(self, one: Waiting) -> Item:
        return Item(f"{one.id}", self._named(one.name, one.reason), None, enabled=False)

    def _failed(self, record: Record) -> Item:
        say = self._say
        reason = record.reason or Message("it failed")
        answers = Menu(
            Item("retry", say("Retry"), partial(self._clicks.retry, record.id)),
            Item("forget", say("Forget"), partial(self._clicks.discard, record.id)),
        )
        return Item(f"{record.id}", self._named(record.name, reason), answers)

    def _named(self, name: str, reason: Message) -> str:
        if "name" in reason.fields:
            return self._say(reason)
        return self._say("{name}: {reason}", name=name, reason=reason)

    def _asking(self, one: Waiting) -> Item:
        say = self._say
        answers = Menu(
            Item("upload", say("Upload"), partial(self._clicks.retry, one.id)),
            Item("discard", say("Discard"), partial(self._clicks.discard, one.id)),
        )
        return Item(f"{one.id}", say("{name}: upload it?", name=one.name), answers)

    # -- opening something, and the end

    def _opening(self, shown: Shown) -> Iterator[Item]:
        clicks, say = self._clicks, self._say
        if text := self._login(shown):
            yield Item("login", text, partial(clicks.open_page, "/login"))
        gallery = say("Open gallery")
        yield Item("gallery", gallery, partial(clicks.open_page, "/"), default=True)
        yield Item("config", say("Open config file"), clicks.open_config)
        yield Item("about", say("About"), clicks.tell_about)
        yield Item("quit", say("Quit"), clicks.quit)

    def _login(self, shown: Shown) -> str:
        if shown.login:
            return self._say("Log in to {host}...", host=shown.login)
        if shown.account is None:
            return ""
        account, days = shown.account, shown.account.days_left(shown.now)
        who = account.name or account.host
        if days is None:
            return self._say("Logged in: {who}", who=who)
        return self._say("Logged in: {who}, {left}", who=who, left=time_left(days))

    def _age(self, record: Record, now: float) -> str:
        age_s = int(now - record.created_at)
        if age_s < _MINUTE_S:
            return self._say("just now")
        if age_s < _HOUR_S:
            return self._say("{count} min ago", count=age_s // _MINUTE_S)
        if age_s < _DAY_S:
            return self._say("{count} h ago", count=age_s // _HOUR_S)
        return self._say("{count} d ago", count=age_s // _DAY_S)
