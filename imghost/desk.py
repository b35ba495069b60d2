"""The desktop as the daemon meets it: its clipboard, sounds, notices and screen lock."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from imghost.app import App
from imghost.backend import Backend
from imghost.choosing import Chooser
from imghost.desktop.autostart import Written
from imghost.desktop.chime import Player
from imghost.desktop.choice import open_clipboard
from imghost.desktop.notify import Notifier
from imghost.desktop.screen_lock import watch_screen_lock
from imghost.desktop.tray import Tray
from imghost.imaging.crew import Crew
from imghost.imaging.style import Style
from imghost.models import Image, Message, Record
from imghost.senders import Senders
from imghost.survival import Survival
from imghost.text import Speaker
from imghost.values import dataclass
from imghost.watch.pausing import Pause
from imghost.watch.surroundings import Decoding, Surroundings, Takers, publishes
from imghost.watch.telling import Teller
from imghost.watch.watcher import Watcher

_PLACE_S = 3.0
_TAKERS = 2  # of what was copied, and as many of files, which may be slow
_CLICKERS = 2
_ASK_S = 2.0


@dataclass(frozen=True, slots=True)
class Watch:
    """How to watch: `autostarted` means that nobody asked for it just now."""

    clipboard: bool = True
    tray: bool = True
    autostarted: bool = False


class Desk:
    """What a watcher needs of the desktop, opened when it is first used."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._takers = Takers(
            ThreadPoolExecutor(_TAKERS, thread_name_prefix="imghost-take"),
            ThreadPoolExecutor(_TAKERS, thread_name_prefix="imghost-files"),
        )
        self._clickers = ThreadPoolExecutor(_CLICKERS, thread_name_prefix="imghost-click")
        self._tray: Tray | None = None
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
        teller = self._teller = Teller(
            say, self._notifier.show, self._player.play, lambda: app.config, time.monotonic
        )
        pause = self._pause = Pause(app.facts)
        if watch.autostarted and publishes(app, app.config):
            pause.begin_paused()

        def expect(count: int) -> None:
            decoders.expect(count)
            app.expect()

        opener = partial(open_clipboard, os.environ) if watch.clipboard else None
        around = Surroundings(
            teller,
            pause,
            Decoding(decoders.prepare_at_once, decoders.pixels, expect),
            opener,
            self._problems,
        )
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
            self._takers.shutdown()
            self._clickers.shutdown(cancel_futures=True)
            self._player.close()
            closed = asyncio.run_coroutine_threadsafe(self._notifier.close(), self._loop)
            with suppress(TimeoutError, CancelledError):  # nobody is kept waiting for a notice
                closed.result(_ASK_S)

    @contextmanager
    def trayed(
        self,
        app: App,
        watcher: Watcher,
        backend: Backend,
        chooser: Chooser,
        drawers: Crew,
        survive: Survival,
        address: str,
    ) -> Iterator[Tray]:
        """The tray's icon with its menu, kept as things are."""
        from imghost.tray.clicks import Clicks
        from imghost.tray.keeper import Keeper
        from imghost.tray.shown import Look

        def submit(work: Callable[[], None]) -> object:
            return self._clickers.submit(survive, work)

        def draw(record: Record, style: Style) -> Image:
            return drawers.draw(app.store.path(record.original), style)

        teller = self._teller
        clicks = Clicks(app, backend, chooser, watcher.wishes, teller, submit, address)
        look = partial(Look(app, chooser, self._pause), watcher, teller.left_alone)
        opener = partial(Tray, self._loop)
        keeper = Keeper(look, clicks, teller.say, opener, draw, submit, survive)
        watcher.changed = clicks.done = keeper.wake
        tray = self._tray = keeper.tray
        survive(keeper.refresh)
        tray.begin()
        thread = threading.Thread(target=keeper.run, name="imghost-tray")
        thread.start()
        try:
            yield tray
        finally:
            keeper.stop()
            thread.join()

    def _problems(self) -> list[Message]:
        asked = asyncio.run_coroutine_threadsafe(self._notifier.missing(), self._loop)
        try:
            notices = asked.result(_ASK_S)
        except (TimeoutError, CancelledError):
            notices = None
        return [p for p in (self._tray and self._tray.problem, notices) if p]


def autostart_on(config: Path | None, home: str) -> Written:
    """Have the desktop start imghost with each session; where that stands. Raises MachineError.

    `config` is the file that it is to use, if not its own, and `home` its IMGHOST_HOME, if any.
    """
    from imghost.desktop.autostart import own_command, turn_on

    command = [*own_command(), *(("--config", str(config)) if config else ())]
    whole = str(Path(home).expanduser().absolute())
    return turn_on(command, {"IMGHOST_HOME": whole} if home else {})


def autostart_off() -> bool:
    """Have the desktop start it no more; whether it did."""
    from imghost.desktop.autostart import turn_off

    return turn_off()
