"""The server's application: public files, and everything else behind the guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imghost.server.files import PREFIX
from imghost.server.guard import Callers, Guard

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from imghost.server.peer import Address
    from imghost.text import Speaker


def make_app(
    files: ASGIApp,
    routes: Sequence[BaseRoute],
    callers: Callers,
    is_stranger: Callable[[Address, Address], bool],
    say: Speaker,
    *,
    admits_elsewhere: bool = False,
) -> ASGIApp:
    """The ASGI application: `files` below /bfs/ for everybody, `routes` for those who may call.

    `admits_elsewhere`: other machines may upload, for the routes ask them for a secret.

    The files are answered before any routing, which would cost more than they do.
    """
    from starlette.applications import Starlette

    guarded = Guard(
        Starlette(routes=routes), callers, is_stranger, say, admits_elsewhere=admits_elsewhere
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (files if scope["path"].startswith(PREFIX) else guarded)(scope, receive, send)

    return app
