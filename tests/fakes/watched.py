"""A desktop in memory that is watched, with all of a watcher's threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from imghost.app import App
from imghost.clipboard import Clipboard
from imghost.dirs import Dirs
from imghost.imaging.pixels import pixels_digest
from imghost.imaging.prepare import Prepare, prepare
from imghost.models import Message, State
from imghost.senders import Senders
from imghost.text import Speaker
from imghost.watch.board import Board
from imghost.watch.pausing import Pause
from imghost.watch.surroundings import Decoding, Surroundings, Takers
from imghost.watch.telling import Teller, Topic
from imghost.watch.watcher import Watcher
from tests.fakes.clipboards import Desktop
from tests.fakes.desk import Screen, Speakers
from tests.fakes.program import DEADLINE_S, eventually
from tests.fakes.taking import BASE, Watchful, write_config

NO_NOTICES = Message("notices: nobody would see any")


class Watched:
    """It is watched from the start; `close` fails if there was a bug.

    `begins_paused`: as after an autostart. `has_clipboard`: whether it is watched at all.
    `prepare_bytes` is for all that is not copied.
    """

    def __init__(
        self,
        dirs: Dirs,
        desktop: Desktop,
        *,
        begins_paused: bool = False,
        has_clipboard: bool = True,
        prepare_bytes: Prepare = prepare,
        **sections: Any,
    ) -> None:
        self.dirs, self.desktop = dirs, desktop
        self.screen, self.speakers, self.survive = Screen(), Speakers(), Watchful()
        file = write_config(dirs, sections)
        self.app = App(dirs, file, file.load(), prepare_bytes=prepare_bytes, base_url=BASE)
        self._senders = ThreadPoolExecutor(4, thread_name_prefix="send")
        self._takers = Takers(
            ThreadPoolExecutor(2, thread_name_prefix="take"),
            ThreadPoolExecutor(2, thread_name_prefix="take files"),
        )
        self.senders = Senders(self.app.outbox, self._senders, self.survive)
        self.teller = Teller(
            Speaker("en"), self.screen, self.speakers, lambda: self.app.config, time.monotonic
        )
        self.pause = Pause(self.app.facts)
        if begins_paused:
            self.pause.begin_paused()
        opener: Callable[[float], Clipboard] | None = desktop.open if has_clipboard else None
        around = Surroundings(
            self.teller, self.pause, Decoding(prepare, pixels_digest), opener, lambda: [NO_NOTICES]
        )
        self.watcher = Watcher(self.app, self.senders, self._takers, self.survive, around)
        self._thread = threading.Thread(target=self.watcher.run, name="watch")
        self._thread.start()
        assert self.watcher.in_place.wait(DEADLINE_S)

    def close(self) -> None:
        """End everything."""
        self.watcher.stop()
        self._thread.join()
        self._takers.shutdown()
        self.app.outbox.stop()
        self._senders.shutdown()
        self.app.close()
        assert self.survive.bugs == []

    @property
    def board(self) -> Board:
        """Its clipboard."""
        board = self.watcher.board
        assert board
        return board

    def configure(self, **sections: Any) -> None:
        """Change the config, and have it noticed."""
        write_config(self.dirs, sections)
        for _ in range(2):  # the first may return from a round that had begun before
            self.watcher.resume(None)

    def notices(self) -> None:
        """Have it notice what was changed, of pauses too."""
        self.watcher.in_place.clear()
        self.watcher.wake()
        assert self.watcher.in_place.wait(DEADLINE_S)

    def send_again(self) -> None:
        """What waits is tried again, as when it is time for that."""
        for host in self.app.journal.queued_hosts():
            self.app.outbox.lift(host)
        self.senders.send_queued()

    def pasted(self, text: str) -> None:
        """Wait until this is what a person pastes."""
        eventually(lambda: self.desktop.text == text)

    def link(self) -> str:
        """Wait until there is a link to paste."""
        eventually(lambda: "http" in self.desktop.text)
        return self.desktop.text

    def stands(self, *states: State) -> None:
        """Wait until the rows stand so, the oldest first."""
        eventually(lambda: self.states() == list(states))

    def states(self) -> list[State]:
        """How the rows stand."""
        return [record.state for record in self.app.journal.history()[::-1]]

    def copies(self, copy: Callable[[], None]) -> None:
        """Somebody copies, and it was looked at."""
        copies = self.board.copies
        copy()
        eventually(lambda: self.board.copies > copies)

    def told(self, topic: Topic) -> list[str]:
        """What was told so far about this."""
        self.teller.flush(all_of_it=True)
        return self.screen.texts(topic)

    def hears(self, topic: Topic) -> str:
        """Wait for the first notice about this."""
        eventually(lambda: bool(self.told(topic)))
        return self.told(topic)[0]

    def save(self, path: Path, data: bytes) -> None:
        """Save a file there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
