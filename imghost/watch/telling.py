"""What a person is told without asking: notices and sounds, few of them."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import field
from enum import Enum
from pathlib import Path

from imghost.config import ChimeConfig, Config
from imghost.desktop.assets import asset
from imghost.desktop.notify import Button, Notice
from imghost.models import Message
from imghost.text import Speaker
from imghost.values import dataclass
from imghost.watch.left_alone import LeftAlones

_GATHER_S, _GATHER_AT_MOST_S = 1.0, 60.0
_ASKED_APART = 3


class Topic(Enum):
    """What a notice is about; those of one topic that come together are told together."""

    LINKED = Message("The link is on the clipboard")
    LATE = Message("Uploaded; something else was copied meanwhile")
    SENT = Message("Uploaded")
    CHANGED = Message("The picture was changed")
    REFUSED = Message("Not taken")
    FAILED = Message("Not uploaded")
    LOST = Message("A link does not work")
    WAITING = Message("Kept, and sent later")
    LOGIN = Message("Log in again")
    DRAFT = Message("A draft link is on the clipboard")
    ASKING = Message("Upload this picture?")
    PAUSED = Message("imghost is paused")
    ADVICE = Message("Before you publish the link")
    PROBLEM = Message("imghost cannot do all that it should")
    ABOUT = Message("About imghost")


_APART = frozenset({Topic.ADVICE, Topic.PROBLEM, Topic.WAITING, Topic.LOGIN})
"""Each of these is worth its words: only those that say the same are told together."""

_Kind = tuple[Topic, str]


@dataclass(slots=True)
class _Gathered:
    """The notices of one kind that are told together, and the time they are gathered for."""

    since: float
    for_s: float
    first: list[Notice] = field(default_factory=list)
    count: int = 0

    @property
    def due_at(self) -> float:
        return self.since + self.for_s


class Teller:
    """Says it in the user's language, by `show` and `play`, as far as the config wants it.

    Several notices of one topic within a second are one, but for _APART and a few questions; while
    they keep coming they are gathered for longer and longer. `left_alone` is what is told only to
    who asks. Safe from several threads at once.
    """

    def __init__(
        self,
        say: Speaker,
        show: Callable[[Notice], None],
        play: Callable[[Path, float], None],
        config: Callable[[], Config],
        clock: Callable[[], float],
    ) -> None:
        self.say = say
        self.left_alone = LeftAlones()
        self._show = show
        self._play = play
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._gathered: dict[_Kind, _Gathered] = {}
        self._shown: dict[_Kind, _Gathered] = {}
        self._troubles: set[tuple[Topic, str]] = set()

    def tell(
        self,
        topic: Topic,
        message: Message,
        *,
        picture: Path | None = None,
        buttons: tuple[Button, ...] = (),
        is_failure: bool = False,
    ) -> None:
        """Have a notice shown soon; a failure is heard, too, unless it is gathered with others."""
        notice = Notice(self.say(topic.value), self.say(message), picture, buttons)
        kind = (topic, notice.text if topic in _APART else "")
        with self._lock:
            is_first = kind not in self._gathered
            if is_first:
                now = self._clock()
                self._gathered[kind] = _Gathered(now, self._gather_s(kind, now))
            gathered = self._gathered[kind]
            gathered.count += 1
            if len(gathered.first) < _ASKED_APART:
                gathered.first.append(notice)
        if is_failure and is_first:
            self.chime(failed=True)

    def tell_once(
        self, topic: Topic, about: str, message: Message, *, is_failure: bool = False
    ) -> None:
        """Have a notice shown of a trouble unless it was told since it was last `over`."""
        with self._lock:
            is_news = (topic, about) not in self._troubles
            self._troubles.add((topic, about))
        if is_news:
            self.tell(topic, message, is_failure=is_failure)

    def tell_of_login(self, told: Message, ended_at: str) -> None:
        """Have a notice shown of a login that ends soon, or that has `ended_at` this host."""
        if ended_at:
            self.tell_once(Topic.LOGIN, ended_at, told, is_failure=True)
        else:
            self.tell(Topic.LOGIN, told)

    def over(self, about: str) -> None:
        """The troubles with this have passed; the next one is news."""
        with self._lock:
            self._troubles = {trouble for trouble in self._troubles if trouble[1] != about}

    def chime(self, *, failed: bool = False) -> None:
        """Let it be heard that something succeeded or failed."""
        chime = self._config().chime
        if chime.enabled:
            sound = _heard(chime.failed, "failed.wav") if failed else done_sound(chime)
            self._play(sound, chime.volume)

    def problems(self) -> list[Message]:
        """What of the config keeps it from being heard as the user wants it."""
        chime = self._config().chime
        sounds = filter(None, map(_sound, (chime.done, chime.failed) if chime.enabled else ()))
        return [
            Message("chime: there is no file {path}, so you hear imghost's own", {"path": str(s)})
            for s in dict.fromkeys(sounds)
            if not s.is_file()
        ]

    def next_s(self, now: float) -> float:
        """How long until `flush` has something to show."""
        with self._lock:
            ends = [gathered.due_at for gathered in self._gathered.values()]
        return max(0.0, min(ends, default=math.inf) - now)

    def flush(self, *, all_of_it: bool = False) -> None:
        """Show what was gathered long enough."""
        now = self._clock()
        with self._lock:
            due = [
                k for k, gathered in self._gathered.items() if all_of_it or now >= gathered.due_at
            ]
            self._shown = {k: g for k, g in self._shown.items() if now - g.due_at < g.for_s}
            self._shown |= {kind: self._gathered.pop(kind) for kind in due}
            notices = [one for kind in due for one in self._whole(kind[0], self._shown[kind])]
        for notice in notices if self._config().notify.enabled else ():
            self._show(notice)

    def _gather_s(self, kind: _Kind, now: float) -> float:
        former = self._shown.get(kind)
        if former and now - former.due_at < former.for_s:
            return min(2 * former.for_s, _GATHER_AT_MOST_S)
        return _GATHER_S

    def _whole(self, topic: Topic, gathered: _Gathered) -> Iterator[Notice]:
        first, count = gathered.first[0], gathered.count
        if count == 1:
            yield first
        elif topic is not Topic.ASKING:
            text = self.say("{first} (and {more} more)", first=first.text, more=count - 1)
            yield Notice(first.title, text, first.picture)
        elif count <= _ASKED_APART:
            yield from gathered.first
        else:
            text = self.say("{count} questions at once; imghost status lists them", count=count)
            yield Notice(first.title, text)


def done_sound(chime: ChimeConfig) -> Path:
    """What is heard when a link is ready."""
    return _heard(chime.done, "done.wav")


def _heard(chosen: str, own: str) -> Path:
    sound = _sound(chosen)
    return sound if sound and sound.is_file() else asset(own)


def _sound(chosen: str) -> Path | None:
    return Path(os.path.expanduser(chosen)) if chosen else None  # noqa: PTH111 - never raises
