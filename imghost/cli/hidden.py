"""Asking for a text that is not shown, however long: terminals cut off lines that they edit.

Linux keeps 4,095 bytes of such a line and macOS 1,024, and a browser's cookies can be more.
"""

from __future__ import annotations

import re
import sys

MAX_HIDDEN = 1 << 16
"""In characters; no browser sends a tenth of that, and what is longer was not meant."""

_END = re.compile(rb"[\r\n\x04]")
_END_OF_INPUT = b"\x04"
_ERASE = "\x7f\b"
_PIECE_BYTES = 4096

if sys.platform == "win32":
    from getpass import getpass

    def ask_hidden(prompt: str) -> str:
        """What the person types or pastes up to Enter."""
        return getpass(prompt)
else:
    import os
    import termios
    from collections.abc import Iterator
    from contextlib import contextmanager

    def ask_hidden(prompt: str) -> str:
        """What the person types or pastes up to Enter, or what is more than MAX_HIDDEN of it.

        Raises EOFError if they end the input.
        """
        terminal, typed, piece = sys.stdin.fileno(), b"", b""
        with _unedited(terminal):
            sys.stderr.write(prompt)  # not before: who sees it may type at once
            sys.stderr.flush()
            while not _END.search(piece):  # to its end: what nobody reads is shown after all
                piece = os.read(terminal, _PIECE_BYTES) or _END_OF_INPUT
                typed += piece[: MAX_HIDDEN + 1 - len(typed)]
        sys.stderr.write("\n")
        if (end := _END.search(typed)) is None:
            return typed.decode("latin-1")  # it is too long whatever it is
        if end[0] == _END_OF_INPUT:
            raise EOFError
        return _edited(typed[: end.start()].decode(errors="replace"))

    @contextmanager
    def _unedited(terminal: int) -> Iterator[None]:
        """Have the terminal hand on what is typed as it comes, and show nothing of it."""
        former, changed = termios.tcgetattr(terminal), termios.tcgetattr(terminal)
        changed[3] &= ~(termios.ICANON | termios.ECHO)  # the local modes
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
        try:
            yield
        finally:  # what was pasted after the line goes to nobody
            termios.tcsetattr(terminal, termios.TCSAFLUSH, former)

    def _edited(typed: str) -> str:
        kept: list[str] = []
        for character in typed:
            if character in _ERASE:
                del kept[-1:]
            else:
                kept.append(character)
        return "".join(kept)
