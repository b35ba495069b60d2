"""One connection of the server: uvicorn's on h11, with deadlines for its client.

uvicorn itself bounds neither the time of headers nor of bodies nor of reading the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from imghost.server.patience import Patience, Waiting, deadline, dispensable

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

    from imghost.server.peer import Address

HEAD_BYTES = 16 << 10
"""How long a request's line and headers may be, however they come."""

_WAITING = {h11.IDLE: Waiting.HEADERS, h11.SEND_BODY: Waiting.BODY}


class Connection(H11Protocol):
    """Ends itself when its client lets it wait too long."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        patience: Patience,
        is_stranger: Callable[[Address, Address], bool],
    ) -> None:
        super().__init__(config, server_state, app_state={})
        self.logger = logging.getLogger("imghost.server")
        self.access_log = False  # whatever its logger is set to: queries may hold secrets
        self.waiting = Waiting.HEADERS
        self.since = self._heard = self.loop.time()
        self.peer, self.is_stranger = "", False
        self._patience = patience
        self._stranger_check = is_stranger
        self._looking: asyncio.TimerHandle | None = None
        self.ended = self.loop.create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request, in the place of another if there are too many."""
        super().connection_made(transport)
        if self.client and self.server:
            self.peer, (address, port) = self.client[0], self.server
            with contextlib.suppress(OSError):  # of the kernel; the guard asks again
                self.is_stranger = self._stranger_check(self.client, (address, port or 0))
        if len(self.connections) > self._patience.connections:
            others = [c for c in open_connections(self.server_state) if c.is_held_up]
            others.remove(self)
            dispensable(others or [self]).give_up()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        if self._looking is not None:
            self._looking.cancel()
        self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent; answers get the date of now."""
        date = formatdate(usegmt=True).encode("ascii")
        self.server_state.default_headers = [(b"date", date)]
        self._heard = self.loop.time()
        super().data_received(data)
        self._notice()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of a body that nobody wanted."""
        super().on_response_complete()
        self._notice()

    def pause_writing(self) -> None:
        """Wait for the client to take what was sent."""
        super().pause_writing()
        self._notice()

    def resume_writing(self) -> None:
        """Go on answering."""
        super().resume_writing()
        self._notice()

    @property
    def is_held_up(self) -> bool:
        """Whether it could go on if only its client did something."""
        return self.waiting is not Waiting.NOTHING

    def give_up(self) -> None:
        """End at once, and make room for another already now."""
        self.connections.discard(self)
        self.transport.abort()

    def _notice(self) -> None:
        waiting = self._waits_for()
        if waiting is not self.waiting:
            self.waiting = waiting
            self.since = self.loop.time()

    def _waits_for(self) -> Waiting:
        if self.flow.write_paused or self.transport.is_closing():
            return Waiting.READER
        return _WAITING.get(self.conn.their_state, Waiting.NOTHING)

    def _look(self) -> None:
        self._notice()
        if self.loop.time() >= deadline(self.waiting, self.since, self._heard, self._patience):
            self.give_up()
        else:
            self._looking = self.loop.call_later(self._patience.look_s, self._look)


def open_connections(state: ServerState) -> list[Connection]:
    """Those of the server that are not yet lost."""
    return [connection for connection in state.connections if isinstance(connection, Connection)]
