"""TIFF without what libtiff writes on standard error, which is the user's terminal."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from PIL.TiffImagePlugin import TiffImageFile

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess

_STDERR = 2
_TURN = threading.Lock()  # two that restore it crosswise would lose it for ever


class QuietTiff(TiffImageFile):
    """Pillow's reader; what is wrong with a file, its exceptions tell."""

    def load(self) -> PixelAccess | None:
        """Decode the pixels, once."""
        if not self.tile:
            return super().load()
        with _stderr_closed():
            return super().load()


@contextlib.contextmanager
def _stderr_closed() -> Iterator[None]:
    with _TURN, contextlib.ExitStack() as restoring:
        with contextlib.suppress(OSError):  # a process may have none
            former = os.dup(_STDERR)
            restoring.callback(os.close, former)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            restoring.callback(os.close, nowhere)
            os.dup2(nowhere, _STDERR)
            restoring.callback(os.dup2, former, _STDERR)
        yield
