"""Connections that keep within a call: its seconds, its bytes, and its end from outside."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_HEAD_BYTES = 1 << 18

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

    `reuses` says that its connection was an earlier call's, `sending` that the body has begun to go
    out, `sent` that all of it is with the network, `heard` that something came back.
    """

    def __init__(self, timeout_s: float, max_bytes: int, resolve: Resolve = addresses) -> None:
        self.timeout_s = timeout_s
        self._resolve = resolve
        self._found: SimpleQueue[list[tuple[int, Address]] | Exception] = SimpleQueue()
        self.reuses = False
        self.sending = False
        self.sent = False
        self.heard = False
        self.was_cut = False
        self._ends_at = time.monotonic() + timeout_s
        self._room = max_bytes + _HEAD_BYTES
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None

    @property
    def is_over(self) -> bool:
        """Whether it was cut, or has no time left."""
        return self.was_cut or time.monotonic() >= self._ends_at

    def left_s(self) -> float:
        """Seconds until the end. Raises TimeoutError after it, ConnectionError if cut."""
        if self.was_cut:
            raise ConnectionAbortedError("cut")
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("out of time")
        return left_s

    def look_up(self, host: str, port: int) -> list[tuple[int, Address]]:
        """The host's addresses, once in a call. Raises as `left_s` and the resolver do.

        A name that is not answered for in time is a way that is missing: no host was slow. Done in
        a thread of its own, since nothing ends the system's lookup before it ends by itself; an
        address needs none.
        """
        left_s = self.left_s()
        if _is_address(host):
            return self._resolve(host, port)
        threading.Thread(target=self._find, args=(host, port), daemon=True).start()
        try:
            found = self._found.get(timeout=left_s)
        except Empty:
            raise socket.gaierror(socket.EAI_AGAIN, "its name is not answered for") from None
        if isinstance(found, Exception):
            raise found
        return found

    def _find(self, host: str, port: int) -> None:
        try:
            self._found.put(self._resolve(host, port))
        except Exception as exc:  # noqa: BLE001 - raised by the thread that waits for it
            self._found.put(exc)

    def take(self, count: int) -> None:
        """Count bytes that came in. Raises ConnectionError when there is no room for them."""
        self.heard = self.heard or count > 0
        self._room -= count
        if self._room < 0:
            raise ConnectionAbortedError("the reply does not end")

    def hold(self, sock: socket.socket) -> None:
        """Keep a second handle on the connection, which outlives its wrapping into TLS."""
        with self._lock:
            self._release()
            self._handle = socket.fromfd(sock.fileno(), sock.family, sock.type)

    def cut(self) -> None:
        """End it now, from any thread: whoever waits for it wakes with an error."""
        self.was_cut = True
        self._found.put(ConnectionAbortedError("cut"))
        with self._lock, contextlib.suppress(OSError):
            if self._handle is not None:
                self._handle.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._release()

    def _release(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class Lease:
    """Which call a connection is for; one that is kept serves several, one after the other."""

    call: Call


class Connection(HTTPConnection):
    """Connects within a call: to each address in turn, each for a share of the time left."""

    def __init__(self, lease: Lease, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        super().__init__(**options)
        self._lease = lease
        self._made_for: Call | None = None

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        """Send a request; a connection that an earlier call has made is this call's from now on."""
        call = self._lease.call
        if self.sock is not None and call is not self._made_for:
            call.hold(self.sock)
            call.reuses = True
        super().request(*args, **options)

    def _new_conn(self) -> socket.socket:
        self._made_for = self._lease.call
        try:
            return self._reached(self._made_for)
        except OSError as exc:  # urllib3 takes a bare reset for one of a request that went out
            raise NewConnectionError(self, "not connected") from exc

    def _reached(self, call: Call) -> socket.socket:
        found = call.look_up(self._dns_host, self.port)
        error: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
        for turn, (family, address) in enumerate(found):
            try:
                return self._connected(family, address, share=len(found) - turn)
            except OSError as exc:
                error = exc
        raise error

    def _connected(self, family: int, address: Address, share: int) -> socket.socket:
        sock = _Socket(family, socket.SOCK_STREAM)
        try:
            sock.lease = self._lease
            self._lease.call.hold(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(self._lease.call.left_s() / share)
            sock.connect(address)
            sock.settimeout(self._lease.call.left_s())  # a TLS handshake keeps to it as a whole
        except BaseException:
            sock.close()
            raise
        return sock


class TlsConnection(Connection, HTTPSConnection):
    """The same, wrapped into TLS; `trusted` alone says whom to trust."""

    def __init__(self, lease: Lease, trusted: ssl.SSLContext, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        super().__init__(lease, **options | {"ssl_context": trusted, "ca_certs": None})

    @property
    def is_connected(self) -> bool:
        """Whether the other side has neither ended it nor sent what nobody asked for."""
        return super().is_connected and not getattr(self.sock, "pending", int)()

    def connect(self) -> None:
        """Connect and shake hands."""
        super().connect()
        if isinstance(self.sock, TlsSocket):
            self.sock.lease = self._lease


class _Socket(socket.socket):
    """A socket whose every wait ends with its call."""

    lease: Lease | None = None

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Send some of it."""
        self._hurry()
        return super().send(data, flags)

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """Send all of it; the time limit is the whole call's."""
        self._hurry()
        super().sendall(data, flags)

    def recv_into(self, buffer: Buffer, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive some bytes; all reading goes this way."""
        self._hurry()
        count = super().recv_into(buffer, nbytes or 0, flags)
        if self.lease is not None:
            self.lease.call.take(count)
        return count

    def _hurry(self) -> None:
        if self.lease is not None:
            self.settimeout(self.lease.call.left_s())


class TlsSocket(_Socket, ssl.SSLSocket):
    """The same below TLS; bound to its calls once the handshake is over."""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
