"""The tray in a real panel: seen, opened and clicked with a mouse, and back after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import pictures
from tests.fakes.panel import RIGHT, Box, Desktop, desktop, within
from tests.fakes.person import seen
from tests.fakes.program import Program, eventually
from tests.fakes.x11 import xvfb

SCREEN = "1000x800x24"
PANEL = Box(700, 0, 300, 28)
BLUE, GREY, RED = (0x2F, 0x6F, 0xDE), (0x71, 0x76, 0x7F), (0xD2, 0x3B, 0x3B)
HOST, BUCKET, FORMAT, STYLE, PAUSE = range(5)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Desktop]:
    """A desktop with a panel."""
    folder = tmp_path / "session"
    folder.mkdir()
    with xvfb("-screen", "0", SCREEN) as (display, _), desktop(folder, display) as session:
        session.start_panel()
        yield session


@pytest.fixture
def tray(home: Path, session: Desktop) -> Program:
    """The program in that session."""
    program = Program(home / "imghost", session.environ)
    program.configure()
    return program


def _icon(session: Desktop, colour: tuple[int, int, int] = BLUE) -> tuple[int, int]:
    return within(PANEL, lambda region: session.find(colour, region))


def _open(session: Desktop) -> Box:
    session.click(*_icon(session), button=RIGHT)
    eventually(lambda: len(session.menus()) == 1)
    return session.menus()[0]


def _point_at(session: Desktop, menu: Box, number: int) -> tuple[int, int]:
    """Move the mouse to the so-manyth row that can be clicked, from 0 on; where that is."""
    for at, y in enumerate(session.rows(menu)):
        if at == number:
            return menu.left + menu.width - 25, y
    raise AssertionError(f"the menu has no row {number}")


def test_a_bucket_is_chosen_with_the_mouse(session: Desktop, tray: Program, tmp_path: Path) -> None:
    """Bucket > album is clicked in the open menu: status shows it, and the next link has it."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    with tray.watching():
        menu = _open(session)
        session.seen().save(tmp_path / "menu.png")
        _point_at(session, menu, BUCKET)
        eventually(lambda: len(session.menus()) == 2)
        buckets = next(box for box in session.menus() if box != menu)
        session.seen().save(tmp_path / "buckets.png")
        session.click(*_point_at(session, buckets, 1))
        eventually(lambda: tray.status["bucket"] == "album")
        eventually(lambda: not session.menus())
        (link,) = tray.run("upload", picture).lines
        assert "/album/" in link
        assert seen(link) == pictures.png()
    with tray.watching():
        assert tray.status["bucket"] == "album"


def test_the_icon_tells_the_state(session: Desktop, tray: Program) -> None:
    """It is grey after Pause watching was clicked, and blue again after the next click."""
    with tray.watching():
        menu = _open(session)
        session.click(*_point_at(session, menu, PAUSE))
        eventually(lambda: bool(tray.status["paused"]))
        _icon(session, GREY)
        session.click(*_icon(session, GREY), button=RIGHT)
        eventually(lambda: len(session.menus()) == 1)
        session.click(*_point_at(session, session.menus()[0], PAUSE))
        eventually(lambda: not tray.status["paused"])
        _icon(session, BLUE)


def test_the_icon_stays_whatever_it_tells(session: Desktop, tray: Program) -> None:
    """It turns red and blue again and again, and its menu names the place that counts then."""
    with tray.watching():
        _icon(session)
        for _ in range(2):
            for host, colour in (("bilibili", RED), ("local", BLUE)):
                tray.set("host", host)
                _icon(session, colour)
        assert not any("tray" in missing for missing in tray.status["missing"])
        _open(session)


def test_a_click_opens_the_gallery(session: Desktop, tray: Program, tmp_path: Path) -> None:
    """The icon itself opens the gallery's page in the user's browser."""
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o755)
    tray.environ["BROWSER"] = str(browser)
    with tray.watching() as watching:
        session.click(*_icon(session))
        eventually(opened.exists)
        address = opened.read_text().strip()
    assert address.removesuffix("/") in watching.said


def test_the_panel_crashes(session: Desktop, tray: Program) -> None:
    """When it is back the icon is back, and its menu opens."""
    with tray.watching():
        _icon(session)
        session.kill_panel()
        eventually(lambda: session.find(BLUE, PANEL) is None)
        eventually(lambda: any("tray" in missing for missing in tray.status["missing"]))
        session.start_panel()
        _open(session)
        assert not any("tray" in missing for missing in tray.status["missing"])


def test_the_icon_goes_with_the_program(session: Desktop, tray: Program) -> None:
    """After Quit nothing is left in the panel, and the program has ended well."""
    with tray.watching() as watching:
        menu = _open(session)
        session.click(menu.left + menu.width // 2, menu.top + menu.height - 18)
        watching.must_end(10)
    eventually(lambda: session.find(BLUE, PANEL) is None)


def test_no_tray(session: Desktop, tray: Program) -> None:
    """Without a panel, or with --no-tray, it watches all the same; the former it says once."""
    session.kill_panel()
    with tray.watching() as watching:
        told = "tray: nothing on this desktop shows tray icons"
        eventually(lambda: watching.said.count(told) == 1)
    with tray.watching("--no-tray") as watching:
        assert "tray" not in watching.said


def test_the_panel_needs_little(session: Desktop, tray: Program) -> None:
    """The menu has a row for all that the mission needs, and fits on a small screen."""
    with tray.watching():
        menu = _open(session)
        assert menu.height < 600
        assert sum(1 for _ in session.rows(menu)) >= 15
