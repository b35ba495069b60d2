"""What a person is told without asking: notices and sounds, few of them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from imghost.config import Config
from imghost.desktop.assets import asset
from imghost.desktop.notify import Button, Notice
from imghost.models import Message
from imghost.text import Speaker
from imghost.watch.left_alone import LeftAlones

_GATHER_S, _GATHER_AT_MOST_S = 1.0, 60.0


class Topic(Enum):
    """What a notice is about; those of one topic that come together are told together."""

    LINKED = Message("The link is on the clipboard")
    LATE = Message("Uploaded; something else was copied meanwhile")
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


@dataclass(slots=True)
class _Gathered:
    """The notices of one topic that are told together, and the time they are gathered for."""

    first: Notice
    since: float
    for_s: float
    more: int = 0

    @property
    def due_at(self) -> float:
        return self.since + self.for_s


class Teller:
    """Says it in the user's language, by `show` and `play`, as far as the config wants it.

    Several notices of one topic within a second are one; while they keep coming they are gathered
    for longer and longer. `left_alone` is what is told only to who asks. Safe from several threads
    at once.
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
        self._gathered: dict[Topic, _Gathered] = {}
        self._shown: dict[Topic, _Gathered] = {}
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
        with self._lock:
            gathered = self._gathered.get(topic)
            if gathered:
                gathered.more += 1
            else:
                notice = Notice(self.say(topic.value), self.say(message), picture, buttons)
                now = self._clock()
                self._gathered[topic] = _Gathered(notice, now, self._gather_s(topic, now))
        if is_failure and not gathered:
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

    def over(self, about: str) -> None:
        """The troubles with this have passed; the next one is news."""
        with self._lock:
            self._troubles = {trouble for trouble in self._troubles if trouble[1] != about}

    def chime(self, *, failed: bool = False) -> None:
        """Let it be heard that something succeeded or failed."""
        chime = self._config().chime
        if chime.enabled:
            chosen = chime.failed if failed else chime.done
            own = asset("failed.wav" if failed else "done.wav")
            self._play(Path(chosen).expanduser() if chosen else own, chime.volume)

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
                t for t, gathered in self._gathered.items() if all_of_it or now >= gathered.due_at
            ]
            self._shown.update({topic: self._gathered.pop(topic) for topic in due})
            notices = [self._whole(self._shown[topic]) for topic in due]
        for notice in notices if self._config().notify.enabled else ():
            self._show(notice)

    def _gather_s(self, topic: Topic, now: float) -> float:
        former = self._shown.get(topic)
        if former and now - former.due_at < former.for_s:
            return min(2 * former.for_s, _GATHER_AT_MOST_S)
        return _GATHER_S

    def _whole(self, gathered: _Gathered) -> Notice:
        first = gathered.first
        if not gathered.more:
            return first
        text = self.say("{first} (and {more} more)", first=first.text, more=gathered.more)
        return Notice(first.title, text, first.picture)
