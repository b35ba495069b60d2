"""Fetching a link: from the open internet only, whatever name or redirect is given."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import SourceError
from imghost.transport import Http
from imghost.transport.dial import Address, Resolve
from imghost.transport.fetch import (
    NotPublicError,
    fetch_public,
    internet,
    is_inner,
    is_public,
    public_addresses,
)
from imghost.transport.fetch import fetch as fetch_by
from tests.fakes import faults
from tests.fakes.faults import FaultServer, answering, reply
from tests.fakes.site import Page, Site

PICTURE = b"\x89PNG picture"


def public(*servers: FaultServer) -> Resolve:
    """An internet where a.example, b.example... are these servers; all else is as it is."""
    known = {f"{chr(97 + n)}.example": server for n, server in enumerate(servers)}

    def resolve(host: str, port: int) -> list[tuple[int, Address]]:
        if host in known:
            port = int(known[host].address.rpartition(":")[2])
            return [(socket.AF_INET, ("127.0.0.1", port))]
        return public_addresses(host, port)

    return resolve


def fetch(url: str, *servers: FaultServer, max_bytes: int = 1000, timeout_s: float = 2.0) -> bytes:
    """What stands behind the link in that internet."""
    return fetch_public(url, max_bytes=max_bytes, timeout_s=timeout_s, resolve=public(*servers))


class TestAddresses:
    """Who is asked at all."""

    @pytest.mark.parametrize(
        "name",
        [
            *("127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "localhost", "0"),
            *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"),
            *("[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b:1::7f00:1]"),
            *("169.254.169.254", "[fe80::1]", "10.0.0.1", "192.168.0.1", "[fd00::1]"),
        ],
    )
    def test_inner_addresses(self, name: str) -> None:
        """No spelling of an inner address is connected to."""
        with FaultServer(answering(reply(PICTURE))) as canary:
            port = canary.address.rpartition(":")[2]
            with pytest.raises(SourceError, match=r"not on the open internet|no way to"):
                fetch(f"http://{name}:{port}/a.png")
            assert not canary.peers

    def test_one_inner_address_among_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name with a public and an inner address is refused as a whole."""
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
            for address in ("93.184.215.14", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(SourceError, match="not on the open internet"):
            public_addresses("rebound.example", 80)

    @pytest.mark.parametrize(
        ("address", "free"),
        [
            *((a, True) for a in ("8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808")),
            *((a, False) for a in ("0.0.0.0", "100.64.0.1", "255.255.255.255", "224.0.0.1")),
            *((a, False) for a in ("2002:7f00:1::1", "64:ff9b::a00:1", "ff02::1", "fec0::1")),
            ("2001:0:7f00:1:8000:63bf:3fff:fdd2", False),
            *((a, False) for a in ("::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1")),
            *((a, True) for a in ("192.0.1.1", "172.32.0.1", "2001:200::1", "3ffe::1")),
            *((a, False) for a in ("192.0.0.9", "192.0.0.170", "192.88.99.1", "198.19.0.1")),
            *((a, False) for a in ("3fff::1", "3fff:fff::1", "2001:2::1", "2001:1ff::1")),
            *((a, False) for a in ("240.0.0.1", "172.31.0.1", "192.0.2.1", "203.0.113.9")),
            *((a, False) for a in ("::8.8.8.8", "::ffff:8.8.8.8", "4000::1", "2001:db8::1")),
        ],
    )
    def test_kinds(self, address: str, free: bool) -> None:
        """Addresses that stand for inner ones, or for many, are not public."""
        assert is_public(ip_address(address)) is free

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://a.example/", "", "//"])
    def test_other_schemes(self, url: str) -> None:
        """Only web links are fetched."""
        with pytest.raises(SourceError, match="not an http"):
            fetch(url)


class TestInner:
    """Links that say themselves that they lead nowhere else."""

    @pytest.mark.parametrize(
        ("url", "inner"),
        [
            *((f"http://{h}/a", True) for h in ("127.0.0.1:80", "localhost", "10.1.2.3", "[::1]")),
            *((f"http://{h}/a", True) for h in ("LOCALHOST.", "a.localhost", "nas.local:8080")),
            *((f"http://{h}/a", False) for h in ("8.8.8.8", "localhost.example", "a.example", "")),
            ("http://[", False),
        ],
    )
    def test_forms(self, url: str, inner: bool) -> None:
        """Addresses and names of this machine and its network are known; of others nothing is."""
        assert is_inner(url) is inner

    @given(st.text() | st.from_regex(r"https?://[^/]{0,30}/.{0,9}"))
    def test_anything(self, url: str) -> None:
        """Whatever stands in a post, looking at it raises nothing."""
        assert is_inner(url) in (True, False)


class TestFetching:
    """What comes back."""

    def test_picture(self) -> None:
        """The bytes behind the link come back; the host's own name was asked for."""
        with FaultServer(answering(reply(PICTURE))) as server:
            assert fetch("http://a.example/p.png", server) == PICTURE
        assert b"Host: a.example\r\n" in server.peers[0].received

    def test_no_proxy_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy, which would look names up by itself, is not used."""
        with FaultServer(answering(reply(PICTURE))) as server, FaultServer(answering(b"")) as proxy:
            monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
            assert fetch("http://a.example/p.png", server) == PICTURE
            assert not proxy.peers

    def test_redirects(self) -> None:
        """Redirects are followed from host to host, absolute or relative."""
        moved = answering(reply(b"", "302 Found", "Location: http://b.example/x"))
        with FaultServer(moved) as first, FaultServer(answering(reply(PICTURE))) as second:
            assert fetch("http://a.example/", first, second) == PICTURE

    @pytest.mark.parametrize(
        "target", ["http://127.0.0.1:{port}/", "http://0x7f.1:{port}/", "//0:{port}"]
    )
    def test_redirect_to_an_inner_address(self, target: str) -> None:
        """A redirect is checked like the link itself."""
        with FaultServer(answering(reply(PICTURE))) as canary:
            location = target.format(port=canary.address.rpartition(":")[2])
            moved = answering(reply(b"", "302 Found", f"Location: {location}"))
            with FaultServer(moved) as first, pytest.raises(SourceError, match="open internet"):
                fetch("http://a.example/", first)
            assert not canary.peers

    def test_redirects_of_an_own_host(self) -> None:
        """It may be an inner one, and send to itself; wherever else it sends to must be public."""
        with Site() as own, Site() as inner, closing(Http(timeout_s=2)) as http:
            own.pages["/a"] = Page(b"", status=302, location="/b")
            own.pages["/b"] = Page(b"", status=302, location=f"{inner.url}/c")
            with closing(internet(2)) as elsewhere, pytest.raises(NotPublicError):
                fetch_by(http, f"{own.url}/a", elsewhere=elsewhere, max_bytes=1000, timeout_s=2)
            assert [path for path, _ in own.asked] == ["/a", "/b"]
            assert inner.asked == []

    @pytest.mark.parametrize("location", ["http://[", "file:///etc/passwd", "http://"])
    def test_redirect_to_nowhere(self, location: str) -> None:
        """A redirect that is no web address is an error like any other."""
        moved = answering(reply(b"", "302 Found", f"Location: {location}"))
        with FaultServer(moved) as first, pytest.raises(SourceError):
            fetch("http://a.example/", first)

    @pytest.mark.parametrize("header", ["Location: /again", "X: y"])
    def test_redirects_without_end(self, header: str) -> None:
        """A link is asked for four times at most."""
        with FaultServer(answering(reply(b"", "302 Found", header))) as server:
            with pytest.raises(SourceError, match="without end"):
                fetch("http://a.example/", server)
            assert len(server.peers) == 4

    def test_too_large(self) -> None:
        """A picture larger than allowed is refused, and not read to its end."""
        with (
            FaultServer(faults.endless_body) as server,
            pytest.raises(SourceError, match="larger than 1000 bytes"),
        ):
            fetch("http://a.example/", server)

    def test_other_status(self) -> None:
        """A page that is missing says so."""
        with (
            FaultServer(answering(reply(b"", "404 Not Found"))) as server,
            pytest.raises(SourceError, match="answered 404"),
        ):
            fetch("http://a.example/", server)

    @pytest.mark.parametrize("behave", [faults.never_answer, faults.trickle_body])
    def test_time_is_for_all_redirects_together(self, behave: faults.Behaviour) -> None:
        """The time limit holds for the whole way."""
        begun = time.monotonic()
        moved = answering(reply(b"", "302 Found", "Location: http://b.example/x"))
        with FaultServer(moved) as first, FaultServer(behave) as second, pytest.raises(SourceError):
            fetch("http://a.example/", first, second, timeout_s=0.3)
        assert time.monotonic() - begun < 1.3
