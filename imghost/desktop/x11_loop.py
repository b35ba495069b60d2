"""An event loop that belongs to no thread: whoever waits for a task turns it for all tasks."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any, Generic, TypeAlias, TypeVar, cast

from imghost.desktop.x11_events import Asked, Changed, Cleared, Gone, WindowEvent
from imghost.desktop.x11_guard import Guard, cut_after
from imghost.desktop.x11_wire import Wire
from imghost.errors import MachineError

T = TypeVar("T")
W = TypeVar("W", bound=WindowEvent)
Inbox: TypeAlias = deque[WindowEvent]
Steps: TypeAlias = Generator[float, None, T]
"""A task. It yields to wait for an event, at most until this time of the monotonic clock."""


class Loop:
    """The tasks on a display, and the one thread at a time that works on it.

    That thread goes on until its own task has ended; then one of those that wait takes over.
    `handle` is given the events that are not about a window of some task. A server that does not
    reply for `reply_s` is given up: then the display is gone.
    """

    def __init__(
        self, wire: Wire, handle: Callable[[Changed | Cleared | Asked], None], reply_s: float
    ) -> None:
        self._wire = wire
        self._handle = handle
        self._inboxes: dict[int, list[Inbox]] = {}
        self._tasks: list[_Task[Any]] = []
        self._turn = threading.Condition()
        self._guard = Guard(wire.cut, reply_s)
        self._working = self._broken = self._closed = False

    def run(self, steps: Steps[T], limit_s: float = inf) -> T:
        """What a task gives in the end; from any thread.

        Raises MachineError if the display is gone, or if others keep it for longer than `limit_s`.
        """
        task = _Task(steps)
        try:
            if self._wait_for_turn(task, None if limit_s == inf else limit_s):
                self._work(task)
        finally:
            self._drop(task)
        return cast("T", task.value)

    def start(self, steps: Steps[None]) -> None:
        """Take the first step of a task that nobody waits for; only for `handle` and tasks."""
        task = _Task(steps)
        task.go_on()
        with self._turn:
            self._tasks.append(task)

    @contextmanager
    def inbox(self, window: int) -> Iterator[Inbox]:
        """The events of a window from now on."""
        inbox: Inbox = deque()
        self._inboxes.setdefault(window, []).append(inbox)
        try:
            yield inbox
        finally:
            self._inboxes[window] = [one for one in self._inboxes[window] if one is not inbox]
            if not self._inboxes[window]:
                del self._inboxes[window]

    def has_inbox(self, window: int) -> bool:
        """Whether a task waits for events of this window."""
        return window in self._inboxes

    def close(self, limit_s: float) -> None:
        """End the connection as soon as nobody works on it; after so long, whoever works."""
        with self._turn:
            with cut_after(limit_s, self._wire.cut):
                free = self._turn.wait_for(lambda: not self._working, 2 * limit_s)
            if free and not self._closed:
                self._wire.close()
            self._closed = True
            self._turn.notify_all()
        self._guard.close()

    def _wait_for_turn(self, task: _Task[T], limit_s: float | None) -> bool:
        """False if another thread has done the task meanwhile."""
        with self._turn:
            self._tasks.append(task)
            if not self._closed:
                self._wire.wake()
            if not self._turn.wait_for(lambda: task.done or not self._working, limit_s):
                raise MachineError("the clipboard does not answer; try again")
            if task.done:
                return False
            if self._closed or self._broken:
                raise MachineError(
                    "the connection to the display has ended; imghost watch looks for it again"
                )
            self._working = True
            return True

    def _work(self, task: _Task[T]) -> None:
        more = True
        try:
            with self._wire.reachable():
                while not task.done:
                    if not more:
                        self._wire.wait(min(other.due for other in self._tasks))
                    # an exception from here would leave the library in disorder
                    self._broken = True
                    with self._guard.working():
                        more = self._round()
                    self._broken = False
        finally:
            with self._turn:
                self._working = False
                self._turn.notify_all()

    def _round(self) -> bool:
        for event in self._wire.events():
            if isinstance(event, Asked | Cleared | Changed):
                self._handle(event)
            else:
                for inbox in self._inboxes.get(event.window, ()):
                    inbox.append(event)
        tasks = list(self._tasks)
        for task in tasks:
            task.go_on()
        if any(task.done for task in tasks):
            with self._turn:
                self._tasks = [task for task in self._tasks if not task.done]
                self._turn.notify_all()
        return self._wire.settle()

    def _drop(self, task: _Task[T]) -> None:
        with self._turn:
            self._tasks = [other for other in self._tasks if other is not task]


class _Task(Generic[T]):
    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps
        self.due = 0.0
        self.done = False
        self.value: T | None = None

    def go_on(self) -> None:
        try:
            self.due = next(self._steps)
        except StopIteration as end:
            self.done, self.value = True, end.value


def arrival(
    inbox: Inbox,
    kind: type[W],
    fits: Callable[[W], bool],
    until: float,
    *,
    given_up: Callable[[], bool] = lambda: False,
) -> Steps[W | None]:
    """The first event of a kind that fits.

    None if the time is over, it is given up, or the window is gone.
    """
    while True:
        while inbox:
            event = inbox.popleft()
            if isinstance(event, kind) and fits(event):
                return event
            if isinstance(event, Gone):
                return None
        if given_up() or time.monotonic() >= until:
            return None
        yield until
