"""Health: a link is alive only while it shows the very picture that was sent."""

from __future__ import annotations

import hashlib
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Any

import pytest

from imghost.dirs import Dirs
from imghost.health import Seen, examine, is_mortal, look
from imghost.hosts.base import Host, Outside
from imghost.hosts.bilibili import BilibiliConfig, BilibiliHost
from imghost.hosts.local import LocalConfig, LocalHost
from imghost.imaging.check import Caps, check
from imghost.models import Alive, Record, State, Stored
from imghost.secret import Secret
from imghost.transport import Http
from tests.fakes import faults
from tests.fakes.bilibili import BILI_JCT, SESSDATA, FakeBilibili
from tests.fakes.faults import FaultServer, answering, reply
from tests.fakes.pictures import animation, png

TIMEOUT_S = 2.0


@pytest.fixture
def fake() -> Iterator[FakeBilibili]:
    """A fake Bilibili."""
    with FakeBilibili() as fake:
        yield fake


@pytest.fixture
def bilibili(fake: FakeBilibili, tmp_path: Path) -> BilibiliHost:
    """The host, logged in at the fake."""
    config = BilibiliConfig(sessdata=Secret(SESSDATA), bili_jct=Secret(BILI_JCT), api=fake.url)
    return BilibiliHost(config, Outside(Http(timeout_s=30), "", tmp_path, tmp_path))


@pytest.fixture
def local(dirs: Dirs) -> LocalHost:
    """The embedded host; nobody listens at its address."""
    outside = Outside(Http(timeout_s=1), "http://127.0.0.1:1", dirs.local, dirs.tmp / "test")
    return LocalHost(LocalConfig(), outside)


def sent(host: Host, data: bytes | None = None, bucket: str = "live") -> Record:
    """The record of an image that was just stored."""
    image = check(data or png(), "a.png", Caps())
    return record_of(host.upload(image, bucket), sha256=image.sha256, frames=image.frames)


def record_of(stored: Stored, **other: Any) -> Record:
    """A finished record; what does not matter here is empty."""
    empty: dict[str, Any] = {"int": 0, "float": 0.0, "tuple[Message, ...]": ()}
    known: dict[str, Any] = {
        "host": stored.host,
        "bucket": stored.bucket,
        "key": stored.key,
        "url": stored.url,
        "size_bytes": stored.size_bytes,
        "frames": 1,
        "state": State.DONE,
        "reason": None,
        "alive": Alive.UNKNOWN,
    }
    return Record(**{f.name: empty.get(str(f.type), "") for f in fields(Record)} | known | other)


def seen(record: Record, host: Host) -> Seen:
    """What a look shows."""
    return examine(record, host, timeout_s=TIMEOUT_S)


def at(address: str, host: BilibiliHost, **other: Any) -> Seen:
    """What a look at some server's link shows."""
    stored = Stored("bilibili", "live", "a.png", f"http://{address}/a.png", 10)
    return seen(record_of(stored, **other), host)


class TestLink:
    """Links at a host elsewhere."""

    def test_alive(self, fake: FakeBilibili, bilibili: BilibiliHost) -> None:
        """A link with the very bytes is alive; it was asked for once, without Referer."""
        record = sent(bilibili)
        assert seen(record, bilibili) == Seen(Alive.ALIVE, None, 200)
        assert fake.fetches == [(f"/bfs/live/{record.key}", "")]

    def test_gone(self, fake: FakeBilibili, bilibili: BilibiliHost) -> None:
        """A link that answers 404 is dead, and why is said."""
        record = sent(bilibili)
        fake.images.clear()
        found = seen(record, bilibili)
        assert found.alive is Alive.DEAD
        assert found.reason is not None
        assert found.reason.fields == {"status": 404}

    def test_gone_from_the_store(self, bilibili: BilibiliHost) -> None:
        """Where no status says so, NoSuchKey does, and is named as the reason."""
        answer = reply(b"<Error><Code>NoSuchKey</Code></Error>", "400 Bad")
        with FaultServer(answering(answer)) as server:
            reason = at(server.address, bilibili).reason
        assert str(reason) == "the link answers NoSuchKey: the picture is gone"

    @pytest.mark.parametrize(
        ("answer", "alive"),
        [
            (reply(b"", "404 Not Found"), Alive.DEAD),
            (reply(b"", "410 Gone"), Alive.DEAD),
            (reply(b"", "403 Forbidden"), Alive.DEAD),
            (reply(b"<Error><Code>NoSuchKey</Code></Error>", "400 Bad"), Alive.DEAD),
            (reply(b"", "500 Oh"), Alive.UNKNOWN),
            (reply(b"", "429 Often"), Alive.UNKNOWN),
            (reply(b"", "302 Found", "Location: /"), Alive.UNKNOWN),
            (reply(b"0123456789"), Alive.SUSPECT),
            (reply(b"short"), Alive.SUSPECT),
            (reply(b"longer than what was sent"), Alive.SUSPECT),
            (b"nonsense", Alive.UNKNOWN),
        ],
    )
    def test_answers(self, bilibili: BilibiliHost, answer: bytes, alive: Alive) -> None:
        """Gone is dead, other bytes are suspect, and no clear answer is unknown."""
        with FaultServer(answering(answer)) as server:
            assert at(server.address, bilibili).alive is alive

    def test_silence_is_unknown_and_short(self, bilibili: BilibiliHost) -> None:
        """A host that does not answer is given the time allowed, not its own."""
        stored = Stored("bilibili", "live", "a.png", "", 10)
        with FaultServer(faults.never_answer) as server:
            record = record_of(stored, url=f"http://{server.address}/a.png")
            begun = time.monotonic()
            assert look(record, bilibili, timeout_s=0.2) is Alive.UNKNOWN
            assert time.monotonic() - begun < 1.2

    def test_nobody_there_is_unknown(self, bilibili: BilibiliHost) -> None:
        """A host that is not listening leaves the link's state open, with the reason."""
        found = at("127.0.0.1:1", bilibili)
        assert found.alive is Alive.UNKNOWN
        assert found.reason is not None

    @pytest.mark.parametrize("format_name", ["WEBP", "PNG", "GIF"])
    def test_animation_that_stands_still(self, bilibili: BilibiliHost, format_name: str) -> None:
        """Where an animation was sent and a still picture is shown, that is said."""
        moving, still = animation(format_name), png()
        told = {still: "stands still", moving: "other bytes", b"nothing": "other bytes"}
        for body, words in told.items():
            with FaultServer(answering(reply(body))) as server:
                found = at(server.address, bilibili, frames=4, size_bytes=len(body))
            assert found.alive is Alive.SUSPECT
            assert found.reason is not None
            assert words in found.reason.template

    def test_large_picture_is_never_held(self, bilibili: BilibiliHost) -> None:
        """Fifteen megabytes are examined in little memory: neither kept nor read as a text."""
        body = Random(1).randbytes(15_000_000)
        digest = hashlib.sha256(body).hexdigest()
        with FaultServer(answering(reply(body))) as server:
            at(server.address, bilibili)  # what is imported late stays
            tracemalloc.start()
            found = at(server.address, bilibili, size_bytes=len(body), sha256=digest)
            peak_bytes = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert found == Seen(Alive.ALIVE, None, 200)
        assert peak_bytes < 2_000_000

    @pytest.mark.parametrize(("frames", "is_same"), [(1, True), (1, False), (4, True), (4, False)])
    def test_nothing_is_held_by_a_look(
        self, bilibili: BilibiliHost, frames: int, *, is_same: bool
    ) -> None:
        """Whatever was sent: a look tells no reason, so nothing is kept to be decoded for one."""
        body = Random(1).randbytes(15_000_000)
        sha256 = hashlib.sha256(body).hexdigest() if is_same else ""
        with FaultServer(answering(reply(body))) as server:
            stored = Stored(
                "bilibili", "live", "a.png", f"http://{server.address}/a.png", len(body)
            )
            record = record_of(stored, frames=frames, sha256=sha256)
            at(server.address, bilibili)  # what is imported late stays
            tracemalloc.start()
            alive = look(record, bilibili, timeout_s=TIMEOUT_S)
            peak_bytes = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert alive is (Alive.ALIVE if is_same else Alive.SUSPECT)
        assert peak_bytes < 2_000_000


class TestMortal:
    """Links of a kind that has died before."""

    @pytest.mark.parametrize(
        ("url", "mortal"),
        [
            ("https://article.biliimg.com/bfs/new_dyn/0123.png", True),
            ("https://i0.hdslb.com/bfs/new_dyn/0123.png", True),
            ("https://jssz-boss.hdslb.com/archive/0123.png", True),
            ("https://i0.hdslb.com/bfs/live/0123.png?deadline=1700000000", True),
            ("https://s3.example/b/k.png?a=1&X-Amz-Expires=2700", True),
            ("https://i0.hdslb.com/bfs/openplatform/0123.png", False),
            ("https://i0.hdslb.com/bfs/live/0123.png?of=/bfs/new_dyn/", False),
            ("https://blog.example/deadline=1/jssz-boss.hdslb.com/a.png", False),
        ],
    )
    def test_forms(self, url: str, mortal: bool) -> None:
        """The forms that are known to die are told from those that only look like them."""
        assert is_mortal(url) is mortal

    def test_such_a_link_is_suspect_though_it_works(
        self, fake: FakeBilibili, bilibili: BilibiliHost
    ) -> None:
        """A link that works but will die is suspect; one that is dead already is dead."""
        record = sent(bilibili)
        fake.images["/bfs/new_dyn/a.png"] = fake.images[f"/bfs/live/{record.key}"]
        mortal = record_of(
            Stored("bilibili", "live", "a.png", f"{fake.url}/bfs/new_dyn/a.png", record.size_bytes),
            sha256=record.sha256,
        )
        assert seen(mortal, bilibili).alive is Alive.SUSPECT
        fake.images.clear()
        assert seen(mortal, bilibili).alive is Alive.DEAD


class TestFile:
    """Images of the embedded host: no HTTP, the file itself."""

    def test_alive(self, local: LocalHost) -> None:
        """A file with the very bytes is alive, though nobody serves it now."""
        assert seen(sent(local, bucket="images"), local) == Seen(Alive.ALIVE)

    def test_gone(self, local: LocalHost, dirs: Dirs) -> None:
        """A file that is gone, or was changed, is dead."""
        record = sent(local, bucket="images")
        path = dirs.local / "images" / record.key
        path.write_bytes(b"something else")
        assert seen(record, local).alive is Alive.DEAD
        path.unlink()
        assert seen(record, local).alive is Alive.DEAD
