"""Notices on the desktop, one after the other; whether anybody is there to see them."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from imghost.desktop.bus import BusError
from imghost.models import Message
from imghost.values import dataclass

_PROGRAM = "imghost"
_AT_ONCE = 8
_LONGEST_TITLE, _LONGEST_TEXT = 100, 800  # characters; servers cut anyway, each in its own way
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Button:
    """What a person may press; `pressed` is called on the loop's thread, and must be quick."""

    label: str
    pressed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told: plain text, maybe with a picture from a file, maybe with buttons."""

    title: str
    text: str
    picture: Path | None = None
    buttons: tuple[Button, ...] = ()


class Native(Protocol):
    """How this system shows notices; on one loop."""

    async def show(
        self,
        title: str,
        text: str,
        picture: Path | None,
        buttons: Sequence[tuple[str, Callable[[], None]]],
    ) -> None:
        """Show plain text, a picture by its whole path, and buttons: labels, and what they call."""
        ...

    async def missing(self) -> Message | None:
        """Why nobody would see a notice, and what to do; None where somebody might."""
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


class Notifier:
    """Shows notices, one after the other; what could not be shown is said in the log.

    `loop` is the running loop that does it, and that hears of pressed buttons. A notice that takes
    longer than `limit_s`, waiting for its turn included, is given up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, limit_s: float = 10.0) -> None:
        self._loop = loop
        self._limit_s = limit_s
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._native = _native()
        self._closed = False

    def show(self, notice: Notice) -> None:
        """Begin to show it; from any thread. Dropped if several others are still under way."""
        if not self._room.acquire(blocking=False):
            log.info("a notice was dropped, %d are under way: %s", _AT_ONCE, notice.title)
            return
        try:
            self._loop.call_soon_threadsafe(self._begin, notice)
        except RuntimeError:  # the loop has ended
            self._room.release()

    async def missing(self) -> Message | None:
        """Why nobody would see a notice, and what to do; None where somebody might.

        On the loop.
        """
        with _logged("nobody knows whether notices can be shown"):
            return await self._native.missing()
        return None

    async def close(self) -> None:
        """Show no more; on the loop. Buttons of notices that are still to be seen do nothing."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._native.close()

    def _begin(self, notice: Notice) -> None:
        if self._closed:
            return
        task = self._loop.create_task(self._deliver(notice))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()

    async def _deliver(self, notice: Notice) -> None:
        with _logged("a notice was not shown"):
            async with asyncio.timeout(self._limit_s), self._turn:
                await self._hand_over(notice)

    async def _hand_over(self, notice: Notice) -> None:
        await self._native.show(
            _plain(notice.title, _LONGEST_TITLE),
            _plain(notice.text, _LONGEST_TEXT),
            _whole(notice.picture),
            [(button.label, partial(self._press, button)) for button in notice.buttons],
        )

    def _press(self, button: Button) -> None:
        """Whatever thread the system calls this on."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(_pressed, button)


def _native() -> Native:
    native: Native
    if sys.platform == "linux":
        from imghost.desktop.notify_linux import BusNotices

        native = BusNotices(_PROGRAM)
    else:
        from imghost.desktop.notify_native import NativeNotices

        native = NativeNotices(_PROGRAM)
    return native


def _pressed(button: Button) -> None:
    with _logged(f"the button {button.label} failed"):
        button.pressed()


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Whatever is raised inside ends in the log: by foreign libraries, or for whoever pressed."""
    try:
        yield
    except (BusError, TimeoutError) as exc:
        log.info("%s: %r", what, exc)
    except Exception:
        log.exception("%s", what)


def _whole(path: Path | None) -> Path | None:
    return path.absolute() if path else None


def _plain(text: str, longest: int) -> str:
    """The text without what systems refuse or hide; one that is too long ends with an ellipsis."""
    cut = text if len(text) <= longest else text[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return "".join(c for c in cut if c == "\n" or unicodedata.category(c) not in _HIDDEN)
