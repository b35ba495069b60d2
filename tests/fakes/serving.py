"""Our own server on a free loopback port, in a thread, and small clients that speak real HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from imghost.server.patience import Patience
from imghost.server.run import listen, serve

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
_WAIT_S = 20.0


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@contextmanager
def serving(make_app: Callable[[int], ASGIApp], patience: Patience | None = None) -> Iterator[int]:
    """Serve the application made for a port, and yield that port."""
    sockets = listen(HOST, 0)
    port: int = sockets[0].getsockname()[1]
    stopping = asyncio.Event()
    running: Future[asyncio.AbstractEventLoop] = Future()

    async def main() -> None:
        running.set_result(asyncio.get_running_loop())
        await serve(sockets, make_app(port), stopping, patience)

    with ThreadPoolExecutor(1, thread_name_prefix="server") as thread:
        ended = thread.submit(asyncio.run, main())
        try:
            yield port
        finally:
            running.result(_WAIT_S).call_soon_threadsafe(stopping.set)
            ended.result(_WAIT_S)


def ask(
    port: int,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes | None = None,
    host: str = HOST,
) -> Answer:
    """One request on a connection of its own."""
    connection = HTTPConnection(host, port, timeout=_WAIT_S)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


def connected(port: int) -> socket.socket:
    """A bare connection."""
    return socket.create_connection((HOST, port), _WAIT_S)


def raw(port: int, request: bytes) -> bytes:
    """All that comes back for these bytes until the server closes."""
    with connected(port) as peer:
        peer.sendall(request)
        return received(peer)


def received(peer: socket.socket) -> bytes:
    """All that still comes from there until it closes."""
    pieces = []
    try:
        while piece := peer.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)
