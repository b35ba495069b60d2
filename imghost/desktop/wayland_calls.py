"""The programs of wl-clipboard: each a process with a time limit, and one that watches."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, cast

from imghost.clipboard import NOT_HANDED_OVER, TOO_LARGE
from imghost.desktop.targets import LeftAlone
from imghost.errors import MachineError

_LIMIT_S = 5
_TRIAL_S = 2
_NO_TYPE = "application/x-imghost-none"  # nobody offers it: no owner is asked for anything
_EMPTY = ("No selection", "Nothing is copied")  # wl-clipboard 2.1; 2.2 and later
_CHUNK_BYTES = 65536

# wl-paste asks the owner for what was copied at each change. It is read to its end, for some
# owners die of a pipe that nobody reads; one that stalls holds the next change up for 2 s at most.
_TELL = "echo; exec timeout 2 cat >/dev/null 2>&1"
# The watcher ends with its standard input, so with us, however we end.
_LEASH = 'wl-paste --watch sh -c "$0" & exec >&- 2>&-; read -r _; kill $!; wait $!'


class WaylandCalls:
    """What wl-clipboard does in the session that `environ` describes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def are_installed(self) -> bool:
        """Whether its programs are there."""
        path = self._environ.get("PATH")
        return all(shutil.which(name, path=path) for name in ("wl-paste", "wl-copy"))

    def can_watch(self) -> bool:
        """Whether the desktop lets programs see the clipboard at any time (data-control).

        Where it does not, wl-paste takes the keyboard focus from the user's window for each look.
        What it uses stands in its protocol log, WAYLAND_DEBUG of libwayland. Raises MachineError.
        """
        words = ("wl-paste", "-t", _NO_TYPE, "--watch", "true")
        with self._start(*words, limit_s=_TRIAL_S, WAYLAND_DEBUG="1") as trial:
            log = cast("IO[bytes]", trial.stderr)
            found = any(b"data_control" in line and b"get_data_device" in line for line in log)
            trial.terminate()
        return found

    def types(self) -> tuple[str, ...]:
        """The MIME types that are offered now. Raises MachineError."""
        with self._start("wl-paste", "-l") as process:
            out, err = process.communicate()
        said = err.decode(errors="replace")
        if process.returncode and not any(words in said for words in _EMPTY):
            raise _gone(said)
        return tuple(out.decode(errors="replace").splitlines())

    def paste(self, mime_type: str, max_bytes: int) -> bytes:
        """What is offered as this type. Raises LeftAlone, MachineError."""
        with self._start("wl-paste", "-n", "-t", mime_type) as process:
            data = cast("IO[bytes]", process.stdout).read(max_bytes + 1)
            if len(data) > max_bytes:
                process.terminate()
                raise LeftAlone(TOO_LARGE)
        if process.returncode:
            raise LeftAlone(NOT_HANDED_OVER)
        return data

    def copy(self, mime_type: str, data: bytes) -> None:
        """Offer this; a process stays behind that does so. Raises MachineError."""
        with self._start("wl-copy", "-t", mime_type, output=subprocess.DEVNULL) as process:
            process.communicate(data)
        if process.returncode:
            raise _gone(f"wl-copy ended with code {process.returncode}")

    def watch(self) -> Watch:
        """Be told of changes."""
        return Watch(self._environ)

    def _start(
        self, *words: str, limit_s: int = _LIMIT_S, output: int = subprocess.PIPE, **more: str
    ) -> subprocess.Popen[bytes]:
        words = ("timeout", str(limit_s), *words)
        return _started(words, {**self._environ, **more}, stdout=output, stderr=output)


class Watch:
    """A wl-paste that tells of each change, the clipboard's content at the start being the first.

    Each item is how many changes it told of at once. Ends when it is stopped; raises MachineError
    when the desktop ends it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._stopped = False
        self._process = _started(
            ("sh", "-c", _LEASH, _TELL), environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __iter__(self) -> Iterator[int]:
        said = b""
        with self._process as process:
            out = cast("IO[bytes]", process.stdout).fileno()
            while told := os.read(out, _CHUNK_BYTES):
                said = told.strip() or said
                yield told.count(b"\n")
            self._loosen()
        if not self._stopped:
            raise _gone(said.decode(errors="replace"))

    def stop(self) -> None:
        """End it, from any thread."""
        self._stopped = True
        self._loosen()

    def _loosen(self) -> None:
        cast("IO[bytes]", self._process.stdin).close()


def _started(
    words: Sequence[str], environ: Mapping[str, str], *, stdout: int, stderr: int
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            env=environ,
            start_new_session=True,  # a Ctrl-C in our terminal is not meant for them
        )
    except OSError as exc:
        raise _gone(exc.strerror or str(exc)) from exc


def _gone(detail: str) -> MachineError:
    return MachineError(
        "the Wayland clipboard cannot be reached: {detail}; see that the desktop is running: "
        "imghost watch looks for it again and again",
        detail=detail.strip() or "no answer",
    )
