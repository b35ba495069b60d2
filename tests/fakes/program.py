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
from tests.fakes.held import Held, held_by, kept

COMMAND = (sys.executable, "-m", "imghost")
DEADLINE_S = 15.0
END_S = 5.0
SLOTS = 4  # the most that a host has unless its config says otherwise
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


@dataclass
class Watching:
    """A running `imghost watch`, and the file to which it writes what it says.

    `is_over`: the test has ended it. `most`: what it may hold once it is idle.
    """

    process: subprocess.Popen[bytes]
    log: Path
    is_over: bool = field(init=False, default=False)
    most: Held = field(init=False)

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
        """Have it hold no more than it may keep, and ask it to end: it must, soon and well."""
        assert self.process.poll() is None, self.said
        _nothing_piles_up(self.process, self.most)
        self.process.terminate()
        self.must_end()

    def must_end(self, within_s: float = END_S) -> None:
        """It was told to end: it must, well."""
        assert self.process.wait(within_s) == 0, self.said
        self.is_over = True

    def kill(self) -> None:
        """Let it be no more."""
        assert self.process.poll() is None, self.said
        self.process.kill()
        self.process.wait()
        self.is_over = True


@dataclass
class Program:
    """`imghost` with a home folder and a config of its own, under umask 0.

    `slots`: the most that a host has, by the config that was written last.
    """

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    slots: int = field(default=SLOTS, init=False)

    def configure(self, **sections: Any) -> Path:
        """Write the config file; unless it is said, with a free port and without sound."""
        hosts = sections.get("hosts", {}).values()
        self.slots = max([SLOTS, *(host.get("parallel", SLOTS) for host in hosts)])
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
        begun["bufsize"] = 0  # what readline() read ahead would be missing in communicate()
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
        """A running server; its address. It lives to the end, and then ends well."""
        with self.start("serve", stdin=subprocess.DEVNULL) as server:
            assert server.stderr
            said = server.stderr.readline().decode()
            url = re.search(r"http://[\w.:]+", said)
            assert url, said + server.stderr.read().decode()
            most = held_by(server.pid) + kept(self.slots)
            try:
                yield url[0]
                assert server.poll() is None, server.stderr.read().decode()
                _nothing_piles_up(server, most)
                server.terminate()
                _, told = server.communicate(timeout=DEADLINE_S)
                assert server.returncode == 0, told.decode()
                assert canaries_in(said.encode() + told) == []
            finally:
                server.kill()

    @contextmanager
    def watching(self, *words: str) -> Iterator[Watching]:
        """`imghost watch` from when it watches; unless the test ends it, it ends well after."""
        log = self.home.with_name("said")
        with (
            log.open("wb") as says,
            self.start("watch", *words, stdin=subprocess.DEVNULL, stderr=says) as process,
        ):
            watching = Watching(process, log)
            try:
                eventually(lambda: watching.is_ready)
                watching.most = held_by(process.pid) + kept(self.slots)
                yield watching
                if not watching.is_over:
                    watching.end()
            finally:
                process.kill()
        assert canaries_in(log.read_bytes()) == []

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


def eventually(
    true: Callable[[], bool],
    within_s: float = DEADLINE_S,
    say: Callable[[], object] = lambda: "it did not come true",
) -> None:
    """Wait until it comes true; fail if that takes too long."""
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, say()
        threading.Event().wait(_LOOK_S)


def _nothing_piles_up(daemon: subprocess.Popen[bytes], most: Held) -> None:
    """Once idle, a daemon holds no more than it may."""
    pid = daemon.pid
    eventually(lambda: held_by(pid).is_within(most), say=lambda: f"{held_by(pid)}, not {most}")
