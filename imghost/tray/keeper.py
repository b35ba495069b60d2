"""Keeps the tray as things are: one thread looks when something changed, and shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from imghost.desktop.tray import Face, Tray
from imghost.imaging.style import Style
from imghost.models import Image, Record
from imghost.survival import Survival
from imghost.text import Speaker
from imghost.tray.menu import Clicks, MenuMaker
from imghost.tray.pictures import Pictures
from imghost.tray.shown import Shown

_GAP_S = 0.4  # it is not looked more often
_BLINK_S = 0.8
_BLINK_AGAIN_S = 2.0


class Keeper:
    """Its methods may be called from any thread, but for `run` and `refresh`.

    `look` takes a look. `open_tray` opens the tray, given what is to be called when its menu may be
    looked at. `draw` draws what is small, on the threads of `submit`.
    """

    def __init__(
        self,
        look: Callable[[], Shown],
        clicks: Clicks,
        say: Speaker,
        open_tray: Callable[[Callable[[], None]], Tray],
        draw: Callable[[Record, Style], Image],
        submit: Callable[[Callable[[], None]], object],
        survive: Survival,
    ) -> None:
        self._look = look
        self._survive = survive
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._is_seen = False
        self._sent = 0
        self._blinked_at = float("-inf")
        self._pictures = Pictures(draw, submit, self.wake)
        self._maker = MenuMaker(clicks, say, self._pictures)
        self.tray = open_tray(self.opening)

    def run(self) -> None:
        """Keep it until `stop`."""
        while not self._stopping.is_set():
            self._survive(self.refresh)
            self._stopping.wait(_GAP_S)
            self._woken.wait(self._blinks_for_s())
            self._woken.clear()

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()
        self._woken.set()

    def wake(self) -> None:
        """There may be something else to show."""
        self._woken.set()

    def opening(self) -> None:
        """Somebody may look at the menu."""
        self._is_seen = True
        self._woken.set()

    def refresh(self) -> None:
        """Show what there is now."""
        shown = self._look()
        self.tray.show(self._face(shown), self._maker.title(shown), self._maker.menu(shown))
        if self._is_seen:
            self._is_seen = False
            self._pictures.want(shown.recent)

    def _face(self, shown: Shown) -> Face:
        now = time.monotonic()
        if shown.sent > self._sent and now - self._blinked_at > _BLINK_AGAIN_S:
            self._blinked_at = now
        self._sent = shown.sent
        if shown.face in (Face.IDLE, Face.WORKING) and now - self._blinked_at < _BLINK_S:
            return Face.READY
        return shown.face

    def _blinks_for_s(self) -> float | None:
        left_s = self._blinked_at + _BLINK_S - time.monotonic()
        return max(0.0, left_s) if left_s > -_GAP_S else None
