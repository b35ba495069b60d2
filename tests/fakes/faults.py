"""A server that misbehaves on raw sockets, as slowly, endlessly or abruptly as it is told."""

from __future__ import annotations

import contextlib
import gzip
import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_WINDOW_BYTES = 65_536  # so that what is not read soon stops the sender
_JUNK = b"x" * 65_536


class Peer:
    """One connection to the server, and the means to treat it badly."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self._sock = sock
        self._stopped = stopped
        self.received = b""

    def read_head(self) -> None:
        """Read up to the end of the request's headers."""
        while b"\r\n\r\n" not in self.received and self._read(65_536):
            pass

    def read_request(self) -> None:
        """Read the whole request."""
        self.read_head()
        head = self.received.partition(b"\r\n\r\n")[0]
        length = next(
            (
                int(h.split(b":")[1])
                for h in head.split(b"\r\n")
                if h.lower().startswith(b"content-l")
            ),
            0,
        )
        while len(self.received) - len(head) - 4 < length and self._read(65_536):
            pass

    def read_next_request(self) -> bool:
        """Read another whole request; False if none comes."""
        self.received = b""
        self.read_request()
        return bool(self.received)

    def read_some(self, count: int) -> None:
        """Read at least so many bytes."""
        while len(self.received) < count and self._read(count - len(self.received)):
            pass

    def read_slowly(self, gap_s: float) -> None:
        """Read a byte now and then."""
        while not self._stopped.wait(gap_s) and self._read(1):
            pass

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self._sock.sendall(data)

    def send_slowly(self, data: bytes, gap_s: float) -> None:
        """Send a byte now and then, the same ones again and again."""
        while True:
            for value in data:
                if self._stopped.wait(gap_s):
                    return
                self._sock.sendall(bytes([value]))

    def send_for_ever(self, data: bytes) -> None:
        """Send the same bytes again and again."""
        while not self._stopped.is_set():
            self._sock.sendall(data)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on below TLS, as the server behind a tunnel does."""
        self._sock = context.wrap_socket(self._sock, server_side=True)
        self.received = b""

    def wait(self) -> None:
        """Do nothing until the server stops."""
        self._stopped.wait()

    def reset(self) -> None:
        """End the connection as a crash does."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._sock.close()

    def close(self) -> None:
        """End the connection; whoever waits on it wakes."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _read(self, count: int) -> int:
        data = self._sock.recv(count)
        self.received += data
        return len(data)


Behaviour = Callable[[Peer], None]


class FaultServer:
    """A server on loopback that treats every connection by one behaviour, below TLS if told so."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.peers: list[Peer] = []
        self._behave = behave
        self._tls = tls
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW_BYTES)
        self._threads = [threading.Thread(target=self._accept, name="fault server")]
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        socket.create_connection(self._listener.getsockname()).close()  # wakes the first thread
        self._threads[0].join()
        self._listener.close()
        for peer in self.peers:
            peer.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopped.is_set():
                sock.close()
                return
            peer = Peer(sock, self._stopped)
            self.peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer,), name="fault peer")
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: Peer) -> None:
        with contextlib.suppress(OSError):
            if self._tls:
                peer.start_tls(self._tls)
            self._behave(peer)
        peer.close()


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole HTTP reply."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answering(data: bytes) -> Behaviour:
    """Read the whole request, then send these bytes and close."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return behave


def answering_each(data: bytes) -> Behaviour:
    """Send these bytes after each request, until no more come."""

    def behave(peer: Peer) -> None:
        while peer.read_next_request():
            peer.send(data)

    return behave


def never_answer(peer: Peer) -> None:
    """Take the request and say nothing."""
    peer.read_request()
    peer.wait()


def never_speak(peer: Peer) -> None:
    """Accept, and neither read nor write: a TLS handshake hangs."""
    peer.wait()


def read_slowly(peer: Peer) -> None:
    """Take the request a byte at a time."""
    peer.read_slowly(0.05)


def trickle_head(peer: Peer) -> None:
    """Answer with a header that goes on a byte at a time."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nX: ")
    peer.send_slowly(b"x", 0.05)


def trickle_body(peer: Peer) -> None:
    """Answer with a body that comes a byte at a time."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    peer.send_slowly(b"x", 0.05)


def endless_headers(peer: Peer) -> None:
    """Answer with long headers without end."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    peer.send_for_ever(b"X-Header: " + _JUNK[:60_000] + b"\r\n")


def endless_header_line(peer: Peer) -> None:
    """Answer with one header without end."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nX-Header: ")
    peer.send_for_ever(_JUNK)


def endless_interim(peer: Peer) -> None:
    """Ask for the body again and again."""
    peer.read_request()
    peer.send_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n")


def endless_body(peer: Peer) -> None:
    """Answer with a body without end."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    peer.send_for_ever(_JUNK)


def endless_chunks(peer: Peer) -> None:
    """Answer with one-byte chunks, each behind a long extension."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.send_for_ever(b"1;" + _JUNK[:10_000] + b"\r\nx\r\n")


def reset_in_body(peer: Peer) -> None:
    """Crash while the request's body comes in."""
    peer.read_some(100_000)
    peer.reset()


def reset_after_body(peer: Peer) -> None:
    """Crash once the whole request is there."""
    peer.read_request()
    peer.reset()


def reset_in_reply(peer: Peer) -> None:
    """Crash in the middle of the answer."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    peer.reset()


def close_in_reply(peer: Peer) -> None:
    """End the answer before its length."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """An address where connecting is never refused and never succeeds."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        contextlib.ExitStack() as stack,
    ):
        address = listener.getsockname()
        for _ in range(3):  # fill the queue of those that wait to be accepted
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(address)
        yield f"127.0.0.1:{address[1]}"


def random_reply(chance: random.Random) -> bytes:
    """Something that a broken server may answer: any status, headers and body, cut anywhere."""
    body = chance.choice(_BODIES)(chance)
    headers = chance.sample(_HEADERS, chance.randrange(4))
    if chance.random() < 0.5:
        headers.append(b"Content-Length: %d" % chance.choice([len(body), 0, 10**9]))
    status = chance.choice([200, 200, 200, 204, 206, 302, 400, 412, 429, 500, 503, 999])
    whole = b"\r\n".join([b"HTTP/1.1 %d What" % status, *headers, b"", body])
    return whole[: chance.randrange(len(whole) + 1)] if chance.random() < 0.2 else whole


_HEADERS = (
    *(b"Content-Encoding: gzip", b"Content-Encoding: br", b"Transfer-Encoding: chunked"),
    *(b"Content-Type: application/json; charset=utf-16", b"Location: http://127.0.0.1:1/"),
    *(b"Retry-After: -1", b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", b"Set-Cookie: a=b"),
    *(b"Content-Length: -5", b"Content-Length: 7", b": nothing", b"\xff\xfe: \x80"),
)
_BODIES: tuple[Callable[[random.Random], bytes], ...] = (
    lambda chance: chance.randbytes(chance.randrange(2000)),
    lambda _: b"",
    lambda _: b"[" * 100_000,
    lambda _: gzip.compress(bytes(20_000_000), 1),
    lambda chance: b'{"code":%d,"data":{}}' % chance.choice([0, -101, -412, 10**30]),
    lambda _: b'{"code":0,"data":{"location":"javascript:alert(1)","etag":7}}',
    lambda _: b'{"code":0,"data":{"location":"http://i0.hdslb.com/bfs/live/x.png"}}',
    lambda _: b"<!DOCTYPE html><title>sign in</title>",
    lambda _: '{"code":0}'.encode("utf-16"),
)
