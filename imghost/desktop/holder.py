"""A text kept on the X11 clipboard after the command that copied it has ended.

`python -m imghost.desktop.holder DISPLAY` reads it from standard input, says "held" on standard
output once it is there, and ends when somebody copies something else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from typing import IO, cast

from imghost.clipboard import Offer
from imghost.desktop.clipboard_x11 import X11Clipboard
from imghost.desktop.own_process import start_module
from imghost.errors import MachineError

_HELD = b"held\n"


def hold(display: str, text: str) -> None:
    """Have a process of its own keep the text on that display's clipboard. Raises MachineError."""
    with start_module(
        __name__,
        display,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as holder:
        asks, says = cast("IO[bytes]", holder.stdin), cast("IO[bytes]", holder.stdout)
        asks.write(text.encode())
        asks.close()
        said = says.readline()
        holder.returncode = 0  # it lives on: nobody waits for it
    if said != _HELD:
        raise MachineError("the text was not put onto the clipboard; is the desktop still there?")


def main(display: str) -> None:
    """Put what comes on standard input onto the clipboard, and stay as long as it is there."""
    text = sys.stdin.buffer.read().decode()
    with closing(X11Clipboard(display)) as clipboard:
        clipboard.put(Offer(text))
        os.write(1, _HELD)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        for _ in clipboard.changes():
            if not clipboard.read(0).ours:
                break


if __name__ == "__main__":
    main(sys.argv[1])
