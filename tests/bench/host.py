"""A host that answers as Bilibili does after a given time, and costs next to nothing itself.

A file that is not named by its SHA-1, as others send it, is called by that of its name.
"""

from __future__ import annotations

import hashlib
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_FILE = re.compile(rb'filename="([^"]+)\.(\w+)"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_BYTES = 65_536
_SHA1_DIGITS = 40


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        while data := self.request.recv(_HEAD_BYTES):
            while b"\r\n\r\n" not in data:
                data += self.request.recv(_HEAD_BYTES)
            head, _, body = data.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            assert length
            start, missing = body, int(length[1]) - len(body)
            while missing:
                piece = self.request.recv(min(missing, 1 << 20))
                start += piece[: _HEAD_BYTES - len(start)]
                missing -= len(piece)
            time.sleep(self.server.takes_s)
            self.request.sendall(self._answer(start))
            if not self.server.keeps:
                return

    def _answer(self, start: bytes) -> bytes:
        named = _FILE.search(start)
        assert named
        sha1, ending = (part.decode() for part in named.groups())
        if len(sha1) != _SHA1_DIGITS:
            sha1 = hashlib.sha1(sha1.encode()).hexdigest()
        link = f"http://{self.server.address}/bfs/openplatform/{sha1}.{ending}"
        told = f'{{"code":0,"message":"0","data":{{"location":"{link}","etag":"{sha1}"}}}}'
        ends = "" if self.server.keeps else "\r\nConnection: close"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(told)}"
        return f"{head}{ends}\r\n\r\n{told}".encode()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    takes_s = 0.0
    keeps = True

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"127.0.0.1:{self.server_address[1]}"


@contextmanager
def slow_host(takes_s: float, *, keeps: bool = True) -> Iterator[str]:
    """A running host that takes so long for each upload, and keeps connections; its address.

    `picgo upload` does not end before its connection does.
    """
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.takes_s, server.keeps = takes_s, keeps
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://{server.address}"
        finally:
            server.shutdown()
            thread.join()
