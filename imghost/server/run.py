"""The server's life: listen, serve until told to stop, and stop in time."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from imghost.errors import DaemonError
from imghost.server.answers import send_text
from imghost.server.patience import Patience
from imghost.server.peer import stranger_check

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn.server import ServerState

_LOOPBACK, _LOOPBACK_6 = "127.0.0.1", "::1"
_COMPRISED_BY = {_LOOPBACK: "0.0.0.0", _LOOPBACK_6: "::"}  # noqa: S104 - compared with
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_BACKLOG = 128
_HEARTBEAT_S, _HEARTBEAT_BYTES = 1.0, 1000
_STOP_S, _ABORT_S = 4.0, 0.5


def listen(bind: str, port: int) -> list[socket.socket]:
    """Listen on this machine's loopback, both addresses of it, and on `bind` if that is another.

    "localhost" is either address to some programs; where there is no IPv6, one is enough. Port 0
    takes a free one. Raises DaemonError, which says who has the port.
    """
    sockets: list[socket.socket] = []
    try:
        for address in _addresses(bind):
            at = sockets[0].getsockname()[1] if sockets else port
            try:
                sockets.append(_listening(address, at))
            except DaemonError as exc:
                if address != _LOOPBACK_6 or not (port == 0 or isinstance(exc, _NoSuchAddress)):
                    raise
    except DaemonError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def is_free(port: int) -> bool:
    """Whether the port could be taken on the loopback address; nobody is asked who has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            _take(sock, _LOOPBACK, port)
        except OSError:
            return False
    return True


def _addresses(bind: str) -> list[str]:
    """The loopback addresses, or what comprises one of them, and `bind`."""
    loopback = [_COMPRISED_BY[at] if bind == _COMPRISED_BY[at] else at for at in _COMPRISED_BY]
    return loopback if bind in loopback else [*loopback, bind]


async def serve(
    sockets: Sequence[socket.socket],
    app: ASGIApp,
    stopping: asyncio.Event,
    patience: Patience | None = None,
) -> None:
    """Answer with `app` until `stopping` is set, then end within five seconds.

    Answers that were begun are finished first. The loop and its thread are the caller's; it does
    nothing while nobody calls, and logs no requests, whose queries may hold secrets.
    """
    from uvicorn import Config
    from uvicorn.server import ServerState

    from imghost.server.connection import HEAD_BYTES, Connection

    config = Config(
        _bounded(app, HEAD_BYTES),
        interface="asgi3",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # or any caller could name the address it calls from
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
    config.load()
    state = ServerState()
    connection = partial(Connection, config, state, patience or Patience(), stranger_check())
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(connection, sock=sock, backlog=_BACKLOG) for sock in sockets
    ]
    try:
        await stopping.wait()
    finally:
        for server in servers:
            server.close()
        await _end(state)


def _bounded(app: ASGIApp, most_bytes: int) -> ASGIApp:
    """The application, for requests with no more of headers: h11 bounds only what is not whole."""

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        line_bytes = len(scope["raw_path"]) + len(scope["query_string"])
        header_bytes = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
        if line_bytes + header_bytes <= most_bytes:
            await app(scope, receive, send)
        else:
            await send_text(send, 431, "Request Header Fields Too Large", {"connection": "close"})

    return bounded


async def _end(state: ServerState) -> None:
    from imghost.server.connection import open_connections

    for connection in open_connections(state):
        connection.shutdown()
    await _wait(_STOP_S, [connection.ended for connection in open_connections(state)])
    aborted = open_connections(state)
    for connection in aborted:
        connection.give_up()
    await _wait(_ABORT_S, [*state.tasks, *(connection.ended for connection in aborted)])


async def _wait(most_s: float, futures: Sequence[asyncio.Future[None]]) -> None:
    if futures:
        await asyncio.wait(futures, timeout=most_s)


class _NoSuchAddress(DaemonError):
    """The address is none of this machine's."""


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # asyncio sends without delay only if the protocol is named: 6,000 answers a second, else 180
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        _take(sock, address, port)
    except OSError as exc:
        sock.close()
        raise _refused(exc, address, port) from exc
    return sock


def _take(sock: socket.socket, address: str, port: int) -> None:
    if sys.platform == "win32":  # where SO_REUSEADDR would let another program take the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:  # where without it the port of a daemon that just ended is taken for a minute
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, port))
    sock.listen(_BACKLOG)


def _refused(exc: OSError, address: str, port: int) -> DaemonError:
    if exc.errno in _NOT_HERE:
        return _NoSuchAddress("{address} is not an address of this machine", address=address)
    if exc.errno != errno.EADDRINUSE:
        return DaemonError(
            "port {port} on {address} cannot be used: {detail}; change server.port",
            port=port,
            address=address,
            detail=exc.strerror or str(exc),
        )
    if _is_picgo(address, port):
        return DaemonError(
            "port {port} is taken: PicGo, PicList or another imghost answers there; end that, or "
            "set server.port to another port",
            port=port,
        )
    return DaemonError(
        "port {port} is taken by another program; end that, or set server.port to another port",
        port=port,
    )


def _is_picgo(address: str, port: int) -> bool:
    """Whether PicGo's heartbeat is answered there."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(address, port, timeout=_HEARTBEAT_S)
    try:
        connection.request("POST", "/heartbeat")
        answer = json.loads(connection.getresponse().read(_HEARTBEAT_BYTES))
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("result") == "alive"
