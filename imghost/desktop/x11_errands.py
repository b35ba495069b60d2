"""Several errands on one display: a thread that waits for its own works for all of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeAlias, TypeVar, cast

from imghost.desktop.x11_events import Asked, Changed, Cleared, Gone, Letter
from imghost.desktop.x11_wire import Wire
from imghost.errors import MachineError

T = TypeVar("T")
L = TypeVar("L", bound=Letter)
Mail: TypeAlias = deque[Letter]
Steps: TypeAlias = Generator[float, None, T]
"""An errand. It yields to wait for a letter, at most until this time of the monotonic clock."""

FOREVER = float("inf")


class Errands:
    """What is under way on a display, and the one thread at a time that works on it.

    Whoever waits for an errand works until it has ended, and on those of all others meanwhile;
    then one of these goes on. `handle` is given the events that are no letters.
    """

    def __init__(self, wire: Wire, handle: Callable[[Changed | Cleared | Asked], None]) -> None:
        self._wire = wire
        self._handle = handle
        self._boxes: dict[int, list[Mail]] = {}
        self._tasks: list[_Task[Any]] = []
        self._turn = threading.Condition()
        self._working = self._broken = self._ended = False

    def begin(self, steps: Steps[None]) -> None:
        """Do the first steps of an errand that nobody waits for; only for `handle` and errands."""
        task = _Task(steps)
        task.go_on()
        with self._turn:
            self._tasks.append(task)

    def finish(self, steps: Steps[T], limit_s: float | None = None) -> T:
        """What an errand gives in the end; from any thread.

        Raises MachineError if the display is gone, or if others keep it for longer than `limit_s`.
        """
        task = _Task(steps)
        try:
            if self._wait_for_turn(task, limit_s):
                self._work(task)
        finally:
            self._drop(task)
        return cast("T", task.value)

    @contextmanager
    def mail(self, window: int) -> Iterator[Mail]:
        """The letters to a window from now on."""
        mail: Mail = deque()
        self._boxes.setdefault(window, []).append(mail)
        try:
            yield mail
        finally:
            self._boxes[window] = [box for box in self._boxes[window] if box is not mail]
            if not self._boxes[window]:
                del self._boxes[window]

    def is_awaited(self, window: int) -> bool:
        """Whether an errand reads a window's letters."""
        return window in self._boxes

    def wake(self) -> None:
        """Let the errands look again at what they wait for."""
        with self._turn:
            if not self._ended:
                self._wire.wake()

    def close(self, limit_s: float) -> None:
        """End the connection once nobody works on it."""
        with self._turn:
            free = self._turn.wait_for(lambda: not self._working, limit_s)
            if free and not self._ended:
                self._wire.close()
            self._ended = True
            self._turn.notify_all()

    def _wait_for_turn(self, task: _Task[T], limit_s: float | None) -> bool:
        """False if others have done it."""
        with self._turn:
            self._tasks.append(task)
            if not self._ended:
                self._wire.wake()
            if not self._turn.wait_for(lambda: task.done or not self._working, limit_s):
                raise MachineError("the clipboard does not answer; try again")
            if task.done:
                return False
            if self._ended or self._broken:
                raise MachineError("the clipboard cannot be used any more; start imghost again")
            self._working = True
            return True

    def _work(self, task: _Task[T]) -> None:
        more = True
        try:
            with self._wire.reachable():
                while not task.done:
                    if not more:
                        self._wire.wait(min(other.due for other in self._tasks))
                    self._broken = (
                        True  # whatever breaks off a round leaves the library in disorder
                    )
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
                for mail in self._boxes.get(event.window, ()):
                    mail.append(event)
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
    mail: Mail,
    kind: type[L],
    fits: Callable[[L], bool],
    until: float,
    *,
    given_up: Callable[[], bool] = lambda: False,
) -> Steps[L | None]:
    """The first letter of a kind that fits.

    None if the time is over, it is given up, or the window is gone.
    """
    while True:
        while mail:
            letter = mail.popleft()
            if isinstance(letter, kind) and fits(letter):
                return letter
            if isinstance(letter, Gone):
                return None
        if given_up() or time.monotonic() >= until:
            return None
        yield until
