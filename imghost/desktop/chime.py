"""A short sound when a link is ready, another when it is not.

`python -m imghost.desktop.chime SOUND VOLUME` plays one, and each sound gets such a process of its
own: a sound server that hangs or fails, what its libraries leave open and what they write to
standard error, a broken sound file: all of that ends with it.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from imghost.desktop.own_process import start_module

_LONGEST_S = 10.0
_PERIOD_MS = 50
_BUFFERED_S = 0.2  # a device has three periods before it when a sound's last one is asked for

log = logging.getLogger(__name__)


class Player:
    """Plays sound files (wav, mp3, flac, ogg), one at a time; safe from any thread.

    Whatever keeps a sound from being heard is said in the log, at debug level, and nowhere else.
    """

    def __init__(self, *, longest_s: float = _LONGEST_S) -> None:
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._waiter: threading.Thread | None = None
        self._closed = False

    def play(self, sound: Path, volume: float) -> None:
        """Begin to play, `volume` from 0 to 1; nothing while another sound is under way."""
        with self._lock:
            if self._closed or self._busy():
                return
            try:
                self._process = _started(sound, volume)
            except OSError as exc:
                log.debug("no process for the chime: %s", exc)
                return
            self._waiter = threading.Thread(
                target=self._wait, args=(self._process,), name="imghost-chime"
            )
            self._waiter.start()

    def close(self) -> None:
        """End the sound that is under way, and play no more."""
        with self._lock:
            self._closed = True
            if self._process and self._busy():
                self._process.kill()
            waiter = self._waiter
        if waiter:
            waiter.join()

    def _busy(self) -> bool:
        return self._waiter is not None and self._waiter.is_alive()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        if problem := _outcome(process, self._longest_s):
            log.debug("no chime: %s", problem)


def hear(sound: Path, volume: float, longest_s: float = _LONGEST_S) -> str:
    """Play a sound to its end; what keeps it from being heard, in its libraries' words, else ""."""
    try:
        return _outcome(_started(sound, volume), longest_s)
    except OSError as exc:
        return str(exc)


def _outcome(process: subprocess.Popen[bytes], longest_s: float) -> str:
    try:
        _, said = process.communicate(timeout=longest_s)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
    if not process.returncode:
        return ""
    return said.decode(errors="replace").strip().rpartition("\n")[2] or str(process.returncode)


def main(sound: str, volume: float) -> None:
    """Play a sound file in this process, to its end. Raises what miniaudio does."""
    import miniaudio

    ended = threading.Event()
    samples = _scaled(miniaudio.stream_file(sound), volume, ended)
    next(samples)
    with miniaudio.PlaybackDevice(buffersize_msec=_PERIOD_MS, app_name="imghost") as device:
        device.start(samples)
        ended.wait()
        time.sleep(_BUFFERED_S)


def _scaled(
    source: Generator[array[int], int, None], volume: float, ended: threading.Event
) -> Generator[array[int], int, None]:
    """The samples of `source`, each time as many frames as are asked for."""
    try:
        frames = yield array("h")
        with suppress(StopIteration):
            while True:
                frames = yield array("h", (round(s * volume) for s in source.send(frames)))
    finally:
        ended.set()


def _started(sound: Path, volume: float) -> subprocess.Popen[bytes]:
    return start_module(
        __name__,
        str(sound),
        str(volume),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
