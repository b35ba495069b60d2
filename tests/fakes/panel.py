"""A real xfce4-panel on a display and a bus of its own, and somebody with a mouse.

Needs `xfce4-panel` (which starts xfconfd), a window manager (`openbox`), and fonts.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageGrab
from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

from tests.fakes.buses import running_bus
from tests.fakes.program import eventually

LEFT, RIGHT = 1, 3
HIGH_PX = 30

_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="28"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/><value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
    </property>
    <property name="plugin-2" type="string" value="systray"/>
  </property>
</channel>
"""


@dataclass(frozen=True)
class Box:
    """A window's place on the screen."""

    left: int
    top: int
    width: int
    height: int


class Desktop:
    """What is on the screen, and a mouse."""

    def __init__(self, display: str, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self._display = display
        self._x: Any = Display(display)
        self._panel: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Nobody is there any more."""
        self._x.close()

    def start_panel(self) -> None:
        """Begin to have a panel."""
        self._panel = subprocess.Popen(
            ["xfce4-panel", "--disable-wm-check"],
            env=os.environ | self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill_panel(self) -> None:
        """It crashes, with all its plugins."""
        if self._panel:
            os.killpg(self._panel.pid, signal.SIGKILL)
            self._panel.wait()
            self._panel = None

    def seen(self) -> Image.Image:
        """A picture of the screen."""
        return ImageGrab.grab(xdisplay=self._display).convert("RGB")

    def find(self, colour: tuple[int, int, int], region: Box) -> tuple[int, int] | None:
        """Where pixels of just this colour are, in the middle of them."""
        area = (region.left, region.top, region.left + region.width, region.top + region.height)
        part = self.seen().crop(area)
        places = [
            divmod(at, part.width)
            for at, pixel in enumerate(part.get_flattened_data())
            if pixel == colour
        ]
        if not places:
            return None
        y, x = places[len(places) // 2]
        return region.left + x, region.top + y

    def move(self, x: int, y: int) -> None:
        """Move the mouse there."""
        xtest.fake_input(self._x, X.MotionNotify, x=x, y=y)
        self._x.sync()

    def click(self, x: int, y: int, button: int = LEFT) -> None:
        """Click there."""
        self.move(x, y)
        for event in (X.ButtonPress, X.ButtonRelease):
            xtest.fake_input(self._x, event, button)
        self._x.sync()

    def menus(self) -> list[Box]:
        """The menus that are open, those that were opened last at the end."""
        found = []
        for window in self._x.screen().root.query_tree().children:
            attributes, shape = window.get_attributes(), window.get_geometry()
            is_seen = attributes.map_state == X.IsViewable and attributes.override_redirect
            if is_seen and shape.height > HIGH_PX and shape.width > HIGH_PX:
                found.append(Box(shape.x, shape.y, shape.width, shape.height))
        return found

    def rows(self, menu: Box) -> Iterator[int]:
        """Move down a menu from row to row that can be clicked; where the mouse is each time."""
        before: Sequence[int] = ()
        x = menu.left + menu.width - 25
        for y in range(menu.top + 2, menu.top + menu.height - 2, 4):
            self.move(x, y)
            lit = self._lit(menu)
            if lit and lit != before and y in lit:
                before = lit
                yield y

    def _lit(self, menu: Box) -> list[int]:
        """The rows of pixels that are lit up where the mouse is."""
        self._settle()
        column = self.seen().crop((menu.left + 4, menu.top, menu.left + 5, menu.top + menu.height))
        pixels = [column.getpixel((0, y)) for y in range(menu.height)]
        plain = max(set(pixels), key=pixels.count)
        return [menu.top + y for y, pixel in enumerate(pixels) if _is_far(pixel, plain)]

    def _settle(self) -> None:
        """Wait until the screen is drawn: two pictures of it are the same."""
        last: bytes = b""

        def is_still() -> bool:
            nonlocal last
            former, last = last, self.seen().tobytes()
            return former == last

        eventually(is_still)


_FAR = 60


def _is_far(one: Any, other: Any) -> bool:
    return any(abs(a - b) > _FAR for a, b in zip(one, other, strict=True))


@contextmanager
def desktop(folder: Path, display: str) -> Iterator[Desktop]:
    """A session with a window manager and without a panel yet; `environ` is for its programs."""
    config = folder / "config"
    settings = config / "xfce4" / "xfconf" / "xfce-perchannel-xml" / "xfce4-panel.xml"
    settings.parent.mkdir(parents=True)
    settings.write_text(_SETTINGS)
    folder.chmod(0o700)
    with running_bus(folder) as address:
        environ = {
            "DISPLAY": display,
            "DBUS_SESSION_BUS_ADDRESS": address,
            "XDG_CONFIG_HOME": str(config),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_RUNTIME_DIR": str(folder),
            "GTK_A11Y": "none",
            "NO_AT_BRIDGE": "1",
        }
        (keeps_settings,) = Path("/usr/lib").glob("*/xfce4/xfconf/xfconfd")
        with _program([str(keeps_settings)], environ), _program(["openbox"], environ):
            here = Desktop(display, environ)
            try:
                yield here
            finally:
                here.kill_panel()
                here.close()


@contextmanager
def _program(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[None]:
    with subprocess.Popen(
        command,
        env=os.environ | dict(environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as program:
        try:
            yield
        finally:
            program.terminate()


def within(region: Box, find: Callable[[Box], tuple[int, int] | None]) -> tuple[int, int]:
    """Wait until it is found there."""
    found: list[tuple[int, int]] = []

    def is_found() -> bool:
        if place := find(region):
            found.append(place)
        return bool(found)

    eventually(is_found)
    return found[0]
