"""The daemon's ports: where it listens, and what it does while somebody else has the door's."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from imghost.errors import DaemonError
from imghost.server.run import is_free, listen
from tests.fakes import pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.canaries import CANARY
from tests.fakes.editor import FORM, address_of_this_machine, form, picgo
from tests.fakes.program import Program, eventually
from tests.fakes.serving import ask, needs_ipv6
from tests.fakes.taking import at_bilibili

AWAY = address_of_this_machine()
SECRET = CANARY

needs_address = pytest.mark.skipif(not AWAY, reason="this machine has no address but loopback")


@pytest.mark.parametrize(
    ("bind", "addresses"),
    [
        ("127.0.0.1", ["127.0.0.1", "::1"]),
        ("::1", ["127.0.0.1", "::1"]),
        ("0.0.0.0", ["0.0.0.0", "::1"]),
        ("::", ["127.0.0.1", "::"]),
        pytest.param(AWAY, ["127.0.0.1", "::1", AWAY], marks=needs_address),
    ],
)
@needs_ipv6
def test_where_it_listens(bind: str, addresses: list[str]) -> None:
    """On both loopback addresses in any case, for commands, and on one port."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(sock)) for sock in listen(bind, 0)]
        assert [sock.getsockname()[0] for sock in sockets] == addresses
        (port,) = {sock.getsockname()[1] for sock in sockets}
        assert not is_free(port)
    assert is_free(port)


def test_half_a_door_is_none() -> None:
    """Where one address cannot be had, none stays taken."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(DaemonError, match=r"192\.0\.2\.1 is not an address"):
        listen("192.0.2.1", port)
    assert is_free(port)


def test_who_watches_goes_on_without_the_door(program: Program, tmp_path: Path) -> None:
    """It says who answers there, serves its commands, and takes the port when it is free."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    with FakeBilibili() as server, ExitStack() as stack:
        port = stack.enter_context(picgo())
        program.configure(**at_bilibili(server), server={"port": port})
        watching = stack.enter_context(program.watching("--no-clipboard"))
        eventually(lambda: "editors do not reach imghost yet" in watching.said)
        assert f"port {port} is taken: PicGo" in watching.said
        assert any("PicGo" in problem for problem in program.status["missing"])
        assert program.run("upload", picture).code == 0
        link = program.run("upload", "--host", "local", picture).out
        assert f":{port}/" not in link
        assert b"alive" in ask(port, "/upload", method="POST").body  # still PicGo's


def test_the_door_opens_when_the_port_is_free(program: Program) -> None:
    """Editors are served there from then on, and links of the built-in host lead there."""
    with FakeBilibili() as server, ExitStack() as stack:
        other = stack.enter_context(ExitStack())
        port = other.enter_context(picgo())
        program.configure(**at_bilibili(server), server={"port": port})
        stack.enter_context(program.watching("--no-clipboard"))
        other.close()
        eventually(lambda: not any("editors" in said for said in program.status["missing"]))
        body = form(("file", "a.png", pictures.png()))
        answer = ask(port, "/upload", {"Content-Type": FORM}, method="POST", body=body)
        assert json.loads(answer.body)["success"], answer.body
        query = "/upload?uploader=local"
        answer = ask(port, query, {"Content-Type": FORM}, method="POST", body=body)
        (link,) = json.loads(answer.body)["result"]
        assert link.startswith(f"http://127.0.0.1:{port}/bfs/")
        assert ask(port, link.partition(str(port))[2]).body == pictures.png()


@pytest.mark.parametrize("command", [("serve",), ("watch", "--no-clipboard")])
def test_a_taken_port_ends_whoever_needs_it(program: Program, command: tuple[str, ...]) -> None:
    """`serve`, and `watch` whose links lead there: 8, with a hint and never another port."""
    with picgo() as port:
        program.configure(server={"port": port})
        result = program.run(*command)
    assert result.code == 8
    assert f"port {port} is taken: PicGo" in result.err
    assert "server.port" in result.err


@needs_address
def test_another_machine_may_upload_pictures(program: Program, tmp_path: Path) -> None:
    """With bind, a name and the secret: a form is taken, and public files are shown."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    settings = {"bind": "0.0.0.0", "port": 0, "secret": SECRET, "hosts": [AWAY]}
    program.configure(server=settings)
    with program.serving() as url:
        port = int(url.rpartition(":")[2])
        body = form(("file", "a.png", pictures.png()))
        named = json.dumps({"list": [str(picture)]}).encode()
        key, headers = f"/upload?key={SECRET}", {"Content-Type": FORM}
        assert ask(port, "/upload", headers, method="POST", body=body, host=AWAY).status == 401
        assert ask(port, key, method="POST", body=named, host=AWAY).status == 403
        assert ask(port, key, method="POST", body=b"", host=AWAY).status == 403
        assert ask(port, "/api/status", host=AWAY).status == 403
        answer = ask(port, key, headers, method="POST", body=body, host=AWAY)
        (link,) = json.loads(answer.body)["result"]
        assert ask(port, link.partition(str(port))[2], host=AWAY).status == 200
        assert ask(port, key, method="POST", body=named).status == 200
        assert program.run("upload", picture).code == 0
