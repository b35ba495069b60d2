"""The desktop as the daemon meets it: its clipboard, sounds, notices and screen lock."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from imghost.app import App
from imghost.desktop.chime import Player
from imghost.desktop.choice import open_clipboard
from imghost.desktop.notify import Notifier
from imghost.desktop.screen_lock import watch_screen_lock
from imghost.imaging.crew import Crew
from imghost.models import Message
from imghost.senders import Senders
from imghost.survival import Survival
from imghost.text import Speaker
from imghost.watch.pausing import Pause
from imghost.watch.surroundings import Surroundings, publishes
from imghost.watch.telling import Teller
from imghost.watch.watcher import Watcher

_PLACE_S = 3.0
_TAKERS = 2
_ASK_S = 2.0


@dataclass(frozen=True, slots=True)
class Watch:
    """How to watch: `autostarted` means that nobody asked for it just now."""

    clipboard: bool = True
    autostarted: bool = False


class Desk:
    """What a watcher needs of the desktop, opened when it is first used."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._takers = ThreadPoolExecutor(_TAKERS, thread_name_prefix="imghost-take")
        self._player = Player()
        self._notifier = Notifier(loop)

    def watcher(
        self,
        app: App,
        senders: Senders,
        decoders: Crew,
        say: Speaker,
        survive: Survival,
        watch: Watch,
    ) -> Watcher:
        """A watcher that does not run yet."""
        teller = Teller(
            say, self._notifier.show, self._player.play, lambda: app.config, time.monotonic
        )
        pause = Pause(app.facts)
        if watch.autostarted and publishes(app, app.config):
            pause.begin_paused()
        opener = partial(open_clipboard, os.environ) if watch.clipboard else None
        around = Surroundings(teller, pause, decoders.pixels, opener, self._problem)
        return Watcher(app, senders, self._takers, survive, around)

    @contextmanager
    def running(self, watcher: Watcher, decoders: Crew) -> Iterator[None]:
        """Have it watch, and wait until it does."""
        thread = threading.Thread(target=watcher.run, name="imghost-watch")
        thread.start()
        locked: Future[None] = asyncio.run_coroutine_threadsafe(
            watch_screen_lock(watcher.screen_locked), self._loop
        )
        watcher.in_place.wait(_PLACE_S)
        try:
            yield
        finally:
            locked.cancel()
            watcher.stop()
            thread.join()
            decoders.close()  # takes under way end with it; their files are taken at the next start
            self._takers.shutdown(cancel_futures=True)
            self._player.close()
            closed = asyncio.run_coroutine_threadsafe(self._notifier.close(), self._loop)
            with suppress(TimeoutError, CancelledError):  # nobody is kept waiting for a notice
                closed.result(_ASK_S)

    def _problem(self) -> Message | None:
        asked = asyncio.run_coroutine_threadsafe(self._notifier.missing(), self._loop)
        try:
            return asked.result(_ASK_S)
        except (TimeoutError, CancelledError):
            return None


def autostart_on(config: Path | None) -> str:
    """Have the desktop start imghost with each session; where that stands. Raises MachineError.

    `config` is the file that it is to use, if not its own.
    """
    from imghost.desktop.autostart import own_command, turn_on

    return turn_on([*own_command(), *(("--config", str(config)) if config else ())])


def autostart_off() -> bool:
    """Have the desktop start it no more; whether it did."""
    from imghost.desktop.autostart import turn_off

    return turn_off()
