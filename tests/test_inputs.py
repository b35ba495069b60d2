"""What is given to one process: found in each of its kinds, and made ready ahead of its host."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imghost.app import App
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.imaging.prepare import Prepared, Recipe, few_at_once, prepare
from imghost.server.asked import (
    BytesInput,
    Input,
    LinkInput,
    RemoteInput,
    UploadedInput,
    UploadOptions,
    UploadRequest,
)
from imghost.server.wire import Settled
from tests.fakes import bilibili, pictures
from tests.fakes.phone import FORMATS, SECRET, photo
from tests.fakes.program import eventually

URL = "https://pictures.example/a.png"


def opened(dirs: Dirs, sections: dict[str, Any] | None = None, **options: Any) -> App:
    """A process with this config."""
    path = dirs.config / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(sections or {}))
    file = ConfigFile(path, {})
    return App(dirs, file, file.load(), **({"base_url": "http://127.0.0.1:36677"} | options))


def settled(app: App, given: Input) -> Settled:
    """How one input ended."""
    (one,) = app.upload(UploadRequest((given,), UploadOptions(format="url")))
    return one


class TestLinks:
    """What others host."""

    def test_the_users_command_is_leave_enough(self, dirs: Dirs) -> None:
        """A picture of another host is fetched, within the limit, though fetching is off."""
        asked: list[tuple[str, int]] = []

        def fetch(url: str, max_bytes: int) -> bytes:
            asked.append((url, max_bytes))
            return pictures.png()

        with opened(dirs, {"limits": {"input_bytes": 5000}}, fetch=fetch) as app:
            assert settled(app, RemoteInput(URL)).text
            assert asked == [(URL, 5000)]

    def test_nobody_elses_word_is(self, dirs: Dirs) -> None:
        """A link that came in any other way is fetched only if the config says so."""
        with opened(dirs, fetch=lambda *_: pictures.png()) as app:
            failure = settled(app, LinkInput(URL)).failure
            assert failure
            assert "server.fetch_links" in str(failure.message)
        with opened(
            dirs, {"server": {"fetch_links": True}}, fetch=lambda *_: pictures.png()
        ) as app:
            assert settled(app, LinkInput(URL)).text

    @pytest.mark.parametrize("format_name", FORMATS)
    @pytest.mark.parametrize("given", [RemoteInput(URL), LinkInput(URL)])
    def test_where_it_was_taken_is_not_told(
        self, dirs: Dirs, given: RemoteInput | LinkInput, format_name: str
    ) -> None:
        """A photo that another host shows with its place is stored without."""
        data = photo(format_name, seed=1)
        may_fetch = {"server": {"fetch_links": True}}
        with opened(dirs, may_fetch, fetch=lambda *_: data) as app:
            assert settled(app, given).text
        stored = [path.read_bytes() for path in dirs.local.rglob("*") if path.is_file()]
        assert len(stored) == 1
        assert SECRET not in stored[0]

    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
    def test_inner_addresses_are_never_fetched(self, dirs: Dirs, name: str) -> None:
        """Not even by the user's own command: posts may come from others."""
        with bilibili.FakeBilibili() as canary, opened(dirs) as app:
            failure = settled(app, RemoteInput(f"http://{name}:{canary.port}/a.png")).failure
            assert failure
            assert canary.fetches == []


def test_an_earlier_upload_goes_elsewhere_from_its_original(dirs: Dirs) -> None:
    """Its own bytes go to the place that is asked for, under its name."""
    with opened(dirs) as app:
        first = settled(app, BytesInput("a b.png", pictures.png())).record
        assert first
        options = UploadOptions(bucket="blog", format="url")
        (again,) = app.upload(UploadRequest((UploadedInput(first.id),), options))
        assert again.record
        assert (again.record.bucket, again.record.name) == ("blog", "a b.png")
        assert again.record.sha256 == first.sha256


def test_pictures_are_made_ready_while_others_are_sent(dirs: Dirs) -> None:
    """A host that takes one at a time keeps nobody from decoding the next ones."""
    ready: list[str] = []

    def prepared(data: bytes, name: str, recipe: Recipe) -> Prepared:
        ready.append(name)
        return prepare(data, name, recipe)

    goes_on = threading.Event()
    with bilibili.FakeBilibili() as fake:
        fake.answers.append(bilibili.Answer(-101, after=goes_on))
        sections = bilibili.settings(fake)
        sections["hosts"]["bilibili"]["parallel"] = 1
        with opened(dirs, sections, prepare_bytes=prepared) as app:
            given = tuple(BytesInput(f"{n}.png", pictures.png(seed=n)) for n in range(4))
            with ThreadPoolExecutor(1, thread_name_prefix="caller") as pool:
                request = UploadRequest(given, UploadOptions())
                ended = pool.submit(lambda: list(app.upload(request)))
                try:
                    eventually(lambda: len(ready) == 3)
                    assert len(fake.uploads) <= 1
                finally:
                    goes_on.set()
                assert len(ended.result()) == 4


def test_few_pictures_are_decoded_at_once() -> None:
    """However many threads ask, no more than four work together."""
    together, most = [0], [0]
    lock = threading.Lock()

    def counting(*_: object) -> Any:
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        threading.Event().wait(0.01)
        with lock:
            together[0] -= 1
        return made

    recipe: Any = None
    made = object()
    with ThreadPoolExecutor(16, thread_name_prefix="asks") as pool:
        few = few_at_once(counting)
        assert set(pool.map(lambda _: few(b"", "", recipe), range(40))) == {made}
    assert 1 <= most[0] <= 4
