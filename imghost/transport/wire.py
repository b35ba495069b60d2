"""One exchange on requests; imported only when one is due."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest

from imghost.errors import HostUnavailable, LoginExpired
from imghost.secret import Secret
from imghost.transport.dial import Call, Connection, Lease, TlsConnection, TlsSocket
from imghost.transport.masking import masked
from imghost.transport.mishap import FOREIGN, mishap
from imghost.transport.web import USER_AGENT, Form, Reply, Request, is_proxy, without_password

Trust = Callable[[], ssl.SSLContext]
Each = Callable[[bytes], object]

_PIECE_BYTES = 1 << 16
_SENT_BYTES = 1 << 20
_BEGINNING_BYTES = 4096
_BODILESS = frozenset({*range(100, 200), 204, 304})  # whatever they say, and may send
_SET_COOKIE = "set-cookie"
_COOKIE_VALUE = re.compile(r"[!-:<-~]+")


def trust() -> ssl.SSLContext:
    """Verify every certificate, by the system's authorities and those of certifi."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = TlsSocket
    return context


def exchange(request: Request, call: Call, way: Way, each: Each | None = None) -> Reply:
    """Send the request once, and read the reply; no redirect is followed.

    Where an earlier request's connection turns out to be broken before all of this one went out, it
    is sent over a new one. `each` is given the body piece by piece, as it came; then the reply
    holds its beginning alone.

    Raises HostUnavailable (`offline`: there is no way to the host; `ambiguous`: the whole body went
    out), HostRefused for an address that is none, LoginExpired for a cookie that is none. Secrets
    that were sent are neither in the reply's body nor in an error, which therefore has no cause.
    """
    _check_proxy(way.proxy)
    cookie_line = _cookie_line(request.cookies)
    for _ in range(2):
        try:
            return _exchange(request, cookie_line, call, way, each)
        except FOREIGN as exc:
            error = mishap(exc, request, call, way.proxy)
        if not call.reuses or call.heard or call.is_over:
            break
        way.is_kept = False
        if call.sent:
            break
    raise error  # not inside: a cause would hold the cookies, and what the peer said of them


def _check_proxy(proxy: str) -> None:
    if proxy and not is_proxy(proxy):
        raise HostUnavailable(
            "the proxy {proxy} is not an http:// address, and imghost can use no other; set the "
            'host\'s proxy to one, or to "direct"',
            proxy=without_password(proxy),
            offline=True,
        )


def _exchange(request: Request, cookie_line: str, call: Call, way: Way, each: Each | None) -> Reply:
    prepared = _prepared(request, cookie_line, call)
    with closing(way.begin(prepared, call)) as response:
        body, whole = _read(response, request.max_bytes, each)
    if not whole or response.status_code in _BODILESS:  # who knows where the next one begins
        way.close()
    headers = {name.lower(): value for name, value in response.headers.items()}
    headers.pop(_SET_COOKIE, "")  # joined there, with commas between and within them
    return Reply(
        response.status_code,
        headers,
        _masked(body, request.secrets),
        whole,
        request.secrets,
        tuple(map(Secret, response.raw.headers.getlist(_SET_COOKIE))),
    )


def _masked(body: bytes, secrets: tuple[Secret, ...]) -> bytes:
    if not secrets:  # a picture is nothing to look through for nothing
        return body
    text = body.decode("utf-8", "surrogateescape")  # and so back, whatever bytes they are
    return masked(text, secrets).encode("utf-8", "surrogateescape")


def _prepared(request: Request, cookie_line: str, call: Call) -> PreparedRequest:
    form = request.body if isinstance(request.body, Form) else None
    asked = requests.Request(
        request.method,
        request.url,
        {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers},
        data={k: _plain(v) for k, v in form.fields.items()} if form else request.body,
        files={"file": (form.file_name, form.data, form.mime_type)} if form else None,
    )
    try:
        prepared = asked.prepare()
    except ValueError as exc:  # of other schemes it does not look at what follows
        raise requests.exceptions.InvalidURL(str(exc)) from exc
    if cookie_line:  # requests' own cookies may be quoted
        prepared.headers["Cookie"] = cookie_line
    if isinstance(prepared.body, bytes):
        prepared.body = _Body(prepared.body, call)  # type: ignore[assignment]  # iterable, as allowed
    return prepared


def _cookie_line(cookies: Mapping[str, Secret]) -> str:
    for name, value in cookies.items():
        if not _COOKIE_VALUE.fullmatch(value.reveal()):
            raise LoginExpired(
                "the cookie {name} holds characters that no cookie has; copy its value again",
                name=name,
            )
    return "; ".join(f"{name}={value.reveal()}" for name, value in cookies.items())


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


class _Body:
    """Bytes to send, which tell the call how far they are."""

    def __init__(self, data: bytes, call: Call) -> None:
        self._data = memoryview(data)
        self._call = call

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[memoryview]:
        self._call.sending = True
        for start in range(0, len(self._data), _SENT_BYTES):
            yield self._data[start : start + _SENT_BYTES]
        self._call.sent = True


def _read(response: requests.Response, max_bytes: int, each: Each | None) -> tuple[bytes, bool]:
    """What is kept of the body, and whether all of it came: at most so much is read.

    It stays as it was sent: decompressed, a small reply can be endless.
    """
    kept, left = BytesIO(), max_bytes
    while piece := response.raw.read(min(_PIECE_BYTES, left) or 1, decode_content=False):
        if not left:
            return kept.getvalue(), False
        left -= len(piece)
        if each:
            each(piece)
            piece = piece[: max(0, _BEGINNING_BYTES - kept.tell())]
        kept.write(piece)
    return kept.getvalue(), True


class Way(HTTPAdapter):
    """requests' way to urllib3, with a connection that serves one call after another.

    `proxy` is a URL, or "". `is_kept` says that no such connection has turned out to be broken. To
    be closed; all its requests go to one host.
    """

    def __init__(self, proxy: str, trusted: Trust) -> None:
        self.proxy = proxy
        self.is_kept = True
        self._trusted = trusted
        self._lease = Lease()
        super().__init__()

    def begin(self, prepared: PreparedRequest, call: Call) -> requests.Response:
        """Send a request in this call; the response, of which nothing but its head is read."""
        self._lease.call = call
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
        return self.send(prepared, stream=True, timeout=call.left_s(), proxies=proxies)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - requests' types are private
        """The pool for a request, which makes our kind of connection."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if pool.scheme == "https":
            pool.ConnectionCls = partial(TlsConnection, self._lease, self._trusted())
        else:
            pool.ConnectionCls = partial(Connection, self._lease)
        return pool
