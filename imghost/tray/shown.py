"""What the tray shows at one moment, as values."""

from __future__ import annotations

import time
from collections.abc import Mapping

from imghost.account import Account, wants_login
from imghost.app import App
from imghost.choosing import Choices, Chooser
from imghost.desktop.tray import Face
from imghost.errors import ConfigError
from imghost.models import Message, Record, State, Target
from imghost.report import waiting_reason
from imghost.values import dataclass
from imghost.watch.left_alone import LeftAlone, LeftAlones
from imghost.watch.pausing import Pause
from imghost.watch.watcher import Watcher

RECENT = 10
LEFT_ALONE = 10
WAITING = 15
FAILED = 10
_BROKEN = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """A picture that waits, or that `asks` first."""

    id: int
    name: str
    reason: Message
    asks: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """All that stands in the menu.

    `changes_at`: when it pauses or resumes by itself. `target` is where the next picture goes.
    `choices` is None while the config is wrong, which is the `problem`. `sent` counts since the
    start, `broken` the links that do not work. `login` is the host that wants one, "" if none does;
    `account` is who is logged in where one is needed; `has_trouble`: something failed or a link
    broke since the start, or a host does not answer. The lists are the latest or the first of their
    kind, `counts` tells of how many. Times are in seconds since the epoch.
    """

    pause_reason: Message | None
    changes_at: float
    target: Target
    choices: Choices | None
    problem: Message | None
    sent: int
    broken: int
    counts: Mapping[State, int]
    recent: tuple[Record, ...]
    left_alone: tuple[LeftAlone, ...]
    waiting: tuple[Waiting, ...]
    failed: tuple[Record, ...]
    login: str
    account: Account | None
    has_trouble: bool
    can_put_back: bool
    now: float

    @property
    def face(self) -> Face:
        """What the icon tells of it."""
        if self.problem or self.login or self.has_trouble:
            return Face.PROBLEM
        if self.pause_reason:
            return Face.PAUSED
        if self.counts[State.ASKING]:
            return Face.ASKING
        return Face.WORKING if self.counts[State.UPLOADING] else Face.IDLE


class Look:
    """Takes such looks, from any thread. Raises MachineError without the journal."""

    def __init__(self, app: App, chooser: Chooser, pause: Pause) -> None:
        self._app = app
        self._pause = pause
        self._chooser = chooser
        self._first = app.journal.last_id()

    def __call__(self, watcher: Watcher, left_alones: LeftAlones) -> Shown:
        """What there is to show now."""
        choices, problem = self._choices()
        journal = self._app.journal
        waiting = journal.in_states(State.ASKING, State.QUEUED, limit=WAITING)
        left_alone = left_alones.latest()[-LEFT_ALONE:]
        failed = tuple(journal.latest_failed(FAILED))
        return Shown(
            self._pause.reason,
            self._pause.ends_at,
            self._app.pipeline().config.target(),
            choices,
            problem,
            journal.done_after(self._first),
            journal.count_broken(),
            journal.unsettled(),
            tuple(journal.latest_done(RECENT)),
            tuple(reversed(left_alone)),
            tuple(self._waiting(record) for record in waiting),
            failed,
            wants_login(self._app),
            self._app.account,
            any(record.id > self._first for record in failed)
            or self._waits_for_a_host()
            or any(record.id in watcher.lost.ids for record in journal.broken(_BROKEN)),
            watcher.can_put_back,
            time.time(),
        )

    def _choices(self) -> tuple[Choices | None, Message | None]:
        try:
            return self._chooser.choices(), None
        except ConfigError as exc:
            reason = exc.message.fields.get("problem")  # where the file is would fill the line
            return None, reason if isinstance(reason, Message) else exc.message

    def _waiting(self, record: Record) -> Waiting:
        reason = waiting_reason(self._app, record)
        return Waiting(record.id, record.name, reason, record.state is State.ASKING)

    def _waits_for_a_host(self) -> bool:
        return any(map(self._app.outbox.is_shut, self._app.journal.queued_hosts()))
