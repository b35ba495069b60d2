"""A server of names on loopback: every name leads there, unless it is dead in some way."""

from __future__ import annotations

import socket
import struct
import threading
from enum import StrEnum
from types import TracebackType
from typing import Self

PORT = 53  # the only one that the system's resolver asks
_LOOK_S = 0.05
_A = 1
_NO_SUCH_NAME, _FAILURE = 3, 2


class Dead(StrEnum):
    """How a server of names can be."""

    NOT = "well"
    SILENT = "never answers"
    FAILING = "answers that it failed"
    DENYING = "answers that there is no such name"


class Names:
    """Answers while its block lasts, as `dead` says by then; `asked` counts the questions.

    Its address is a loopback one of its own, for others may have a resolver at 127.0.0.1.
    """

    address = "127.53.53.53"

    def __init__(self) -> None:
        self.dead = Dead.NOT
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, PORT))
        self._socket.settimeout(_LOOK_S)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="names")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                question, client = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            if self.dead is not Dead.SILENT:
                self._socket.sendto(_answer(question, self.dead), client)


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
