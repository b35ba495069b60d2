"""A web server on loopback in a thread of its own: what fakes of hosts and sites stand on."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

_POLL_S = 0.02

F = TypeVar("F")


class Server(ThreadingHTTPServer, Generic[F]):
    """Hands requests to handlers, which find their `fake` here."""

    daemon_threads = False
    request_queue_size = 128
    fake: F

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients are made to break off."""


class Quiet:
    """For a request handler of which nothing is logged.

    It leaves a peer that is silent for a minute, as servers do: one that went while there was no
    network is never heard of again, and `close` would wait for it for ever.
    """

    timeout: ClassVar[float | None] = 60.0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Nothing."""


class Web:
    """A fake that answers by `handler` while its block lasts; port 0 is a free one."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        self._server: Server[Any] = Server(("127.0.0.1", port), handler)
        self._server.fake = self
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.serve, name=type(self).__name__)

    def serve(self) -> None:
        """Answer until `close`."""
        self._server.serve_forever(_POLL_S)

    def close(self) -> None:
        """Answer what is under way and end."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        self._thread.join()
