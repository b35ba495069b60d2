"""The server's life: its port, its patience with slow clients, and its end."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from imghost.errors import DaemonError
from imghost.server.patience import Patience, Waiting, deadline, dispensable
from imghost.server.run import listen
from tests.fakes.editor import picgo
from tests.fakes.serving import HOST, ask, connected, needs_ipv6, raw, received, serving

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

LARGE = bytes(8 << 20)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LIMITS = Patience(headers_s=10, body_s=300, silence_s=20, reader_s=30)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body; /large with many bytes, /slow once the client is gone."""
    body, more = b"", scope["path"] != "/unread"
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"] == "/large":
        body = LARGE
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for at in range(0, max(1, len(body)), 65536):
        more = at + 65536 < len(body)
        await send({"type": "http.response.body", "body": body[at : at + 65536], "more_body": more})


@contextmanager
def echoing(**limits: float) -> Iterator[int]:
    """A server that echoes; no waiting has an end but those given."""
    endless = {"headers_s": 60.0, "body_s": 60.0, "silence_s": 60.0, "reader_s": 60.0}
    patience = Patience(**{**endless, "look_s": 0.05, **limits})  # type: ignore[arg-type]
    with serving(lambda _: echo, patience) as port:
        yield port


@pytest.mark.parametrize(
    ("waiting", "since", "heard", "ends"),
    [
        (Waiting.NOTHING, 0, 0, math.inf),
        (Waiting.HEADERS, 5, 14, 15),
        (Waiting.BODY, 5, 5, 25),
        (Waiting.BODY, 5, 100, 120),
        (Waiting.BODY, 5, 304, 305),
        (Waiting.READER, 5, 5, 35),
    ],
)
def test_the_table_of_deadlines(waiting: Waiting, since: float, heard: float, ends: float) -> None:
    """Headers count from their beginning; bodies from their last piece, and in all."""
    assert deadline(waiting, since, heard, LIMITS) == ends


def trickle(peer: socket.socket, pieces: Callable[[int], bytes]) -> None:
    """Send a piece each 20 ms until the server has enough of it."""
    peer.settimeout(0.02)
    for n in range(1000):
        try:
            peer.sendall(pieces(n))
            if not peer.recv(1000):
                break
        except TimeoutError:
            continue
        except OSError:
            break


def test_headers_that_never_end_are_cut_off() -> None:
    """A byte now and then does not keep a connection."""
    with echoing(headers_s=0.3) as port:
        began = time.monotonic()
        with connected(port) as peer:
            trickle(peer, lambda n: b"GET / HTTP/1.1\r\nX: "[n : n + 1] or b"a")
        assert 0.25 < time.monotonic() - began < 3


def test_a_silent_connection_is_cut_off() -> None:
    """Who connects and says nothing is not waited for."""
    with echoing(headers_s=0.3) as port, connected(port) as peer:
        assert received(peer) == b""


def test_a_body_that_stops_is_cut_off() -> None:
    """After headers in time, silence has its own limit."""
    with echoing(silence_s=0.3) as port, connected(port) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        assert received(peer) == b""


def test_a_body_that_never_ends_is_cut_off() -> None:
    """However lively it comes, its time in all is bounded."""
    with echoing(body_s=0.4) as port, connected(port) as peer:
        began = time.monotonic()
        peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        trickle(peer, lambda _: b"1\r\na\r\n")
        assert 0.35 < time.monotonic() - began < 3


def test_a_body_that_nobody_reads_is_cut_off_too() -> None:
    """An answer given early does not make the rest of the request endless."""
    with echoing(body_s=0.4) as port, connected(port) as peer:
        began = time.monotonic()
        peer.sendall(b"POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert peer.recv(1000).startswith(b"HTTP/1.1 200 ")
        trickle(peer, lambda _: b"1\r\na\r\n")
        assert 0.3 < time.monotonic() - began < 3


def test_a_client_that_reads_nothing_is_cut_off() -> None:
    """An answer that is not taken does not stay in memory."""
    given_up = threading.Event()

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        await echo(scope, receive, send)
        given_up.set()

    patience = Patience(reader_s=0.3, look_s=0.05)
    with serving(lambda _: watched, patience) as port, connected(port) as peer:
        peer.sendall(GET.replace(b"/ ", b"/large ", 1))
        assert given_up.wait(10)
        assert len(received(peer)) < len(LARGE)


def test_a_slow_but_steady_client_gets_everything() -> None:
    """Deadlines are for those who stand still: a body in many pieces arrives."""
    with echoing(silence_s=2.0, headers_s=2.0) as port, connected(port) as peer:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20\r\n\r\n"
        peer.sendall(head)
        pause = threading.Event()
        for n in range(20):
            pause.wait(0.15)
            peer.sendall(bytes([n]))
        assert received(peer).endswith(bytes(range(20)))


def test_slow_clients_do_not_take_the_place_of_others() -> None:
    """When all places are taken, the longest waited for goes, and the newcomer is served."""
    with echoing(connections=5) as port, ExitStack() as stack:
        slow = [stack.enter_context(connected(port)) for _ in range(5)]
        for peer in slow:
            peer.sendall(b"GET / HT")
        for _ in range(10):
            assert ask(port, "/").status == 200
        assert received(slow[0]) == b""


@dataclass
class Peer:
    """Somebody at the other end."""

    name: str
    waiting: Waiting
    since: float = 0.0
    peer: str = "127.0.0.1"
    is_stranger: bool = False


@pytest.mark.parametrize(
    ("goes", "stays"),
    [
        (Peer("another user", Waiting.BODY, 9, is_stranger=True), Peer("idle", Waiting.HEADERS)),
        (Peer("idle", Waiting.HEADERS, 9), Peer("reads slowly", Waiting.READER)),
        (Peer("reads slowly", Waiting.READER, 9), Peer("sends a picture", Waiting.BODY)),
        (Peer("longest idle", Waiting.HEADERS, 1), Peer("idle", Waiting.HEADERS, 2)),
        (Peer("sends for long", Waiting.BODY, 1), Peer("just began", Waiting.BODY, 2)),
    ],
)
def test_who_goes_first(goes: Peer, stays: Peer) -> None:
    """Other users, then the idle, then readers; who sends a picture last."""
    for awaited in ([goes, stays], [stays, goes]):
        assert dispensable(awaited) is goes


def test_of_the_idle_the_crowd_goes_first() -> None:
    """One machine cannot crowd out another: however long that was idle, it is alone."""
    crowd = [Peer("crowd", Waiting.HEADERS, n, peer="192.0.2.1") for n in (7, 5, 6)]
    phone = Peer("phone", Waiting.HEADERS, 1, peer="192.0.2.2")
    senders = [Peer("sender", Waiting.BODY, 0, peer="192.0.2.3") for _ in range(9)]
    assert dispensable([phone, *senders, *crowd]) is crowd[1]


def test_the_idle_do_not_cut_off_an_upload() -> None:
    """A picture that comes slowly arrives, however many connections are opened meanwhile."""
    with echoing(connections=5) as port, ExitStack() as stack:
        sender = stack.enter_context(connected(port))
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
        sender.sendall(head + b"pic")
        for _ in range(20):
            stack.enter_context(connected(port))
            assert ask(port, "/").status == 200
        sender.sendall(b"ture!!")
        assert received(sender).endswith(b"picture!!")


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="only root on Linux can give a connection to another user",
)
def test_another_user_does_not_cut_off_our_own() -> None:
    """Whoever opens connections under another uid loses those, and no idle one of ours."""
    with echoing(connections=5) as port, ExitStack() as stack:
        ours = [stack.enter_context(connected(port)) for _ in range(3)]
        for _ in range(20):
            peer = stack.enter_context(socket.socket())
            os.fchown(peer.fileno(), 65534, -1)
            peer.connect((HOST, port))
            peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            assert ask(port, "/").status == 200
        for peer in ours:
            peer.sendall(GET)
            assert peer.recv(100).startswith(b"HTTP/1.1 200 ")


def test_no_more_connections_are_held_than_allowed() -> None:
    """Of sixty opened at once five are kept: the rest are closed, not left to pile up."""
    with echoing(connections=5) as port, ExitStack() as stack:
        slow = [stack.enter_context(connected(port)) for _ in range(60)]
        assert [received(peer) for peer in slow[:55]] == [b""] * 55
        slow[-1].sendall(GET)
        assert slow[-1].recv(100).startswith(b"HTTP/1.1 200 ")


def test_headers_have_a_bound() -> None:
    """A request with endless headers is refused before they fill the memory."""
    with echoing() as port:
        answer = raw(port, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: a\r\n" * 50_000)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /%b HTTP/1.1\r\n" % (b"a" * 20_000),
        b"GET /?key=%b HTTP/1.1\r\n" % (b"a" * 20_000),
        b"GET / HTTP/1.1\r\nX-Long: %b\r\n" % (b"a" * 20_000),
        b"GET / HTTP/1.1\r\n" + b"X-Short: a\r\n" * 2_000,
    ],
)
def test_headers_have_the_same_bound_in_one_piece(head: bytes) -> None:
    """However fast they come; who sends less is answered."""
    with echoing() as port:
        answer = raw(port, head + b"Host: x\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
        assert ask(port, "/?" + "a" * 15_000).status == 200


def test_noise_is_refused_and_harms_nobody() -> None:
    """What is not HTTP is answered with 400."""
    with echoing() as port:
        for noise in (b"\x16\x03\x01\x02\x00\x01", b"\r\n\r\nGET\r\n\r\n", b"\0" * 300):
            assert b"HTTP/1.1 400 " in raw(port, noise + b"\r\n\r\n")
        assert ask(port, "/", method="POST", body=b"well").body == b"well"


def test_a_bug_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    """500 without details for the client, the traceback for us, and nobody else is harmed."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/bug":
            raise ZeroDivisionError("a bug")
        await echo(scope, receive, send)

    with serving(lambda _: fail) as port:
        answer = ask(port, "/bug?secret=canary")
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert ask(port, "/").status == 200
    (record,) = [r for r in caplog.records if r.name == "imghost.server"]
    assert record.exc_info
    assert "canary" not in caplog.text


def test_what_was_begun_is_finished_before_the_end() -> None:
    """Stopping waits for an answer under way, and closes what stands idle."""
    may_end = threading.Event()
    begun = threading.Event()

    async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.to_thread(may_end.wait, 10)
        await echo(scope, receive, send)

    with ExitStack() as stack:
        server = stack.enter_context(ExitStack())
        port = server.enter_context(serving(lambda _: slowly))
        idle = stack.enter_context(connected(port))
        peer = stack.enter_context(connected(port))
        peer.sendall(GET)
        assert begun.wait(10)
        stopper = threading.Thread(target=server.close, name="stopper")
        stopper.start()
        assert received(idle) == b""
        may_end.set()
        assert received(peer).startswith(b"HTTP/1.1 200 ")
        stopper.join()


def test_the_end_does_not_wait_for_clients_that_stand_still() -> None:
    """Five seconds after it was told to stop, the server has."""
    with ExitStack() as stack:
        with echoing() as port:
            reader = stack.enter_context(connected(port))
            reader.sendall(GET.replace(b"/ ", b"/large ", 1))
            assert reader.recv(10)
            sender = stack.enter_context(connected(port))
            head = (
                b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
            )
            sender.sendall(head)
            assert sender.recv(100).startswith(b"HTTP/1.1 100 ")
            began = time.monotonic()
        assert time.monotonic() - began < 5


def test_a_taken_port_is_named(taken: int) -> None:
    """The error names the port and what to change, and tells nothing it does not know."""
    with pytest.raises(DaemonError, match=f"port {taken} is taken by another program"):
        listen(HOST, taken)


def test_picgo_on_the_port_is_named() -> None:
    """Who answers PicGo's heartbeat there is called by its name."""
    with picgo() as port, pytest.raises(DaemonError, match="PicGo, PicList or another imghost"):
        listen(HOST, port)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port where somebody accepts and never answers."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_an_address_of_another_machine_is_named() -> None:
    """The error says which setting to change."""
    with pytest.raises(DaemonError, match=r"192\.0\.2\.1 is not an address"):
        listen("192.0.2.1", 0)


def test_a_name_that_leads_nowhere_is_named() -> None:
    """So does that for a name."""
    with pytest.raises(DaemonError, match="nowhere"):
        listen("nowhere.invalid", 0)


@needs_ipv6
def test_both_loopback_addresses_are_listened_on() -> None:
    """`localhost` is ::1 to some editors: no stranger can sit there in our place."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(sock)) for sock in listen(HOST, 0)]
        ports = {sock.getsockname()[1] for sock in sockets}
        assert [sock.getsockname()[0] for sock in sockets] == [HOST, "::1"]
        assert len(ports) == 1
        with pytest.raises(DaemonError, match="is taken"):
            listen(HOST, ports.pop())


@needs_ipv6
def test_a_stranger_on_the_other_loopback_address_is_told_of() -> None:
    """Half a door is none: the first socket is closed again."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(DaemonError, match="is taken"):
            listen(HOST, port)
        socket.create_server((HOST, port)).close()


def test_the_port_is_free_again_at_once() -> None:
    """A daemon that starts right after another ended, connections and all, gets the port."""
    with echoing() as port:
        assert ask(port, "/").status == 200
    for sock in listen(HOST, port):
        sock.close()


@pytest.mark.parametrize("module", ["wire", "run", "guard", "files", "app", "commands"])
def test_nothing_heavy_is_imported_before_a_server_starts(module: str) -> None:
    """A command that only asks the daemon pays for no server."""
    heavy = {"starlette", "uvicorn", "h11", "PIL", "requests", "anyio"}
    code = f"import sys, imghost.server.{module}; print(*({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
