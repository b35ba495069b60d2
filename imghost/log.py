"""The log file: English, private, never larger than two mebibytes, never a reason to fail."""

from __future__ import annotations

import contextlib
import logging
import os
from io import TextIOWrapper
from pathlib import Path

from imghost.disk import make_private_folder
from imghost.text import printable

_MAX_BYTES = 1 << 20
_FORMAT = "%(asctime)s %(levelname)s %(process)d %(threadName)s %(name)s: %(message)s"


class _PrivateFile(logging.FileHandler):
    """Opened at the first line; the former file is kept beside it once it has grown too large."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        make_private_folder(path.parent)
        with contextlib.suppress(OSError):
            if path.stat().st_size > _MAX_BYTES:
                path.replace(path.with_suffix(".old.log"))
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # a full disk must not stop an upload
            if self.stream and self.stream.tell() > _MAX_BYTES:
                self.close()
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: a line that cannot be written is lost."""


class _Lines(logging.Formatter):
    """What others made up, as a host's answer, begins no line and steers no terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = printable(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return "\n  ".join(map(printable, super().format(record).split("\n")))


def start_log(folder: Path, level: str) -> None:
    """Write what imghost says of itself to `folder`/imghost.log; `level` as logging names it.

    Once for a process: who comes later finds it begun.
    """
    logger = logging.getLogger("imghost")
    if logger.handlers:
        return
    handler = _PrivateFile(folder / "imghost.log", delay=True, encoding="utf-8")
    handler.setFormatter(_Lines(_FORMAT))
    logger.setLevel(logging.getLevelNamesMapping().get(level.upper(), logging.INFO))
    logger.propagate = False
    logger.addHandler(handler)
