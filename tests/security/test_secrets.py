"""Secrets are in no process's arguments, in no child's environment, and in no answer."""

from __future__ import annotations

import base64
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from imghost.cli import client
from tests.fakes import bilibili, pictures
from tests.fakes.bilibili import BILI_JCT, SESSDATA
from tests.fakes.canaries import CANARY, SECRETS, canaries_in
from tests.fakes.program import Program, eventually
from tests.fakes.serving import ask

LOOK_S = 0.01
PASSWORD = f"HTTP://me:{CANARY}@127.0.0.1:9"
ROUTES = ("/", "/settings", "/login", "/api/status", "/heartbeat", "/picture/1", "/none")


class _Looker:
    """Somebody who looks at all processes of a home again and again; `told` is what gave away."""

    def __init__(self, home: Path) -> None:
        self._mark = f"IMGHOST_HOME={home}".encode()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, name="looker")
        self.told: list[bytes] = []
        self.commands: set[bytes] = set()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While the block lasts."""
        self._thread.start()
        try:
            yield
        finally:
            self._ending.set()
            self._thread.join()

    def _look(self) -> None:
        while not self._ending.wait(LOOK_S):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    self._see(folder)
                except OSError:
                    continue

    def _see(self, folder: Path) -> None:
        words = (folder / "cmdline").read_bytes()
        environ = (folder / "environ").read_bytes()
        is_decoder = b"imghost.imaging.child" in words
        if not is_decoder and self._mark not in environ:
            return
        self.commands.add(words)
        if canaries_in(words) or (is_decoder and canaries_in(environ)):
            self.told.append(words + environ)


def test_what_is_looked_for_is_found() -> None:
    """Each secret as it is, percent-encoded and in base64, wherever in it that begins."""
    for secret in SECRETS:
        for start in range(3):
            plain = b"x" * start + secret.encode() + b" and more"
            for text in (plain, quote(plain, safe="").encode(), base64.b64encode(plain)):
                assert canaries_in(b"[" + text + b"]") == [secret], text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
@pytest.mark.parametrize("by_environment", [False, True])
def test_processes(home: Path, tmp_path: Path, by_environment: bool) -> None:
    """A daemon, its children and commands, while pictures go to a host that wants a login."""
    program, path = Program(home / "imghost"), tmp_path / "a.png"
    looker = _Looker(program.home)
    with bilibili.FakeBilibili() as fake, looker.looking():
        settings = bilibili.settings(fake)
        if by_environment:
            program.environ |= {"IMGHOST_SESSDATA": SESSDATA, "IMGHOST_BILI_JCT": BILI_JCT}
            program.environ |= {"IMGHOST_S3_SECRET_KEY": CANARY}
            settings["hosts"]["bilibili"] |= {"sessdata": "", "bili_jct": ""}
        settings["hosts"]["s3"] = {
            "endpoint": "https://s3.example",
            "bucket": "b",
            "access_key": "a",
            "secret_key": "" if by_environment else CANARY,
            "proxy": PASSWORD,
        }
        (home / "pictures").mkdir()
        watch = {"folders": [str(home / "pictures")]}
        program.configure(**settings, watch=watch, server={"port": 0, "secret": CANARY})
        with program.watching("--no-clipboard", "--no-tray") as watching:
            for seed in range(3):
                path.write_bytes(pictures.png(seed=seed))
                assert program.run("upload", path).code == 0
            (home / "pictures" / "b.png").write_bytes(pictures.png(seed=9))
            eventually(lambda: program.status["counts"]["done"] == 4)
            fake.sessdata = "renewed"
            path.write_bytes(pictures.png(seed=10))
            assert program.run("upload", path).code == 7
            assert '"proxy": "HTTP://********@127.0.0.1:9"' in program.run("config", "show").out
            for words in ("doctor", "status", "status --json", "history --json"):
                program.run(*words.split())  # which looks at what is said
            port = int(program.door.url.rpartition(":")[2])
            told = b"".join(ask(port, route).body for route in ROUTES)
            assert canaries_in(told + repr(client.status(program.door)).encode()) == []
        assert canaries_in(watching.log.read_bytes()) == []
    assert looker.told == []
    assert {b"watch", b"upload", b"imghost.imaging.child"} <= {
        word for words in looker.commands for word in words.split(b"\0")
    }
