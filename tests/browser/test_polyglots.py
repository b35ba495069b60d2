"""Pictures that are pages and scripts as well: in a browser they are pictures, and nothing runs."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.fakes import pictures
from tests.fakes.bombs import BITMAP, chunk
from tests.fakes.browser import Tab, open_tab
from tests.fakes.program import Program, eventually
from tests.fakes.site import Page, Site

RAN = "/ran"
HTML, SCRIPT = "text/html", "text/javascript"
WAYS = (
    *('<script src="{}"></script>', '<script type=module src="{}"></script>', '<img src="{}">'),
    *('<iframe src="{}"></iframe>', '<object data="{}"></object>'),
    *('<link rel=stylesheet href="{}">', '<object type="text/html" data="{}"></object>'),
)


def _gif(script: bytes) -> bytes:
    """A GIF whose width begins a comment that its own comment ends, and so on."""
    words = b"*/=1;" + script + b"/*"
    head = b"GIF89a/*" + struct.pack("<H3B", 1, 0x80, 0, 0) + bytes(6)
    return head + b"\x21\xfe" + bytes([len(words)]) + words + b"\0" + BITMAP + b";*/"


def _png(page: bytes) -> bytes:
    """A PNG with a page in its text, and behind its end."""
    data = pictures.png()
    return data[:33] + chunk(b"tEXt", b"Comment\0" + page) + data[33:] + page


def _jpeg(page: bytes) -> bytes:
    """A JPEG with a page in its comment."""
    return pictures.jpeg(comment=page)


@pytest.fixture
def site() -> Site:
    """Somebody's site, which hears what runs."""
    return Site()


def _polyglots(site: Site) -> dict[str, tuple[str, bytes]]:
    """By their names, which lie: what they are besides, and their bytes."""
    script = f"new Image().src='{site.url}{RAN}';alert(1);".encode()
    page = b'<html><body onload="' + script + b'"><script>' + script + b"</script></html>"
    return {
        "a.js": (SCRIPT, _gif(script)),
        "b.html": (HTML, _png(page)),
        "c.svg": (HTML, _jpeg(page)),
        '"><script>alert(1)<': (HTML, _png(b"<svg onload=alert(1)>" + page)),
    }


def _show(tab: Tab, site: Site, link: str) -> None:
    """Open a link, and a page of somebody else that holds it in every way."""
    tab.page.goto(link)
    ways = "".join(way.format(link) for way in WAYS)
    site.pages["/page"] = Page(f"<!doctype html>{ways}".encode(), HTML)
    tab.page.goto(f"{site.url}/page")
    tab.page.wait_for_load_state("networkidle")


def _has_run(site: Site) -> bool:
    return any(path == RAN for path, _ in site.asked)


def test_as_what_they_are_besides_they_run(chromium: Browser, site: Site) -> None:
    """Else what follows proves nothing: served as page or script, each does what it is for."""
    with site:
        for name, (mime_type, data) in _polyglots(site).items():
            site.pages["/it"] = Page(data, mime_type)
            way = '<script src="/it"></script>' if mime_type == SCRIPT else "<iframe src=/it>"
            site.pages["/page"] = Page(f"<!doctype html>{way}".encode(), HTML)
            site.asked.clear()
            with open_tab(chromium, site.url) as tab:
                tab.go("/page")
                eventually(lambda: _has_run(site))
                assert "a dialog: 1" in tab.complaints, name


@pytest.mark.parametrize("strips", [True, False])
def test_nothing_runs(
    chromium: Browser, site: Site, program: Program, tmp_path: Path, strips: bool
) -> None:
    """Neither by a link nor from another page, though what they carry is left in them."""
    program.configure(convert={"strip_metadata": strips})
    with site, program.serving() as url:
        for name, (_, data) in _polyglots(site).items():
            path = tmp_path / name
            path.write_bytes(data)
            (link,) = program.run("upload", path).lines
            with open_tab(chromium, url) as tab:
                _show(tab, site, link)
                answer = tab.page.goto(link)
                assert answer
                assert (b"alert(1)" in answer.body()) is not strips, name
                assert answer.headers["content-type"].startswith("image/"), name
                tab.page.goto(f"{url}/")
                tab.page.wait_for_load_state("networkidle")
                assert [said for said in tab.complaints if "dialog" in said] == [], name
        assert not _has_run(site)
        assert {path for path, _ in site.asked} <= {"/page", "/favicon.ico"}
