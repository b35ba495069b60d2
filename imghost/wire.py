"""One exchange on requests that no peer can stretch in time or size; imported when one is due."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

from imghost.secret import Secret
from imghost.web import USER_AGENT, Form, Reply, Request

if TYPE_CHECKING:
    from typing_extensions import Buffer

_HEAD_BYTES = 1 << 18
_PIECE_BYTES = 1 << 16

Address = tuple[Any, ...]
Resolve = Callable[[str, int], list[tuple[int, Address]]]
"""A host and a port to socket addresses, each with its family. Raises OSError."""


def addresses(host: str, port: int) -> list[tuple[int, Address]]:
    """Every address that the system knows for the host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as exc:  # a label that IDNA cannot spell
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from exc
    return [(family, address) for family, _, _, _, address in found]


class Call:
    """What one exchange may cost: seconds and bytes; and the means to end it from outside.

    `sent` tells whether the whole body was handed to the network.
    """

    def __init__(self, timeout_s: float, max_bytes: int, resolve: Resolve = addresses) -> None:
        self.timeout_s = timeout_s
        self.resolve = resolve
        self.sent = False
        self.was_cut = False
        self._ends_at = time.monotonic() + timeout_s
        self._room = max_bytes + _HEAD_BYTES
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None

    def left_s(self) -> float:
        """Seconds until the end. Raises TimeoutError after it, ConnectionError if cut."""
        if self.was_cut:
            raise ConnectionAbortedError("cut")
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("out of time")
        return left_s

    def take(self, count: int) -> None:
        """Count bytes that came in. Raises ConnectionError when there is no room for them."""
        self._room -= count
        if self._room < 0:
            raise ConnectionAbortedError("the reply does not end")

    def hold(self, sock: socket.socket) -> None:
        """Keep a second handle on the connection, which outlives its wrapping into TLS."""
        with self._lock:
            self._release()
            self._handle = sock.dup()

    def cut(self) -> None:
        """End it now, from any thread: whoever waits on the socket wakes with an error."""
        self.was_cut = True
        with self._lock, contextlib.suppress(OSError):
            if self._handle is not None:
                self._handle.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._release()

    def _release(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


def trust() -> ssl.SSLContext:
    """Verify every certificate, by the system's authorities and those of certifi."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = _TlsSocket
    return context


def exchange(
    request: Request,
    call: Call,
    proxies: Mapping[str, str],
    trusted: Callable[[], ssl.SSLContext],
) -> Reply:
    """Send the request over a new connection and read the reply; redirects are not followed.

    Raises what requests, urllib3, http.client and the sockets raise.
    """
    with contextlib.closing(_Adapter(call, trusted)) as adapter:
        response = adapter.send(
            _prepared(request, call), stream=True, timeout=call.left_s(), proxies=dict(proxies)
        )
        with contextlib.closing(response):
            body = _read(response, request.max_bytes)
        headers = {name.lower(): value for name, value in response.headers.items()}
        whole = len(body) <= request.max_bytes
        return Reply(response.status_code, headers, body[: request.max_bytes], whole)


def _prepared(request: Request, call: Call) -> requests.PreparedRequest:
    form = request.body if isinstance(request.body, Form) else None
    prepared = requests.Request(
        request.method,
        request.url,
        {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers},
        data={k: _plain(v) for k, v in form.fields.items()} if form else request.body,
        files={"file": (form.file_name, form.data, form.mime_type)} if form else None,
    ).prepare()
    if request.cookies:  # requests' own cookies may quote a value
        line = "; ".join(f"{name}={value.reveal()}" for name, value in request.cookies.items())
        prepared.headers["Cookie"] = line
    if prepared.body:
        prepared.body = _Body(prepared.body, call)
    return prepared


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _read(response: requests.Response, max_bytes: int) -> bytes:
    """The body as it was sent; a byte more than `max_bytes` if there is more."""
    body = bytearray()
    while len(body) <= max_bytes:
        piece = response.raw.read(
            min(_PIECE_BYTES, max_bytes + 1 - len(body)), decode_content=False
        )
        if not piece:
            break
        body += piece
    return bytes(body)


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


class _Adapter(HTTPAdapter):
    """requests' way to urllib3, with connections that keep to a call and trust as they are told."""

    def __init__(self, call: Call, trusted: Callable[[], ssl.SSLContext]) -> None:
        self._call = call
        self._trusted = trusted
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Where to connect, and that our context judges certificates."""
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        if where["scheme"] == "https":
            how["ssl_context"] = self._trusted()
        return where, how

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool for the request, which makes our kind of connection."""
        pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
        kind = _TlsConnection if pool.scheme == "https" else _Connection
        pool.ConnectionCls = partial(kind, self._call)  # type: ignore[assignment]  # is only called
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: our context knows already whom to trust."""


class _Connection(HTTPConnection):
    """Connects within its call: to each address in turn, each for a share of the time left."""

    def __init__(self, call: Call, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._call = call

    def _new_conn(self) -> socket.socket:
        found = self._call.resolve(self._dns_host, self.port)
        error: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
        for turn, (family, address) in enumerate(found):
            sock = _Socket(family, socket.SOCK_STREAM)
            sock.call = self._call
            try:
                self._call.hold(sock)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(self._call.left_s() / (len(found) - turn))
                sock.connect(address)
                sock.settimeout(self._call.left_s())  # a TLS handshake keeps to it as a whole
            except OSError as exc:
                sock.close()
                error = exc
            else:
                return sock
        raise error


class _TlsConnection(_Connection, HTTPSConnection):
    """The same, wrapped into TLS."""

    def connect(self) -> None:
        """Connect and shake hands."""
        super().connect()
        if isinstance(self.sock, _TlsSocket):
            self.sock.call = self._call


class _Socket(socket.socket):
    """A socket whose every wait ends with its call."""

    call: Call | None = None

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Send some of it."""
        self._hurry()
        return super().send(data, flags)

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """Send all of it; the time limit is the whole call's."""
        self._hurry()
        super().sendall(data, flags)

    def recv_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> int:
        """Receive some bytes; all reading goes this way."""
        self._hurry()
        count = super().recv_into(buffer, nbytes, flags)
        if self.call is not None:
            self.call.take(count)
        return count

    def _hurry(self) -> None:
        if self.call is not None:
            self.settimeout(self.call.left_s())


class _TlsSocket(_Socket, ssl.SSLSocket):
    """The same below TLS; bound to its call once the handshake is over."""
