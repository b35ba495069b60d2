"""S3 at a real store that checks signatures: the whole contract, and a person's way with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from imghost.dirs import Dirs
from imghost.errors import HostRefused, LoginExpired
from imghost.hosts.base import Outside
from imghost.hosts.s3 import S3Config, S3Host
from imghost.models import Stored
from imghost.setting import read
from imghost.transport import Http
from imghost.transport.web import Reply, Request
from tests.contract.test_hosts import Built, TestUploads, image, outside
from tests.fakes.canaries import leaked
from tests.fakes.pictures import animation, png
from tests.fakes.program import Program
from tests.fakes.s3_store import BUCKETS, DOMAIN, SECRET_KEY, Store, is_installed, running_store

__all__ = ["TestUploads"]  # the contract's, with the host below

pytestmark = pytest.mark.skipif(
    os.environ.get("IMGHOST_TESTS_SKIP") != "nothing" and not is_installed(),
    reason="not installed here: python3-swift",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A running store."""
    with running_store(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
def built(store: Store, dirs: Dirs) -> Built:
    """The host at the store, whose links are fetched as everybody does."""
    host = host_at(store, outside(dirs))
    return Built(host, lambda s: fetched(host, s).body)


def host_at(store: Store, handed: Outside, **changed: Any) -> S3Host:
    """The host at the store, with some of its settings changed."""
    return S3Host(read(S3Config, store.settings(**changed), "hosts.s3", {}), handed)


def fetched(host: S3Host, stored: Stored) -> Reply:
    """What stands behind the link. Raises FileNotFoundError."""
    reply = host.http.send(Request("GET", stored.url))
    if reply.status == 404:
        raise FileNotFoundError(stored.url)
    assert reply.status == 200
    return reply


class TestStore:
    """What only a store that checks everything can show."""

    def test_headers(self, built: Built, store: Store, dirs: Dirs) -> None:
        """The picture is shown with its type, and with how long it may be kept."""
        host = host_at(store, outside(dirs))
        headers = fetched(host, host.upload(image("webp"), "pictures")).headers
        assert headers["content-type"] == "image/webp"
        assert headers["cache-control"] == "public, max-age=31536000, immutable"

    def test_chinese_keys(self, store: Store, dirs: Dirs) -> None:
        """Keys may be Chinese; their links lead to them, and they can be deleted."""
        host = host_at(store, outside(dirs), key="图片/~a_b-c.d/{year}年/{sha256}.{ext}")
        stored = host.upload(image(), "pictures")
        assert stored.key.startswith("图片/~a_b-c.d/2")
        assert fetched(host, stored).body == image().data
        host.delete(stored)
        with pytest.raises(FileNotFoundError):
            fetched(host, stored)

    def test_virtual_addressing(self, store: Store, dirs: Dirs) -> None:
        """The signature also counts where the bucket stands before the store's name."""
        http = Http(timeout_s=30, proxy=store.url)
        handed = Outside(http, "", dirs.local, dirs.tmp)
        host = host_at(store, handed, endpoint=f"http://{DOMAIN}", addressing="virtual")
        stored = host.upload(image(), "pictures")
        assert fetched(host_at(store, outside(dirs)), stored).body == image().data
        host.delete(stored)

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"secret_key": SECRET_KEY[:-1]}, "does not accept your key"),
            ({"access_key": "team:nobody"}, "does not accept your key"),
            ({"region": "eu-west-1"}, "is in the region us-east-1"),
        ],
    )
    def test_who_is_not_let_in(
        self, store: Store, dirs: Dirs, changed: dict[str, str], words: str
    ) -> None:
        """A wrong key and a wrong region are named as such, and nothing is stored or deleted."""
        good = host_at(store, outside(dirs), key="{sha1}")
        stored = good.upload(image(seed=1), "other")
        bad = host_at(store, outside(dirs), key="{sha1}", **changed)
        with pytest.raises(LoginExpired, match=words):
            bad.upload(image(seed=2), "other")
        with pytest.raises(LoginExpired, match=words):
            bad.delete(stored)
        assert (
            good.http.send(Request("GET", f"{store.public('other')}/{image(seed=2).sha1}")).status
            == 404
        )
        assert good.http.send(Request("GET", f"{store.public('other')}/{stored.key}")).status == 200

    def test_no_such_bucket(self, store: Store, dirs: Dirs) -> None:
        """A bucket that is not there is named; deleting from it is done already."""
        host = host_at(store, outside(dirs))
        with pytest.raises(HostRefused, match="there is no bucket nowhere"):
            host.upload(image(), "nowhere")
        host.delete(Stored("s3", "nowhere", "a.png", "", 1))


class TestProgram:
    """What a person does."""

    @pytest.fixture
    def program(self, home: Path, store: Store) -> Program:
        """The program, with the store as its host."""
        program = Program(home / "imghost")
        program.configure(host="s3", hosts={"s3": store.settings()})
        return program

    def test_upload(self, program: Program, store: Store, tmp_path: Path) -> None:
        """A picture's link shows it to everybody; the same one again has the same link."""
        path = tmp_path / "a.png"
        path.write_bytes(png())
        done = program.run("upload", path)
        assert (done.code, len(done.lines)) == (0, 1), done.err
        assert done.lines[0].startswith(store.public(BUCKETS[0]))
        assert body_of(done.lines[0]) == png()
        assert program.run("upload", path).lines == done.lines

    def test_style_is_drawn_before(self, program: Program, tmp_path: Path) -> None:
        """Where nobody draws styles, they are drawn into what is sent, and the original is kept."""
        path = tmp_path / "a.png"
        path.write_bytes(png(200, 100))
        program.set("link.style", "@50w.webp")
        done = program.run("upload", path)
        assert done.code == 0, done.err
        assert done.lines[0].endswith(".webp")
        assert "drawn as @50w.webp" in done.err
        with Pillow.open(BytesIO(body_of(done.lines[0]))) as drawn:
            assert (drawn.format, drawn.size) == ("WEBP", (50, 25))
        assert [kept.read_bytes() for kept in program.originals] == [png(200, 100)]
        plain = program.run("upload", path, "--style", "@")
        assert body_of(plain.lines[0]) == png(200, 100)
        path.write_bytes(animation())
        assert body_of(program.run("upload", path).lines[0]) == animation()

    def test_style_is_left_to_the_store(self, program: Program, tmp_path: Path) -> None:
        """Where the store or a CDN draws styles, the link asks for them."""
        path = tmp_path / "a.png"
        path.write_bytes(png(200, 100))
        program.set("hosts.s3.styles", value=True)
        (link,) = program.run("upload", path, "--style", "@50w.webp").lines
        assert link.endswith(".png@50w.webp")
        assert body_of(link.removesuffix("@50w.webp")) == png(200, 100)

    def test_wrong_key(self, program: Program, tmp_path: Path) -> None:
        """With a wrong key the picture is kept and waits, and goes once the key is right."""
        path = tmp_path / "a.png"
        path.write_bytes(png(30, 30))
        program.environ["IMGHOST_S3_SECRET_KEY"] = "canary-of-a-wrong-key"
        refused = program.run("upload", path)
        assert refused.code == 7
        assert "does not accept your key" in refused.err
        assert program.history[0]["state"] == "queued"
        del program.environ["IMGHOST_S3_SECRET_KEY"]
        assert program.run("retry").code == 0
        assert body_of(program.history[0]["url"]) == png(30, 30)
        logs = "".join(p.read_text() for p in (program.home / "logs").rglob("*.log"))
        assert not leaked(refused.err + logs, (SECRET_KEY, "canary-of-a-wrong-key"))

    def test_delete(self, program: Program, tmp_path: Path) -> None:
        """Forgetting a picture can take it from the store, too."""
        path = tmp_path / "a.png"
        path.write_bytes(png(31, 31))
        (link,) = program.run("upload", path).lines
        assert program.run("history", "rm", "--last", "--host").code == 0
        assert Http(timeout_s=5).send(Request("GET", link)).status == 404


def body_of(link: str) -> bytes:
    """What everybody sees there."""
    reply = Http(timeout_s=5).send(Request("GET", link))
    assert reply.status == 200
    return reply.body
