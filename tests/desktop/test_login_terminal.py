"""The code in a real terminal, on dark and on light: a reader reads it off the screen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from PIL import Image
from Xlib import X

from tests.fakes.bilibili import FakeBilibili
from tests.fakes.bilibili_login import address_of
from tests.fakes.camera import scanned
from tests.fakes.program import Program, eventually
from tests.fakes.x11 import Client, xvfb


def screen(display: str) -> Image.Image:
    """What is on the screen."""
    with Client(display) as client:
        root = client.x.screen().root
        size = (root.get_geometry().width, root.get_geometry().height)
        image = root.get_image(0, 0, *size, X.ZPixmap, 0xFFFFFFFF)
        return Image.frombytes("RGB", size, image.data, "raw", "BGRX")


@pytest.mark.parametrize(
    ("paper", "ink"), [("black", "grey90"), ("#fdf6e3", "#657b83"), ("#300a24", "white")]
)
def test_the_code_can_be_scanned(home: Path, paper: str, ink: str) -> None:
    """In a window of 80x24, whatever its colours are."""
    program = Program(home / "imghost")
    with (
        FakeBilibili() as fake,
        xvfb("-screen", "0", "900x500x24") as (display, _server),
    ):
        program.configure(hosts={"bilibili": {"api": fake.url, "passport": fake.url}})
        program.environ["DISPLAY"] = display
        window = ["xterm", "-u8", "-fa", "DejaVu Sans Mono", "-fs", "10", "-geometry", "80x24"]
        program.prefix = (*window, "-bg", paper, "-fg", ink, "-e")
        with program.start("login", stdin=subprocess.DEVNULL) as terminal:
            try:
                eventually(lambda: bool(fake.login.keys))
                address = address_of(fake.login.keys[0])
                eventually(lambda: scanned(screen(display)) == address)
            finally:
                terminal.kill()
