"""The tray's icon: what it can look like, and how each system shows it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from io import BytesIO
from typing import Any, Protocol

from imghost.desktop.assets import asset
from imghost.desktop.menu_items import Menu
from imghost.models import Message

_NAME = "imghost"


class Face(StrEnum):
    """What the icon tells at a glance."""

    IDLE = "idle"
    WORKING = "working"
    READY = "ready"
    PAUSED = "paused"
    ASKING = "asking"
    PROBLEM = "problem"


class Native(Protocol):
    """The system's icon: pystray's, made to fit."""

    icon: Any
    title: str
    menu: Menu
    visible: bool
    problem: Message | None

    def begin(self) -> None:
        """Show it already before `run`, where that can be."""
        ...

    def set_attention(self, *, wanted: bool) -> None:
        """Have it seen although icons are hidden, where the system knows such a thing."""
        ...

    def run(self, setup: Callable[[Native], None]) -> None:
        """Have `setup` run on a thread, and do the system's work on this one until `stop`."""
        ...

    def stop(self) -> None:
        """End `run`; from any thread."""
        ...


def system_icon(loop: asyncio.AbstractEventLoop, opening: Callable[[], None]) -> Native:
    """This system's."""
    native: Native
    if sys.platform == "win32":
        from imghost.desktop.tray_windows import windows_icon

        native = windows_icon(_NAME, opening)
    elif sys.platform == "darwin":
        from imghost.desktop.tray_macos import mac_icon

        native = mac_icon(_NAME, opening)
    else:
        from imghost.desktop.panel_icon import PanelIcon

        native = PanelIcon(_NAME, loop, opening)
    return native


class Tray:
    """One icon; `run` is for the main thread, `show` for any.

    `loop` is a running loop. `opening` is called when the menu may be looked at.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        opening: Callable[[], None],
        icon: Callable[[asyncio.AbstractEventLoop, Callable[[], None]], Native] = system_icon,
    ) -> None:
        self._native = icon(loop, opening)
        self._images: dict[Face, object] = {}
        self._face = Face.IDLE
        self._native.icon = self._image(self._face)

    @property
    def problem(self) -> Message | None:
        """Why nobody sees it now, and what to do; None if somebody may."""
        return self._native.problem

    def show(self, face: Face, title: str, menu: Menu | None) -> None:
        """Have it look like this; without a menu the former one stays."""
        if face is not self._face:
            self._native.set_attention(wanted=face in (Face.ASKING, Face.PROBLEM))
            self._native.icon = self._image(face)
            self._face = face
        self._native.title = title
        if menu is not None:
            self._native.menu = menu

    def begin(self) -> None:
        """Show it, if that can be before `run`; `problem` is known then."""
        self._native.begin()

    def run(self, until: Callable[[], object]) -> None:
        """Show it until `until`, on a thread of its own, returns."""

        def ready(native: Native) -> None:
            threading.current_thread().name = "imghost-icon"
            try:
                with suppress(OSError, TimeoutError):  # the desktop may come later
                    native.visible = True
                until()
            finally:
                native.stop()

        self._native.run(ready)

    def _image(self, face: Face) -> object:
        from PIL.IcoImagePlugin import IcoImageFile  # alone: Image.open loads all formats for it

        if face not in self._images:
            self._images[face] = IcoImageFile(BytesIO(asset(f"tray-{face}.ico").read_bytes()))
        return self._images[face]
