"""Another user of the same machine, in a process of theirs: shut out, and told why."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fakes import pictures
from tests.fakes.needs import may_skip
from tests.fakes.program import Program

PYTHON = "/usr/bin/python3"  # which every user may run
NOBODY = 65534
ASK = """
import http.client, json, sys
port, method, path, body = int(sys.argv[1]), *sys.argv[2:]
peer = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
peer.request(method, path, body or None, {"Host": f"127.0.0.1:{port}"})
answer = peer.getresponse()
print(json.dumps([answer.status, answer.read().decode()]))
"""
ROUTES = (
    *(("POST", "/upload"), ("POST", "/delete"), ("POST", "/heartbeat"), ("GET", "/")),
    *(("GET", "/settings"), ("GET", "/api/status"), ("POST", "/api/stop"), ("POST", "/api/upload")),
)

pytestmark = pytest.mark.skipif(
    not (sys.platform == "linux" and os.geteuid() == 0 and Path(PYTHON).exists()) and may_skip(),
    reason="only root on Linux can be two users",
)


def _answer_to_nobody(*words: str) -> tuple[int, str]:
    """The status and the body of what another user is answered."""
    command = (PYTHON, "-c", ASK, *words)
    nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": ()}
    told = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, check=True, **nobody)
    status, body = json.loads(told.stdout)
    return status, body


@pytest.fixture
def program(home: Path) -> Iterator[Program]:
    """A running server with a picture, of ours."""
    program = Program(home / "imghost")
    program.configure()
    with program.serving():
        yield program


def test_nothing_is_answered(program: Program, tmp_path: Path) -> None:
    """Whatever is asked is refused, and a picture that is public already is shown."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())
    (link,) = program.run("upload", path).lines
    body = json.dumps({"list": [str(path)]})
    port = str(urlsplit(link).port)
    for method, route in ROUTES:
        status, said = _answer_to_nobody(port, method, route, body if method == "POST" else "")
        assert status == 403, (route, said)
    status, _ = _answer_to_nobody(port, "HEAD", urlsplit(link).path, "")
    assert status == 200
    assert program.status["state"] == "serving"
    assert len(program.history) == 1


def test_nothing_can_be_read(program: Program, tmp_path: Path) -> None:
    """Under umask 0 nothing that was written is another user's to read, list or change."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())
    assert program.run("upload", path).code == 0
    fresh = Program(tmp_path / "fresh")
    assert fresh.run("config", "init").code == 0
    written = [*program.home.rglob("*"), fresh.home, *fresh.home.rglob("*")]
    assert {"door.json", "journal.db", "config.json"} <= {found.name for found in written}
    assert [found for found in written if stat.S_IMODE(found.stat().st_mode) & 0o077] == []


def test_a_port_that_another_user_has(program: Program) -> None:
    """Their own daemon on our port ends with 8 and names the setting; ours goes on."""
    port = urlsplit(program.door.url).port
    other = Program(Path(tempfile.mkdtemp(prefix="imghost-")))
    try:
        other.configure(server={"port": port})
        for path in (other.home, *other.home.rglob("*")):
            shutil.chown(path, NOBODY, NOBODY)
        caps = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")  # wherever we are
        prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *caps)
        result = Program(other.home, prefix=prefix).run("serve")
    finally:
        shutil.rmtree(other.home)
    assert result.code == 8, result.err
    assert "server.port" in result.err
    assert program.status["state"] == "serving"
