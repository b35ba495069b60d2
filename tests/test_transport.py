"""Transport: one exchange, within its time and size, that never shows a secret."""

from __future__ import annotations

import contextlib
import errno
import gzip
import logging
import socket
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from random import Random
from urllib.parse import quote, unquote

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost import transport
from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.secret import Secret
from imghost.transport import Http
from imghost.transport.dial import Address, Call, Resolve
from imghost.transport.web import Form, Reply, Request
from imghost.transport.wire import Way, exchange, trust
from tests.fakes import faults
from tests.fakes.bilibili import BILI_JCT, SESSDATA
from tests.fakes.canaries import leaked, shown
from tests.fakes.faults import (
    FaultServer,
    Peer,
    answering,
    answering_each,
    black_hole,
    never_answer,
    reply,
)
from tests.fakes.program import DEADLINE_S

TIMEOUT_S = 0.3
OVERRUN_S = 1.0
SECRETS = (SESSDATA, BILI_JCT)
COOKIES = {"SESSDATA": Secret(SESSDATA), "bili_jct": Secret(BILI_JCT)}
OK = reply(b"fine")

SLOW = [
    faults.never_answer,
    faults.never_speak,
    faults.read_slowly,
    faults.trickle_head,
    faults.trickle_body,
    faults.endless_interim,
]
ENDLESS = [
    faults.endless_headers,
    faults.endless_header_line,
    faults.endless_interim,
    faults.endless_body,
    faults.endless_chunks,
]
ABRUPT = [
    faults.reset_in_body,
    faults.reset_after_body,
    faults.reset_in_reply,
    faults.close_in_reply,
]


def form(size: int = 10) -> Form:
    """A form with a secret and a file of that many bytes."""
    fields: dict[str, str | Secret] = {"bucket": "live", "csrf": Secret(BILI_JCT)}
    return Form(fields, "0123.png", "image/png", b"x" * size)


def post(address: str, size: int = 10, scheme: str = "http") -> Request:
    """An upload of that many bytes."""
    return Request("POST", f"{scheme}://{address}/upload", cookies=COOKIES, body=form(size))


def get(address: str, max_bytes: int = 1 << 20) -> Request:
    """A plain request."""
    return Request("GET", f"http://{address}/picture.png", max_bytes=max_bytes)


@pytest.fixture
def http() -> Http:
    """A session that has time."""
    return Http(timeout_s=10)


@pytest.fixture
def hasty() -> Http:
    """A session with a short time limit."""
    return Http(timeout_s=TIMEOUT_S)


@pytest.fixture
def way() -> Iterator[Way]:
    """A way without a proxy."""
    with closing(Way("", trust)) as way:
        yield way


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


def server_tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """A server's TLS with a certificate for that name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


class TestSending:
    """What goes out and what comes back."""

    def test_form_arrives_as_it_was_given(self, http: Http) -> None:
        """A form is a multipart body: fields, then the file under its name and true type."""
        with FaultServer(answering(OK)) as server:
            http.send(post(server.address))
        head, _, body = server.peers[0].received.partition(b"\r\n\r\n")
        boundary = head.split(b"boundary=")[1].split(b"\r\n")[0]
        assert head.startswith(b"POST /upload HTTP/1.1\r\n")
        assert body == (
            b'--%b\r\nContent-Disposition: form-data; name="bucket"\r\n\r\nlive\r\n'
            b'--%b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n%b\r\n'
            b'--%b\r\nContent-Disposition: form-data; name="file"; filename="0123.png"\r\n'
            b"Content-Type: image/png\r\n\r\nxxxxxxxxxx\r\n--%b--\r\n"
            % (boundary, boundary, BILI_JCT.encode(), boundary, boundary)
        )

    def test_headers(self, http: Http) -> None:
        """Cookies go out untouched, the agent looks like a browser, nothing names a library."""
        with FaultServer(answering(OK)) as server:
            http.send(post(server.address))
        head = server.peers[0].received.partition(b"\r\n\r\n")[0].decode()
        assert f"Cookie: SESSDATA={SESSDATA}; bili_jct={BILI_JCT}\r\n" in head + "\r\n"
        assert "User-Agent: Mozilla/5.0" in head
        assert "Accept-Encoding: identity" in head
        assert "Origin" not in head
        assert "python" not in head.lower()

    def test_reply_is_given_whatever_its_status(self, http: Http) -> None:
        """A reply of any status comes back with its headers, named in lower case."""
        answer = reply(b"no", "503 Busy", "Retry-After: 7")
        with FaultServer(answering(answer)) as server:
            got = http.send(get(server.address))
        assert (got.status, got.body, got.whole) == (503, b"no", True)
        assert got.headers["retry-after"] == "7"

    def test_long_reply_is_cut(self, http: Http) -> None:
        """Of a body larger than wanted only the wanted bytes come back, marked as not whole."""
        with FaultServer(answering(reply(b"x" * 1001))) as server:
            got = http.send(get(server.address, max_bytes=1000))
            exact = http.send(get(server.address, max_bytes=1001))
        assert (len(got.body), got.whole) == (1000, False)
        assert (len(exact.body), exact.whole) == (1001, True)

    def test_piece_by_piece(self, http: Http) -> None:
        """Whoever takes the body in pieces has all that is wanted of it, and 4 KiB stay behind."""
        body = bytes(range(256)) * 1000
        for max_bytes, whole in ((len(body), True), (len(body) - 1, False)):
            pieces: list[bytes] = []
            with FaultServer(answering(reply(body))) as server:
                got = http.send(get(server.address, max_bytes), each=pieces.append)
            assert b"".join(pieces) == body[:max_bytes]
            assert (got.body, got.whole) == (body[:4096], whole)

    def test_picture_is_not_read_as_a_text(self) -> None:
        """Without secrets there is nothing to mask: 15 MB come in hardly more than their memory."""
        body = Random(1).randbytes(15_000_000)
        with FaultServer(answering(reply(body))) as server, closing(Http(timeout_s=9)) as http:
            http.send(get(server.address))
            tracemalloc.start()
            got = http.send(get(server.address, 1 << 24))
            peak_bytes = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert got.body == body
        assert peak_bytes < 2 * len(body)

    def test_compressed_reply_stays_as_it_is(self, http: Http) -> None:
        """A reply that was compressed unasked is not unpacked, so a bomb stays small."""
        bomb = gzip.compress(b"0" * 10_000_000)
        with FaultServer(answering(reply(bomb, "200 OK", "Content-Encoding: gzip"))) as server:
            assert http.send(get(server.address)).body == bomb

    def test_answer_before_the_end(self, http: Http) -> None:
        """A host that has heard enough is understood, though it does not listen to the rest."""

        def behave(peer: Peer) -> None:
            peer.read_head()
            peer.send(reply(b"too large", "413 Too large"))

        with FaultServer(behave) as server:
            got = http.send(post(server.address, 8_000_000))
        assert (got.status, got.body) == (413, b"too large")

    def test_headers_of_one_name(self, http: Http) -> None:
        """They are one line, as RFC 9110 has it."""
        with FaultServer(answering(reply(b"", "200 OK", "Vary: a", "vary: b"))) as server:
            assert http.send(get(server.address)).headers["vary"] == "a, b"

    def test_redirect_is_not_followed(self, http: Http) -> None:
        """A redirect comes back as it is; where it points to nobody knocks."""
        with FaultServer(answering(OK)) as canary:
            moved = reply(b"", "302 Found", f"Location: http://{canary.address}/")
            with FaultServer(answering(moved)) as server:
                assert http.send(post(server.address)).status == 302
            assert not canary.peers

    @pytest.mark.parametrize("location", ["http://[", "//", "\\x", "http://a b/", ""])
    def test_strange_redirect_is_not_looked_at(self, http: Http, location: str) -> None:
        """A Location that is no address is no error."""
        moved = reply(b"", "302 Found", f"Location: {location}")
        with FaultServer(answering(moved)) as server:
            assert http.send(get(server.address)).status == 302

    def test_cookies_of_the_host_are_forgotten(self, http: Http) -> None:
        """A cookie that the host sets is not sent back."""
        setting = reply(b"", "200 OK", "Set-Cookie: sid=1; Path=/")
        with FaultServer(answering(setting)) as server:
            http.send(get(server.address))
            http.send(get(server.address))
        assert len(server.peers) == 2
        assert b"Cookie" not in server.peers[1].received

    def test_every_request_has_a_fresh_connection(self, http: Http) -> None:
        """No connection is kept that the host might have closed meanwhile."""
        with FaultServer(answering(reply(b"", "200 OK", "Connection: keep-alive"))) as server:
            for _ in range(3):
                http.send(post(server.address))
            assert len(server.peers) == 3

    def test_netrc_is_not_read(
        self, http: Http, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A password that the user keeps for other programs is not sent."""
        (home / ".netrc").write_text("default login me password canary\n")
        monkeypatch.setenv("NETRC", str(home / ".netrc"))
        with FaultServer(answering(OK)) as server:
            http.send(get(server.address))
        assert b"Authorization" not in server.peers[0].received

    def test_many_threads(self) -> None:
        """Twenty threads send at once over one session and each gets its reply."""
        http = Http(timeout_s=10)
        got: list[Reply] = []
        with FaultServer(answering_each(OK)) as server:
            threads = [
                threading.Thread(
                    target=lambda: got.append(http.send(post(server.address, 200_000)))
                )
                for _ in range(20)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [r.body for r in got] == [b"fine"] * 20

    def test_construction_costs_nothing(self) -> None:
        """A session can be made without loading requests or TLS."""
        code = (
            "import sys; from imghost.transport import Http; Http(timeout_s=1);"
            "sys.exit(any(m in sys.modules for m in ('requests', 'urllib3', 'ssl', 'socket')))"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@contextmanager
def under_way(http: Http) -> Iterator[None]:
    """Another upload over the same session, which ends with the block."""
    asked, goes_on = threading.Event(), threading.Event()

    def behave(peer: Peer) -> None:
        peer.read_request()
        asked.set()
        goes_on.wait()
        peer.send(OK)

    with FaultServer(behave) as other, ThreadPoolExecutor(1, "another") as pool:
        ended = pool.submit(http.send, post(other.address))
        asked.wait()
        try:
            yield
        finally:
            goes_on.set()
            ended.exception()  # waits for its end


def answers_once(peer: Peer) -> None:
    """Keep the connection, and end it when the next request is there."""
    peer.read_next_request()
    peer.send(OK)
    peer.read_next_request()


class TestKeeping:
    """Connections that serve one request after another."""

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_in_a_burst(self, http: Http, authority: trustme.CA, scheme: str) -> None:
        """As long as others are under way, uploads to one host share a connection."""
        tls = server_tls(authority) if scheme == "https" else None
        ended = threading.Event()

        def behave(peer: Peer) -> None:
            answering_each(OK)(peer)
            ended.set()

        with FaultServer(behave, tls) as server:
            with under_way(http):
                for _ in range(3):
                    assert http.send(post(server.address, 100_000, scheme)).body == b"fine"
                assert not ended.is_set()
            assert ended.wait(DEADLINE_S)
            assert len(server.peers) == 1

    def test_alone(self, http: Http) -> None:
        """An upload beside which there is none leaves no connection behind."""
        with FaultServer(answering_each(OK)) as server:
            for _ in range(2):
                http.send(post(server.address))
            assert len(server.peers) == 2

    def test_each_host_has_its_own(self, http: Http) -> None:
        """A connection leads to one address only."""
        with (
            FaultServer(answering_each(OK)) as one,
            FaultServer(answering_each(reply(b"other"))) as other,
            under_way(http),
        ):
            for _ in range(2):
                assert http.send(post(one.address)).body == b"fine"
                assert http.send(post(other.address)).body == b"other"
            assert (len(one.peers), len(other.peers)) == (1, 1)

    def test_questions_keep_nothing(self, http: Http) -> None:
        """Links are looked at long after the uploads: a network may be gone by then."""
        with FaultServer(answering_each(OK)) as server, under_way(http):
            for _ in range(2):
                http.send(get(server.address))
            assert len(server.peers) == 2

    def test_questions_take_nothing(self, http: Http) -> None:
        """A look at a link leaves the uploads their connection."""
        with FaultServer(answering_each(OK)) as server, under_way(http):
            for request in (post, get, post):
                http.send(request(server.address))
            assert len(server.peers) == 2

    def test_upload_that_may_have_arrived(self, http: Http) -> None:
        """It is not sent again by itself; from then on no connection is kept for that host."""
        with FaultServer(answers_once) as server, under_way(http):
            http.send(post(server.address))
            with pytest.raises(HostUnavailable, match="broke") as caught:
                http.send(post(server.address))
            assert caught.value.ambiguous
            assert len(server.peers) == 1
            for _ in range(2):
                assert http.send(post(server.address)).body == b"fine"
            assert len(server.peers) == 3

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize(
        "first",
        [
            b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
            b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nwrong",
            reply(b""),
            OK + reply(b"wrong"),
        ],
        ids=["interim", "no content", "empty", "more"],
    )
    def test_every_answer_is_its_own(
        self, http: Http, authority: trustme.CA, first: bytes, scheme: str
    ) -> None:
        """What a host says besides is never the answer to the next request."""
        answers = iter([first])

        def behave(peer: Peer) -> None:
            while peer.read_next_request():
                peer.send(next(answers, reply(b"second")))

        tls = server_tls(authority) if scheme == "https" else None
        with FaultServer(behave, tls) as server, under_way(http):
            http.send(post(server.address, 10, scheme))
            assert http.send(post(server.address, 10, scheme)).body == b"second"

    def test_once_broken_all_are_given_up(self, http: Http) -> None:
        """The first of a host's kept connections to break is the last that an upload is lost by."""
        together = threading.Barrier(2)

        def behave(peer: Peer) -> None:
            if len(server.peers) <= 2:
                together.wait(DEADLINE_S)
            answers_once(peer)

        with FaultServer(behave) as server, under_way(http):
            with ThreadPoolExecutor(2, "sender") as pool:
                for sent in [pool.submit(http.send, post(server.address)) for _ in range(2)]:
                    assert sent.result().body == b"fine"
            assert len(server.peers) == 2
            with pytest.raises(HostUnavailable, match="broke"):
                http.send(post(server.address))
            assert http.send(post(server.address)).body == b"fine"

    def test_after_an_empty_answer(self, http: Http) -> None:
        """An answer that says how short it is leaves the connection for the next."""
        with FaultServer(answering_each(reply(b""))) as server, under_way(http):
            for _ in range(2):
                assert http.send(post(server.address)).body == b""
            assert len(server.peers) == 1

    def test_not_for_long(self, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
        """A connection on which nothing happened for a while is not used again."""
        monkeypatch.setattr(transport, "_IDLE_S", 0.0)
        with FaultServer(answering_each(OK)) as server, under_way(http):
            for _ in range(2):
                http.send(post(server.address))
            assert len(server.peers) == 2

    def test_broken_answer(self, http: Http) -> None:
        """What a host has begun to answer is not sent again."""

        def behave(peer: Peer) -> None:
            answers_once(peer)
            peer.send(OK[:-1])

        with FaultServer(behave) as server, under_way(http):
            http.send(post(server.address))
            with pytest.raises(HostUnavailable, match="broke") as caught:
                http.send(post(server.address))
            assert caught.value.ambiguous
            assert len(server.peers) == 1

    def test_each_has_its_own_time(self, http: Http) -> None:
        """A host that is silent on a kept connection is given up in the new request's time."""

        def behave(peer: Peer) -> None:
            peer.read_next_request()
            peer.send(OK)
            never_answer(peer)

        with FaultServer(behave) as server, under_way(http):
            http.send(post(server.address))
            with ends_within(TIMEOUT_S + OVERRUN_S), pytest.raises(HostUnavailable) as caught:
                http.send(post(server.address), timeout_s=TIMEOUT_S)
            assert "did not answer" in str(caught.value)
            assert len(server.peers) == 1

    def test_cut(self, http: Http) -> None:
        """The end of the session ends a wait on a kept connection too."""
        asked = threading.Event()

        def behave(peer: Peer) -> None:
            answers_once(peer)
            asked.set()
            peer.wait()

        def close() -> None:
            asked.wait()
            http.close()

        with (
            FaultServer(behave) as server,
            under_way(http),
            ThreadPoolExecutor(1, "closer") as pool,
        ):
            http.send(post(server.address))
            pool.submit(close)
            with ends_within(OVERRUN_S), pytest.raises(HostUnavailable, match="stopped before"):
                http.send(post(server.address))
            assert len(server.peers) == 1


@pytest.mark.parametrize("is_expected", [True, False])
def test_what_is_expected_is_loaded(is_expected: bool) -> None:
    """A session that is told of a request to come loads what that needs, and no other does."""
    code = (
        "import sys; from imghost.transport import Http; http = Http(timeout_s=1);"
        f"{'http.warm()' if is_expected else 'pass'}; sys.exit('requests' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == int(is_expected)


class TestProxy:
    """Through what it goes out."""

    def test_this_machine_is_asked_directly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Loopback is never asked through a proxy, neither the system's nor the configured one."""
        with FaultServer(answering(OK)) as server, FaultServer(answering(OK)) as proxy:
            monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
            for http in (Http(timeout_s=5), Http(timeout_s=5, proxy=f"http://{proxy.address}")):
                http.send(get(server.address))
                http.send(get(server.address.replace("127.0.0.1", "localhost")))
            assert not proxy.peers

    @pytest.mark.parametrize("configured", [True, False])
    def test_others_are_asked_through_it(
        self, configured: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Other machines are asked through the configured proxy, else the system's."""
        with FaultServer(answering(OK)) as proxy:
            url = f"http://{proxy.address}"
            if not configured:
                monkeypatch.setenv("http_proxy", proxy.address)  # as some write it
            http = Http(timeout_s=5, proxy=url if configured else "")
            assert http.send(Request("GET", "http://host.invalid/a")).body == b"fine"
        assert proxy.peers[0].received.startswith(b"GET http://host.invalid/a HTTP/1.1\r\n")

    def test_tunnel_shows_no_secret(self) -> None:
        """A proxy that is asked for a tunnel learns the host's name and nothing else."""
        with FaultServer(answering(reply(b"", "502 Bad Gateway"))) as proxy:
            http = Http(timeout_s=5, proxy=f"http://{proxy.address}")
            with pytest.raises(HostUnavailable, match="does not let us through") as caught:
                http.send(post("host.invalid", scheme="https"))
        assert caught.value.offline
        assert proxy.peers[0].received.startswith(b"CONNECT host.invalid:443")
        assert not leaked(proxy.peers[0].received.decode("latin-1"), SECRETS)

    def test_proxy_that_breaks_off(self) -> None:
        """An upload that a proxy took whole, and did not answer, may have reached its host."""

        def behave(peer: Peer) -> None:
            peer.read_request()

        with FaultServer(behave) as proxy:
            http = Http(timeout_s=5, proxy=f"http://{proxy.address}")
            with pytest.raises(HostUnavailable, match=r"host\.invalid broke") as caught:
                http.send(post("host.invalid"))
        assert caught.value.ambiguous
        assert not caught.value.offline

    def test_tunnel_leads_to_the_host(self, authority: trustme.CA) -> None:
        """Through a tunnel the host itself is spoken to, once it has proved its name."""

        def behave(peer: Peer) -> None:
            peer.read_head()
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            peer.start_tls(server_tls(authority, "host.invalid"))
            peer.read_request()
            peer.send(OK)

        with FaultServer(behave) as proxy:
            http = Http(timeout_s=5, proxy=f"http://me:password@{proxy.address}")
            assert http.send(post("host.invalid", 500_000, "https")).body == b"fine"
        assert f"Cookie: SESSDATA={SESSDATA}".encode() in proxy.peers[0].received

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_proxy_knows_its_users(self, scheme: str) -> None:
        """Name and password in the proxy's address are told to it, and to nobody else."""
        with FaultServer(answering(reply(b"", "407 Who are you"))) as proxy:
            http = Http(timeout_s=5, proxy=f"http://me:pass%20word@{proxy.address}")
            with contextlib.suppress(HostUnavailable):
                http.send(Request("GET", f"{scheme}://host.invalid/a"))
        known = b64encode(b"me:pass word")
        assert b"Proxy-Authorization: Basic %b\r\n" % known in proxy.peers[0].received

    def test_some_are_asked_directly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whom the system's settings except is asked without its proxy."""
        with FaultServer(answering(OK)) as proxy:
            monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
            monkeypatch.setenv("no_proxy", "other.example, .invalid")
            with pytest.raises(HostUnavailable, match="no way to"):
                Http(timeout_s=5).send(get("host.invalid"))
            assert not proxy.peers

    @pytest.mark.parametrize(
        "proxy",
        [
            "https://127.0.0.1:1",
            "socks5://me:canary@127.0.0.1:1",
            "http://",
            "me:canary@127.0.0.1:1",
            "http://127.0.0.1:99999",
            "http://[",
        ],
    )
    def test_proxy_that_does_not_work(self, proxy: str) -> None:
        """A proxy that is none, is down or speaks SOCKS is named without its password."""
        with pytest.raises(HostUnavailable, match="the proxy") as caught:
            Http(timeout_s=5, proxy=proxy).send(get("host.invalid"))
        assert caught.value.offline
        assert "canary" not in shown(caught.value)


class TestTime:
    """No peer stretches an exchange."""

    @pytest.mark.parametrize("behave", SLOW)
    @pytest.mark.parametrize("tls", [False, True])
    def test_deadline(
        self, hasty: Http, behave: faults.Behaviour, tls: bool, request: pytest.FixtureRequest
    ) -> None:
        """However slow a peer is, with TLS or without, the exchange ends in time."""
        context = server_tls(request.getfixturevalue("authority")) if tls else None
        with FaultServer(behave, context) as server, ends_within(TIMEOUT_S + OVERRUN_S):
            scheme = "https" if tls else "http"
            with pytest.raises(HostUnavailable):
                hasty.send(post(server.address, 8_000_000, scheme))

    def test_deadline_in_the_handshake(self, hasty: Http) -> None:
        """A peer that never answers a TLS greeting is given up in time."""
        with (
            FaultServer(faults.never_speak) as server,
            ends_within(TIMEOUT_S + OVERRUN_S),
            pytest.raises(HostUnavailable, match=r"did not answer within 0\.3 s"),
        ):
            hasty.send(post(server.address, scheme="https"))

    @pytest.mark.parametrize("behave", [faults.trickle_head, faults.never_speak])
    def test_deadline_at_the_proxy(self, behave: faults.Behaviour) -> None:
        """A proxy that trickles its consent to a tunnel is given up in time."""
        with FaultServer(behave) as proxy, ends_within(TIMEOUT_S + OVERRUN_S):
            http = Http(timeout_s=TIMEOUT_S, proxy=f"http://{proxy.address}")
            with pytest.raises(HostUnavailable):
                http.send(post("host.invalid", scheme="https"))

    def test_deadline_of_connecting(self, hasty: Http) -> None:
        """A host that neither takes nor refuses a connection is given up in time."""
        with (
            black_hole() as address,
            ends_within(TIMEOUT_S + OVERRUN_S),
            pytest.raises(HostUnavailable) as caught,
        ):
            hasty.send(post(address))
        assert not caught.value.ambiguous

    def test_dead_address_leaves_time_for_the_next(self, way: Way) -> None:
        """When a host's first addresses are of no use, the next one is still tried in time."""
        with black_hole() as hole, FaultServer(answering(OK)) as server:

            def resolve(_host: str, _port: int) -> list[tuple[int, Address]]:
                ports = [int(a.rpartition(":")[2]) for a in (hole, server.address)]
                known: list[tuple[int, Address]] = [(12345, ("no such family",))]
                return known + [(socket.AF_INET, ("127.0.0.1", port)) for port in ports]

            with Call(1.0, 100, resolve) as call:
                assert exchange(get("host.invalid"), call, way).body == b"fine"

    def test_deadline_of_looking_up(self, way: Way) -> None:
        """A name server that is silent is given up in time."""
        with silent_resolver() as (resolve, _), Call(TIMEOUT_S, 100, resolve) as call:
            with ends_within(TIMEOUT_S + OVERRUN_S), pytest.raises(HostUnavailable) as caught:
                exchange(get("host.invalid"), call, way)
            assert "no way to host.invalid" in str(caught.value)
            assert caught.value.offline

    @pytest.mark.parametrize(("host", "is_here"), [("127.0.0.1", True), ("localhost", False)])
    def test_address_is_looked_up_at_once(self, way: Way, host: str, is_here: bool) -> None:
        """Only names, which may take long, are looked up in a thread of their own."""
        threads: list[threading.Thread] = []

        def resolve(_host: str, port: int) -> list[tuple[int, Address]]:
            threads.append(threading.current_thread())
            return [(socket.AF_INET, ("127.0.0.1", port))]

        with FaultServer(answering(OK)) as server, Call(5, 100, resolve) as call:
            exchange(get(server.address.replace("127.0.0.1", host)), call, way)
        assert [thread is threading.current_thread() for thread in threads] == [is_here]

    def test_cut_ends_looking_up(self, way: Way) -> None:
        """An end from outside does not wait for the name server."""
        with silent_resolver() as (resolve, asked), Call(60, 100, resolve) as call:

            def cut() -> None:
                asked.wait()
                call.cut()

            cutter = threading.Thread(target=cut)
            cutter.start()
            with ends_within(OVERRUN_S), pytest.raises(HostUnavailable, match="stopped before"):
                exchange(get("host.invalid"), call, way)
            cutter.join()

    def test_slow_line_is_told_from_a_silent_host(self, hasty: Http) -> None:
        """When time ran out while sending, the error says so, and it is not ambiguous."""
        with (
            FaultServer(faults.read_slowly) as server,
            pytest.raises(HostUnavailable, match="too short to send it all") as caught,
        ):
            hasty.send(post(server.address, 8_000_000))
        assert not caught.value.ambiguous

    def test_shorter_time_for_one_exchange(self) -> None:
        """A time limit given with a request holds instead of the session's."""
        with (
            FaultServer(faults.never_answer) as server,
            ends_within(TIMEOUT_S + OVERRUN_S),
            pytest.raises(HostUnavailable),
        ):
            Http(timeout_s=60).send(get(server.address), timeout_s=TIMEOUT_S)

    @pytest.mark.parametrize("read", [Peer.read_head, Peer.read_request])
    def test_close_ends_what_is_under_way(self, read: faults.Behaviour) -> None:
        """Closing the session wakes who sends or waits for a reply; nothing is sent afterwards."""
        http = Http(timeout_s=60)
        begun = threading.Event()
        closed_at: list[float] = []

        def behave(peer: Peer) -> None:
            read(peer)
            begun.set()
            peer.wait()

        def close() -> None:
            begun.wait()
            closed_at.append(time.monotonic())
            http.close()

        closer = threading.Thread(target=close)
        closer.start()
        with FaultServer(behave) as server:
            for _ in range(2):
                with pytest.raises(HostUnavailable, match="stopped before"):
                    http.send(post(server.address, 8_000_000))
            assert time.monotonic() - closed_at[0] < OVERRUN_S
            assert len(server.peers) == 1
        closer.join()


class TestSize:
    """No peer fills the memory."""

    @pytest.mark.parametrize("behave", ENDLESS)
    def test_endless_reply(self, hasty: Http, behave: faults.Behaviour) -> None:
        """Headers, interim replies or bodies without end take little memory and end in time."""
        with FaultServer(behave) as server, ends_within(TIMEOUT_S + OVERRUN_S):
            hasty.send(get(server.address)) if behave is faults.endless_body else None
            tracemalloc.start()
            with contextlib.suppress(HostUnavailable):
                hasty.send(get(server.address))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 5_000_000

    def test_endless_body_is_capped(self, http: Http) -> None:
        """Of a body without end a mebibyte is read."""
        with FaultServer(faults.endless_body) as server:
            got = http.send(get(server.address))
        assert (len(got.body), got.whole) == (1 << 20, False)


class TestErrors:
    """What goes wrong has its own error."""

    @pytest.mark.parametrize(
        ("behave", "ambiguous"),
        [
            (faults.reset_in_body, False),
            (faults.reset_after_body, True),
            (faults.reset_in_reply, True),
            (faults.close_in_reply, True),
            (faults.never_answer, True),
            (answering(b""), True),
            (answering(b"nonsense"), True),
        ],
    )
    def test_ambiguous_means_that_all_was_sent(
        self, behave: faults.Behaviour, ambiguous: bool
    ) -> None:
        """A lost answer is ambiguous if and only if the whole body was sent."""
        with FaultServer(behave) as server, pytest.raises(HostUnavailable) as caught:
            Http(timeout_s=2).send(post(server.address, 8_000_000))
        assert caught.value.ambiguous is ambiguous
        assert not caught.value.offline

    def test_lost_answer_to_a_plain_request_is_not_ambiguous(self, http: Http) -> None:
        """Where nothing was sent, nothing can be stored twice."""
        with (
            FaultServer(faults.reset_after_body) as server,
            pytest.raises(HostUnavailable) as caught,
        ):
            http.send(get(server.address))
        assert not caught.value.ambiguous

    @pytest.mark.parametrize(
        "error",
        [
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            OSError(errno.ENETUNREACH, "Network is unreachable"),
            OSError(errno.EHOSTUNREACH, "No route to host"),
        ],
    )
    def test_missing_network(self, way: Way, error: OSError) -> None:
        """Where there is no way to the host, the error says that we are offline."""

        def resolve(_host: str, _port: int) -> list[tuple[int, Address]]:
            raise error

        with Call(1.0, 100, resolve) as call, pytest.raises(HostUnavailable) as caught:
            exchange(get("host.invalid"), call, way)
        assert caught.value.offline
        assert "no way to host.invalid" in str(caught.value)

    def test_reset_while_connecting(self, way: Way) -> None:
        """A connection that is reset before it stands is an error of ours, and nothing was sent."""

        def resolve(_host: str, _port: int) -> list[tuple[int, Address]]:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

        with Call(1.0, 100, resolve) as call, pytest.raises(HostUnavailable) as caught:
            exchange(post("host.invalid", 100), call, way)
        assert not caught.value.ambiguous
        assert not caught.value.offline

    @pytest.mark.parametrize("host", ["a..b", "a" * 80 + ".com"])
    def test_name_that_cannot_be_one(self, http: Http, host: str) -> None:
        """A host name that DNS cannot spell is a host without address."""
        with pytest.raises(HostUnavailable, match="no way to"):
            http.send(get(host))

    def test_refused_connection_is_not_offline(self, http: Http) -> None:
        """A machine that answers with a closed door shows that the network is there."""
        with FaultServer(answering(OK)) as server:
            pass
        with pytest.raises(HostUnavailable, match="is not listening") as caught:
            http.send(post(server.address))
        assert not caught.value.offline
        assert not caught.value.ambiguous

    @pytest.mark.parametrize(
        "url",
        [
            "http://a.example:99999/",
            "",
            "blah",
            "ftp://x/",
            "https://[::1/",
            "http:///x",
            "a://[",
            "file:///etc/passwd",
        ],
    )
    def test_address_that_is_none(self, http: Http, url: str) -> None:
        """An address that is no web address is refused."""
        with pytest.raises(HostRefused, match="not an http"):
            http.send(Request("GET", url))

    @pytest.mark.parametrize("value", ["", "a b", "a;b", "a\nb", "ä", " a"])
    def test_cookie_that_is_none(self, http: Http, value: str) -> None:
        """A cookie that cannot be sent as it is asks for the login; its value is not shown."""
        request = Request(
            "GET", "http://127.0.0.1:1/", cookies={"SESSDATA": Secret(value + "canary;")}
        )
        with pytest.raises(LoginExpired, match="SESSDATA") as caught:
            http.send(request)
        assert "canary" not in shown(caught.value)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        head=st.sampled_from(
            [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n\r\n"]
        ),
        rest=st.binary(max_size=200)
        | st.text("\r\n:;,= abcHTSet-Cookie/1.0200Content-LengthTransfer-Encodingchunked").map(
            str.encode
        ),
    )
    def test_random_bytes(self, head: bytes, rest: bytes) -> None:
        """Whatever bytes a peer sends, a reply comes back or HostUnavailable is raised."""
        with FaultServer(answering(head + rest)) as server, contextlib.suppress(HostUnavailable):
            Http(timeout_s=TIMEOUT_S).send(post(server.address))


class TestTls:
    """Only who proves its name is spoken to."""

    def test_good_certificate(self, http: Http, authority: trustme.CA) -> None:
        """A certificate for the host's name by a trusted authority is accepted."""
        with FaultServer(answering(OK), server_tls(authority)) as server:
            assert http.send(post(server.address, 500_000, "https")).body == b"fine"

    @pytest.mark.parametrize("bad", ["unknown authority", "another name", "expired"])
    def test_bad_certificate(self, http: Http, authority: trustme.CA, bad: str) -> None:
        """Nobody whose certificate is bad learns a byte; the error names the host."""
        context = server_tls(authority)
        if bad == "unknown authority":
            context = server_tls(trustme.CA())
        elif bad == "another name":
            context = server_tls(authority, "other.example")
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            past = datetime.now(UTC) - timedelta(days=1)
            authority.issue_cert("127.0.0.1", not_after=past).configure_cert(context)
        with FaultServer(answering(OK), context) as server:
            with pytest.raises(HostUnavailable, match="could not prove who it is") as caught:
                http.send(post(server.address, scheme="https"))
            assert server.address in str(caught.value)
        assert caught.value.offline
        assert b"".join(p.received for p in server.peers) == b""

    def test_plain_server(self, hasty: Http) -> None:
        """A server that does not speak TLS is no host, and learns no cookie."""
        with FaultServer(answering(OK)) as server, pytest.raises(HostUnavailable):
            hasty.send(post(server.address, scheme="https"))
        assert not leaked(server.peers[0].received.decode("latin-1"), SECRETS)


class TestSecrets:
    """What is sent in secret is never seen again."""

    def echo(self, peer: Peer, *, as_head: bool) -> None:
        """Answer with what came."""
        peer.read_request()
        heard = peer.received + quote(SESSDATA).encode() + unquote(SESSDATA).encode()
        peer.send(heard if as_head else reply(heard, "200 OK", f"X-Heard: {SESSDATA}"))

    def test_echo_is_masked(self, http: Http) -> None:
        """A peer that sends the secrets back is read with masks in their place."""
        with FaultServer(partial(self.echo, as_head=False)) as server:
            got = http.send(post(server.address))
        assert b"Cookie: SESSDATA=********; bili_jct=********" in got.body
        assert not leaked(got.body.decode() + got.excerpt + repr(got), SECRETS)

    @pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, bytes])
    def test_status_line_is_masked(self, http: Http, encode: Callable[[bytes], bytes]) -> None:
        """A peer that is no web server is quoted without the secrets, nor are they in a cause."""
        line = b"SSH-2.0 %b %b\r\n" % (encode(SESSDATA.encode()), encode(BILI_JCT.encode()))
        assert leaked(line.decode(), SECRETS) == [*SECRETS]
        with FaultServer(answering(line)) as server, pytest.raises(HostUnavailable) as caught:
            http.send(post(server.address))
        assert "SSH-2.0 ********" in str(caught.value)
        assert not leaked(shown(caught.value), SECRETS)

    @pytest.mark.parametrize("behave", [*SLOW, *ENDLESS, *ABRUPT, answering(b"HTTP/1.1 x\r\n\r\n")])
    def test_no_fault_shows_a_secret(
        self, hasty: Http, behave: faults.Behaviour, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Whatever goes wrong, no secret is in the error, its causes or the log."""
        caplog.set_level(logging.DEBUG)
        said = ""
        with FaultServer(behave) as server:
            try:
                hasty.send(post(server.address, 200_000))
            except HostError as exc:
                said = shown(exc)
        assert not leaked(said + caplog.text, SECRETS)

    def test_request_masks_itself(self) -> None:
        """A request can be printed."""
        request = post("127.0.0.1")
        assert not leaked(f"{request} {request.body!r}", SECRETS)


class TestRetryAfter:
    """How long a peer wants to be left in peace."""

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Whatever the header holds, the rest is between nothing and a day."""
        assert 0 <= Reply(429, {"retry-after": text}, b"").retry_after_s <= 86_400

    def test_seconds_and_dates(self) -> None:
        """Both of its forms are understood."""
        assert Reply(429, {"retry-after": "120"}, b"").retry_after_s == 120
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        assert 55 < Reply(429, {"retry-after": date}, b"").retry_after_s <= 60
        past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
        assert Reply(429, {"retry-after": past}, b"").retry_after_s == 0


@contextlib.contextmanager
def silent_resolver() -> Iterator[tuple[Resolve, threading.Event]]:
    """A resolver that is silent while the block lasts, and what tells that it was asked."""
    asked, ended = threading.Event(), threading.Event()

    def resolve(_host: str, _port: int) -> list[tuple[int, Address]]:
        asked.set()
        ended.wait(3 * OVERRUN_S)
        return []

    try:
        yield resolve, asked
    finally:
        ended.set()


@contextlib.contextmanager
def ends_within(most_s: float) -> Iterator[None]:
    """Fail if the block takes longer."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < most_s
