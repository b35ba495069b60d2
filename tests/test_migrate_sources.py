"""Where pictures come from when they move: files, our own host, drafts, and hosts of others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from imghost.app import App
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.errors import SourceError
from imghost.forget import prunable, prune
from imghost.imaging.prepare import Prepared, Recipe, prepare
from imghost.models import Found, State
from imghost.posts.migrate import Migration
from imghost.posts.moving import move, planned
from imghost.posts.originals import Originals
from imghost.posts.post import write_post
from imghost.posts.recorded import Recorded
from imghost.posts.same_files import SameFiles
from imghost.posts.using import read_posts
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from tests.fakes import bilibili, pictures

BASE = "http://127.0.0.1:36677"
ELSEWHERE = "https://pictures.example/some/a.png"


@dataclass
class Desk:
    """A process with a host, a post, and an internet; it counts what is decoded and fetched."""

    dirs: Dirs
    fake: bilibili.FakeBilibili
    post: Path
    internet: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    decoded: list[str] = field(default_factory=list)
    base_url: str = BASE

    def __post_init__(self) -> None:
        path = self.dirs.config / "config.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(bilibili.settings(self.fake) | {"host": "local"}))
        self.file = ConfigFile(path, {})
        self.app = self.opened()

    def opened(self, base_url: str = BASE) -> App:
        """The process, where its own server answers there."""
        return App(
            self.dirs,
            self.file,
            self.file.load(),
            prepare_bytes=self._prepare,
            fetch=self._fetch,
            base_url=base_url,
        )

    def _prepare(self, data: bytes, name: str, recipe: Recipe) -> Prepared:
        self.decoded.append(name)
        return prepare(data, name, recipe)

    def _fetch(self, url: str, max_bytes: int) -> bytes:
        self.fetched.append(url)
        if url not in self.internet:
            raise SourceError("{url} cannot be fetched", url=url)
        return self.internet[url]

    def upload(self, seed: int, host: str = "local", **options: Any) -> str:
        """Upload a picture; its link."""
        request = UploadRequest(
            (BytesInput(f"{seed}.png", pictures.png(seed=seed)),),
            UploadOptions(host, format="url", **options),
        )
        (settled,) = self.app.upload(request)
        assert settled.text
        return settled.text

    def migrate(self, *targets: str, remote: bool = False, **options: str) -> list[str]:
        """Have a post with these pictures moved to Bilibili; its pictures then."""
        self.post.write_text("".join(f"![]({target})\n" for target in targets))
        self.decoded.clear()
        asked = UploadOptions(**({"host": "bilibili", "format": "url"} | options))  # type: ignore[arg-type]  # none is wait_s
        (read,) = read_posts([self.post], asked)
        app, pipeline = self.app, self.app.checked_pipeline()
        recorded = Recorded(app.journal, read.links)
        originals = Originals(pipeline.hosts, recorded, app.copies, app.store, read.links)
        self.select = Migration(pipeline, recorded, originals, SameFiles(read.files), remote=remote)
        plan = planned([read], self.select)
        (self.moved,) = move(plan, self.app.upload, write_post, lambda _: None)
        return [line[4:-1] for line in self.post.read_text().splitlines()]

    @property
    def sent(self) -> list[bytes]:
        """What Bilibili got, in order."""
        return [one.parts["file"].data for one in self.fake.uploads]


@pytest.fixture
def desk(dirs: Dirs, tmp_path: Path) -> Iterator[Desk]:
    """The embedded host configured, Bilibili there to be moved to."""
    with bilibili.FakeBilibili() as fake:
        made = Desk(dirs, fake, tmp_path / "post.md")
        yield made
        made.app.close()


class TestOurOwn:
    """Links of the embedded host."""

    def test_they_move_from_the_kept_original(self, desk: Desk) -> None:
        """Whatever their style; the picture that was given in is what is sent, once."""
        link = desk.upload(1)
        one, two = desk.migrate(link, link + "@800w.webp")
        assert desk.sent == [pictures.png(seed=1)]
        assert one == two
        assert one.startswith(desk.fake.url)

    def test_without_an_original_they_move_from_the_hosts_file(self, desk: Desk) -> None:
        """Old originals may have been let go of: the file of the host is the picture too."""
        link = desk.upload(1)
        prune(desk.app, prunable(desk.app, -1, use_all=True), use_all=True)
        assert not [*desk.app.store.hashes()]
        desk.migrate(link)
        assert desk.sent == [pictures.png(seed=1)]

    def test_the_journal_need_not_know_them(self, desk: Desk) -> None:
        """A file that is there is enough."""
        link = desk.upload(1)
        desk.app.journal.erase(1, desk.app.store.erase)
        desk.migrate(link)
        assert desk.sent == [pictures.png(seed=1)]

    @pytest.mark.parametrize(
        "base_url", ["http://127.0.0.1:4711", "http://localhost:1", "http://[::1]"]
    )
    def test_they_are_ours_at_any_port(self, desk: Desk, base_url: str) -> None:
        """The server had another address when the post was written."""
        link = desk.upload(1).replace(BASE, base_url)
        (moved,) = desk.migrate(link)
        assert moved.startswith(desk.fake.url)

    def test_what_is_lost_is_told(self, desk: Desk) -> None:
        """A link of ours without file or original stays, and fails."""
        lost = f"{BASE}/bfs/images/{'a' * 40}.png"
        assert desk.migrate(lost, remote=True) == [lost]
        (told,) = desk.moved.failed
        assert "gone" in str(told.why)
        assert desk.fetched == []

    def test_at_home_they_stay(self, desk: Desk) -> None:
        """Moving to the embedded host leaves what it has, under whatever bucket."""
        link = desk.upload(1, bucket="album")
        assert desk.migrate(link, host="local") == [link]
        assert not desk.moved.links

    def test_a_bucket_that_is_asked_for_counts(self, desk: Desk) -> None:
        """Then what is in another one moves."""
        link = desk.upload(1, bucket="album")
        (moved,) = desk.migrate(link, host="local", bucket="blog")
        assert moved == link.replace("album", "blog")


class TestDrafts:
    """Links that stood in while the real host was away."""

    def draft(self, desk: Desk, seed: int) -> str:
        """A picture on its way to Bilibili, and the link that was pasted."""
        order = desk.app.pipeline().order("bilibili", format_name="url")
        found = Found("clipboard", "a.png", lambda: pictures.png(seed=seed))
        self.accepted = desk.app.pipeline().accept(found, order, State.QUEUED)
        return desk.app.pipeline().draft(self.accepted.record, order)

    def test_one_that_was_sent_meanwhile(self, desk: Desk) -> None:
        """The real link takes its place; nothing is uploaded, and nothing decoded."""
        link = self.draft(desk, 1)
        assert "/bfs/drafts/" in link
        desk.app.drain()
        assert len(desk.sent) == 1
        (moved,) = desk.migrate(link)
        assert moved == desk.app.journal.get(self.accepted.record.id).url
        assert (len(desk.sent), desk.decoded) == (1, [])

    def test_one_whose_original_was_let_go_of(self, desk: Desk) -> None:
        """The link that is known is enough."""
        link = self.draft(desk, 1)
        desk.app.drain()
        prune(desk.app, prunable(desk.app, -1, use_all=True), use_all=True)
        (moved,) = desk.migrate(link, style="@100w")
        assert moved == desk.app.journal.get(self.accepted.record.id).url + "@100w"
        assert len(desk.sent) == 1

    def test_one_that_still_waits(self, desk: Desk) -> None:
        """It is sent, as the one row that it is."""
        link = self.draft(desk, 1)
        (moved,) = desk.migrate(link)
        (row,) = desk.app.journal.history()
        assert (moved, row.state, desk.decoded) == (row.url, State.DONE, [])

    def test_one_that_goes_elsewhere(self, desk: Desk) -> None:
        """Its picture is ours to send to any place."""
        link = self.draft(desk, 1)
        (moved,) = desk.migrate(link, host="local")
        assert "/bfs/images/" in moved


class TestOthers:
    """Pictures that others host."""

    def test_they_stay_unless_asked_for(self, desk: Desk) -> None:
        """They are counted, so that the user hears of --remote."""
        assert desk.migrate(ELSEWHERE) == [ELSEWHERE]
        assert (desk.select.elsewhere, desk.fetched, desk.moved.failed) == (1, [], [])

    def test_they_are_fetched_once_without_their_style(self, desk: Desk) -> None:
        """The picture itself moves, not what a server makes of it."""
        desk.internet[ELSEWHERE] = pictures.png(seed=5)
        one, two = desk.migrate(ELSEWHERE, ELSEWHERE + "@100w_50h.webp", remote=True)
        assert desk.fetched == [ELSEWHERE]
        assert desk.sent == [pictures.png(seed=5)]
        assert one == two

    def test_one_that_is_gone_costs_only_itself(self, desk: Desk) -> None:
        """Its link stays, and it is told why."""
        desk.internet[ELSEWHERE] = pictures.png(seed=5)
        gone = ELSEWHERE.replace("a.png", "b.png")
        stays, moved = desk.migrate(gone, ELSEWHERE, remote=True)
        assert stays == gone
        assert moved.startswith(desk.fake.url)
        assert len(desk.moved.failed) == 1

    def test_a_known_link_is_never_fetched(self, desk: Desk) -> None:
        """What we sent there ourselves moves from the original that was kept."""
        link = desk.upload(1, host="bilibili")
        with bilibili.FakeBilibili():
            (moved,) = desk.migrate(link, host="local", remote=True)
        assert moved.startswith(f"{BASE}/bfs/images/")
        assert (desk.fetched, desk.fake.fetches) == ([], [])

    def test_a_kept_copy_moves_without_being_fetched(self, desk: Desk) -> None:
        """What was kept of others' pictures is enough, though they are gone."""
        data = pictures.png(seed=5)
        original = hashlib.sha256(data).hexdigest()
        desk.app.store.keep(original, data)
        desk.app.copies.add(ELSEWHERE, original)
        (moved,) = desk.migrate(ELSEWHERE, remote=True)
        assert moved.startswith(desk.fake.url)
        assert (desk.fetched, desk.sent) == ([], [data])

    def test_what_is_at_the_host_stays(self, desk: Desk) -> None:
        """Ours, and what others put there."""
        ours = desk.upload(1, host="bilibili") + "@1w"
        theirs = "https://i1.hdslb.com/bfs/album/" + "a" * 40 + ".png"
        assert desk.migrate(ours, theirs, remote=True) == [ours, theirs]
        assert (desk.fetched, len(desk.sent)) == ([], 1)

    def test_links_that_will_die_are_moved(self, desk: Desk) -> None:
        """A form that Bilibili lets die is no place to stay, even at Bilibili."""
        mortal = "https://i0.hdslb.com/bfs/new_dyn/" + "a" * 40 + ".png"
        desk.internet[mortal] = pictures.png(seed=6)
        (moved,) = desk.migrate(mortal, remote=True)
        assert moved.startswith(desk.fake.url)

    def test_a_stranger_on_this_machine_is_not_asked(self, desk: Desk, dirs: Dirs) -> None:
        """The fetcher of the real program goes to the open internet only."""
        link = f"{desk.fake.url}/some/a.png"
        with App(dirs, desk.file, desk.file.load()) as app:
            desk.app.close()
            desk.app = app
            assert desk.migrate(link, remote=True) == [link]
        assert desk.fake.fetches == []
        assert len(desk.moved.failed) == 1


def test_a_link_of_two_rows_prefers_the_place_it_is_to_go(desk: Desk) -> None:
    """A picture that is at both hosts gets the link that it has there, and is not sent again."""
    there = desk.upload(1, host="bilibili")
    link = desk.upload(1)
    assert desk.migrate(link) == [there]
    assert len(desk.sent) == 1


class TestFiles:
    """Files of this machine."""

    def test_a_picture_with_two_names_is_uploaded_once(self, desk: Desk) -> None:
        """Whatever the files are called; others of the same size are others."""
        data = pictures.png(seed=1)
        for name in ("a.png", "b.png"):
            (desk.post.parent / name).write_bytes(data)
        (desk.post.parent / "c.png").write_bytes(data.replace(b"IDAT", b"IDAT", 1)[:-1] + b"!")
        first, second, _ = desk.migrate("a.png", "b.png", "c.png")
        assert first == second
        assert desk.sent[0] == data
        assert len(desk.decoded) == 2

    def test_a_picture_that_changes_meanwhile_stands_for_nothing_else(self, desk: Desk) -> None:
        """Its link would be shown in places that never had it: all of them stay as they are."""
        one, two = (desk.post.parent / name for name in ("a.png", "b.png"))
        for path in (one, two):
            path.write_bytes(pictures.png(seed=1))
        same = SameFiles([one, two])
        given = same(one)
        assert same(two) == given
        one.write_bytes(pictures.png(seed=2))
        (settled,) = desk.app.upload(UploadRequest((given,), UploadOptions()))
        assert settled.failure
        assert "changed meanwhile" in str(settled.failure.message)
        assert desk.app.journal.history() == []

    def test_files_that_are_gone_are_their_own(self, desk: Desk) -> None:
        """What cannot be looked at is given as it is, and uploading says why not."""
        gone = [desk.post.parent / name for name in ("a.png", "b.png")]
        same = SameFiles(gone)
        assert [same(path).path for path in gone] == [str(path) for path in gone]
