"""Rescue: what is dead comes back from what is kept, at another place than the one it died at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from imghost.app import App
from imghost.dirs import Dirs
from imghost.models import Alive, Message
from imghost.posts.moving import Choice, Fail, Leave, Moved, Upload, move, planned
from imghost.posts.originals import Originals
from imghost.posts.post import Post
from imghost.posts.recorded import Recorded
from imghost.posts.references import Form, Reference
from imghost.posts.rescue import Rescue
from imghost.posts.using import Read, Use
from imghost.server.asked import (
    BytesInput,
    RemoteInput,
    UploadedInput,
    UploadOptions,
    UploadRequest,
)
from tests.fakes import pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.taking import at_bilibili, write_config

POST = Path("post.md")


class Rescuing:
    """A machine with an app whose host is a fake Bilibili."""

    def __init__(self, app: App, fake: FakeBilibili) -> None:
        self.app = app
        self.fake = fake

    def upload(self, seed: int, host: str = "") -> str:
        """Upload a picture; its link."""
        given = BytesInput("a.png", pictures.png(seed=seed))
        options = UploadOptions(host, format="url", style="@")
        (settled,) = self.app.upload(UploadRequest((given,), options))
        return settled.text

    def die(self, *links: str) -> None:
        """Have these links be dead, and known as such."""
        self.fake.images.clear()
        rows = self.app.journal.with_links(links)
        self.app.journal.mark_all({row.id: Alive.DEAD for row in rows})

    def selects(self, dead: list[str], *, use_all: bool = False) -> Callable[[Use], Choice]:
        """What is selected of these links, and of a living one."""
        app = self.app
        recorded = Recorded(app.journal, dead)
        originals = Originals(app.pipeline().hosts, recorded, app.copies, app.store, dead)
        return Rescue(app.pipeline(), originals, dead if not use_all else [], use_all=use_all)

    def rescue(self, link: str, host: str = "", bucket: str = "") -> Moved:
        """Rescue a post that shows a dead link; what became of it."""
        use_of_it = use(link, host, bucket)
        read = Read(POST, Post(POST, f"![]({link})"), (use_of_it,))
        texts: list[str] = []
        (moved,) = move(
            planned([read], self.selects([link])),
            self.app.upload,
            lambda _, text: texts.append(text),
            lambda _: None,
        )
        assert texts == [f"![]({new})" for new in moved.links.values()]
        return moved


def use(source: Path | str | Message, host: str = "", bucket: str = "") -> Use:
    """A picture as a post uses it."""
    reference = Reference(Form.MARKDOWN, 4, 4 + len(str(source)), 1, str(source))
    return Use(POST, reference, source, UploadOptions(host, bucket, "url"))


@pytest.fixture
def rescuing(dirs: Dirs) -> Iterator[Rescuing]:
    """Nothing uploaded yet."""
    with ExitStack() as stack:
        fake = stack.enter_context(FakeBilibili())
        file = write_config(dirs, at_bilibili(fake) | {"link": {"style": "@64w"}})
        app = stack.enter_context(App(dirs, file, file.load(), base_url="http://127.0.0.1:36677"))
        yield Rescuing(app, fake)


def test_what_is_selected(rescuing: Rescuing) -> None:
    """Dead links of which something is kept; those of which nothing is are told; no others."""
    link = rescuing.upload(1)
    (row,) = rescuing.app.journal.history()
    copy, lost = "https://else.example/c.png", "https://else.example/d.png"
    rescuing.app.store.keep("c" * 64, b"copy")
    rescuing.app.copies.add(copy, "c" * 64)
    dead = [link, f"{link}@32w", copy, lost]
    chosen = [rescuing.selects(dead)(use(one)) for one in dead]
    assert [c.given for c in chosen if isinstance(c, Upload)] == [
        *[UploadedInput(row.id)] * 2,
        RemoteInput(copy),
    ]
    assert isinstance(chosen[3], Fail)
    for other in ("https://else.example/alive.png", Path("a.png"), Message("it is missing")):
        assert rescuing.selects(dead)(use(other)) == Leave()


def test_all_of_which_something_is_kept(rescuing: Rescuing) -> None:
    """With --all nobody asks whether it is dead, and what is not kept stays in peace."""
    link = rescuing.upload(1)
    select = rescuing.selects([link, "https://else.example/a.png"], use_all=True)
    assert isinstance(select(use(link)), Upload)
    assert select(use("https://else.example/a.png")) == Leave()


def test_at_another_host(rescuing: Rescuing) -> None:
    """The post shows the new link, with the style that the old one had and no other."""
    link = rescuing.upload(1)
    rescuing.die(link)
    (new,) = rescuing.rescue(link, "local").links.values()
    assert new.startswith("http://127.0.0.1:36677/bfs/images/")
    assert new.endswith(".png")
    (styled,) = rescuing.rescue(f"{link}@1e_32w.webp", "local").links.values()
    assert styled == f"{new}@32w_1e.webp"


def test_a_style_that_never_was_one_is_left_out(rescuing: Rescuing) -> None:
    """A link whose suffix no image server understands gets one without it."""
    link = rescuing.upload(1)
    rescuing.die(link)
    (new,) = rescuing.rescue(f"{link}@99z", "local").links.values()
    assert new.endswith(".png")


@pytest.mark.parametrize("change", [("", ""), ("http://", "https://"), (".png", ".png@32w_1e")])
def test_the_same_link_again_is_a_failure(rescuing: Rescuing, change: tuple[str, str]) -> None:
    """Where the new link is the dead one the post stays, and other places are named."""
    link = rescuing.upload(1).replace(*change)
    rescuing.die(link)
    moved = rescuing.rescue(link)
    assert moved.links == {}
    (failed,) = moved.failed
    assert (failed.post, failed.line) == (POST, 1)
    assert str(failed.why) == "its new link is the dead one, and may die again"
    assert failed.why.fields == {"options": "--bucket static"}


def test_another_bucket_will_do(rescuing: Rescuing) -> None:
    """A new path at the same host is a new link."""
    link = rescuing.upload(1)
    rescuing.die(link)
    (new,) = rescuing.rescue(link, bucket="static").links.values()
    assert "/bfs/static/" in new


def test_a_file_of_ours_comes_back_where_it_was(rescuing: Rescuing, dirs: Dirs) -> None:
    """The embedded host's link is the same, and works again: no failure, and nothing to rewrite."""
    link = rescuing.upload(1, "local")
    (file,) = (dirs.local / "images").iterdir()
    file.unlink()
    rescuing.die(link)
    moved = rescuing.rescue(link, "local")
    assert (moved.links, moved.failed) == ({}, [])
    assert file.exists()


def test_an_original_that_was_damaged_is_told(rescuing: Rescuing) -> None:
    """What cannot be read any more is a failure of that picture, and the post stays."""
    link = rescuing.upload(1)
    (original,) = rescuing.app.store.hashes()
    rescuing.app.store.path(original).write_bytes(b"damaged")
    rescuing.die(link)
    moved = rescuing.rescue(link, "local")
    assert moved.links == {}
    assert "was changed on the disk" in str(moved.failed[0].why)
