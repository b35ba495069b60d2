"""Attacks on the editors' door, over bare sockets: each row of the threat table that it meets."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from imghost.dirs import Dirs
from imghost.errors import SourceError
from imghost.server.patience import Patience
from imghost.sources.files import found_named
from imghost.sources.off_limits import NOTHING
from tests.fakes import pictures
from tests.fakes.canaries import CANARY
from tests.fakes.editor import FORM, Door, form, open_door
from tests.fakes.serving import ask, connected, raw, received

ROUTES = ("/upload", "/delete", "/heartbeat")
SECRET = CANARY
NOBODY = 65534
WAIT_S = 10.0


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture that a page may want to have uploaded."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())
    return path


@pytest.fixture
def door(dirs: Dirs) -> Iterator[Door]:
    """A door without a secret."""
    with open_door(dirs) as opened:
        yield opened


def bodies(picture: Path) -> dict[str, bytes]:
    """What a page can send without a preflight, and with one, by its type."""
    named = json.dumps({"list": [str(picture), "/etc/passwd"]}).encode()
    return {
        "text/plain": named,
        "application/x-www-form-urlencoded": named,
        FORM: form(("file", "a.png", picture.read_bytes())),
        "": b"",
        "application/json": named,
    }


class TestPages:
    """A web page anywhere else."""

    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize(
        "page",
        [
            ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"),
            ("Origin: https://evil.example",),
            ("Origin: null",),
            ("Origin: *",),
            ("Origin: app://obsidian.md.evil.example",),
            ("Sec-Fetch-Site: cross-site",),
            ("Sec-Fetch-Site: same-site",),
        ],
    )
    def test_nothing_is_uploaded(
        self, door: Door, picture: Path, route: str, page: tuple[str, ...]
    ) -> None:
        """Whatever it sends: 403 in the shape of the door, nothing taken, nothing shown to it."""
        for content_type, body in bodies(picture).items():
            lines = [f"POST {route} HTTP/1.1", "Host: 127.0.0.1:{port}", *page]
            lines += [f"Content-Type: {content_type}"] if content_type else []
            answer = door.raw(*lines, f"Content-Length: {len(body)}", body=body)
            head, _, told = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 403 ")
            assert b"access-control-" not in head.lower()
            assert json.loads(told)["success"] is False
        assert door.sent() == 0

    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    def test_a_preflight_is_refused(self, door: Door, route: str, origin: str) -> None:
        """Its browser does not even send what it wants to send."""
        answer = door.raw(
            f"OPTIONS {route} HTTP/1.1",
            "Host: 127.0.0.1:{port}",
            f"Origin: {origin}",
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: content-type",
        )
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"access-control-" not in answer.lower()

    @pytest.mark.parametrize("route", ROUTES)
    def test_a_trusted_page_may(self, door: Door, route: str) -> None:
        """Obsidian's preflight is answered, to it alone; so is a question without an Origin."""
        host, origin = "Host: localhost:{port}", "Origin: app://obsidian.md"
        answer = door.raw(f"OPTIONS {route} HTTP/1.1", host, origin).lower()
        assert answer.startswith(b"http/1.1 200 ")
        assert b"access-control-allow-origin: app://obsidian.md\r\n" in answer
        assert b"vary: origin\r\n" in answer
        assert b"access-control-allow-headers: authorization, content-type" in answer
        answer = door.raw(f"OPTIONS {route} HTTP/1.1", host).lower()
        assert answer.startswith(b"http/1.1 200 ")
        assert b"access-control-" not in answer

    @pytest.mark.parametrize("route", ROUTES)
    def test_a_preflight_allows_what_is_taken(self, door: Door, route: str) -> None:
        """Each method that is named is answered, and no other one is."""
        told = ask(door.port, route, {"Origin": "app://obsidian.md"}, method="OPTIONS").headers
        assert told["allow"] == told["access-control-allow-methods"]
        for method in ("GET", "POST", "PUT"):
            is_taken = ask(door.port, route, method=method).status != 405
            assert is_taken == (method in told["allow"])

    def test_answers_are_shown_to_a_trusted_page(self, door: Door, picture: Path) -> None:
        """Those of an upload and of a failure, with Vary."""
        body = json.dumps({"list": [str(picture)]}).encode()
        for sent, status in ((body, 200), (b"{", 400)):
            answer = door.post("/upload", sent, {"Origin": "app://obsidian.md"})
            assert answer.status == status
            assert answer.headers["access-control-allow-origin"] == "app://obsidian.md"
            assert answer.headers["vary"] == "Origin"

    def test_a_trusted_page_gets_no_further(self, door: Door) -> None:
        """Other routes are for our own pages and programs."""
        lines = ("Host: 127.0.0.1:{port}", "Origin: app://obsidian.md")
        assert door.raw("GET / HTTP/1.1", *lines).startswith(b"HTTP/1.1 403 ")


class TestNames:
    """DNS rebinding."""

    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize(
        "hosts",
        [
            *(["evil:{port}"], ["evil:36677"], ["127.0.0.1.evil"], ["127.0.0.1.evil:{port}"]),
            *(["localhost.:{port}"], ["localhost."], [], ["127.0.0.1:{port}"] * 2),
            *(["127.0.0.1:{port}", "evil:{port}"], ["127.0.0.1"], ["0.0.0.0:{port}"], [""]),
        ],
    )
    def test_only_our_own_are_answered(
        self, door: Door, picture: Path, route: str, hosts: list[str]
    ) -> None:
        """Any other name, none, and two are refused."""
        body = json.dumps({"list": [str(picture)]}).encode()
        named = [f"Host: {host}" for host in hosts]
        for version in ("1.0", "1.1"):
            answer = door.raw(
                f"POST {route} HTTP/{version}", *named, f"Content-Length: {len(body)}", body=body
            )
            assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))
        assert door.sent() == 0


class TestFiles:
    """Theft of files through `list`."""

    def test_what_is_no_picture_of_its_own_is_refused_at_once(
        self, door: Door, picture: Path, tmp_path: Path
    ) -> None:
        """Secrets, links with a picture's name, pipes and devices, in less than a second."""
        link, pipe, key = tmp_path / "x.png", tmp_path / "pipe.png", tmp_path / "id_rsa"
        link.symlink_to("/etc/passwd")
        good = tmp_path / "good.png"
        good.symlink_to(picture)
        os.mkfifo(pipe)
        key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n")
        given = ["/etc/passwd", str(link), str(good), str(pipe), str(key), str(tmp_path)]
        given += ["/dev/zero", "/dev/stdin", "/proc/self/environ", f"{link}%00.png", "/a\0.png"]
        began = time.monotonic()
        told = door.upload(*given)
        assert time.monotonic() - began < 1
        assert told["result"] == [""] * len(given)
        assert door.sent() == 0
        assert not list(door.app.dirs.originals.glob("??/*"))

    @pytest.mark.parametrize(
        "path",
        [
            *(r"\\evil\share\a.png", "//evil/share/a.png", r"\\?\C:\a.png", r"\\.\C:\a.png"),
            *("%5C%5Cevil%5Cshare%5Ca.png", r"C:\a.png:stream", r"C:a.png", r"\a.png", "a.png"),
            *(r"\\.\pipe\a", "%2F%2Fevil%2Fa.png", r"\??\C:\a.png", "/a.png"),
        ],
    )
    def test_windows_paths_that_lead_away(self, path: str) -> None:
        """Shares and devices are not even looked at: that alone would tell a password's hash."""
        with pytest.raises(SourceError, match="no whole path"):
            found_named(path, 1000, NOTHING, windows=True)

    @pytest.mark.parametrize("path", [r"C:\a b.png", "c:/x/%41.png", r"D:\图\a.png"])
    def test_windows_paths_of_its_own_drives(self, path: str) -> None:
        """They are looked for; here there are none."""
        found = found_named(path, 1000, NOTHING, windows=True)
        with pytest.raises(SourceError, match="there is no file"):
            found.load()

    def test_a_file_that_becomes_a_link(self, tmp_path: Path, picture: Path) -> None:
        """What is opened is never followed, however late the swap comes."""
        path = tmp_path / "b.png"
        path.write_bytes(picture.read_bytes())
        found = found_named(str(path), 10_000, NOTHING)
        path.unlink()
        path.symlink_to("/etc/passwd")
        with pytest.raises(SourceError, match="leads to another file"):
            found.load()


class TestSizes:
    """Too much of anything."""

    def test_a_body_of_300_mb_that_is_announced(self, door: Door) -> None:
        """It is refused before a byte of it is read."""
        for content_type in (FORM, "application/json"):
            answer = door.raw(
                "POST /upload HTTP/1.1",
                "Host: 127.0.0.1:{port}",
                f"Content-Type: {content_type}",
                "Content-Length: 300000000",
                "Expect: 100-continue",
            )
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert b"is larger than" in answer

    def test_a_body_that_does_not_say_its_size(self, dirs: Dirs) -> None:
        """It is counted, and refused when it is too much; the daemon lives."""
        patience = Patience(silence_s=0.5, look_s=0.05)
        with open_door(dirs, patience=patience, limits={"input_bytes": 100_000}) as door:
            body = form(("file", "a.png", bytes(3_000_000)))
            with connected(door.port) as peer:
                head = f"POST /upload HTTP/1.1\r\nHost: localhost:{door.port}\r\n"
                head += f"Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
                peer.sendall(head.encode())
                for at in range(0, len(body), 65536):
                    try:
                        peer.sendall(chunk(body[at : at + 65536]))
                    except OSError:  # it has had enough
                        break
                answer = received(peer)
            assert answer == b"" or (b" 400 " in answer and b"is larger than" in answer)
            assert door.told(door.post("/heartbeat"))["success"]
            assert door.sent() == 0

    def test_a_file_of_a_terabyte(self, tmp_path: Path) -> None:
        """It is refused by its size, and nothing of it is read."""
        path = tmp_path / "a.png"
        with path.open("wb") as file:
            file.truncate(1 << 40)
        found = found_named(str(path), 50_000_000, NOTHING)
        tracemalloc.start()
        with pytest.raises(SourceError, match="larger than 50 MB"):
            found.load()
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak_bytes < 1_000_000

    def test_many_large_ones_at_once(self, dirs: Dirs) -> None:
        """What others hold counts: who comes too many is told to come again."""
        with open_door(dirs, limits={"input_bytes": 1_000_000}) as door, ExitStack() as stack:
            part = form(("file", "a.png", bytes(1_900_000)))[:1_800_000]
            peers = [stack.enter_context(connected(door.port)) for _ in range(3)]
            for peer in peers:
                head = f"POST /upload HTTP/1.1\r\nHost: localhost:{door.port}\r\n"
                head += f"Content-Type: {FORM}\r\nContent-Length: 2000000\r\n\r\n"
                peer.sendall(head.encode() + part)
            (refused,), *_ = select.select(peers, [], [], WAIT_S)
            told = b""
            while b"}" not in told and (piece := refused.recv(4096)):
                told += piece
            assert b"try again in a moment" in told
        with open_door(dirs) as door:
            body = form(("file", "a.png", pictures.png()))
            assert door.told(door.post("/upload", body, {"Content-Type": FORM}))["success"]

    def test_half_a_body(self, door: Door) -> None:
        """Whoever hangs up in the middle has sent nothing, and harms nobody."""
        body = form(("file", "a.png", pictures.png()))
        head = f"POST /upload HTTP/1.1\r\nHost: localhost:{door.port}\r\n"
        head += f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
        with connected(door.port) as peer:
            peer.sendall(head.encode() + body[: len(body) // 2])
        assert door.told(door.post("/heartbeat"))["success"]
        assert door.sent() == 0

    def test_headers_that_do_not_end(self, door: Door) -> None:
        """They are bounded, also by a secret that does not end."""
        answer = raw(door.port, b"POST /upload?key=" + b"x" * 100_000)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")

    def test_500_slow_connections(self, dirs: Dirs) -> None:
        """The heart goes on beating within 0.2 s, and uploads go through."""
        with open_door(dirs, patience=Patience()) as door, ExitStack() as stack:
            for n in range(500):
                peer = stack.enter_context(connected(door.port))
                start = b"POST /upload HTTP/1.1\r\n"
                if n % 2:
                    start += f"Host: 127.0.0.1:{door.port}\r\nContent-Length: 9\r\n\r\n".encode()
                peer.sendall(start)
            assert door.told(door.post("/heartbeat"))["success"]  # comes after all of them
            began = time.monotonic()
            assert door.told(door.post("/heartbeat"))["success"]
            assert time.monotonic() - began < 0.2
            body = form(("file", "a.png", pictures.png()))
            assert door.told(door.post("/upload", body, {"Content-Type": FORM}))["success"]


class TestElsewhere:
    """Other machines, and proxies that hand their calls on."""

    @pytest.fixture
    def shared(self, dirs: Dirs) -> Iterator[Door]:
        """A door with a secret, known as nas.lan and through a proxy."""
        server = {"secret": SECRET, "hosts": ["nas.lan", "img.example.org:443"]}
        with open_door(dirs, server=server) as opened:
            yield opened

    @pytest.mark.parametrize("host", ["nas.lan:{port}", "NAS.lan:{port}", "img.example.org"])
    def test_a_form_with_the_secret_is_taken(self, shared: Door, host: str) -> None:
        """That is what a phone or a second machine sends."""
        body = form(("file", "a.png", pictures.png()))
        lines = (f"Host: {host}", f"Content-Type: {FORM}", f"Content-Length: {len(body)}")
        answer = shared.raw("POST /upload HTTP/1.1", *lines, body=body)
        assert answer.startswith(b"HTTP/1.1 401 ")
        answer = shared.raw(f"POST /upload?key={SECRET} HTTP/1.1", *lines, body=body)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"success":true' in answer
        assert b"set hosts.local.public_url there" in answer

    def test_links_that_it_can_open_come_without_a_warning(self, dirs: Dirs) -> None:
        """Of a public address, as the README says; this machine opens its own anyway."""
        body = form(("file", "a.png", pictures.png()))
        hosts = {"local": {"public_url": "http://nas.lan:36677"}}
        server = {"secret": SECRET, "hosts": ["nas.lan"]}
        with open_door(dirs, server=server, hosts=hosts) as door:
            headers = {"Content-Type": FORM, "Host": f"nas.lan:{door.port}"}
            told = door.told(door.post(f"/upload?key={SECRET}", body, headers))
        assert told["result"][0].startswith("http://nas.lan:36677/bfs/")
        assert "message" not in told
        with open_door(dirs, server=server) as door:
            told = door.told(door.post(f"/upload?key={SECRET}", body, {"Content-Type": FORM}))
        assert told["result"][0].startswith("http://127.0.0.1:")
        assert "message" not in told

    @pytest.mark.parametrize("mark", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"])
    @pytest.mark.parametrize("body", [b"", b"{}", b'{"list":["/etc/hostname"]}'])
    def test_nothing_else_is(self, shared: Door, mark: str, body: bytes) -> None:
        """Neither paths nor the clipboard, though the secret is right."""
        auth = f"Authorization: Bearer {SECRET}"
        length = f"Content-Length: {len(body)}"
        for lines in (("Host: nas.lan:{port}",), ("Host: 127.0.0.1:{port}", mark)):
            answer = shared.raw("POST /upload HTTP/1.1", *lines, auth, length, body=body)
            assert answer.startswith(b"HTTP/1.1 403 ")
            for route in ("POST /delete", "GET /", "GET /api/status", "POST /api/stop"):
                answer = shared.raw(f"{route} HTTP/1.1", *lines, auth, length, body=body)
                assert answer.startswith(b"HTTP/1.1 403 ")

    def test_without_a_secret_nobody_is(self, dirs: Dirs) -> None:
        """A name alone opens nothing."""
        with open_door(dirs, server={"hosts": ["nas.lan"]}) as door:
            answer = door.raw("POST /heartbeat HTTP/1.1", "Host: nas.lan:{port}")
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert b"server.secret" in answer

    def test_a_heartbeat_from_elsewhere(self, shared: Door) -> None:
        """It needs no secret there either."""
        answer = shared.raw("POST /heartbeat HTTP/1.1", "Host: nas.lan:{port}")
        assert answer.startswith(b"HTTP/1.1 200 ")

    @pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0,
        reason="only root on Linux can give a connection to another user",
    )
    def test_another_user_of_this_machine(self, shared: Door) -> None:
        """With the secret a proxy's user may what other machines may, by their name alone."""
        body = form(("file", "a.png", pictures.png()))
        head = f"POST /upload?key={SECRET} HTTP/1.1\r\nConnection: close\r\n"
        head += f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n"
        for host, status in (("127.0.0.1", b"403"), ("nas.lan", b"200")):
            with socket.socket() as peer:
                os.fchown(peer.fileno(), NOBODY, -1)
                peer.connect(("127.0.0.1", shared.port))
                peer.sendall(f"{head}Host: {host}:{shared.port}\r\n\r\n".encode() + body)
                assert received(peer).startswith(b"HTTP/1.1 " + status)

    def test_no_secret_is_logged(
        self, shared: Door, caplog: pytest.LogCaptureFixture, picture: Path
    ) -> None:
        """Neither the right one nor a wrong one, at whatever level."""
        caplog.set_level("DEBUG")
        body = json.dumps({"list": [str(picture)]}).encode()
        for query in (f"?key={SECRET}", f"?secret=wrong-{SECRET}"):
            shared.post(f"/upload{query}", body, {"X-PicGo-Secret": f"{SECRET}-header"})
        is_told = (
            SECRET in caplog.text
        )  # not compared in the assertion, which would explain at length
        assert not is_told


def chunk(data: bytes) -> bytes:
    """A piece of a body that does not say its size."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
