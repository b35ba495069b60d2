"""The watcher: sees new pictures, has them taken, and gives their links."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from imghost.app import App
from imghost.config import Config
from imghost.errors import ConfigError
from imghost.models import Message
from imghost.report import Watching
from imghost.senders import Senders
from imghost.sources.file_find import FileFind
from imghost.sources.folder import Folders
from imghost.survival import Survival, nobody
from imghost.watch.board import Board
from imghost.watch.bursts import Bursts, Origin
from imghost.watch.finding import Finder
from imghost.watch.giving import CLIPBOARD, Giver
from imghost.watch.intake import Find, Intake
from imghost.watch.login_news import LoginNews
from imghost.watch.lost_links import LostLinks
from imghost.watch.pausing import BY_USER, LOCKED, Followed, Turn
from imghost.watch.surroundings import Surroundings, Takers
from imghost.watch.telling import Topic
from imghost.watch.wishes import Wishes

_ROUND_S = 2.0
_RESUME_S = 3.0
_CLIPBOARD_BYTES = 100_000_000
_CONFIG = "config"
_TOLD_S = 0.1  # a copy may be told so much later than a file that was saved after it


class Watcher:
    """One thread runs it; `takers` take what is found. `in_place` is set once it watches.

    `changed` is called, on that thread, when there may be something else to tell of it.
    """

    def __init__(
        self,
        app: App,
        senders: Senders,
        takers: Takers,
        survive: Survival,
        around: Surroundings,
    ) -> None:
        teller = around.teller
        self._app = app
        self._around = around
        self._teller = teller
        self._pause = around.pause
        self._survive = survive
        self.board: Board | None = None
        self._copies = 0
        self._config: Config | None = None
        self._followed = Followed(around.pause)
        self._followed_at = 0.0
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._placing = threading.Lock()
        self.in_place = threading.Event()
        self.changed: Callable[[], None] = nobody
        self.lost = LostLinks(teller, self.wake)
        self._bursts = Bursts()
        self._giver = Giver(lambda: self.board, teller, lambda: app.config, app.store)
        self._folders = Folders(
            app.seen,
            self._saved,
            lambda problem: teller.tell(Topic.PROBLEM, problem),
            besides=(app.dirs.data, app.dirs.state, app.dirs.cache, app.dirs.logs),
            off_limits=app.off_limits,
            expect=around.decoding.expect,
            survive=survive,
        )
        later: Callable[[Find], None] = lambda find: self._finder.take_later(find)  # noqa: E731, PLW0108 - made below
        self._intake = Intake(
            app, senders, self._bursts, self._folders, teller, around.decoding, later, self.wake
        )
        self._finder = Finder(
            app,
            self._bursts,
            self._intake,
            self._giver,
            teller,
            lambda work: takers.of_copied.submit(survive, work),
            lambda work: takers.of_files.submit(survive, work),
        )
        self.wishes = Wishes(lambda: self.board, self._finder, teller, self._max_bytes, self.wake)
        self._login_news = LoginNews(app, teller.tell_of_login)
        senders.ended = self._intake.ended

    def run(self) -> None:
        """Watch until it is told to `stop`."""
        is_woken = True
        while not self._stopping.is_set():
            before = (self._config, self._followed.reason)
            is_well = self._round()
            if is_woken or before != (self._config, self._followed.reason):
                self.changed()
            is_woken = self._woken.wait(self._rest_s() if is_well else _ROUND_S)
            self._woken.clear()
        if self.board:
            self.board.close()
        self._folders.close()
        self._teller.flush(all_of_it=True)

    def stop(self) -> None:
        """End `run`, also in the middle of a look at the clipboard."""
        self._stopping.set()
        self.wake()
        if board := self.board:
            board.close()

    def wake(self) -> None:
        """Something happened: look at once. From any thread."""
        self._woken.set()

    def pause(self, minutes: float | None) -> None:
        """Take nothing, for so long. Raises MachineError if that is so, but not remembered."""
        self._followed.began()
        self._folders.pause()
        try:
            self._pause.pause(minutes)
        finally:
            self.wake()

    def resume(self, minutes: float | None) -> None:
        """Take what comes from now on, for so long. Raises as `pause` does."""
        try:
            with self._placing:
                self.in_place.clear()
                self._pause.resume(minutes)
        finally:
            self.wake()
            self.in_place.wait(_RESUME_S)

    def screen_locked(self, is_locked: bool) -> None:  # noqa: FBT001 - what the desktop tells
        """The screen was locked or unlocked."""
        if is_locked:
            self._followed.began()
        self._pause.is_locked = is_locked
        self.wake()

    def put_back(self) -> None:
        """Put back the picture that a link replaced. Raises SourceError."""
        self._giver.put_back()

    def given(self) -> tuple[int, ...]:
        """The uploads whose links stand on the clipboard, in pictures' place. Raises SourceError.

        Such as were forgotten since are left out.
        """
        return tuple(filter(self._app.journal.look_up, self._giver.given()))

    @property
    def can_put_back(self) -> bool:
        """Whether there is such a picture."""
        return self._giver.can_put_back

    def told(self) -> Watching:
        """What it does, for `imghost status`."""
        reason = self._pause.reason
        problems = (
            self.board.problem if self.board else None,
            *(self._folders.problems() or (self._intake.put_off.problem,)),
            *self._teller.problems(),
            *self._around.problems(),
        )
        return Watching(
            "paused" if reason else "watching",
            reason,
            self._pause.ends_at,
            tuple((one.name, one.reason, one.at) for one in self._teller.left_alone.latest()),
            tuple(filter(None, problems)),
        )

    def _round(self) -> bool:
        """Do what there is to do; what goes wrong costs the rest of its own step only."""
        steps = (
            self._follow_pause,
            self._follow_config,
            self.wishes.heed,
            self._look,
            self._take_due,
        )
        ended = [self._survive(step) for step in (*steps, self._follow_rows, self._give)]
        return all(ended)

    def _rest_s(self) -> float:
        now = time.monotonic()
        waits = [part.next_s(now) for part in (self._bursts, self._teller, self._giver)]
        if not self._followed.reason:
            waits.append(self._finder.next_s(now))
            waits += [self.board.next_s(now)] if self.board else []
        return max(0.0, min(_ROUND_S, self._pause.ends_at - time.time(), *waits))

    def _follow_pause(self) -> None:
        turn, reason = self._followed.follow(), self._followed.reason
        if turn is Turn.BEGAN:
            self._folders.pause()
            if reason and reason not in (BY_USER, LOCKED):
                told = Message("{reason}; imghost resume goes on", {"reason": reason})
                self._teller.tell(Topic.PAUSED, told)
        elif turn is Turn.ENDED:
            if self.board:
                self.board.begin_anew()
            self._folders.resume()

    def _follow_config(self) -> None:
        try:
            config = self._app.checked_pipeline().config
        except ConfigError as exc:
            self._teller.tell_once(Topic.PROBLEM, _CONFIG, exc.message)
            return
        self._teller.over(_CONFIG)
        if config is not self._config:
            self._follow_clipboard(config)
            self._follow_folders(config)
            self._config = config

    def _follow_clipboard(self, config: Config) -> None:
        open_clipboard = self._around.open_clipboard if config.watch.clipboard else None
        board = self.board
        if open_clipboard and board is None:
            opener = partial(open_clipboard, config.watch.poll_s)
            self.board = Board(opener, self.wake, self._survive, copies=self._copies)
        elif board and open_clipboard is None:
            self.board = None
            board.close()
            self._copies = board.copies

    def _follow_folders(self, config: Config) -> None:
        folders = [Path(folder.path) for folder in config.watch.folders]
        if folders or (self._config and self._config.watch.folders):
            self._folders.watch(folders, existing=config.watch.existing)

    def _look(self) -> None:
        if self.board and not self._followed.reason:
            self._look_at(self.board)
        with self._placing:
            if self._is_in_place():
                self.in_place.set()

    def _look_at(self, board: Board) -> None:
        origin = Origin(CLIPBOARD, board.copies)
        is_expected = self._bursts.is_expected(origin, time.monotonic())
        is_awaited = is_expected or self._giver.is_giving(origin)
        held = board.look(self._max_bytes(), is_awaited=is_awaited)
        if held and self._followed.is_up_to_date:  # a pause may have come while that was read
            self._finder.copied(held, board.copies)

    def _is_in_place(self) -> bool:
        if not self._followed.is_up_to_date:
            return False
        if self._followed.reason or self.board is None:
            return True
        return self.board.is_followed or bool(self.board.problem)

    def _max_bytes(self) -> int:
        return min(_CLIPBOARD_BYTES, self._app.config.limits.input_bytes)

    def _take_due(self) -> None:
        if not self._followed.reason:
            self._finder.do_due(time.monotonic())

    def _follow_rows(self) -> None:
        self._intake.heed_answers()
        if time.monotonic() - self._followed_at >= _ROUND_S:
            self._followed_at = time.monotonic()
            self._intake.follow()
            self._login_news.look()

    def _give(self) -> None:
        self._giver.give_again()
        for links in self._bursts.due(time.monotonic()):
            self._giver.give(links)
        self._teller.flush()

    def _saved(self, file: FileFind) -> None:
        if self._pause.reason:  # which the folders do not know yet
            self._folders.settled(file)
            return
        copies = self.board.copies_at(file.since + _TOLD_S) if self.board else self._copies
        self._finder.saved(file, copies)
