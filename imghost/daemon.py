"""The background process: its threads, begun in order and ended in the reverse one."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from imghost.app import App
from imghost.backend import Backend
from imghost.caretaker import Caretaker
from imghost.choosing import Chooser
from imghost.config import Config
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.door import (
    Door,
    daemon_lock,
    find_door,
    new_token,
    settings_of,
    untold,
)
from imghost.editors import Editors
from imghost.errors import DaemonError
from imghost.front import Front
from imghost.gallery import Gallery
from imghost.hosts import HOSTS
from imghost.hosts.base import MOST_PARALLEL
from imghost.hosts.local import find_file
from imghost.imaging.child import MEMORY_BYTES
from imghost.imaging.crew import Crew
from imghost.lock import FileLock
from imghost.looks import OF_A_HOST, Looks
from imghost.models import Message
from imghost.presence import Presence
from imghost.report import Watching
from imghost.senders import Senders
from imghost.server.body import Recent
from imghost.server.commands import command_routes
from imghost.server.files import Files
from imghost.server.gallery.routes import gallery_routes
from imghost.server.picgo import LANE, door_routes
from imghost.server.renderings import AT_ONCE, Renderings
from imghost.server.shelf import Shelf
from imghost.survival import Survival, nobody
from imghost.text import Speaker
from imghost.watch.login_news import LoginNews

if TYPE_CHECKING:
    from imghost.desk import Desk, Watch
    from imghost.watch.watcher import Watcher

_LOCK_WAIT_S = 1.0
_SENDERS = 2 * MOST_PARALLEL * len(HOSTS)  # a host has twice its slots; if it hangs, it keeps them
_DECODERS, _DECODE_S = 3, 60.0
_FOR_THE_CLIPBOARD = 1  # of the decoders; a slow picture elsewhere does not hold up a copied one
_DRAW_S = 20.0  # somebody waits
_DRAW_BYTES = 1 << 30  # an opaque PNG of 119 megapixels is drawn in half of it
_CALLERS = 32
_FINISH_S = 3.0
_JOURNAL_S = 1.5  # to wait for another process that writes, in the end
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")

log = logging.getLogger(__name__)


class Daemon:
    """Serves files and commands and sends what is queued, from `run` until it is stopped.

    `watch` says how to watch the desktop; None is for a machine without one, where `tell` is told
    what a person must hear.
    """

    def __init__(
        self,
        dirs: Dirs,
        source: ConfigFile,
        config: Config,
        say: Speaker,
        watch: Watch | None = None,
        tell: Callable[[Message], None] = nobody,
    ) -> None:
        self._dirs = dirs
        self._source = source
        self._config = config
        self._say = say
        self._watch = watch
        self._tell = tell
        self._sleeper, self._waker = socket.socketpair()
        self._waker.setblocking(False)  # noqa: FBT003 - the standard library's

    def run(self, ready: Callable[[str, Watching], None]) -> None:
        """Live until stopped; `ready` is told the server's address, and what is watched.

        Raises DaemonError if another one runs or the port is taken, MachineError.
        """
        with ExitStack() as stack:
            enter = stack.enter_context
            enter(closing(self._sleeper))
            enter(closing(self._waker))
            lock = enter(daemon_lock(self._dirs))
            self._be_the_only_one(lock)
            front = enter(closing(Front(self._config, watches=self._watch is not None)))
            url = front.url
            decoders = enter(closing(_decoders()))
            app = enter(self._open_app(url, decoders))
            senders, workers = enter(_pool("send", _SENDERS)), enter(_pool("call", _CALLERS))
            drawers = Crew(AT_ONCE, deadline_s=_DRAW_S, memory_bytes=_DRAW_BYTES)
            recent = Recent()
            renderings = self._renderings(drawers, recent)
            files = Files(partial(find_file, self._dirs.local), renderings, recent, self._say)
            token = new_token()
            settings = settings_of(self._source.path, self._source.environ, token)
            door = Door(url, token, settings, self._config.language, os.getpid())
            presence = Presence(self._dirs, lock, door, app.owner.tmp)
            survive = Survival()
            sending = Senders(app.outbox, senders, survive)
            runner = enter(asyncio.Runner())
            desk, watcher, watching = self._watching(
                app, sending, decoders, survive, runner.get_loop()
            )
            backend = Backend(app, self._say, self.stop, watcher, front.late)
            chooser = Chooser(app, self._source)
            gallery = Gallery(app, backend, chooser, sending.send_queued)
            editors = Editors(app, backend.upload, watcher)
            for_editors = enter(_pool("door", LANE * (len(HOSTS) + 2)))
            server, max_bytes = self._config.server, self._config.limits.input_bytes
            routes = [
                *command_routes(backend, token, workers, max_bytes),
                *gallery_routes(gallery, renderings, new_token(), workers, self._say, max_bytes),
                *door_routes(editors, server.secret, for_editors, max_bytes, self._say),
            ]
            end_server = enter(front.serving(runner, files, routes, self._say, app.serve_at))
            enter(closing(drawers))  # ends before the server, which waits for answers under way
            looks = Looks(app, enter(_pool("look", OF_A_HOST * len(HOSTS))), survive)
            if watcher:
                looks.lost = watcher.lost.tell
            news = None if watcher else LoginNews(app, lambda told, _: self._tell(told))
            caretaker = Caretaker(app, presence, sending, looks, survive, news)
            enter(_signals_to(self._waker))
            enter(_caretaking(app, caretaker, (decoders, drawers), end_server))
            enter(watching)
            enter(presence)
            live: Callable[[Callable[[], object]], None] = _call
            if desk and watcher and self._watch and self._watch.tray:
                tray = enter(desk.trayed(app, watcher, backend, chooser, drawers, survive, url))
                live = tray.run
            enter(_hurrying_in_the_end(app))
            ready(url, backend.watching())
            live(partial(self._sleeper.recv, 1))
        log.info("stopped")

    def stop(self) -> None:
        """Begin to end; from any thread."""
        self._waker.send(b"\0")

    def _be_the_only_one(self, lock: FileLock) -> None:
        if not lock.acquire(wait_s=_LOCK_WAIT_S):
            if other := find_door(self._dirs):
                raise DaemonError(
                    "another imghost is running (process {pid}); imghost stop ends it",
                    pid=other.pid,
                )
            raise untold()

    def _open_app(self, url: str, decoders: Crew) -> App:
        return App(
            self._dirs,
            self._source,
            self._config,
            prepare_bytes=decoders.prepare,
            base_url=url,
            thorough=True,
        )

    def _renderings(self, drawers: Crew, recent: Recent) -> Renderings:
        shelf = Shelf(self._dirs.renderings, self._config.server.cache_bytes)
        return Renderings(shelf, recent, drawers.draw)

    def _watching(
        self,
        app: App,
        senders: Senders,
        decoders: Crew,
        survive: Survival,
        loop: asyncio.AbstractEventLoop,
    ) -> tuple[Desk | None, Watcher | None, AbstractContextManager[None]]:
        if self._watch is None:
            return None, None, nullcontext()
        from imghost.desk import Desk

        desk = Desk(loop)
        watcher = desk.watcher(app, senders, decoders, self._say, survive, self._watch)
        return desk, watcher, desk.running(watcher, decoders)


def _decoders() -> Crew:
    return Crew(
        _DECODERS,
        deadline_s=_DECODE_S,
        memory_bytes=MEMORY_BYTES,
        kept_free=_FOR_THE_CLIPBOARD,
    )


@contextmanager
def _caretaking(
    app: App,
    caretaker: Caretaker,
    crews: tuple[Crew, Crew],
    end_server: Callable[[], None],
) -> Iterator[None]:
    thread = threading.Thread(target=caretaker.run, args=(crews,), name="imghost-care")
    thread.start()
    try:
        yield
    finally:
        end_server()  # which takes its time beside ours
        app.outbox.stop()
        thread.join()
        app.outbox.finish(_FINISH_S)
        app.cut()
        for crew in crews:
            crew.close()


@contextmanager
def _hurrying_in_the_end(app: App) -> Iterator[None]:
    try:
        yield
    finally:
        app.outbox.stop()  # what it would send next may need the decoders, which end before it
        app.hurry(_JOURNAL_S)


@contextmanager
def _signals_to(waker: socket.socket) -> Iterator[None]:
    """Have the signals that end a process wake whoever reads from the other end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    wanted = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, lambda *_: None) for number in wanted}
    former_waker = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(former_waker)
        for number, handler in former.items():
            signal.signal(number, handler)


def _call(work: Callable[[], object]) -> None:
    work()


def _pool(name: str, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix=f"imghost-{name}")
