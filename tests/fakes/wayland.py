"""Wayland: a real compositor without a screen, programs that copy, and a desktop that tells little.

The owners speak the protocol themselves, for no program of a distribution offers several formats,
or stalls, when it is told to.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.fakes.program import eventually

_CALLBACK, _DISPLAY, _REGISTRY = 3, 1, 2
_SEAT, _MANAGER, _SOURCE, _DEVICE = 4, 5, 6, 7
_INTERFACES = {"wl_seat": _SEAT, "zwlr_data_control_manager_v1": _MANAGER}


@dataclass(frozen=True)
class Session:
    """A running compositor, and what its programs find in their environment."""

    environ: Mapping[str, str]
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return str(Path(self.environ["XDG_RUNTIME_DIR"], self.environ["WAYLAND_DISPLAY"]))

    def run(self, *words: str, stdin: bytes = b"") -> bytes:
        """What a program of this session says."""
        found = subprocess.run(
            words, input=stdin, env=self.environ, stdout=subprocess.PIPE, check=True, timeout=20
        )
        return found.stdout

    def copy(self, mime_type: str, data: bytes) -> None:
        """Somebody copies, by wl-copy."""
        subprocess.run(
            ("wl-copy", "-t", mime_type),
            input=data,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=20,
        )

    def text(self) -> str:
        """What would be pasted as text."""
        return self.run("wl-paste", "-n", "-t", "text/plain").decode()


@contextlib.contextmanager
def sway() -> Iterator[Session]:
    """A sway that shows nothing anywhere; it refuses to run as root, so root gives it away."""
    with tempfile.TemporaryDirectory(prefix="wayland-") as folder:
        config = Path(folder, "config")
        config.write_text("xwayland disable\n", encoding="utf-8")
        config.chmod(0o644)  # whatever the umask
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": folder,
            "WLR_BACKENDS": "headless",
            "WLR_LIBINPUT_NO_DEVICES": "1",
            "WLR_RENDERER": "pixman",
        }
        user: dict[str, Any] = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
            shutil.chown(folder, nobody.pw_uid, nobody.pw_gid)
        process = subprocess.Popen(
            ("sway", "-c", str(config)), env=environ, stderr=subprocess.DEVNULL, **user
        )
        try:
            eventually(lambda: any(path.is_socket() for path in Path(folder).glob("wayland-?")))
            (display,) = Path(folder).glob("wayland-?")
            yield Session({**environ, "WAYLAND_DISPLAY": display.name}, process)
        finally:
            process.kill()
            process.wait()


class Owner:
    """A program that copied: it offers several formats, and answers those who paste.

    `stalls`: formats for which nothing ever comes. It copies when it is made, and goes on until
    `close`.
    """

    def __init__(
        self, session: Session, content: Mapping[str, bytes], stalls: frozenset[str] = frozenset()
    ) -> None:
        self._content = content
        self._stalls = stalls
        self._held: list[int] = []
        self.asked: list[str] = []
        self._line = _Line(session.socket)
        self._copy()
        self._thread = threading.Thread(target=self._serve, name="owner")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The program ends."""
        self._line.close()
        self._thread.join()
        while self._held:
            os.close(self._held.pop())

    def _copy(self) -> None:
        self._line.send(_DISPLAY, 1, _number(_REGISTRY))
        offered = {
            _text(body[4:]): body[:4]
            for sender, _, body, _ in self._until_done()
            if sender == _REGISTRY
        }
        for interface, number in _INTERFACES.items():
            what = offered[interface] + _string(interface) + _number(1) + _number(number)
            self._line.send(_REGISTRY, 0, what)
        self._line.send(_MANAGER, 0, _number(_SOURCE))
        for name in self._content:
            self._line.send(_SOURCE, 0, _string(name))
        self._line.send(_MANAGER, 1, _number(_DEVICE) + _number(_SEAT))
        self._line.send(_DEVICE, 0, _number(_SOURCE))
        for message in self._until_done():
            self._hear(*message)

    def _until_done(self) -> Iterator[tuple[int, int, bytes, list[int]]]:
        """The events until the compositor has seen all that was sent."""
        self._line.send(_DISPLAY, 0, _number(_CALLBACK))
        for message in self._line:
            if message[0] == _CALLBACK:
                return
            yield message

    def _serve(self) -> None:
        for message in self._line:
            self._hear(*message)

    def _hear(self, sender: int, event: int, body: bytes, handles: list[int]) -> None:
        if (sender, event) == (_SOURCE, 0):
            self._answer(_text(body), handles.pop(0))

    def _answer(self, name: str, handle: int) -> None:
        self.asked.append(name)
        if name in self._stalls:
            self._held.append(handle)
            return
        with contextlib.suppress(BrokenPipeError), os.fdopen(handle, "wb") as pipe:
            pipe.write(self._content[name])


class PlainDesktop:
    """A compositor that lets programs see the clipboard only while they have the focus."""

    def __init__(self, folder: Path) -> None:
        self.environ = {
            "PATH": os.environ["PATH"],
            "XDG_RUNTIME_DIR": str(folder),
            "WAYLAND_DISPLAY": "wayland-9",
        }
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / "wayland-9"))
        self._door.listen()
        self._thread = threading.Thread(target=self._serve, name="compositor")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._answer(_Line(self._door.accept()[0]))

    def _answer(self, line: _Line) -> None:
        registry = 0
        for target, request, body, _ in line:
            if (target, request) == (_DISPLAY, 1):
                registry = struct.unpack("=I", body)[0]
                for name, interface in enumerate(
                    ("wl_compositor", "wl_shm", "wl_data_device_manager", "wl_seat", "xdg_wm_base")
                ):
                    line.send(registry, 0, _number(name) + _string(interface) + _number(1))
            elif (target, request) == (_DISPLAY, 0):
                line.send(struct.unpack("=I", body)[0], 0, _number(0))
        line.close()


class _Line:
    """A connection: messages of an object, a number of request or event, and arguments.

    Their form is that of the Wayland book, "Wire protocol".
    """

    def __init__(self, where: str | socket.socket) -> None:
        if isinstance(where, str):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(where)
        else:
            self._socket = where
        self._read = b""
        self._handles: list[int] = []

    def send(self, target: int, number: int, body: bytes) -> None:
        """Say something to an object, or as an object."""
        head = struct.pack("=IHH", target, number, 8 + len(body))
        with contextlib.suppress(BrokenPipeError):
            self._socket.sendall(head + body)

    def __iter__(self) -> Iterator[tuple[int, int, bytes, list[int]]]:
        """What comes, until the other side or `close` ends it."""
        while True:
            target, number, size = struct.unpack("=IHH", self._read[:8].ljust(8, b"\xff"))
            if size <= len(self._read):
                body, self._read = self._read[8:size], self._read[size:]
                yield target, number, body, self._handles
            elif not self._more():
                return

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _more(self) -> bool:
        try:
            data, handles, _, _ = socket.recv_fds(self._socket, 65536, 16)
        except OSError:
            return False
        self._handles += handles
        self._read += data
        return bool(data)


def _number(value: int) -> bytes:
    return struct.pack("=I", value)


def _string(text: str) -> bytes:
    data = text.encode() + b"\0"
    return _number(len(data)) + data + bytes(-len(data) % 4)


def _text(body: bytes) -> str:
    (size,) = struct.unpack_from("=I", body)
    return body[4 : 4 + size - 1].decode()
