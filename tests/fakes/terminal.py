"""A terminal with somebody before it, who reads what a command shows and types."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from subprocess import Popen

from tests.fakes.program import DEADLINE_S, Program, eventually

_PIECE_BYTES = 65_536


@dataclass
class Terminal:
    """`process` is the command in it."""

    process: Popen[bytes]
    _fd: int
    _seen: list[bytes] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """All that was ever shown, with what steers the terminal."""
        return b"".join(self._seen).decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without colours, as lines."""
        return re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "", self.shown).replace("\r\n", "\n")

    def until(self, text: str) -> None:
        """Wait until that is shown."""
        try:
            eventually(lambda: text in self.text)
        except AssertionError:
            raise AssertionError(f"{text!r} is not in {self.text!r}") from None

    def type(self, text: str) -> None:
        """Type it, or paste it."""
        data = text.encode()
        while data:  # a terminal takes so much at a time
            data = data[os.write(self._fd, data) :]

    def ended(self) -> int:
        """The exit code, once it has one."""
        return self.process.wait(DEADLINE_S)

    def read(self) -> None:
        """Take in what is shown until nobody shows anything any more."""
        with suppress(OSError):  # as Linux says that the other end is closed
            while piece := os.read(self._fd, _PIECE_BYTES):
                self._seen.append(piece)


@contextmanager
def terminal(
    program: Program, *words: str, columns: int = 80, rows: int = 24
) -> Iterator[Terminal]:
    """A command in a terminal of that size; it must have ended, or is ended."""
    import fcntl  # which Windows does not have, as the others
    import pty
    import struct
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = program.start(*words, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    made = Terminal(process, ours)
    reader = threading.Thread(target=made.read, name="terminal")
    reader.start()
    try:
        yield made
    finally:
        process.kill()
        process.wait(DEADLINE_S)
        reader.join(DEADLINE_S)
        os.close(ours)
