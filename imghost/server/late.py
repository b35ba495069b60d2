"""A port that somebody else has: looked at until it is free, and then served too."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from imghost.errors import DaemonError
from imghost.models import Message
from imghost.server.patience import Patience
from imghost.server.run import is_free, listen, serve

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_LOOK_S = 2.0

log = logging.getLogger(__name__)


class LateDoor:
    """The editors' door while it is shut; `problem` says why, and is None once it is open."""

    def __init__(self, bind: str, port: int, reason: DaemonError, look_s: float = _LOOK_S) -> None:
        self.problem: Message | None = Message(
            "editors do not reach imghost yet: {problem}", {"problem": reason.message}
        )
        self._bind = bind
        self._port = port
        self._look_s = look_s

    async def serve(
        self,
        make_app: Callable[[int], ASGIApp],
        opened: Callable[[int], None],
        stopping: asyncio.Event,
        patience: Patience | None = None,
    ) -> None:
        """Wait for the port, call `opened` with it, and serve there until `stopping` is set."""
        sockets = await self._when_free(stopping)
        if sockets:
            self.problem = None
            log.info("port %d is free: the door is open", self._port)
            opened(self._port)
            await serve(sockets, make_app(self._port), stopping, patience)

    async def _when_free(self, stopping: asyncio.Event) -> list[socket.socket]:
        while not stopping.is_set():
            if is_free(self._port):
                with suppress(DaemonError):
                    return listen(self._bind, self._port)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._look_s)
        return []
