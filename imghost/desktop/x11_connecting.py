"""Connecting to an X display, if its server answers."""

from __future__ import annotations

import contextlib
import struct
import sys
from collections.abc import Iterator
from typing import Any

from imghost.errors import MachineError

_ANSWER_S = 2.0
_PROTOCOL = 11


def connected(display: str) -> Any:  # noqa: ANN401 - the library has no types
    """The library's connection to a display, named as in DISPLAY. Raises MachineError."""
    from Xlib.display import Display

    with reachable(display), contextlib.redirect_stdout(sys.stderr):  # it prints there
        _check_answers(display)
        return Display(display)


@contextlib.contextmanager
def reachable(display: str) -> Iterator[None]:
    """Raises MachineError if the display is lost within."""
    from Xlib.error import ConnectionClosedError, DisplayError

    try:
        yield
    except (ConnectionClosedError, DisplayError, OSError) as exc:
        raise MachineError(
            "the clipboard of display {display} cannot be reached: {detail}; see that the desktop "
            "is running: imghost watch looks for it again and again",
            display=display,
            detail=str(exc),
        ) from exc


def does_not_answer(display: str) -> MachineError:
    """The error that says so."""
    return MachineError(
        "display {display} does not answer, so its clipboard is not watched; if the desktop hangs, "
        "log in again",
        display=display,
    )


def _check_answers(display: str) -> None:
    """See that whoever begins to speak to the server hears anything: the library waits for ever."""
    from Xlib.support import connect

    where: Any = connect.get_display(display)
    name, protocol, host, number, _ = where
    with contextlib.closing(connect.get_socket(name, protocol, host, number)) as sock:
        sock.settimeout(_ANSWER_S)
        kind, secret = connect.get_auth(sock, name, protocol, host, number)
        sizes = struct.pack("<BxHHHHxx", ord("l"), _PROTOCOL, 0, len(kind), len(secret))
        padding = (bytes(-len(part) % 4) for part in (kind, secret))
        try:
            sock.sendall(sizes + kind + next(padding) + secret + next(padding))
            sock.recv(1)
        except TimeoutError:
            raise does_not_answer(display) from None
