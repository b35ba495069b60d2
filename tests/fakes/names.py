"""A server of names on loopback: every name leads there, unless it is dead in some way."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

ADDRESS = "127.53.53.53"  # at 127.0.0.1 there may be a resolver already
PORT = 53  # the only one that the system asks
_LOOK_S = 0.05
_A = 1
_NO_SUCH_NAME, _FAILURE = 3, 2


class Dead(StrEnum):
    """How a server of names can be."""

    NOT = "well"
    SILENT = "never answers"
    FAILING = "answers that it failed"
    DENYING = "answers that there is no such name"


@dataclass
class Names:
    """Answers as `dead` says by then; `asked` counts the questions."""

    dead: Dead = Dead.NOT
    asked: int = 0

    def serve(self, sock: socket.socket, stopping: threading.Event) -> None:
        """Answer until it is over."""
        while not stopping.is_set():
            try:
                question, client = sock.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            if self.dead is not Dead.SILENT:
                sock.sendto(_answer(question, self.dead), client)


@contextmanager
def naming() -> Iterator[Names]:
    """A server at ADDRESS that is well at first."""
    names, stopping = Names(), threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ADDRESS, PORT))
        sock.settimeout(_LOOK_S)
        with ThreadPoolExecutor(1, thread_name_prefix="names") as pool:
            pool.submit(names.serve, sock, stopping)
            try:
                yield names
            finally:
                stopping.set()


def _answer(question: bytes, dead: Dead) -> bytes:
    """127.0.0.1 for every name; it has no other kind of address."""
    end = question.index(b"\0", 12) + 5  # behind the name, its kind and its class
    asked = question[12:end]
    (kind,) = struct.unpack(">H", asked[-4:-2])
    code = {Dead.FAILING: _FAILURE, Dead.DENYING: _NO_SUCH_NAME}.get(dead, 0)
    found = not code and kind == _A
    head = question[:2] + struct.pack(">5H", 0x8180 | code, 1, found, 0, 0)
    record = b"\xc0\x0c" + struct.pack(">2HIH4B", _A, 1, 0, 4, 127, 0, 0, 1)
    return head + asked + record * found
