"""What every host promises, tried on each of them; a new host brings one builder and no test."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from imghost.dirs import Dirs
from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.hosts import HOSTS
from imghost.hosts.base import Deletes, Host, KeepsFiles, Kind, Outside
from imghost.hosts.bilibili import BilibiliConfig, BilibiliHost
from imghost.hosts.local import LocalConfig, LocalHost
from imghost.hosts.s3 import S3Config, S3Host
from imghost.imaging.check import Caps, check
from imghost.models import MIME_TYPES, Image, Stored
from imghost.secret import Secret
from imghost.setting import missing, read
from imghost.transport import Http
from imghost.transport.web import Request
from tests.fakes import faults, s3
from tests.fakes.bilibili import BILI_JCT, SESSDATA, FakeBilibili
from tests.fakes.canaries import leaked, shown
from tests.fakes.faults import FaultServer, answering, reply
from tests.fakes.memory_host import MemoryConfig, MemoryHost
from tests.fakes.pictures import encoded, picture
from tests.fakes.program import eventually

TIMEOUT_S = 0.3
SECRETS = (SESSDATA, BILI_JCT, s3.SECRET_KEY)
BEHAVIOURS = [
    faults.never_answer,
    faults.trickle_head,
    faults.trickle_body,
    faults.endless_headers,
    faults.endless_body,
    faults.reset_after_body,
    faults.reset_in_reply,
    *(answering(data) for data in (b"", b"HTTP/1.1 200 OK\r\n\r\n", reply(b"<html>"))),
    *(answering(reply(b"{}", status)) for status in ("302 Found", "401 No", "500 Oh", "599 Ah")),
]


@dataclass(frozen=True)
class Built:
    """A host, and how to see what it holds."""

    host: Host
    bytes_of: Callable[[Stored], bytes]


def outside(dirs: Dirs, timeout_s: float = 30.0) -> Outside:
    """What a host is handed."""
    http = Http(timeout_s=timeout_s)
    return Outside(http, "http://127.0.0.1:36677", dirs.local, dirs.tmp / "test")


@contextmanager
def build_local(dirs: Dirs) -> Iterator[Built]:
    """The embedded host on its folder."""
    host = LocalHost(LocalConfig(), outside(dirs))
    yield Built(host, lambda s: (dirs.local / s.bucket / s.key).read_bytes())


@contextmanager
def build_bilibili(dirs: Dirs) -> Iterator[Built]:
    """Bilibili at a fake of it, whose links are fetched."""
    with FakeBilibili() as fake:
        host = BilibiliHost(bilibili_config(fake.url), outside(dirs))
        yield Built(host, lambda s: host.http.send(Request("GET", s.url)).body)


@contextmanager
def build_s3(dirs: Dirs) -> Iterator[Built]:
    """S3 at a fake of it."""
    with s3.FakeS3() as fake:
        host = S3Host(s3_config(fake.url), outside(dirs))
        yield Built(host, lambda s: fake.objects[s.bucket, s.key][1])


@contextmanager
def build_memory(dirs: Dirs) -> Iterator[Built]:
    """The tests' own host."""
    host = MemoryHost(MemoryConfig(), outside(dirs))
    yield Built(host, lambda s: host.images[s.bucket, s.key])


def bilibili_config(url: str) -> BilibiliConfig:
    """The settings of somebody who is logged in."""
    return BilibiliConfig(sessdata=Secret(SESSDATA), bili_jct=Secret(BILI_JCT), api=url)


def s3_config(url: str) -> S3Config:
    """The settings of somebody who may write into the bucket."""
    keys = {"access_key": s3.ACCESS_KEY, "secret_key": s3.SECRET_KEY}
    return read(S3Config, {"endpoint": url, "bucket": s3.BUCKETS[0], **keys}, "hosts.s3", {})


KINDS: dict[str, Kind] = {**HOSTS, MemoryHost.name: MemoryHost}
BUILDERS: dict[str, Callable[[Dirs], AbstractContextManager[Built]]] = {
    "local": build_local,
    "bilibili": build_bilibili,
    "s3": build_s3,
    "memory": build_memory,
}
REMOTE: dict[str, Callable[[str, Outside], Host]] = {
    "bilibili": lambda url, handed: BilibiliHost(bilibili_config(url), handed),
    "s3": lambda url, handed: S3Host(s3_config(url), handed),
}
"""Hosts that are reached over HTTP, built so that they ask the server at that URL."""


@pytest.fixture(params=sorted(KINDS))
def built(request: pytest.FixtureRequest, dirs: Dirs) -> Iterator[Built]:
    """Each host in turn."""
    with BUILDERS[request.param](dirs) as built:
        yield built


@pytest.fixture(params=sorted(REMOTE))
def remote(request: pytest.FixtureRequest) -> Callable[[str, Outside], Host]:
    """Each host that is reached over HTTP."""
    return REMOTE[request.param]


def image(format_name: str = "png", *, seed: int = 0, name: str = "a picture") -> Image:
    """A checked image of that format."""
    return check(encoded(picture(seed=seed), format_name.upper()), name, Caps())


class TestKinds:
    """What the list of hosts says of each."""

    def test_every_host_is_tried_here(self) -> None:
        """No host is without a builder in this file."""
        assert set(BUILDERS) >= set(HOSTS)

    @pytest.mark.parametrize("name", sorted(KINDS))
    def test_its_class(self, name: str) -> None:
        """A host is listed under its own name; its settings are frozen, and tell what they lack."""
        kind = KINDS[name]
        assert kind.name == name
        assert kind.Config().bucket or missing(kind.Config())
        assert hash(kind.Config()) == hash(kind.Config())


class TestUploads:
    """What is stored."""

    def test_link_and_bytes(self, built: Built) -> None:
        """An upload says where the image is, and there it is, byte for byte."""
        sent = image()
        stored = built.host.upload(sent, built.host.buckets[0])
        assert (stored.host, stored.bucket) == (built.host.name, built.host.buckets[0])
        assert stored.url.startswith(("http://", "https://"))
        assert stored.size_bytes == len(sent.data)
        assert stored.key
        assert built.bytes_of(stored) == sent.data

    def test_every_format(self, built: Built) -> None:
        """Each format that the limits name is taken."""
        formats = built.host.limits.formats
        assert formats
        assert formats <= set(MIME_TYPES)
        for format_name in sorted(formats):
            sent = image(format_name)
            assert built.bytes_of(built.host.upload(sent, built.host.buckets[0])) == sent.data

    def test_every_bucket(self, built: Built) -> None:
        """Each bucket that is known by name is taken."""
        for bucket in built.host.buckets:
            stored = built.host.upload(image(), bucket)
            assert stored.bucket == bucket
            assert built.bytes_of(stored)

    def test_same_image_twice(self, built: Built) -> None:
        """The same image again gives a link that works, and the first one still does."""
        bucket = built.host.buckets[0]
        first, second = (built.host.upload(image(), bucket) for _ in range(2))
        assert built.bytes_of(first) == built.bytes_of(second) == image().data

    def test_different_images_differ(self, built: Built) -> None:
        """Two images never share a link."""
        bucket = built.host.buckets[0]
        first, second = (built.host.upload(image(seed=n), bucket) for n in range(2))
        assert first.url != second.url

    @pytest.mark.parametrize("name", ["图片.png", "a b.png", "../x.png", '"><img>.png', "x" * 5000])
    def test_names_are_private(self, built: Built, name: str) -> None:
        """Whatever the image is called, the link does not tell."""
        stored = built.host.upload(image(name=name), built.host.buckets[0])
        assert stored == built.host.upload(image(name="other"), built.host.buckets[0])

    def test_many_threads(self, built: Built) -> None:
        """Sixteen threads, some with the same image, all get links that work."""
        bucket, done, failed = built.host.buckets[0], [], []

        def upload(n: int) -> None:
            try:
                done.append((n, built.host.upload(image(seed=n % 4), bucket)))
            except HostError as exc:
                failed.append(exc)

        threads = [threading.Thread(target=upload, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        for n, stored in done:
            assert built.bytes_of(stored) == image(seed=n % 4).data

    def test_limits_are_sane(self, built: Built) -> None:
        """A host takes something, at least one at a time."""
        limits = built.host.limits
        assert limits.max_bytes > 100_000
        assert limits.parallel >= 1
        assert limits.min_gap_s >= 0

    def test_delete(self, built: Built) -> None:
        """Where a host can delete, the image is gone, and deleting it again is fine."""
        if not isinstance(built.host, Deletes):
            assert not hasattr(built.host, "delete")
            return
        stored = built.host.upload(image(), built.host.buckets[0])
        built.host.delete(stored)
        built.host.delete(stored)
        with pytest.raises((KeyError, FileNotFoundError)):
            built.bytes_of(stored)

    def test_find(self, built: Built) -> None:
        """Where images are files, they are found by what the upload said."""
        if not isinstance(built.host, KeepsFiles):
            return
        stored = built.host.upload(image(), built.host.buckets[0])
        path = built.host.find(stored.bucket, stored.key)
        assert path is not None
        assert path.read_bytes() == image().data

    def test_close(self, built: Built) -> None:
        """A host can be closed, also twice, and leaves no thread behind."""
        built.host.upload(image(), built.host.buckets[0])
        built.host.close()
        built.host.close()


class TestFaults:
    """Hosts over HTTP, at servers that misbehave."""

    @pytest.mark.parametrize("behave", BEHAVIOURS)
    def test_only_three_errors(
        self,
        remote: Callable[[str, Outside], Host],
        behave: faults.Behaviour,
        dirs: Dirs,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Whatever the server does, one try ends in one of three errors, without secrets."""
        caplog.set_level(logging.DEBUG)
        with FaultServer(behave) as server:
            host = remote(f"http://{server.address}", outside(dirs, TIMEOUT_S))
            with pytest.raises((HostUnavailable, HostRefused, LoginExpired)) as caught:
                host.upload(image(), host.buckets[0])
            eventually(lambda: bool(server.peers))
            assert len(server.peers) == 1
        assert not leaked(shown(caught.value) + caplog.text, SECRETS)

    def test_close_ends_an_upload(self, remote: Callable[[str, Outside], Host], dirs: Dirs) -> None:
        """Closing a host ends an upload that waits for its answer."""
        arrived = threading.Event()

        def behave(peer: faults.Peer) -> None:
            peer.read_request()
            arrived.set()
            peer.wait()

        def close() -> None:
            arrived.wait()
            host.close()

        with FaultServer(behave) as server:
            host = remote(f"http://{server.address}", outside(dirs))
            closer = threading.Thread(target=close)
            closer.start()
            with pytest.raises(HostUnavailable) as caught:
                host.upload(image(), host.buckets[0])
            closer.join()
        assert caught.value.ambiguous
