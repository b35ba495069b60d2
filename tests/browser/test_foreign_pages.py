"""A page of somebody else in the same browser: it changes nothing and reads nothing."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from imghost.server.gallery.pages import static_version
from tests.fakes import pictures
from tests.fakes.browser import open_tab
from tests.fakes.program import Program, eventually

CHANGING = (
    *(f"/gallery/{call}" for call in ("retry", "discard", "forget", "choose", "watch")),
    *("/gallery/preview?name=a.png", "/gallery/upload?name=a.png"),
    *(f"/api/{call}" for call in ("stop", "upload", "retry", "pause", "resume", "putback", "copy")),
    *("/upload", "/delete", "/heartbeat", "/upload?uploader=local", "/", "/settings"),
)
SEEING = (
    *("/", "/settings", "/login", "/picture/1", "/gallery/texts?ids=1", "/gallery/bench/1"),
    *("/gallery/thumbnail/1", "/gallery/whole/1", "/gallery/styled/1?style=@9w.webp"),
    *(f"/gallery/static/{static_version()}/gallery.js", "/api/status", "/heartbeat", "/api/given"),
)

ATTACK = (Path(__file__).parent / "attack.js").read_text(encoding="utf-8")


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>evil</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the standard library's name

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _elsewhere() -> Iterator[int]:
    """Somebody else's web server on this machine; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _kept(program: Program) -> dict[str, Any]:
    """All that may not change: what was accepted, every file of it, the config, the state."""
    files = {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("data/originals", "data/local", "config")
        for path in (program.home / folder).rglob("*")
        if path.is_file()
    }
    status = program.status
    return {"history": program.history, "files": files, "state": status["state"]}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
def test_a_foreign_page_changes_and_reads_nothing(
    chromium: Browser, program: Program, tmp_path: Path, host: str
) -> None:
    """By fetch, beacon, form, image, script and frame, with each kind of body, on every route."""
    stolen = tmp_path / "stolen.png"
    stolen.write_bytes(pictures.png(seed=9))
    mine = tmp_path / "mine.png"
    mine.write_bytes(pictures.png())
    with program.serving() as url, _elsewhere() as port:
        program.run("upload", mine)
        eventually(lambda: program.history[0]["alive"] == "alive")  # the last change of its own
        before = _kept(program)
        with open_tab(chromium, f"http://{host}:{port}") as tab:
            tab.go()
            asked = [url, CHANGING, SEEING, str(stolen)]
            assert tab.page.evaluate(ATTACK, [tab.url, ["/"], ["/"], ""])  # its own it can read
            assert tab.page.evaluate(ATTACK, json.loads(json.dumps(asked))) == []
            tab.page.goto("about:blank")
        assert _kept(program) == before


def test_a_rebound_name_shows_nothing(chromium: Browser, program: Program) -> None:
    """A foreign name that leads to this machine, with our own port: every address is refused."""
    with program.serving() as url:
        foreign = f"http://evil.example:{urlsplit(url).port}"
        with open_tab(chromium, foreign) as tab:
            for path in SEEING:
                answer = tab.page.goto(foreign + path)
                assert answer
                assert answer.status == 403
                assert "imghost-page" not in answer.text()
