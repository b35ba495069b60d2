"""An asyncio loop in a thread of its own, as the daemon has one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from tests.fakes.program import DEADLINE_S

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Loop:
    """A running loop, to be used from other threads."""

    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it on the loop, and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(DEADLINE_S)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call it on the loop, and wait for what comes of it."""

        async def called() -> T:
            return function(*args, **kwargs)

        return self.run(called())

    @contextmanager
    def doing(self, work: Coroutine[Any, Any, None]) -> Iterator[asyncio.Task[None]]:
        """Do it on the loop until the end of the block; it must not have failed."""
        task: asyncio.Task[None] = self.call(self.loop.create_task, work)
        try:
            yield task
        finally:
            self.call(task.cancel)
            self.run(_awaited(task))


@contextmanager
def running_loop() -> Iterator[Loop]:
    """A loop that runs until the end of the block."""
    with asyncio.Runner() as runner:
        loop, ended = runner.get_loop(), asyncio.Event()
        thread = threading.Thread(target=runner.run, args=(ended.wait(),), name="test-loop")
        thread.start()
        try:
            yield Loop(loop)
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join()


async def _awaited(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
