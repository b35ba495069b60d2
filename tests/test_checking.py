"""Links of posts: dead is what is gone for certain, and nobody is asked more than is needed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.app import App
from imghost.dirs import Dirs
from imghost.models import Alive
from imghost.posts.checking import Checked, Checker, marks_of
from imghost.posts.recorded import Recorded
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from imghost.transport.fetch import internet
from tests.fakes import pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.site import Page, Site, named
from tests.fakes.taking import at_bilibili, write_config

BLOG = "https://blog.example/"
PICTURE = pictures.png()


class Posts:
    """Links, looked at from a machine with an app, in an internet of two sites."""

    def __init__(self, app: App, fake: FakeBilibili, site: Site, other: Site) -> None:
        self.app = app
        self.fake = fake
        self.site = site
        self.other = other
        self.blog = ""
        self.resolve = named(a=site, b=other)

    def upload(self, seed: int, host: str = "") -> str:
        """Upload a picture; its link."""
        given = BytesInput("a.png", pictures.png(seed=seed))
        (settled,) = self.app.upload(UploadRequest((given,), UploadOptions(host, format="url")))
        return settled.text

    def check(self, *links: str) -> list[Checked]:
        """Look at links, and note what that showed."""
        recorded = Recorded(self.app.journal, links)
        with closing(internet(2.0, self.resolve)) as http:
            checker = Checker(self.app.pipeline().hosts, recorded, http, self.blog)
            checked = checker.check(links, lambda _: None)
        self.app.journal.mark_all(marks_of(checked, recorded))
        return checked

    def verdicts(self, *links: str) -> list[str]:
        """How they are, in words."""
        return [one.verdict for one in self.check(*links)]

    def alive(self) -> list[Alive]:
        """What the journal knows of its links, the oldest first."""
        return [record.alive for record in reversed(self.app.journal.history())]


@pytest.fixture
def posts(dirs: Dirs) -> Iterator[Posts]:
    """Nothing uploaded, and two empty sites."""
    with ExitStack() as stack:
        fake = stack.enter_context(FakeBilibili())
        site, other = stack.enter_context(Site()), stack.enter_context(Site())
        file = write_config(dirs, at_bilibili(fake))
        app = stack.enter_context(App(dirs, file, file.load(), base_url="http://127.0.0.1:36677"))
        yield Posts(app, fake, site, other)


class TestVerdicts:
    """What becomes of which answer."""

    @pytest.mark.parametrize(
        ("page", "verdict"),
        [
            (Page(PICTURE), "alive"),
            (Page(PICTURE, "application/octet-stream"), "alive"),
            (Page(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), "alive"),
            (Page(status=302, location="http://b.example/moved.png"), "alive"),
            (Page(status=404), "dead"),
            (Page(status=410), "dead"),
            (Page(status=403), "dead"),
            (Page(b"<Error><Code>NoSuchKey</Code></Error>", "text/xml", 400), "dead"),
            (Page(status=302, location="http://b.example/gone.png"), "dead"),
            (Page(b"<html>log in to the airport's network</html>", "text/html"), "suspect"),
            (Page(status=302, location="http://a.example/p"), "unknown"),
            (Page(status=302, location="http://nobody.gone/"), "unknown"),
            *((Page(status=status), "unknown") for status in (400, 401, 429, 500, 502, 503, 511)),
        ],
    )
    def test_of_others(self, posts: Posts, page: Page, verdict: str) -> None:
        """Gone is dead, a picture is alive, and what says neither condemns nothing."""
        posts.site.pages["/p"] = page
        posts.other.pages["/moved.png"] = Page(PICTURE)
        (checked,) = posts.check("http://a.example/p")
        assert checked.verdict == verdict
        assert checked.is_fine is (verdict == "alive")
        assert bool(checked.reason) is not checked.is_fine

    @pytest.mark.parametrize(
        "link",
        [
            *("http://127.0.0.1:{port}/p", "http://localhost:{port}/p", "http://0x7f.1:{port}/p"),
            *("http://[::1]:{port}/p", "http://192.168.1.5/p", "https://10.0.0.1/p"),
        ],
    )
    def test_private_links_are_not_asked(self, posts: Posts, link: str) -> None:
        """Only the writer can see those, and nobody at home is bothered."""
        posts.site.pages["/p"] = Page(PICTURE)
        (checked,) = posts.check(link.format(port=posts.site.port))
        assert checked.verdict == "private"
        assert str(checked.reason) == "only you can see this"
        assert posts.site.asked == []

    @pytest.mark.parametrize("link", ["http://", "http://[", "https://a b/", "http://a.example:x/"])
    def test_what_is_no_link(self, posts: Posts, link: str) -> None:
        """What cannot be asked for is told, and is no reason to stop."""
        posts.site.pages["/p"] = Page(PICTURE)
        assert posts.verdicts(link, "http://a.example/p") == ["unknown", "alive"]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.text() | st.from_regex(r"https?://\S{0,40}"), max_size=5, unique=True))
    def test_anything_in_posts(self, posts: Posts, links: list[str]) -> None:
        """Whatever stands in posts gets a verdict, and none of it is dead without an answer."""
        posts.resolve = named()
        for link, checked in zip(links, posts.check(*links), strict=True):
            assert checked.link == link
            assert checked.verdict in ("unknown", "private", "suspect")

    def test_links_that_will_die(self, posts: Posts) -> None:
        """A link of a mortal form is told at once, though it works, or nobody answers."""
        posts.site.pages["/bfs/new_dyn/a.png"] = Page(PICTURE)
        links = [f"http://{host}/bfs/new_dyn/a.png" for host in ("a.example", "c.example")]
        assert posts.verdicts(*links) == ["suspect", "suspect"]


class TestKnown:
    """Links of which the journal knows."""

    def test_bytes_are_compared(self, posts: Posts) -> None:
        """A link with the very bytes is alive, with others suspect, gone is dead; all is noted."""
        links = [posts.upload(seed) for seed in range(3)]
        paths = list(posts.fake.images)
        posts.fake.images[paths[1]] = ("image/png", PICTURE + b"more")
        del posts.fake.images[paths[2]]
        assert [one.seen.alive for one in posts.check(*links)] == posts.alive()
        assert posts.alive() == [Alive.ALIVE, Alive.SUSPECT, Alive.DEAD]

    def test_a_style_is_asked_for_as_it_stands(self, posts: Posts) -> None:
        """It is looked at as readers see it; that it shows nothing says nothing of the picture."""
        link = posts.upload(1)
        assert posts.check(f"{link}@32w.webp")[0].seen.alive is Alive.ALIVE
        assert posts.alive() == [Alive.ALIVE]
        posts.fake.images.clear()
        assert posts.verdicts(f"{link}@32w.webp") == ["dead"]
        assert posts.alive() == [Alive.ALIVE]
        assert posts.verdicts(link) == ["dead"]
        assert posts.alive() == [Alive.DEAD]

    def test_files_of_our_own_are_looked_at(self, posts: Posts, dirs: Dirs) -> None:
        """The embedded host's link is private with its file, dead without, under any port."""
        link = posts.upload(1, "local")
        links = [link, f"{link}@32w", link.replace("36677", "36999")]
        assert posts.verdicts(*links) == ["private"] * 3
        assert posts.alive() == [Alive.ALIVE]
        (file,) = (dirs.local / "images").iterdir()
        file.unlink()
        assert posts.verdicts(*links) == ["dead"] * 3
        assert posts.alive() == [Alive.DEAD]

    def test_with_a_public_address_it_is_fine(self, posts: Posts, dirs: Dirs) -> None:
        """What others reach is looked at as a file all the same; the older link stays private."""
        old = posts.upload(1, "local")
        hosts = {"local": {"public_url": "https://img.example"}}
        write_config(dirs, {"host": "local", "hosts": hosts})
        link = posts.upload(1, "local")
        assert link.startswith("https://img.example/bfs/")
        assert posts.verdicts(link, f"{link}@32w", old) == ["alive", "alive", "private"]


class TestGently:
    """How often, and how many at once."""

    def test_each_link_is_asked_once(self, posts: Posts) -> None:
        """Of one host two at a time at most, and every link once."""
        paths = [f"/{n}.png" for n in range(30)]
        posts.site.pages |= dict.fromkeys(paths, Page(PICTURE))
        assert set(posts.verdicts(*(f"http://a.example{path}" for path in paths))) == {"alive"}
        assert sorted(path for path, _ in posts.site.asked) == sorted(paths)
        assert posts.site.most_at_once <= 2

    def test_an_offline_machine_condemns_nothing(self, posts: Posts) -> None:
        """Without a network everything is unknown, soon, and what was known stays known."""
        known = posts.upload(1)
        assert posts.verdicts(known) == ["private"]
        posts.fake.down = True

        def nowhere(host: str, _: int) -> list[tuple[int, tuple[object, ...]]]:
            lookups.append(host)
            raise socket.gaierror(socket.EAI_AGAIN, "no network")

        lookups: list[str] = []
        posts.resolve = nowhere
        links = [f"https://{host}.example/{n}.png" for host in "abcd" for n in range(50)]
        checked = posts.check(known, *links)
        assert {one.seen.alive for one in checked} == {Alive.UNKNOWN}
        assert len(lookups) <= 4 * (3 + 1)
        assert posts.alive() == [Alive.ALIVE]

    def test_a_silent_host_is_left_in_peace(self, posts: Posts) -> None:
        """After three links without any answer the rest is not asked for; errors are answers."""
        posts.site.pages |= {f"/{n}": Page(status=500) for n in range(10)}
        posts.verdicts(*(f"http://a.example/{n}" for n in range(10)))
        assert len(posts.site.asked) == 10
        checked = posts.check(*(f"http://nobody.gone/{n}" for n in range(20)))
        assert sum("was not asked again" in str(one.reason) for one in checked) >= 16


class TestBlog:
    """With the blog's address, as its readers see the pictures."""

    def test_whether_a_tag_is_needed(self, posts: Posts) -> None:
        """One link of each host is asked for a second time, with the blog as Referer."""
        posts.blog = BLOG
        for site in (posts.site, posts.other):
            site.pages |= {f"/{n}.png": Page(PICTURE) for n in range(4)}
        posts.site.refuses = lambda referer: referer == BLOG
        links = [f"http://{host}.example/{n}.png" for host in "ab" for n in range(4)]
        checked = posts.check(*links)
        assert all(one.is_fine for one in checked)
        assert [one.needs_tag for one in checked] == [True] * 4 + [False] * 4
        assert [referer for _, referer in posts.site.asked].count(BLOG) == 1

    def test_bilibili_needs_one(self, posts: Posts) -> None:
        """Its image server refuses the Referers of others, also for what the journal knows."""
        posts.blog = BLOG
        (checked,) = posts.check(posts.upload(1))
        assert checked.needs_tag
        assert checked.seen.alive is Alive.ALIVE

    def test_what_shows_on_the_blog_only(self, posts: Posts) -> None:
        """A host that refuses who comes from nowhere, but not the blog, shows its readers all."""
        posts.site.pages["/p"] = Page(PICTURE)
        posts.site.refuses = lambda referer: not referer
        assert posts.verdicts("http://a.example/p") == ["dead"]
        posts.blog = BLOG
        (checked,) = posts.check("http://a.example/p")
        assert checked.is_fine
        assert checked.needs_tag is False
        posts.site.refuses = lambda _: True
        assert posts.verdicts("http://a.example/p") == ["dead"]

    def test_nothing_is_known_without_an_answer(self, posts: Posts) -> None:
        """A host that answers an error to the blog leaves open whether it needs a tag."""
        posts.blog = BLOG
        posts.site.pages["/p"] = Page(PICTURE)

        def breaks(referer: str) -> bool:
            if referer:
                posts.site.pages["/p"] = Page(status=500)
            return False

        posts.site.refuses = breaks
        assert [one.needs_tag for one in posts.check("http://a.example/p")] == [None]
        assert posts.check() == []
