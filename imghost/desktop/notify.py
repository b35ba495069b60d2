"""Notices on the desktop, by desktop-notifier; whether anybody is there to see them."""

from __future__ import annotations

import asyncio
import html
import logging
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imghost.desktop.bus import DBUS, DBUS_PATH, BusError, adopt_log, call, connect, disconnect
from imghost.models import Message

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus
    from desktop_notifier import DesktopNotifier

_AT_ONCE = 8
_LONGEST_TITLE, _LONGEST_TEXT = 100, 800  # characters; servers cut anyway, each in its own way
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
_SERVICE = "org.freedesktop.Notifications"
_SERVICE_PATH = "/org/freedesktop/Notifications"

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
        self._bus: MessageBus | None = None
        self._desktop: DesktopNotifier | None = None
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

        On the loop. It starts no service: one that the session is about to start would then find
        its place taken.
        """
        if sys.platform == "linux":
            return await _missing_service()
        with _logged("nobody knows whether notices can be shown"):
            if await (await self._connected()).get_capabilities():
                return None
        return Message(
            "notices: this system shows none from this Python; on macOS use python.org's"
        )

    async def close(self) -> None:
        """Show no more; on the loop. Buttons of notices that are still to be seen do nothing."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._disconnect()

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
        from desktop_notifier import Attachment
        from desktop_notifier import Button as NativeButton

        text = _plain(notice.text, _LONGEST_TEXT)
        if sys.platform == "linux" and "body-markup" in await self._capabilities():
            text = html.escape(text, quote=False)
        desktop = await self._connected()
        shown = asyncio.Event()
        await desktop.send(
            _plain(notice.title, _LONGEST_TITLE),
            text,
            buttons=[NativeButton(b.label, partial(self._press, b)) for b in notice.buttons],
            attachment=Attachment(notice.picture.absolute()) if notice.picture else None,
            on_dispatched=shown.set,
        )
        if not shown.is_set():
            raise BusError("it was not taken")

    async def _capabilities(self) -> list[str]:
        """What the notification service can do, which is started if need be. Raises BusError."""
        if self._bus is None or not self._bus.connected:
            await self._disconnect()
            self._bus = await connect("session")
        asked = (_SERVICE, _SERVICE_PATH, f"{_SERVICE}.GetCapabilities")
        (capabilities,) = await call(self._bus, *asked)
        return list(capabilities)

    async def _connected(self) -> DesktopNotifier:
        if self._desktop is None:
            from desktop_notifier import DesktopNotifier

            adopt_log("desktop_notifier")
            self._desktop = DesktopNotifier("imghost", app_icon=None)
            try:
                await self._desktop.get_capabilities()  # which connects
            except BaseException:  # it would forget a connection that was only half made
                await self._disconnect()
                raise
        return self._desktop

    async def _disconnect(self) -> None:
        if self._bus:
            await disconnect(self._bus)
        backend = self._desktop and self._desktop._backend  # noqa: SLF001 - it has no other end
        if bus := getattr(backend, "bus", None):
            await disconnect(bus)
        self._bus = self._desktop = None

    def _press(self, button: Button) -> None:
        """Whatever thread the system calls this on."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(_pressed, button)


async def _missing_service() -> Message | None:
    try:
        bus = await connect("session")
    except BusError as exc:
        log.debug("%s", exc)
        return Message("notices: no desktop session was found here, so nobody would see any")
    try:
        running = await call(bus, DBUS, DBUS_PATH, f"{DBUS}.ListNames")
        startable = await call(bus, DBUS, DBUS_PATH, f"{DBUS}.ListActivatableNames")
    except BusError as exc:
        log.debug("%s", exc)
    else:
        if _SERVICE in running[0] + startable[0]:
            return None
    finally:
        await disconnect(bus)
    return Message(
        "notices: no notification service answers on this desktop; install one, such as dunst"
    )


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


def _plain(text: str, longest: int) -> str:
    """The text without what systems refuse or hide; one that is too long ends with an ellipsis."""
    cut = text if len(text) <= longest else text[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return "".join(c for c in cut if c == "\n" or unicodedata.category(c) not in _HIDDEN)
