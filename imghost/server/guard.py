"""Who may call: this user's own programs and pages, told by what no page can forge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imghost.models import Message
from imghost.server.answers import Headers, send_text

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from imghost.server.peer import Address
    from imghost.text import Speaker

_HTTP_PORT = 80
_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Callers:
    """What passes: the values of Host under which we are called, and of Origin who may call."""

    hosts: frozenset[bytes]
    origins: frozenset[bytes]


def callers_of(port: int, names: Sequence[str] = (), origins: Sequence[str] = ()) -> Callers:
    """Who may call a server on `port` of this machine, known by further `names`.

    `origins` are exact, such as "app://obsidian.md"; our own pages may always call.
    """
    known = [name.lower() for name in (*_OWN_NAMES, *names)]
    hosts = {f"{name}:{port}" for name in known} | ({*known} if port == _HTTP_PORT else set())
    pages = {f"http://{host}" for host in hosts}
    return Callers(
        frozenset(host.encode("latin-1", "ignore") for host in hosts),
        frozenset(origin.encode("latin-1", "ignore") for origin in {*pages, *origins}),
    )


def refusal(headers: Headers, callers: Callers) -> Message | None:
    """Why a request with these headers, their names in lower case, may not pass; None if it may.

    Against DNS rebinding the Host must be ours. A page cannot hide its Origin when it sends; where
    browsers leave it out (images, links, forms by GET), they say in Sec-Fetch-Site whose page asks.
    """
    told: dict[bytes, list[bytes]] = {b"host": [], b"origin": [], b"sec-fetch-site": []}
    for name, value in headers:
        if name in told:
            told[name].append(value)
    if len(told[b"host"]) != 1 or told[b"host"][0].lower() not in callers.hosts:
        return Message("this server is not known by that Host; use http://127.0.0.1 or localhost")
    if any(origin not in callers.origins for origin in told[b"origin"]):
        return Message("pages of that Origin may not call")
    if not told[b"origin"] and {*told[b"sec-fetch-site"]} & {b"cross-site", b"same-site"}:
        return Message("pages of other sites may not call")
    return None


class Guard:
    """An ASGI application that answers 403, having read nothing, to whoever may not call."""

    def __init__(
        self,
        app: ASGIApp,
        callers: Callers,
        is_stranger: Callable[[Address, Address], bool],
        say: Speaker,
    ) -> None:
        self._app = app
        self._callers = callers
        self._is_stranger = is_stranger
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        reason = refusal(scope["headers"], self._callers)
        client = scope["client"]  # None if it hung up already
        if not reason and (client is None or self._is_stranger(client, scope["server"])):
            reason = Message("this server belongs to another user of this machine")
        if reason:
            await send_text(send, 403, self._say(reason))
        else:
            await self._app(scope, receive, send)
