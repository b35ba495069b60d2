"""One exchange on requests, its errors turned into ours; imported only when one is due."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, unquote

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ProxyError, RequestException
from requests.models import PreparedRequest
from urllib3.exceptions import HTTPError

from imghost.dial import Call, Connection, TlsConnection, TlsSocket
from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.secret import MASK, Secret
from imghost.web import USER_AGENT, Form, Reply, Request, host_of

Trust = Callable[[], ssl.SSLContext]

_PIECE_BYTES = 1 << 16
_SHORTEST_MASKED = 8
_DETAIL_CHARACTERS = 200
_COOKIE_VALUE = re.compile(r"[!-:<-~]+")
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_LIBRARIES = (RequestException, HTTPError)


def trust() -> ssl.SSLContext:
    """Verify every certificate, by the system's authorities and those of certifi."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = TlsSocket
    return context


def exchange(request: Request, call: Call, proxy: str, trusted: Trust) -> Reply:
    """Send the request once, over a new connection, and read the reply; no redirect is followed.

    Raises HostUnavailable (`offline`: there is no way to the host; `ambiguous`: the whole body went
    out), HostRefused for an address that is none, LoginExpired for a cookie that is none. Secrets
    that were sent are neither in the reply's body, nor in an error, nor in its cause.
    """
    proxy = _http_proxy(proxy)
    cookie_line = _cookie_line(request.cookies)
    try:
        return _exchange(request, cookie_line, call, proxy, trusted)
    except (*_LIBRARIES, HTTPException, OSError) as exc:
        if isinstance(exc, RequestException):
            exc.request = exc.response = None  # they hold the cookies
        raise _mishap(exc, request, call, proxy) from exc


def _http_proxy(proxy: str) -> str:
    url = proxy if "://" in proxy or not proxy else f"http://{proxy}"
    if url and (not url.lower().startswith(("http://", "https://")) or not host_of(url)):
        raise HostUnavailable(
            "the proxy {proxy} is no http:// address, the only kind that imghost can use; set the "
            'host\'s proxy to one, or to "direct"',
            proxy=_without_password(proxy),
            offline=True,
        )
    return url


def _without_password(proxy: str) -> str:
    return proxy.rpartition("@")[2]


def _exchange(request: Request, cookie_line: str, call: Call, proxy: str, trusted: Trust) -> Reply:
    prepared = _prepared(request, cookie_line, call)
    proxies = {"http": proxy, "https": proxy} if proxy else {}
    with (
        closing(_Adapter(call, trusted)) as adapter,
        closing(
            adapter.send(prepared, stream=True, timeout=call.left_s(), proxies=proxies)
        ) as response,
    ):
        body = _read(response, request.max_bytes + 1)
    return Reply(
        response.status_code,
        {name.lower(): value for name, value in response.headers.items()},
        _masked(body[: request.max_bytes], request.secrets),
        whole=len(body) <= request.max_bytes,
    )


def _prepared(request: Request, cookie_line: str, call: Call) -> PreparedRequest:
    form = request.body if isinstance(request.body, Form) else None
    prepared = requests.Request(
        request.method,
        request.url,
        {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers},
        data={k: _plain(v) for k, v in form.fields.items()} if form else request.body,
        files={"file": (form.file_name, form.data, form.mime_type)} if form else None,
    ).prepare()
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
    """Bytes to send, which tell the call when the last of them is out."""

    def __init__(self, data: bytes, call: Call) -> None:
        self._data = memoryview(data)
        self._call = call

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[memoryview]:
        for start in range(0, len(self._data), _PIECE_BYTES):
            yield self._data[start : start + _PIECE_BYTES]
        self._call.sent = True


def _read(response: requests.Response, max_bytes: int) -> bytes:
    """The body as it was sent: decompressed, a small reply can be endless."""
    body = bytearray()
    while wanted := min(_PIECE_BYTES, max_bytes - len(body)):
        piece = response.raw.read(wanted, decode_content=False)
        if not piece:
            break
        body += piece
    return bytes(body)


def _masked(data: bytes, secrets: tuple[Secret, ...]) -> bytes:
    """The bytes without the secrets, as they are, percent-encoded or decoded."""
    for secret in secrets:
        plain = secret.reveal()
        for form in (plain, quote(plain, safe=""), unquote(plain)):
            if len(form) >= _SHORTEST_MASKED:
                data = data.replace(form.encode(), MASK.encode())
    return data


class _Adapter(HTTPAdapter):
    """requests' way to urllib3, with connections that keep within a call."""

    def __init__(self, call: Call, trusted: Trust) -> None:
        self._call = call
        self._trusted = trusted
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - requests' types are private
        """The pool for a request, which makes our kind of connection."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if pool.scheme == "https":
            pool.ConnectionCls = partial(TlsConnection, self._call, self._trusted())
        else:
            pool.ConnectionCls = partial(Connection, self._call)
        return pool


def _mishap(exc: Exception, request: Request, call: Call, proxy: str) -> HostError:
    """The error that says what went wrong, by what was raised first."""
    root, host = _root(exc), host_of(request.url)
    detail = _detail(root, request.secrets)
    if isinstance(exc, ProxyError):
        return HostUnavailable(
            "the proxy {proxy} does not let us through: {detail}; start it, or set the host's "
            'proxy to another address or to "direct"',
            proxy=_without_password(proxy),
            detail=detail,
            offline=True,
        )
    if isinstance(exc, RequestException) and isinstance(exc, ValueError):
        return HostRefused(
            "{url} is not an http:// or https:// address; correct it", url=request.url
        )
    if call.was_cut:
        return HostUnavailable("stopped before {host} answered", host=host, ambiguous=call.sent)
    if isinstance(root, TimeoutError):
        return HostUnavailable(
            "{host} did not answer within {timeout_s} s; check the network",
            host=host,
            timeout_s=f"{call.timeout_s:.3g}",
            ambiguous=call.sent,
        )
    return _unreached(root, host, detail) or HostUnavailable(
        "the connection to {host} broke: {detail}", host=host, detail=detail, ambiguous=call.sent
    )


def _unreached(root: BaseException, host: str, detail: str) -> HostUnavailable | None:
    """The error if the host was never spoken to."""
    if isinstance(root, ssl.SSLCertVerificationError):
        return HostUnavailable(
            "{host} could not prove who it is ({detail}), so nothing was sent; check this "
            "machine's clock, its network and the proxy",
            host=host,
            detail=root.verify_message,
            offline=True,
        )
    if isinstance(root, socket.gaierror) or getattr(root, "errno", None) in _NO_WAY:
        return HostUnavailable(
            "there is no way to {host}: {detail}; check the network",
            host=host,
            detail=detail,
            offline=True,
        )
    if isinstance(root, ConnectionRefusedError):
        return HostUnavailable("{host} is not listening; it may be down", host=host)
    return None


def _root(exc: BaseException) -> BaseException:
    while isinstance(exc, _LIBRARIES) and (inner := exc.__cause__ or exc.__context__):
        exc = inner
    return exc


def _detail(exc: BaseException, secrets: tuple[Secret, ...]) -> str:
    text = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return _masked(text.encode(errors="replace"), secrets).decode()[:_DETAIL_CHARACTERS]
