"""What a person is told without asking: notices and sounds, few of them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from imghost.config import Config
from imghost.desktop.chime import sound_file
from imghost.desktop.notify import Button, Notice
from imghost.models import Message
from imghost.text import Speaker

_GATHER_S = 1.0


class Topic(Enum):
    """What a notice is about; those of one topic that come together are told together."""

    LINKED = Message("The link is on the clipboard")
    LATE = Message("Uploaded; something else was copied meanwhile")
    CHANGED = Message("The picture was changed")
    REFUSED = Message("Not taken")
    FAILED = Message("Not uploaded")
    WAITING = Message("Kept, and sent later")
    LOGIN = Message("Log in again")
    ASKING = Message("Upload this picture?")
    PAUSED = Message("imghost is paused")
    ADVICE = Message("Before you publish the link")
    PROBLEM = Message("imghost cannot do all that it should")


@dataclass(slots=True)
class _Gathered:
    first: Notice
    since: float
    more: int = 0


class Teller:
    """Says it in the user's language, by `show` and `play`, as far as the config wants it.

    Several notices of one topic within a second are one. Safe from several threads at once.
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
        self._show = show
        self._play = play
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._gathered: dict[Topic, _Gathered] = {}
        self._troubled: set[str] = set()

    def tell(
        self,
        topic: Topic,
        message: Message,
        *,
        picture: Path | None = None,
        buttons: tuple[Button, ...] = (),
    ) -> None:
        """Have a notice shown soon."""
        if not self._config().notify.enabled:
            return
        notice = Notice(self.say(topic.value), self.say(message), picture, buttons)
        with self._lock:
            if gathered := self._gathered.get(topic):
                gathered.more += 1
            else:
                self._gathered[topic] = _Gathered(notice, self._clock())

    def tell_once(self, topic: Topic, trouble: str, message: Message) -> bool:
        """Have a notice shown of a trouble unless it was told since it was last `over`."""
        with self._lock:
            is_news = trouble not in self._troubled
            self._troubled.add(trouble)
        if is_news:
            self.tell(topic, message)
        return is_news

    def over(self, trouble: str) -> None:
        """The trouble has passed; the next one is news."""
        self._troubled.discard(trouble)

    def chime(self, *, failed: bool = False) -> None:
        """Let it be heard that something succeeded or failed."""
        chime = self._config().chime
        if chime.enabled:
            chosen = chime.failed if failed else chime.done
            own = sound_file("failed.wav" if failed else "done.wav")
            self._play(Path(chosen).expanduser() if chosen else own, chime.volume)

    def next_s(self, now: float) -> float:
        """How long until `flush` has something to show."""
        with self._lock:
            ends = [gathered.since + _GATHER_S for gathered in self._gathered.values()]
        return max(0.0, min(ends, default=math.inf) - now)

    def flush(self, *, all_of_it: bool = False) -> None:
        """Show what was gathered long enough."""
        now = self._clock()
        with self._lock:
            due = {
                topic: gathered
                for topic, gathered in self._gathered.items()
                if all_of_it or now >= gathered.since + _GATHER_S
            }
            for topic in due:
                del self._gathered[topic]
        for gathered in due.values():
            self._show(self._whole(gathered))

    def _whole(self, gathered: _Gathered) -> Notice:
        first = gathered.first
        if not gathered.more:
            return first
        text = self.say("{first} (and {more} more)", first=first.text, more=gathered.more)
        return Notice(first.title, text, first.picture)
