"""Who may call: our own programs and pages, and nobody else."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from imghost.server.guard import Guard, callers_of, comes_from_elsewhere, refusal
from imghost.server.peer import Address, is_loopback, stranger_check
from imghost.text import Speaker
from tests.fakes.serving import Answer, ask, needs_ipv6, raw, received, serving

if TYPE_CHECKING:
    from starlette.types import ASGIApp

PORT = 36677
CALLERS = callers_of(PORT, ["nas.local"], ["app://obsidian.md"])
NOBODY = 65534
WAIT_S = 20.0


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ([("host", "127.0.0.1:36677")], True),
        ([("host", "localhost:36677")], True),
        ([("host", "LocalHost:36677")], True),
        ([("host", "[::1]:36677")], True),
        ([("host", "nas.local:36677")], True),
        ([], False),
        ([("host", "")], False),
        ([("host", "evil.example:36677")], False),
        ([("host", "127.0.0.1.evil:36677")], False),
        ([("host", "localhost.:36677")], False),
        ([("host", "127.0.0.1")], False),
        ([("host", "127.0.0.1:80")], False),
        ([("host", "127.0.0.1:36677@evil")], False),
        ([("host", "127.1:36677")], False),
        ([("host", "::1:36677")], False),
        ([("host", "none")], False),
        ([("host", "127.0.0.1:36677"), ("host", "127.0.0.1:36677")], False),
        ([("host", "127.0.0.1:36677"), ("host", "evil")], False),
    ],
)
def test_the_host_must_be_ours(headers: list[tuple[str, str]], passes: bool) -> None:
    """One Host, a name of ours, and our port: a rebound name does not pass."""
    assert (refusal(encoded(headers), CALLERS) is None) is passes


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ([], True),
        ([("origin", "app://obsidian.md")], True),
        ([("origin", "app://obsidian.md"), ("sec-fetch-site", "cross-site")], True),
        ([("origin", f"http://127.0.0.1:{PORT}"), ("sec-fetch-site", "same-origin")], True),
        ([("origin", f"http://localhost:{PORT}")], True),
        ([("sec-fetch-site", "none")], True),
        ([("sec-fetch-site", "same-origin")], True),
        ([("origin", "null")], False),
        ([("origin", "")], False),
        ([("origin", "*")], False),
        ([("origin", "https://evil.example")], False),
        ([("origin", "app://obsidian.md.evil")], False),
        ([("origin", f"https://127.0.0.1:{PORT}")], False),
        ([("origin", "http://127.0.0.1:8080")], False),
        ([("origin", "http://127.0.0.1")], False),
        ([("origin", "app://obsidian.md"), ("origin", "https://evil.example")], False),
        ([("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], False),
        ([("sec-fetch-site", "cross-site")], False),
        ([("sec-fetch-site", "same-site")], False),
        ([("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], False),
    ],
)
def test_a_page_must_be_trusted(headers: list[tuple[str, str]], passes: bool) -> None:
    """Programs send no Origin; a page's must be on the list, letter for letter."""
    told = [("host", f"127.0.0.1:{PORT}"), *headers]
    assert (refusal(encoded(told), CALLERS) is None) is passes


@pytest.mark.parametrize(
    ("name", "hosts"),
    [
        ("nas.lan", {b"nas.lan:36677"}),
        ("Nas.Lan:8080", {b"nas.lan:8080"}),
        ("img.example.org:443", {b"img.example.org:443", b"img.example.org"}),
        ("img.example.org:80", {b"img.example.org:80", b"img.example.org"}),
        ("[fd00::1]", {b"[fd00::1]:36677"}),
    ],
)
def test_names_of_our_own(name: str, hosts: set[bytes]) -> None:
    """As browsers write them; they make no page a trusted one, and this machine is not meant."""
    plain, named = callers_of(PORT), callers_of(PORT, [name])
    assert named.hosts - plain.hosts == hosts
    assert (named.own, named.pages, named.origins) == (plain.own, plain.pages, plain.origins)


def test_trusted_pages_get_to_the_door_alone() -> None:
    """Obsidian may upload; what else there is is for our own pages."""
    told = encoded([("host", f"127.0.0.1:{PORT}"), ("origin", "app://obsidian.md")])
    assert refusal(told, CALLERS, "/delete") is None
    assert refusal(told, CALLERS, "/")
    ours = encoded([("host", f"127.0.0.1:{PORT}"), ("origin", f"http://127.0.0.1:{PORT}")])
    assert refusal(ours, CALLERS, "/") is None


@given(st.lists(st.tuples(st.sampled_from([b"host", b"origin", b"x"]), st.binary(max_size=30))))
def test_no_unknown_host_passes(headers: list[tuple[bytes, bytes]]) -> None:
    """Random bytes are never one of our names."""
    assert refusal(headers, CALLERS)


def test_on_port_80_browsers_leave_the_port_out() -> None:
    """Host and Origin without a port are ours if ours is HTTP's own."""
    headers = [("host", "localhost"), ("origin", "http://localhost")]
    assert refusal(encoded(headers), callers_of(80)) is None


@dataclass
class Door:
    """A running server that counts what gets through to it."""

    port: int
    entered: list[bytes]

    def ask(self, headers: dict[str, str], body: bytes = b"", method: str = "POST") -> Answer:
        """One request."""
        return ask(self.port, "/upload", headers, method=method, body=body)


@pytest.fixture
def door() -> Iterator[Door]:
    """A server with one guarded route."""
    entered: list[bytes] = []
    with serving(lambda port: guarded(port, entered)) as port:
        yield Door(port, entered)


def guarded(port: int, entered: list[bytes]) -> ASGIApp:
    """An application behind the guard that keeps what it is sent."""

    async def enter(request: Request) -> Response:
        entered.append(await request.body())
        return PlainTextResponse("welcome")

    route = Route("/upload", enter, methods=["GET", "POST"])
    return Guard(
        route, callers_of(port, origins=["app://obsidian.md"]), stranger_check(), Speaker("en")
    )


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/json", "multipart/form-data; boundary=x", "", "image/png"],
)
@pytest.mark.parametrize(
    "page",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_gets_nowhere(door: Door, content_type: str, page: dict[str, str]) -> None:
    """Whatever a page sends: 403, nothing read of it, and no leave to see the answer."""
    headers = page | ({"Content-Type": content_type} if content_type else {})
    answer = door.ask(headers, b'{"list":["/etc/passwd"]}')
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert door.entered == []


def test_programs_and_trusted_pages_get_in(door: Door) -> None:
    """No Origin, or one on the list."""
    assert door.ask({}, b"a").status == 200
    assert door.ask({"Origin": "app://obsidian.md"}, b"b").status == 200
    assert door.entered == [b"a", b"b"]


@pytest.mark.parametrize(
    "hosts", [["evil:{port}"], ["127.0.0.1.evil:{port}"], ["localhost.:{port}"], ["127.0.0.1"]]
)
def test_a_rebound_name_gets_nowhere(door: Door, hosts: list[str]) -> None:
    """A page that made its name lead here is told 403."""
    for version in ("1.0", "1.1"):
        answer = raw(door.port, request(door.port, hosts, version))
        assert answer.startswith(b"HTTP/1.1 403 ")
    assert door.entered == []


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("hosts", [[], ["127.0.0.1:{port}"] * 2, ["127.0.0.1:{port}", "evil"]])
def test_no_host_or_two_get_nowhere(door: Door, hosts: list[str], version: str) -> None:
    """What is ambiguous is refused, before or by the guard."""
    answer = raw(door.port, request(door.port, hosts, version))
    assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))
    assert door.entered == []


def test_nothing_of_a_refused_body_is_asked_for(door: Door) -> None:
    """Who waits for leave to send its body is refused without getting it."""
    headers = "Host: evil\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n"
    answer = raw(door.port, f"POST /upload HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ")


WAYS = [
    pytest.param(socket.AF_INET, "127.0.0.1", id="IPv4"),
    pytest.param(socket.AF_INET6, "::1", id="IPv6", marks=needs_ipv6),
    pytest.param(socket.AF_INET6, "::ffff:127.0.0.1", id="mapped", marks=needs_ipv6),
]


@pytest.mark.parametrize(("family", "address"), WAYS)
def test_our_own_connections_are_no_strangers(
    door: Door, family: socket.AddressFamily, address: str
) -> None:
    """Whichever way they come."""
    with socket.socket(family) as peer:
        peer.settimeout(WAIT_S)
        peer.connect((address, door.port))
        peer.sendall(request(door.port, ["localhost:{port}"], "1.1"))
        assert received(peer).startswith(b"HTTP/1.1 200 ")


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="only root on Linux can give a connection to another user",
)
@pytest.mark.parametrize(("family", "address"), WAYS)
def test_another_user_of_this_machine_gets_nowhere(
    door: Door, family: socket.AddressFamily, address: str
) -> None:
    """A connection of another user's program is told 403, and ours are still let in."""
    with socket.socket(family) as peer:
        if sys.platform == "linux":
            os.fchown(peer.fileno(), NOBODY, -1)
        peer.settimeout(WAIT_S)
        peer.connect((address, door.port))
        peer.sendall(request(door.port, ["localhost:{port}"], "1.1"))
        assert received(peer).startswith(b"HTTP/1.1 403 ")
    assert door.entered == []
    assert door.ask({}).status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a connection is")
def test_who_hung_up_is_a_stranger() -> None:
    """A connection that is gone is nobody's, so that nothing is done for whoever made it."""
    is_stranger = stranger_check()
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as peer:
            client = peer.getsockname()
            assert not is_stranger(client, server.getsockname())
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert is_stranger(client, server.getsockname())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a connection is")
def test_who_closed_already_is_nobody() -> None:
    """A closed socket that lives on in the kernel, which names root as its owner, is nobody's."""
    from imghost.server.peer import peer_uid

    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as peer:
            client = peer.getsockname()
            peer.sendall(b"x")
            taken, _ = server.accept()
        with taken:  # not closed at this end: the other one waits
            assert peer_uid(client, server.getsockname()) is None
            assert stranger_check()(client, server.getsockname())


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.5", False),
        ("::ffff:192.168.1.5", False),
        ("fe80::1%eth0", False),
    ],
)
def test_what_loopback_is(address: str, here: bool) -> None:
    """Both families, and the one inside the other."""
    client: Address = (address, 1)
    assert is_loopback(client) is here


@pytest.mark.parametrize(
    ("host", "client", "is_away"),
    [
        ("127.0.0.1:36677", ("127.0.0.1", 1), False),
        ("LOCALHOST:36677", ("127.0.0.1", 1), False),
        ("[::1]:36677", ("::1", 1), False),
        ("127.0.0.1:36677", ("::ffff:127.0.0.1", 1), False),
        ("127.0.0.1:36677", ("192.0.2.7", 1), True),
        ("127.0.0.1:36677", None, True),
        ("nas.local:36677", ("127.0.0.1", 1), True),
        ("", ("127.0.0.1", 1), True),
    ],
)
def test_what_comes_from_elsewhere(
    host: str, client: tuple[str, int] | None, is_away: bool
) -> None:
    """Whatever is not loopback, or not by a name that means it; and what a proxy hands on."""
    callers = callers_of(36677, ["nas.local"])
    headers = [(b"host", host.encode())]
    assert comes_from_elsewhere(client, headers, callers) is is_away
    for name in (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"):
        assert comes_from_elsewhere(client, [*headers, (name, b"x")], callers)


def encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as the server has them."""
    return [(name.encode(), value.encode()) for name, value in headers]


def request(port: int, hosts: list[str], version: str) -> bytes:
    """A request with these values of Host."""
    lines = [f"Host: {host.format(port=port)}" for host in hosts]
    return "\r\n".join(
        [f"GET /upload HTTP/{version}", *lines, "Connection: close", "", ""]
    ).encode()
