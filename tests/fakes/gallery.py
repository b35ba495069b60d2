"""The gallery on a real server in this process, and somebody who calls it as its page does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from imghost.app import App
from imghost.backend import Backend
from imghost.choosing import Chooser
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.gallery import Gallery
from imghost.hosts.local import find_file
from imghost.imaging.style import Style
from imghost.imaging.styled import styled
from imghost.models import Image, State
from imghost.secret import Secret
from imghost.server.app import make_app
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from imghost.server.body import Recent
from imghost.server.commands import command_routes
from imghost.server.files import Files
from imghost.server.gallery.access import PAGE_HEADER
from imghost.server.gallery.routes import gallery_routes
from imghost.server.guard import callers_of
from imghost.server.renderings import Renderings
from imghost.server.shelf import Shelf
from imghost.text import Speaker
from imghost.watch.watcher import Watcher
from tests.fakes.serving import Answer, ask, serving
from tests.fakes.taking import write_config

if TYPE_CHECKING:
    from starlette.types import ASGIApp

COMMANDS_TOKEN = "the commands' own"
PAGE_TOKEN = "the page's own"
MAX_BYTES = 5_000_000


@dataclass
class Visitor:
    """A browser with the page open, without what draws it; `app` is what stands behind it."""

    port: int
    app: App
    file: ConfigFile
    sent: list[str]

    def see(self, path: str, **headers: str) -> Answer:
        """Open an address."""
        return ask(self.port, path, self._told(headers))

    def page(self, path: str) -> str:
        """The HTML of a page that must be there."""
        answer = self.see(path)
        assert answer.status == 200, answer.body
        return answer.body.decode()

    def json(self, path: str) -> Any:
        """What a call that must succeed tells."""
        answer = self.see(path)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def post(
        self,
        path: str,
        value: object = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Change something, with the page's token unless another is given."""
        data = json.dumps(value).encode() if body is None else body
        return ask(self.port, path, self._told(headers or {}, PAGE_TOKEN), method="POST", body=data)

    def change(self, path: str, value: object = None) -> Any:
        """Change something; that must succeed."""
        answer = self.post(path, value)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def preview(self, data: bytes, name: str) -> tuple[Any, bytes]:
        """What would be sent of these bytes."""
        answer = self.post(f"/gallery/preview?name={quote(name)}", body=data)
        assert answer.status == 200, answer.body
        line, _, image = answer.body.partition(b"\n")
        return json.loads(line), image

    def uploaded(
        self, data: bytes, name: str = "a.png", *, host: str = "", bucket: str = ""
    ) -> int:
        """Bring a picture in, past the page; its id."""
        given = UploadRequest((BytesInput(name, data),), UploadOptions(host, bucket))
        (settled,) = self.app.upload(given)
        assert settled.record
        return settled.record.id

    def state(self, record_id: int) -> State:
        """How an upload stands."""
        return self.app.journal.get(record_id).state

    @staticmethod
    def _told(headers: Mapping[str, str], token: str = "") -> dict[str, str]:
        shown = {PAGE_HEADER: token} if token else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {name: value for name, value in {**shown, **named}.items() if value}


@contextmanager
def visiting(
    dirs: Dirs, language: str = "en", watcher: Watcher | None = None, **sections: Any
) -> Iterator[Visitor]:
    """A running gallery with a config of these sections."""
    file = write_config(dirs, sections)
    say, sent, recent, later = Speaker(language), list[str](), Recent(), _Later()
    renderings = Renderings(Shelf(dirs.renderings, 10_000_000), recent, _draw)
    files = Files(lambda bucket, name: find_file(dirs.local, bucket, name), renderings, recent, say)
    with (
        ThreadPoolExecutor(4, thread_name_prefix="call") as workers,
        serving(lambda _: later) as port,
        App(dirs, file, file.load(), base_url=f"http://127.0.0.1:{port}") as app,
    ):
        backend = Backend(app, say, lambda: None, watcher)
        gallery = Gallery(app, backend, Chooser(app, file), lambda: sent.append("queued"))
        routes = [
            *command_routes(backend, Secret(COMMANDS_TOKEN), workers, MAX_BYTES),
            *gallery_routes(gallery, renderings, Secret(PAGE_TOKEN), workers, say, MAX_BYTES),
        ]
        later.answers = make_app(files, routes, callers_of(port), lambda *_: False, say)
        yield Visitor(port, app, file, sent)


class _Later:
    """The application, whose parts must know the port first."""

    answers: ASGIApp

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as it will."""
        await self.answers(scope, receive, send)


def _draw(original: Path, style: Style) -> Image:
    return styled(original.read_bytes(), original.name, style)


class Read(HTMLParser):
    """A page as a browser understands it: its elements with their attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Remember a text."""
        if text := re.sub(r"\s+", " ", data).strip():
            self.texts.append(text)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of the elements of this kind that have these."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            found
            for name, found in self.elements
            if name == tag and wanted.items() <= found.items()
        ]

    @property
    def cards(self) -> list[dict[str, str]]:
        """The uploads on it."""
        return self.all("li", class_="card")
