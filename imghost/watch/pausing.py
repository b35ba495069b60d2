"""When nothing is taken: at the user's word, after autostart, while the screen is locked."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from enum import Enum, auto

from imghost.errors import MachineError
from imghost.keep.facts import Facts
from imghost.models import Message
from imghost.values import dataclass

_FACT = "pause"
_MINUTE_S = 60.0

BY_USER = Message("you paused it")
AT_START = Message("it was started by itself, with a host that publishes")
TIME_OVER = Message("the time for which you resumed it is over")
LOCKED = Message("the screen is locked")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user said last: paused or not until then, in seconds since the epoch."""

    is_paused: bool = False
    until: float = math.inf

    def is_paused_at(self, now: float) -> bool:
        """Whether it is paused then; when its time is over the contrary is true."""
        return self.is_paused == (now < self.until)


class Pause:
    """The plan, which outlives a restart, and the screen's lock, which does not.

    `clock` gives seconds since the epoch. Safe from several threads at once: each changes one
    value. What writes raises MachineError.
    """

    def __init__(self, facts: Facts, clock: Callable[[], float] = time.time) -> None:
        self._facts = facts
        self._clock = clock
        self._plan = _plan_of(facts.get(_FACT))
        self._began_paused = False
        self.is_locked = False

    @property
    def reason(self) -> Message | None:
        """Why nothing is taken now, or None."""
        if self.is_locked:
            return LOCKED
        if not self._plan.is_paused_at(self._clock()):
            return None
        if self._began_paused:
            return AT_START
        return BY_USER if self._plan.is_paused else TIME_OVER

    @property
    def ends_at(self) -> float:
        """When the plan turns into its contrary, in seconds since the epoch; may be infinite."""
        return self._plan.until if self._plan.until > self._clock() else math.inf

    def pause(self, minutes: float | None) -> None:
        """Take nothing, for so long; also if that cannot be written down."""
        self._set(Plan(is_paused=True, until=self._after(minutes)))

    def resume(self, minutes: float | None) -> None:
        """Take what comes, for so long."""
        self.is_locked = False
        self._set(Plan(is_paused=False, until=self._after(minutes)))

    def begin_paused(self) -> None:
        """Take nothing after autostart, unless the user said lately how long to watch."""
        plan, now = self._plan, self._clock()
        if plan.is_paused_at(now) or plan.until == math.inf:
            self._plan, self._began_paused = Plan(is_paused=True), True

    def _after(self, minutes: float | None) -> float:
        return math.inf if minutes is None else self._clock() + minutes * _MINUTE_S

    def _set(self, plan: Plan) -> None:
        self._plan, self._began_paused = plan, False
        until = None if plan.until == math.inf else plan.until
        try:
            self._facts.note(_FACT, json.dumps([plan.is_paused, until]))
        except MachineError as exc:
            raise MachineError(
                "paused, but that is not remembered across a restart: {reason}"
                if plan.is_paused
                else "watching, but that is not remembered across a restart: {reason}",
                reason=exc.message,
            ) from exc


class Turn(Enum):
    """What became of the pause."""

    BEGAN = auto()
    ENDED = auto()


class Followed:
    """The pause as one thread knows it, while it begins and ends on others.

    `reason` is what that thread goes by.
    """

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._came = self._seen = 0
        self.reason: Message | None = None

    def began(self) -> None:
        """A pause begins; it counts even if it ends before it is followed."""
        self._came += 1

    def follow(self) -> Turn | None:
        """Go by the pause as it is now; what became of it since the last time."""
        came = self._came
        was_paused = self.reason is not None or came != self._seen
        is_new = self.reason is None
        self._seen, self.reason = came, self._pause.reason
        if self.reason:
            return Turn.BEGAN if is_new else None
        return Turn.ENDED if was_paused else None

    @property
    def is_up_to_date(self) -> bool:
        """Whether nothing became of it since it was followed."""
        return self._came == self._seen and bool(self.reason) == bool(self._pause.reason)


def _plan_of(text: str) -> Plan:
    try:
        match json.loads(text or "null"):
            case [bool(is_paused), None]:
                return Plan(is_paused)
            case [bool(is_paused), int() | float() as until]:
                return Plan(is_paused, float(until))
    except (ValueError, OverflowError, RecursionError):
        pass
    return Plan()
