"""Copies of what others host: each is a picture, fetched once, and there when its link dies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from imghost.app import App
from imghost.dirs import Dirs
from imghost.errors import MachineError
from imghost.forget import prunable
from imghost.imaging.check import Caps
from imghost.posts.keeping import Keeper, Kept, Shelf
from imghost.posts.originals import Originals
from imghost.posts.recorded import Recorded
from imghost.server.asked import (
    BytesInput,
    RemoteInput,
    UploadedInput,
    UploadOptions,
    UploadRequest,
)
from imghost.transport.fetch import internet
from tests.fakes import pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.phone import SECRET, photo
from tests.fakes.site import Page, Site, named
from tests.fakes.taking import at_bilibili, write_config

LINK = "http://a.example/p.png"


class Keeping:
    """A machine with an app that keeps what a site shows."""

    def __init__(self, app: App, fake: FakeBilibili, site: Site) -> None:
        self.app = app
        self.fake = fake
        self.site = site
        self.caps = Caps(input_bytes=100_000)

    def keep(self, *links: str) -> list[Kept]:
        """Keep what these show and nothing is kept of."""
        recorded = Recorded(self.app.journal, links)
        shelf = Shelf(self.app.store, self.app.copies, self.app.journal)
        with closing(internet(2.0, named(a=self.site))) as http:
            keeper = Keeper(self.app.pipeline().hosts, recorded, shelf, http, self.caps)
            return keeper.keep(keeper.missing(links), lambda _: None)

    def given(self, link: str) -> object:
        """What is given in to upload a link's picture again."""
        app, recorded = self.app, Recorded(self.app.journal, [link])
        return Originals(app.pipeline().hosts, recorded, app.copies, app.store, [link]).of(link)

    def upload(self, given: object, host: str = "") -> str:
        """Upload what is given in; its link."""
        request = UploadRequest((given,), UploadOptions(host, format="url"))  # type: ignore[arg-type]  # an Input
        (settled,) = self.app.upload(request)
        assert settled.failure is None
        return settled.text


@pytest.fixture
def keeping(dirs: Dirs) -> Iterator[Keeping]:
    """Nothing kept, and an empty site."""
    with ExitStack() as stack:
        fake, site = stack.enter_context(FakeBilibili()), stack.enter_context(Site())
        file = write_config(dirs, at_bilibili(fake))
        app = stack.enter_context(App(dirs, file, file.load(), base_url="http://127.0.0.1:36677"))
        yield Keeping(app, fake, site)


def test_a_picture_is_kept_and_comes_back(keeping: Keeping) -> None:
    """It is fetched once, whatever its style; with its site gone it is uploaded from the copy."""
    data = pictures.png(seed=3)
    keeping.site.pages["/p.png"] = Page(data)
    (kept,) = keeping.keep(LINK, f"{LINK}@32w.webp")
    assert kept == Kept(LINK, len(data))
    keeping.site.pages.clear()
    assert keeping.keep(LINK) == []
    assert len(keeping.site.asked) == 1
    assert keeping.given(f"{LINK}@32w.webp") == RemoteInput(LINK)
    link = keeping.upload(RemoteInput(LINK))
    ((_, sent),) = keeping.fake.images.values()
    assert sent == data
    assert keeping.app.journal.with_links([link])[0].name == "p.png"


def test_a_copy_is_sent_without_its_place(keeping: Keeping) -> None:
    """What others host may tell where it was taken; what we make of it does not."""
    keeping.site.pages["/p.png"] = Page(photo("JPEG", seed=1), "image/jpeg")
    (kept,) = keeping.keep(LINK)
    assert kept.problem is None
    keeping.upload(RemoteInput(LINK))
    ((_, sent),) = keeping.fake.images.values()
    assert SECRET not in sent


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(b"<html>gone</html>", "image/png"), "is a web page"),
        (Page(pictures.png()[:200]), "p.png"),
        (Page(pictures.png(), status=404), "answered 404"),
        (Page(pictures.png(), status=503), "answered 503"),
        (Page(b"x" * 200_000), "larger than 100000"),
        (Page(status=302, location="http://127.0.0.1:1/"), "only you can see this"),
        (Page(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "SVG"),
    ],
)
def test_nothing_is_kept_that_is_no_picture(keeping: Keeping, page: Page, words: str) -> None:
    """Why is told, and the others are kept; a drawing is no failure."""
    keeping.site.pages |= {"/p.png": page, "/q.png": Page(pictures.png())}
    bad, good = keeping.keep(LINK, "http://a.example/q.png")
    assert words in str(bad.problem)
    assert bad.is_drawing is ("SVG" in words)
    assert good.problem is None
    assert keeping.given(LINK) is None
    assert len(list(keeping.app.store.hashes())) == 1


def test_a_disk_that_takes_nothing_ends_it(keeping: Keeping) -> None:
    """What could not be written is not kept, and said to be this machine's fault."""
    data = pictures.png(seed=3)
    keeping.site.pages["/p.png"] = Page(data)
    folder = keeping.app.store.path(hashlib.sha256(data).hexdigest()).parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_bytes(b"in the way")
    with pytest.raises(MachineError):
        keeping.keep(LINK)
    assert keeping.given(LINK) is None
    folder.unlink()
    assert keeping.keep(LINK)[0].problem is None


def test_what_is_kept_already_is_not_fetched(keeping: Keeping) -> None:
    """Our own originals, our own files and what only we can see are left alone."""
    own = keeping.upload(BytesInput("a.png", pictures.png(seed=1)))
    file = keeping.upload(BytesInput("a.png", pictures.png(seed=2)), "local")
    assert keeping.keep(own, file, f"{own}@32w") == []
    assert isinstance(keeping.given(own), UploadedInput)
    assert keeping.fake.fetches == []


def test_an_upload_whose_original_went_is_kept_again(keeping: Keeping) -> None:
    """Pruned, the picture comes from its host, as it was sent."""
    link = keeping.upload(BytesInput("a.png", pictures.png(seed=1)))
    for original in list(keeping.app.store.hashes()):
        keeping.app.store.erase(original)
    assert keeping.given(link) is None
    (kept,) = keeping.keep(link)
    assert kept.problem is None
    assert keeping.given(link) is not None


def test_prune_leaves_copies(keeping: Keeping) -> None:
    """They go with --all only; then they count as not kept any more."""
    keeping.site.pages["/p.png"] = Page(pictures.png())
    keeping.keep(LINK)
    assert prunable(keeping.app, -1.0, use_all=False) == {}
    (original,) = prunable(keeping.app, -1.0, use_all=True)
    keeping.app.store.erase(original)
    assert keeping.given(LINK) is None
    assert len(keeping.keep(LINK)) == 1
