"""The program as a person runs it: real processes, a home of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imghost.cli import client
from imghost.dirs import find_dirs
from imghost.door import Door, find_door
from tests.fakes.canaries import canaries_in

COMMAND = (sys.executable, "-m", "imghost")
DEADLINE_S = 15.0
END_S = 5.0
_LOOK_S = 0.02


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Its results."""
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """Its results, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Watching:
    """A running `imghost watch`, and the file to which it writes what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def is_ready(self) -> bool:
        """Whether it watches; it must not have ended before."""
        assert self.process.poll() is None, self.said
        return "watching at" in self.said

    def end(self) -> None:
        """Ask it to end: it must, soon and well."""
        self.process.terminate()
        assert self.process.wait(END_S) == 0, self.said


@dataclass
class Program:
    """`imghost` with a home folder and a config of its own, under umask 0."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    def configure(self, **sections: object) -> Path:
        """Write the config file; unless it is said, with a free port and without sound."""
        sections.setdefault("server", {"port": 0})
        sections.setdefault("chime", {"enabled": False})
        path = self.home / "config" / "config.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sections), encoding="utf-8")
        return path

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Begin a command."""
        environ = os.environ | {"IMGHOST_HOME": str(self.home)} | self.environ
        begun: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        begun["umask"] = 0 if os.name == "posix" else -1
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [*self.prefix, *COMMAND, *words], env=environ, **(begun | options)
        )
        return process

    def run(self, *words: str | Path, stdin: bytes = b"", **options: Any) -> Result:
        """Run a command to its end."""
        with self.start(*map(str, words), **options) as process:
            out, err = process.communicate(stdin, timeout=DEADLINE_S)
        assert canaries_in((out or b"") + (err or b"")) == []
        return Result(process.returncode, (out or b"").decode(), (err or b"").decode())

    def set(self, key: str, value: object) -> None:
        """Change the config as a person does."""
        words = value if isinstance(value, str) else json.dumps(value)
        assert self.run("config", "set", key, words).code == 0

    @contextmanager
    def serving(self) -> Iterator[str]:
        """A running server; its address."""
        with self.start("serve", stdin=subprocess.DEVNULL) as server:
            assert server.stderr
            said = server.stderr.readline().decode()
            url = re.search(r"http://[\w.:]+", said)
            assert url, said + server.stderr.read().decode()
            try:
                yield url[0]
            finally:
                if server.poll() is None:
                    server.terminate()
                server.communicate(timeout=DEADLINE_S)

    @contextmanager
    def watching(self, *words: str) -> Iterator[Watching]:
        """`imghost watch` from when it watches; unless it is ended inside, it ends well after."""
        log = self.home.with_name("said")
        with (
            log.open("wb") as says,
            self.start("watch", *words, stdin=subprocess.DEVNULL, stderr=says) as process,
        ):
            watching = Watching(process, log)
            try:
                eventually(lambda: watching.is_ready)
                yield watching
                if process.poll() is None:
                    watching.end()
            finally:
                process.kill()

    @property
    def history(self) -> list[dict[str, Any]]:
        """What was accepted, the latest first."""
        return list(self.run("history", "--json", "--limit", "1000").json)

    @property
    def status(self) -> dict[str, Any]:
        """What the daemon tells `imghost status --json`, without a process for each look."""
        return dict(client.status(self.door))

    @property
    def door(self) -> Door:
        """That of the running daemon."""
        door = find_door(find_dirs({"IMGHOST_HOME": str(self.home)}))
        assert door
        return door

    @property
    def originals(self) -> list[Path]:
        """What is kept."""
        found = (self.home / "data" / "originals").glob("??/*")
        return sorted(path for path in found if not path.suffix)


def path_of(url: str) -> str:
    """The part of a link behind the server's address."""
    return urlsplit(url).path


def eventually(true: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
    """Wait until it comes true; fail if that takes too long."""
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, "it did not come true"
        threading.Event().wait(_LOOK_S)
