"""Images prepared and drawn in another process, so that bytes of strangers hurt nothing else.

`python -m imghost.imaging.child MEMORY_BYTES CPU_S [patient]` is that process: it answers requests
from standard input on standard output until there are no more, or its parent is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, cast

from imghost.errors import DaemonError, ImageError, ImghostError, MachineError
from imghost.imaging import cage, pipe
from imghost.imaging.deadline import too_slow
from imghost.imaging.pixels import pixels_digest
from imghost.imaging.prepare import Prepared, Recipe, prepare
from imghost.imaging.style import Style
from imghost.imaging.styled import MAX_BYTES, styled
from imghost.models import MIME_TYPES, Image, Limits

MEMORY_BYTES = 3 << 30  # WebP decodes 120 megapixels in two thirds of it
_CPU_PER_S = 2  # encoders use a second core at times
_PATIENCE = 3
_REUSED = {"PILLOW_BLOCKS_MAX": "4"}  # 64 MB kept for the next picture spare a quarter of its time
_PIPE_BYTES = 1 << 20  # as much as Linux gives; elsewhere nothing changes
_PYTHON_NEEDS = ("SYSTEMROOT", "LD_LIBRARY_PATH")
_DRAWN = Limits(MAX_BYTES, frozenset(MIME_TYPES))

Send = Callable[[IO[bytes]], None]


class Child:
    """The parent's side of one process: started when there is work, ended when there is none.

    An image that takes longer than `deadline_s`, or more memory, or kills the process, costs only
    itself: the next one gets a new process. Whoever is `patient` lets all other programs go first,
    and may take thrice as long for it. Safe from several threads at once: one image at a time, the
    others wait.
    """

    def __init__(
        self,
        *,
        deadline_s: float = 60.0,
        idle_s: float = 20.0,
        memory_bytes: int = MEMORY_BYTES,
        patient: bool = False,
    ) -> None:
        self._cpu_s = deadline_s * _CPU_PER_S
        self._deadline_s = deadline_s * (_PATIENCE if patient else 1)
        self._idle_s = idle_s
        self._memory_bytes = memory_bytes
        self._patient = patient
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._used_at = 0.0
        self._closed = False

    def prepare(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        """As `prepare.prepare`, with its errors, in the other process.

        Raises ImageError also when that process dies or takes too long, MachineError when it
        cannot be started, DaemonError once this is closed.
        """

        def send(requests: IO[bytes]) -> None:
            pipe.send_request(requests, data, name, recipe)

        return self._prepared(name, send, data, recipe.limits)

    def draw(self, original: Path, style: Style) -> Image:
        """As `styled.styled`, with its errors, of a file, in the other process.

        Raises as `prepare` does, and FileNotFoundError if there is no such file.
        """
        name = original.name
        with original.open("rb") as file:

            def send(requests: IO[bytes]) -> None:
                pipe.send_drawing_request(requests, file, name, style)

            return self._prepared(name, send, b"", _DRAWN).image

    def pixels(self, data: bytes, name: str) -> str:
        """As `pixels.pixels_digest`, with its errors, in the other process.

        Raises as `prepare` does.
        """

        def send(requests: IO[bytes]) -> None:
            pipe.send_pixels_request(requests, data, name)

        reply = self._reply(name, send, b"", _DRAWN)
        if isinstance(reply, Prepared):
            raise self._lost(name, late=False)
        return reply

    def warm(self) -> None:
        """Have the process ready for work that is expected; whoever brings that is told errors."""
        if self._turn.acquire(blocking=False):
            try:
                if not self._closed:
                    self._running()
                    self._used_at = time.monotonic()
            except MachineError:
                pass
            finally:
                self._turn.release()

    def reap_idle(self) -> None:
        """End the process if it had no work for `idle_s`; to be called now and then."""
        if self._turn.acquire(blocking=False):
            try:
                if time.monotonic() - self._used_at >= self._idle_s:
                    self._end()
            finally:
                self._turn.release()

    def close(self) -> None:
        """End the process, even in the middle of an image."""
        self._closed = True
        if process := self._process:
            process.kill()
        with self._turn:
            self._end()

    def _prepared(self, name: str, send: Send, asked: bytes, limits: Limits) -> Prepared:
        reply = self._reply(name, send, asked, limits)
        if isinstance(reply, str):
            raise self._lost(name, late=False)
        return reply

    def _reply(self, name: str, send: Send, asked: bytes, limits: Limits) -> Prepared | str:
        with self._turn:
            reply = self._asked(name, send, asked, limits)
        if isinstance(reply, ImghostError):
            raise reply
        return reply

    def _asked(
        self, name: str, send: Send, asked: bytes, limits: Limits
    ) -> Prepared | str | ImghostError:
        with contextlib.ExitStack() as on_failure:
            process = self._running()
            on_failure.callback(self._end)
            if self._closed:
                raise _stopping(name)
            requests, replies = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
            with _deadline(process, self._deadline_s) as late:
                try:
                    send(requests)
                    reply = pipe.receive_reply(replies, asked, limits)
                except (OSError, EOFError, pipe.BrokenReply) as exc:
                    raise self._lost(name, late=late.is_set()) from exc
            self._used_at = time.monotonic()
            if not late.is_set():
                on_failure.pop_all()
            return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = _started(self._memory_bytes, self._cpu_s, patient=self._patient)
        return self._process

    def _end(self) -> None:
        if process := self._process:
            self._process = None
            process.kill()
            process.communicate()  # closes the pipes, whatever is left in them, and waits

    def _lost(self, name: str, *, late: bool) -> ImghostError:
        if self._closed:
            return _stopping(name)
        if late:
            return too_slow(name, self._deadline_s)
        return ImageError(
            "{name} could not be decoded safely; save it again as PNG or JPEG", name=name
        )


def main(memory_bytes: int, cpu_s: float, *, patient: bool) -> None:
    """Answer requests until they end; `cpu_s` is the processor time that each may take."""
    if patient:
        cage.let_others_first()
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the parent, which ends this one
        signal.signal(number, signal.SIG_IGN)
    cage.limit_memory(memory_bytes)
    with contextlib.suppress(ImportError):  # what most pictures need, before the first one comes
        import_module("PIL.PngImagePlugin")
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            _answer(sys.stdin.buffer, sys.stdout.buffer, cpu_s)


def _answer(requests: IO[bytes], replies: IO[bytes], cpu_s: float) -> None:
    data, name, wanted = pipe.receive_request(requests)
    cage.allow_cpu(cpu_s)
    asked = data if isinstance(wanted, Recipe) else b""  # the parent does not hold what is drawn
    pipe.send_reply(replies, _outcome(data, name, wanted), asked)


def _outcome(
    data: bytes, name: str, wanted: Recipe | Style | None
) -> Prepared | str | ImghostError:
    try:
        if wanted is None:
            return pixels_digest(data, name)
        if isinstance(wanted, Recipe):
            return prepare(data, name, wanted)
        return Prepared(styled(data, name, wanted), ())
    except ImghostError as exc:
        return exc


def _started(memory_bytes: int, cpu_s: float, *, patient: bool) -> subprocess.Popen[bytes]:
    limits = [str(memory_bytes), str(cpu_s), *(["patient"] if patient else [])]
    module = [sys.executable, "-P", "-m", "imghost.imaging.child"]
    folders = [str(Path(folder).absolute()) for folder in sys.path]
    environment = {name: os.environ[name] for name in _PYTHON_NEEDS if name in os.environ}
    try:
        return subprocess.Popen(
            [*module, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_PIPE_BYTES,
            env=environment | _REUSED | {"PYTHONPATH": os.pathsep.join(folders)},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as exc:
        raise MachineError(
            "no process could be started to decode images: {detail}; close other programs",
            detail=exc.strerror or str(exc),
        ) from exc


@contextlib.contextmanager
def _deadline(process: subprocess.Popen[bytes], deadline_s: float) -> Iterator[threading.Event]:
    """Kill the process when the time is over, which ends every wait on its pipes on any system."""
    late = threading.Event()

    def expire() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(deadline_s, expire)
    timer.name = "imghost-deadline"
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        timer.join()


def _stopping(name: str) -> ImghostError:
    return DaemonError("imghost is stopping, and {name} was not taken; upload it again", name=name)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), patient="patient" in sys.argv[3:])
