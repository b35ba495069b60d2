"""The daemon's front: the ports where it listens, and what answers there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imghost.config import LOOPBACK, Config
from imghost.errors import DaemonError
from imghost.hosts.local import LocalHost
from imghost.server.app import make_app
from imghost.server.files import Files
from imghost.server.guard import callers_of
from imghost.server.late import LateDoor
from imghost.server.peer import stranger_check
from imghost.server.run import listen, serve
from imghost.text import Speaker

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp


class Front:
    """Listens at once; `serving` answers.

    Whoever `watches`, and pastes links that are not our own, goes on while somebody else has the
    port: commands then have a port of their own, and `late` opens the editors' door when it can.
    Raises DaemonError.
    """

    def __init__(self, config: Config, *, watches: bool) -> None:
        server = config.server
        self._config = config
        self.late: LateDoor | None = None
        try:
            self._sockets = listen(server.bind, server.port)
        except DaemonError as exc:
            if not watches or config.host == LocalHost.name:
                raise
            self._sockets = listen(LOOPBACK[0], 0)
            self.late = LateDoor(server.bind, server.port, exc)
        self._port: int = self._sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where it answers on this machine."""
        return _url(self._port)

    def close(self) -> None:
        """Listen no more."""
        for sock in self._sockets:
            sock.close()

    @contextmanager
    def serving(
        self,
        runner: asyncio.Runner,
        files: Files,
        routes: Sequence[BaseRoute],
        say: Speaker,
        moved: Callable[[str], None],
    ) -> Iterator[Callable[[], None]]:
        """Answer until the end; what is given begins that end.

        `moved` is told the address when the late door opens.
        """
        loop, stopping = runner.get_loop(), asyncio.Event()

        def app_at(port: int) -> ASGIApp:
            return self._app(port, files, routes, say)

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(serve(self._sockets, app_at(self._port), stopping))
                if self.late:
                    opened = self.late.serve(app_at, lambda port: moved(_url(port)), stopping)
                    group.create_task(opened)

        thread = threading.Thread(target=runner.run, args=(main(),), name="imghost-server")
        thread.start()

        def begin_to_end() -> None:
            loop.call_soon_threadsafe(stopping.set)

        try:
            yield begin_to_end
        finally:
            begin_to_end()
            thread.join()

    def _app(self, port: int, files: Files, routes: Sequence[BaseRoute], say: Speaker) -> ASGIApp:
        server = self._config.server
        callers = callers_of(port, server.hosts, server.origins)
        admits = bool(server.secret)
        return make_app(files, routes, callers, stranger_check(), say, admits_elsewhere=admits)


def _url(port: int) -> str:
    return f"http://{LOOPBACK[0]}:{port}"
