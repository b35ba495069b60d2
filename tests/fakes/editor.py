"""The editors' door with everything behind it, on a free port, and what editors send to it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imghost.app import App
from imghost.backend import Backend
from imghost.dirs import Dirs
from imghost.editors import Editors
from imghost.server.answers import send_text
from imghost.server.app import make_app
from imghost.server.guard import callers_of
from imghost.server.patience import Patience
from imghost.server.peer import stranger_check
from imghost.server.picgo import door_routes
from imghost.text import Speaker
from tests.fakes.serving import Answer, ask, raw, serving
from tests.fakes.taking import write_config
from tests.fakes.watched import Watched

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from imghost.imaging.prepare import Prepare

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
_THREADS = 64


@dataclass(frozen=True)
class Door:
    """A running door, and the app behind it."""

    port: int
    app: App

    def post(
        self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request."""
        return ask(self.port, path, headers, method="POST", body=body)

    def upload(self, *named: object, query: str = "") -> dict[str, Any]:
        """What comes of paths and links in a JSON list."""
        return self.told(self.post(f"/upload{query}", json.dumps({"list": named}).encode()))

    def told(self, answer: Answer, status: int = 200) -> dict[str, Any]:
        """The value of an answer of this status."""
        assert answer.status == status, answer.body
        return dict(json.loads(answer.body))

    def raw(self, *lines: str, body: bytes = b"") -> bytes:
        """All that comes back for these lines, in which {port} is ours."""
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        return raw(self.port, head.format(port=self.port).encode() + body)

    def sent(self) -> int:
        """How many pictures were accepted."""
        return len(self.app.journal.history())


@contextmanager
def open_door(
    dirs: Dirs,
    watched: Watched | None = None,
    patience: Patience | None = None,
    prepare: Prepare | None = None,
    **sections: Any,
) -> Iterator[Door]:
    """A door with this config; that of a daemon that watches, or of a mere server."""
    with ExitStack() as stack:
        if watched is None:
            file = write_config(dirs, sections)
            app = stack.enter_context(App(dirs, file, file.load(), prepare_bytes=prepare))
        else:
            app = watched.app
        watcher = watched.watcher if watched else None
        pool = stack.enter_context(ThreadPoolExecutor(_THREADS, thread_name_prefix="door"))
        stack.callback(app.cut)
        editors = Editors(app, Backend(app, Speaker("en"), lambda: None, watcher).upload, watcher)
        server = app.config.server
        max_bytes = app.config.limits.input_bytes

        def made(port: int) -> ASGIApp:
            app.serve_at(f"http://127.0.0.1:{port}")
            return make_app(
                no_files,
                door_routes(editors, server.secret, pool, max_bytes, Speaker("en")),
                callers_of(port, server.hosts, server.origins),
                stranger_check(),
                Speaker("en"),
                admits_elsewhere=bool(server.secret),
            )

        yield Door(stack.enter_context(serving(made, patience)), app)


async def no_files(_scope: Scope, _receive: Receive, send: Send) -> None:
    """There are none."""
    await send_text(send, 404, "none")


def form(*files: tuple[str, str, bytes], fields: Mapping[str, str] | None = None) -> bytes:
    """A form as browsers send it: (field, file name, bytes), and plain fields before them."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (fields or {}).items()
    ]
    for field, name, data in files:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def address_of_this_machine() -> str:
    """One that is not loopback, "" if there is none; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(sock.getsockname()[0])
