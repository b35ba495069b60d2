"""Who may call: this user's own programs and pages, told by what no page can forge."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from imghost.models import Message
from imghost.server.answers import Headers, send_json, send_start, send_text
from imghost.server.peer import OWN_NAMES, is_loopback
from imghost.server.shapes import DOOR, FROM_ELSEWHERE, METHODS, refused
from imghost.values import dataclass

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from starlette.types import Message as Event

    from imghost.server.peer import Address
    from imghost.text import Speaker

_HTTP, _HTTPS = 80, 443
_ELSEWHERE = "imghost.elsewhere"
_HANDED_ON = frozenset(
    {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
)
_PREFLIGHT: Mapping[str, str | int] = {
    "access-control-allow-headers": "authorization, content-type, x-picgo-secret",
    "access-control-max-age": 600,
}


@dataclass(frozen=True, slots=True)
class Callers:
    """What passes: the values of Host under which we are called, and of Origin who may call.

    `own` are the values of Host that mean this machine, and `pages` the Origins of our own pages.
    """

    hosts: frozenset[bytes]
    origins: frozenset[bytes]
    own: frozenset[bytes]
    pages: frozenset[bytes]


def callers_of(port: int, names: Sequence[str] = (), origins: Sequence[str] = ()) -> Callers:
    """Who may call a server on `port` of this machine, known elsewhere by further `names`.

    A name may have a port of its own, as of a proxy before us. `origins` are exact, such as
    "app://obsidian.md"; our own pages may always call.
    """
    own = {host for name in OWN_NAMES for host in _as_told(name, port, {_HTTP})}
    hosts = own | {host for name in names for host in _as_told(name, port, {_HTTP, _HTTPS})}
    pages = {f"http://{host}" for host in own}
    return Callers(*map(_encoded, (hosts, {*pages, *origins}, own, pages)))


def _as_told(name: str, port: int, usual: Container[int]) -> set[str]:
    """How a browser writes it in Host: without the port if that is a usual one."""
    bare, separator, told = name.lower().rpartition(":")
    if separator and told.isdecimal():
        name, port = bare, int(told)
    return {f"{name.lower()}:{port}"} | ({name.lower()} if port in usual else set())


def _encoded(texts: Iterable[str]) -> frozenset[bytes]:
    return frozenset(text.encode("latin-1", "ignore") for text in texts)


def refusal(headers: Headers, callers: Callers, path: str = "/upload") -> Message | None:
    """Why a request with these headers, their names in lower case, may not pass; None if it may.

    Against DNS rebinding the Host must be ours. A page cannot hide its Origin when it sends; where
    browsers leave it out (images, links, forms by GET), they say in Sec-Fetch-Site whose page asks.
    Pages that are not our own get no further than to the editors' door.
    """
    told: dict[bytes, list[bytes]] = {b"host": [], b"origin": [], b"sec-fetch-site": []}
    for name, value in headers:
        if name in told:
            told[name].append(value)
    if len(told[b"host"]) != 1 or told[b"host"][0].lower() not in callers.hosts:
        return Message(
            "this server is not known by that Host; use http://127.0.0.1 or localhost, or name it "
            "in server.hosts"
        )
    allowed = callers.origins if path in DOOR else callers.pages
    if any(origin not in allowed for origin in told[b"origin"]):
        return Message("pages of that Origin may not call")
    if not told[b"origin"] and {*told[b"sec-fetch-site"]} & {b"cross-site", b"same-site"}:
        return Message("pages of other sites may not call")
    return None


def is_from_elsewhere(scope: Scope) -> bool:
    """Whether a request that the guard let through comes from another machine, or may."""
    return bool(scope[_ELSEWHERE])


class Guard:
    """An ASGI application that answers 403, having read nothing, to whoever may not call.

    `admits_elsewhere`: other machines get as far as to what asks for a secret.
    """

    def __init__(
        self,
        app: ASGIApp,
        callers: Callers,
        is_stranger: Callable[[Address, Address], bool],
        say: Speaker,
        *,
        admits_elsewhere: bool = False,
    ) -> None:
        self._app = app
        self._callers = callers
        self._is_stranger = is_stranger
        self._say = say
        self._admits_elsewhere = admits_elsewhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on; trusted pages may see the answers of the door."""
        path, headers = scope["path"], scope["headers"]
        reason = refusal(headers, self._callers, path) or self._reason(scope)
        if reason:
            await _refuse(send, path, self._say(reason))
        elif path not in DOOR:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await _preflight(_shown_to(send, headers), path, headers)
        else:
            await self._app(scope, receive, _shown_to(send, headers))

    def _reason(self, scope: Scope) -> Message | None:
        client = scope["client"]  # None if it hung up already
        scope[_ELSEWHERE] = comes_from_elsewhere(client, scope["headers"], self._callers)
        if client is not None and scope[_ELSEWHERE]:
            if not self._admits_elsewhere:
                return Message("callers from other machines need a secret: set server.secret")
            if scope["path"] not in FROM_ELSEWHERE:
                return Message("from another machine pictures can be uploaded, and nothing else")
        elif client is None or self._is_stranger(client, scope["server"]):
            return Message("this server belongs to another user of this machine")
        return None


def comes_from_elsewhere(client: Address | None, headers: Headers, callers: Callers) -> bool:
    """Also what a proxy on this machine hands on: by a name that is not this machine's own."""
    if client is None or not is_loopback(client):
        return True
    named = any(name == b"host" and value.lower() not in callers.own for name, value in headers)
    return named or any(name in _HANDED_ON for name, _ in headers)


async def _refuse(send: Send, path: str, said: str) -> None:
    if path in DOOR:
        await send_json(send, 403, refused(said))
    else:
        await send_text(send, 403, said)


async def _preflight(send: Send, path: str, headers: Headers) -> None:
    methods = ", ".join((*METHODS[path], "OPTIONS"))
    told: dict[str, str | int] = {"allow": methods, "content-length": 0}
    names = {name for name, _ in headers}
    if b"origin" in names:
        told |= {**_PREFLIGHT, "access-control-allow-methods": methods}
    if b"access-control-request-private-network" in names:
        told["access-control-allow-private-network"] = "true"
    await send_start(send, 200, told)
    await send({"type": "http.response.body", "body": b""})


def _shown_to(send: Send, headers: Headers) -> Send:
    """Let the page of an allowed Origin, and no other, see what is sent."""
    shown = [(b"vary", b"Origin")]
    shown += [(b"access-control-allow-origin", v) for name, v in headers if name == b"origin"][:1]

    async def sending(event: Event) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], *shown]}
        await send(event)

    return sending
