"""The editors' door: each route, body and answer, as the clients that speak PicGo know them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from threading import Barrier, Lock
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.dirs import Dirs
from imghost.errors import UsageError
from imghost.forget import forget
from imghost.imaging.prepare import Prepared, Recipe, prepare
from imghost.server.asked import EditorFile, LinkInput
from imghost.server.multipart import MAX_PARTS, Form
from imghost.server.named import MAX_INPUTS, deletions, named_inputs
from tests.fakes import pictures
from tests.fakes.bilibili import Answer as HostAnswer
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.clipboards import Desktop
from tests.fakes.editor import BOUNDARY, FORM, Door, form, open_door
from tests.fakes.program import eventually
from tests.fakes.serving import ask, connected
from tests.fakes.taking import at_bilibili
from tests.fakes.watched import Watched

SECRET = "päss word"
START = f"--{BOUNDARY}\r\n".encode()
LINK = re.compile(r"http://127\.0\.0\.1:\d+/bfs/images/[0-9a-f]{40}\.png")


@pytest.fixture
def door(dirs: Dirs) -> Iterator[Door]:
    """The door of a mere server."""
    with open_door(dirs) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three pictures, one with a name that editors write in percents."""
    paths = [tmp_path / name for name in ("a.png", "ü b.png", "c.png")]
    for n, path in enumerate(paths):
        path.write_bytes(pictures.png(seed=n))
    return paths


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_heartbeat(door: Door, method: str) -> None:
    """It is answered as PicGo answers it, however it is asked for."""
    answer = ask(door.port, "/heartbeat", method=method)
    assert door.told(answer) == {"success": True, "result": "alive"}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json;charset=UTF-8",
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
    ],
)
def test_a_list_of_paths(door: Door, files: list[Path], content_type: str) -> None:
    """Typora, SiYuan, vs-PicList, Emacs and curl: JSON whatever its type is said to be."""
    body = json.dumps({"list": [str(path) for path in files]}).encode()
    headers = {"Content-Type": content_type} if content_type else {}
    told = door.told(door.post("/upload", body, headers))
    assert told["success"]
    assert len(set(told["result"])) == 3
    assert all(map(LINK.fullmatch, told["result"]))
    assert [item["fileName"] for item in told["items"]] == ["a.png", "ü b.png", "c.png"]


def test_what_is_told_of_an_image(door: Door, files: list[Path]) -> None:
    """`items` as PicGo has them, and `fullResult` with what a deletion needs."""
    told = door.upload(str(files[0]))
    (item,), (full,) = told["items"], told["fullResult"]
    size = files[0].stat().st_size
    assert item | {"id": 1} == {
        "id": 1,
        "origin": str(files[0]),
        "imgUrl": told["result"][0],
        "fileName": "a.png",
        "type": "local",
        "contentType": "image/png",
        "size": size,
        "width": 64,
        "height": 48,
        "extname": ".png",
    }
    assert full == {"imgUrl": told["result"][0], "id": item["id"], "fileName": "a.png"}


def test_percents_in_a_path(door: Door, files: list[Path]) -> None:
    """A path that does not exist is tried decoded; one that does is taken as it stands."""
    encoded = quote(str(files[1]))
    assert door.upload(encoded)["success"]
    odd = files[0].with_name("100%25.png")
    odd.write_bytes(pictures.png(seed=9))
    assert door.upload(str(odd))["items"][0]["fileName"] == "100%25.png"


@pytest.mark.parametrize("field", ["file", "files", "list", "image", "whatever[]"])
def test_a_form_with_a_file_under_any_name(door: Door, field: str) -> None:
    """PicGo says `files`, PicList and curl `file`, others what they like."""
    body = form((field, "a.png", pictures.png()), fields={"key": "x"})
    told = door.told(door.post("/upload", body, {"Content-Type": FORM}))
    assert told["success"]
    assert LINK.fullmatch(told["result"][0])


def test_a_form_with_several_files(door: Door) -> None:
    """A link for each, in their order; what is said of their types is not believed."""
    body = form(
        ("file", "first.txt", pictures.png(seed=1)), ("file", "图.png", pictures.jpeg(seed=2))
    )
    told = door.told(door.post("/upload", body, {"Content-Type": FORM}))
    assert [item["fileName"] for item in told["items"]] == ["first.txt", "图.png"]
    assert [item["extname"] for item in told["items"]] == [".png", ".jpg"]


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b'{"list":[]}', b'{"list": [ ] }'])
def test_nothing_named_is_the_clipboard(dirs: Dirs, body: bytes) -> None:
    """Obsidian, Typora's and everybody's paste: the daemon's own clipboard is looked at."""
    desktop = Desktop()
    with closing(Watched(dirs, desktop)) as watched:
        watched.watcher.pause(None)  # the picture stays what it is
        desktop.copy_picture(pictures.png())
        with open_door(dirs, watched) as door:
            told = door.told(door.post("/upload", body))
    assert told["success"], told
    assert len(told["result"]) == 1


def test_copied_files_are_a_link_each(dirs: Dirs, files: list[Path]) -> None:
    """What a file manager copied is uploaded in its order."""
    desktop = Desktop()
    with closing(Watched(dirs, desktop)) as watched:
        watched.watcher.pause(None)
        desktop.copy_files(*map(str, files))
        with open_door(dirs, watched) as door:
            told = door.upload()
    assert [item["fileName"] for item in told["items"]] == ["a.png", "ü b.png", "c.png"]


def test_a_link_that_took_a_pictures_place_stands_for_it(dirs: Dirs) -> None:
    """The watcher was quicker than the paste: the answer is its upload, and nothing is sent."""
    desktop = Desktop()
    with closing(Watched(dirs, desktop)) as watched:
        desktop.copy_picture(pictures.png())
        watched.link()
        with open_door(dirs, watched) as door:
            told = door.told(door.post("/upload"))
            (row,) = door.app.journal.history()
            elsewhere = door.told(door.post("/upload?uploader=local&configName=album"))
            desktop.copy_text(watched.link())
            nothing = door.told(door.post("/upload"))
    assert told["success"], told
    assert [item["id"] for item in told["items"]] == [row.id]
    assert told["result"][0].endswith(row.key)
    assert "/album/" in elsewhere["result"][0]
    assert nothing["message"] == "there is no image on the clipboard; copy one first"


def test_links_that_took_files_places_stand_for_them(dirs: Dirs, files: list[Path]) -> None:
    """One for each, in their order; not for those that were forgotten since."""
    desktop = Desktop()
    with closing(Watched(dirs, desktop)) as watched:
        desktop.copy_files(*map(str, files))
        watched.link()
        with open_door(dirs, watched) as door:
            told = door.upload()
            forget(door.app, door.app.journal.get(told["items"][1]["id"]), at_host=False)
            fewer = door.upload()
    names = [item["fileName"] for item in told["items"]]
    assert names == ["a.png", "ü b.png", "c.png"]
    assert [item["fileName"] for item in fewer["items"]] == ["a.png", "c.png"]


def test_a_link_of_a_watched_folders_own_place_stands_for_it(dirs: Dirs, tmp_path: Path) -> None:
    """What the folder's setting has sent elsewhere is not sent a second time as configured."""
    folder, desktop = tmp_path / "shots", Desktop()
    folder.mkdir()
    place = {"path": str(folder), "bucket": "album"}
    with closing(Watched(dirs, desktop, watch={"folders": [place]})) as watched:
        watched.save(folder / "a.png", pictures.png())
        watched.link()
        with open_door(dirs, watched) as door:
            (link,) = door.upload()["result"]
            assert door.sent() == 1
    assert "/album/" in link


def test_a_clipboard_without_a_picture(dirs: Dirs) -> None:
    """The editor shows what is missing; so it does where there is no desktop at all."""
    desktop = Desktop()
    with closing(Watched(dirs, desktop)) as watched:
        desktop.copy_text("text")
        with open_door(dirs, watched) as door:
            told = door.upload()
    assert (told["success"], told["result"]) == (False, [])
    assert "no image on the clipboard" in told["message"]
    with open_door(dirs) as door:
        assert "clipboard" in door.upload()["message"]


def test_the_configured_style_is_in_the_links(dirs: Dirs, files: list[Path]) -> None:
    """As everywhere else: a bare link with the suffix of the setting, whatever the format is."""
    with open_door(dirs, link={"style": "@32w.webp", "format": "markdown"}) as door:
        (link,) = door.upload(str(files[0]))["result"]
    assert link.endswith(".png@32w.webp")
    assert link.startswith("http")


def test_the_same_again_is_the_same_link(door: Door, files: list[Path]) -> None:
    """A picture that is there already is not sent anew."""
    assert door.upload(str(files[0]))["result"] == door.upload(str(files[0]))["result"]
    assert door.sent() == 1


class TestSomeFail:
    """Failures are told in the shape that clients know, in words that people understand."""

    def test_one_of_twenty_is_missing(self, door: Door, tmp_path: Path) -> None:
        """No success, "" at its place, the others' links, and its name in the message."""
        paths = [tmp_path / f"{n}.png" for n in range(20)]
        for n, path in enumerate(paths):
            path.write_bytes(pictures.png(seed=n))
        paths[7].unlink()
        told = door.upload(*map(str, paths))
        assert not told["success"]
        assert [n for n, link in enumerate(told["result"]) if not link] == [7]
        assert len(told["result"]) == 20
        assert str(paths[7]) in told["message"]
        assert len(told["items"]) == len(told["fullResult"]) == 19

    def test_each_failure_is_named(self, door: Door, files: list[Path]) -> None:
        """A text, a folder and a missing file, each with its reason."""
        text = files[0].with_name("notes.md")
        text.write_text("words")
        told = door.upload(str(text), str(text.parent), "/nowhere/x.png")
        assert told["result"] == ["", "", ""]
        assert "notes.md is text, not an image" in told["message"]
        assert f"{text.parent} is a folder" in told["message"]
        assert "there is no file /nowhere/x.png" in told["message"]

    def test_names_that_are_no_text(self, door: Door, tmp_path: Path) -> None:
        """A file is taken under such a name; a link of such is not ours, and named as it fails."""
        path = tmp_path / "new\udcff.png"
        path.write_bytes(pictures.png())
        told = door.upload(str(path))
        assert told["success"]
        assert told["items"][0]["origin"] == str(path)
        for link in ("http://x/\ud800", f"http://127.0.0.1:{door.port}/bfs/images/\ud800.png"):
            told = door.upload(link, str(path))
            assert told["result"][0] == ""
            assert told["result"][1]
            assert "damaged" not in told["message"]

    def test_long_names_are_told_in_short(self, door: Door) -> None:
        """Nobody can have more said than was said."""
        told = door.upload("/" + "x/" * 100_000 + "a.png", "http://x/" + "y" * 100_000)
        length = len(told["message"])  # not in the assertion, which would show it all
        assert length < 1500

    def test_a_nameless_picture_in_a_form(self, door: Door) -> None:
        """Its place stands for its name."""
        body = form(("file", "a.png", pictures.png()), ("file", "", b"no picture"))
        told = door.told(door.post("/upload", body, {"Content-Type": FORM}))
        assert told["result"][1] == ""
        assert told["message"].startswith("picture 2: ")

    def test_a_host_that_is_down(self, dirs: Dirs, files: list[Path]) -> None:
        """The outcome of the first try is told, and that the image is kept."""
        with FakeBilibili() as server, open_door(dirs, **at_bilibili(server)) as door:
            server.answers.append(HostAnswer(status=503))
            told = door.upload(str(files[0]))
            assert (told["success"], told["result"]) == (False, [""])
            assert "the image is kept and will be sent" in told["message"]
            assert len(server.uploads) == 1

    def test_a_host_that_refuses(self, dirs: Dirs, files: list[Path]) -> None:
        """It is told how to try again."""
        with FakeBilibili() as server, open_door(dirs, **at_bilibili(server)) as door:
            server.answers.append(HostAnswer(-400, "no"))
            assert "imghost retry 1" in door.upload(str(files[0]))["message"]

    def test_a_relative_path(self, door: Door) -> None:
        """A path is whole, for nobody knows where the editor stands."""
        told = door.upload("a.png", "../a.png", "", "file:///a.png")
        assert told["result"] == [""] * 4
        assert told["message"].count("no whole path") == 4


class TestWrongRequests:
    """Wrong requests: 400, the known shape, a message, and the daemon lives."""

    @pytest.mark.parametrize(
        "body",
        [
            *(b"{", b"[", b"\xff\xfe", b"null", b'"/a.png"', b'["/a.png"]', b"[" * 200_000),
            *(b'{"list":null}', b'{"list":"/a.png"}', b'{"list":{}}', b'{"list":[1]}'),
            *(b'{"list":[null]}', b'{"list":[["/a.png"]]}', b'{"lists":["/a.png"]}', b"0"),
            *(b'{"list":[{"path":"/a.png"}]}', b"list=/a.png", b"{}{}", b'{"list":[true]}'),
        ],
    )
    def test_no_list(self, door: Door, body: bytes) -> None:
        """What is no list of texts never stands for the clipboard."""
        told = door.told(door.post("/upload", body), 400)
        assert (told["success"], told["result"], told["items"]) == (False, [], [])
        assert told["message"].startswith(("the request", "each of"))
        assert door.told(door.post("/heartbeat"))["success"]

    def test_too_many(self, door: Door) -> None:
        """The number of inputs is bounded."""
        body = json.dumps({"list": ["/a.png"] * (MAX_INPUTS + 1)}).encode()
        assert f"{MAX_INPUTS}" in door.told(door.post("/upload", body), 400)["message"]

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("?uploader=github", "unknown host github; known are"),
            ("?picbed=smms", "unknown host smms"),
            ("?configName=imges", "unknown bucket imges; known at local are album, images"),
            ("?uploader=local&configName=a/b", "cannot be a bucket's name"),
        ],
    )
    def test_unknown_names(self, door: Door, files: list[Path], query: str, words: str) -> None:
        """Nothing goes anywhere else instead."""
        body = json.dumps({"list": [str(files[0])]}).encode()
        assert words in door.told(door.post(f"/upload{query}", body), 400)["message"]
        assert door.sent() == 0

    @pytest.mark.parametrize(
        ("content_type", "body", "words"),
        [
            ("multipart/form-data", form(), "boundary"),
            (f"multipart/form-data; boundary={'x' * 500}", form(), "damaged"),
            (FORM, form(("file", "a.png", b"x" * 900))[:500], "ends in its middle"),
            (FORM, b"", "ends in its middle"),
            (FORM, form(), "no picture"),
            (FORM, form(fields={"file": "text"}), "no picture"),
            (FORM, form(("file", "", b"")), "no picture"),
            (FORM, form(*[("f", "a", b"x")] * (MAX_PARTS + 1)), "more than 1000 parts"),
            (FORM, START + b"X: y\r\n" * 1000, "damaged"),
            (FORM, START + b"X: " + b"y" * 100_000, "damaged"),
            (FORM, b"noise", "damaged"),
        ],
    )
    def test_damaged_forms(self, door: Door, content_type: str, body: bytes, words: str) -> None:
        """Half a form, none, an empty one, and one that is never to end."""
        told = door.told(door.post("/upload", body, {"Content-Type": content_type}), 400)
        assert words in told["message"]
        assert door.sent() == 0


class TestChoosing:
    """Host and bucket by the query."""

    @pytest.mark.parametrize("name", ["uploader", "picbed"])
    def test_another_host_and_bucket(self, dirs: Dirs, files: list[Path], name: str) -> None:
        """Both are taken for this upload only."""
        with FakeBilibili() as server:
            sections = at_bilibili(server) | {"host": "local"}
            with open_door(dirs, **sections) as door:
                query = f"?{name}=bilibili&configName=album"
                (item,) = door.upload(str(files[0]), query=query)["items"]
                assert item["type"] == "bilibili"
                assert "/bfs/album/" in item["imgUrl"]
                (item,) = door.upload(str(files[1]))["items"]
                assert item["type"] == "local"

    def test_a_bucket_that_was_used_before(self, door: Door, files: list[Path]) -> None:
        """A name that somebody chose on purpose is known from then on."""
        from imghost.server.asked import FileInput, UploadOptions, UploadRequest

        request = UploadRequest((FileInput(str(files[0])),), UploadOptions(bucket="mine"))
        assert all(one.failure is None for one in door.app.upload(request))
        assert "/bfs/mine/" in door.upload(str(files[1]), query="?configName=mine")["result"][0]


class TestLinks:
    """Links in the list."""

    def test_ours_are_answered_with_themselves(self, door: Door, files: list[Path]) -> None:
        """Obsidian sends a note's links back; their style stays as it is."""
        links = door.upload(*map(str, files))["result"]
        given = [links[0], f"{links[1]}@20w.webp", str(files[2])]
        told = door.upload(*given)
        assert told["result"] == [*given[:2], links[2]]
        assert {item["id"] for item in told["fullResult"]} == {1, 2, 3}
        assert door.sent() == 3

    def test_a_hosts_links_are_ours(self, dirs: Dirs, files: list[Path]) -> None:
        """Wherever they lead, if the journal knows them."""
        with FakeBilibili() as server, open_door(dirs, **at_bilibili(server)) as door:
            (link,) = door.upload(str(files[0]))["result"]
            assert door.upload(f"{link}@20w.webp")["result"] == [f"{link}@20w.webp"]
            assert len(server.uploads) == 1

    def test_files_that_only_the_server_knows(self, door: Door, files: list[Path]) -> None:
        """A link to a file that is there is ours, also when the journal was lost."""
        (link,) = door.upload(str(files[0]))["result"]
        known = f"http://127.0.0.1:{door.port}/bfs/images/{'0' * 40}.png"
        other = door.app.dirs.local / "images" / f"{'1' * 40}.png"
        other.write_bytes(files[1].read_bytes())
        found = link.replace(link.rsplit("/", 1)[1], other.name)
        assert door.upload(found)["result"] == [found]
        assert door.upload(known)["result"] == [""]

    def test_fetching_is_off(self, door: Door) -> None:
        """Others are not fetched unless that was switched on, and the message says how."""
        told = door.upload("https://a.example/a.png")
        assert told["result"] == [""]
        assert "server.fetch_links true" in told["message"]

    def test_inner_addresses_are_never_fetched(self, dirs: Dirs) -> None:
        """Also where it is on: nobody on loopback is asked."""
        with FakeBilibili() as canary, open_door(dirs, server={"fetch_links": True}) as door:
            names = ("127.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost")
            told = door.upload(*(f"http://{name}:{canary.port}/a.png" for name in names))
            assert told["result"] == [""] * 4
            assert canary.fetches == []


class TestDelete:
    """POST /delete with what fullResult told."""

    @staticmethod
    def delete(door: Door, *items: object, status: int = 200) -> dict[str, object]:
        """What is answered."""
        return door.told(door.post("/delete", json.dumps({"list": items}).encode()), status)

    def test_what_is_deleted_is_gone(self, door: Door, files: list[Path]) -> None:
        """Row and file; the client may have added what it likes, and made a text of the id."""
        (one, two, three) = door.upload(*map(str, files))["fullResult"]
        assert self.delete(door, one | {"more": 1}, two | {"id": str(two["id"])})["success"]
        assert [record.id for record in door.app.journal.history()] == [three["id"]]
        assert len(list((door.app.dirs.local / "images").iterdir())) == 1

    def test_the_link_must_be_its_own(self, door: Door, files: list[Path]) -> None:
        """An id alone deletes nothing: it may be of another journal."""
        (one, two, _) = door.upload(*map(str, files))["fullResult"]
        told = self.delete(door, one | {"imgUrl": two["imgUrl"]}, one | {"imgUrl": ""})
        assert not told["success"]
        assert str(told["message"]).count(f"is not the link of the upload {one['id']}") == 2
        assert door.sent() == 3

    def test_a_host_that_cannot_says_so(self, dirs: Dirs, files: list[Path]) -> None:
        """And what can be done instead; nothing is forgotten."""
        with FakeBilibili() as server, open_door(dirs, **at_bilibili(server)) as door:
            (one,) = door.upload(str(files[0]))["fullResult"]
            told = self.delete(door, one)
            assert not told["success"]
            assert "bilibili cannot delete images; imghost history rm 1" in str(told["message"])
            assert door.sent() == 1

    @pytest.mark.parametrize(
        "item",
        [
            *(None, 1, "x", {}, {"id": 1}, {"imgUrl": "x"}, {"id": None, "imgUrl": "x"}),
            *({"id": "-1", "imgUrl": "x"}, {"id": -1, "imgUrl": "x"}, {"id": True, "imgUrl": "x"}),
            *({"id": 10**30, "imgUrl": "x"}, {"id": 1.5, "imgUrl": "x"}, {"id": 1, "imgUrl": 1}),
        ],
    )
    def test_anything_else_is_refused(self, door: Door, item: object) -> None:
        """Nothing is guessed."""
        assert not self.delete(door, item, status=400)["success"]

    def test_nothing_is_never_everything(self, door: Door) -> None:
        """An empty body is no list."""
        assert door.told(door.post("/delete"), 400)["message"].startswith("the request")


class TestSecret:
    """With a secret, whoever does not show it is told 401."""

    @pytest.fixture
    def locked(self, dirs: Dirs) -> Iterator[Door]:
        """A door with a secret."""
        with open_door(dirs, server={"secret": SECRET}) as opened:
            yield opened

    @pytest.mark.parametrize(
        ("query", "headers"),
        [
            ("", {"Authorization": f"Bearer {SECRET}"}),
            ("", {"Authorization": f"bearer  {SECRET}"}),
            ("", {"X-PicGo-Secret": SECRET}),
            (f"?secret={quote(SECRET)}", {}),
            (f"?key={quote(SECRET)}", {}),
            (f"?key=wrong&secret={quote(SECRET)}", {"X-PicGo-Secret": "wrong"}),
        ],
    )
    def test_each_way_to_show_it(
        self, locked: Door, files: list[Path], query: str, headers: dict[str, str]
    ) -> None:
        """As PicGo's and PicList's clients do."""
        body = json.dumps({"list": [str(files[0])]}).encode()
        encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
        assert locked.told(locked.post(f"/upload{query}", body, encoded))["success"]

    @pytest.mark.parametrize("path", ["/upload", "/delete"])
    @pytest.mark.parametrize(
        ("query", "headers"),
        [
            ("", {}),
            ("?secret=", {}),
            ("?key=p%C3%A4ss", {}),
            ("", {"Authorization": f"Basic {SECRET}"}),
            ("", {"Authorization": "Bearer"}),
            ("", {"X-PicGo-Secret": "wrong"}),
        ],
    )
    def test_without_it(self, locked: Door, path: str, query: str, headers: dict[str, str]) -> None:
        """Nothing is done, and PicGo's own answer says so."""
        told = locked.told(locked.post(f"{path}{query}", b"", headers), 401)
        assert told == {"success": False, "message": "Unauthorized"}

    def test_the_heartbeat_needs_none(self, locked: Door) -> None:
        """Clients look with it whether anybody is there."""
        assert locked.told(locked.post("/heartbeat"))["result"] == "alive"


def test_editors_do_not_wait_for_one_another(dirs: Dirs, files: list[Path]) -> None:
    """While one host keeps many callers waiting, others upload elsewhere, and hearts beat."""
    with FakeBilibili() as server, open_door(dirs, **at_bilibili(server)) as door:
        server.delay_s = 1.0
        with ThreadPoolExecutor(40, thread_name_prefix="editor") as pool:
            data = [pictures.png(seed=100 + n) for n in range(40)]
            waiting = [
                pool.submit(
                    door.post, "/upload", form(("file", "a.png", d)), {"Content-Type": FORM}
                )
                for d in data
            ]
            eventually(lambda: len(server.uploads) > 0)
            assert door.upload(str(files[0]), query="?uploader=local")["success"]
            assert door.told(door.post("/heartbeat"))["success"]
            assert not all(one.done() for one in waiting)
            server.delay_s = 0.0
            assert all(door.told(one.result())["success"] for one in waiting)


def test_a_call_decodes_one_after_the_other(dirs: Dirs, tmp_path: Path) -> None:
    """However many it brings; another editor's are decoded meanwhile."""
    begun: Counter[str] = Counter()
    most: Counter[str] = Counter()
    both, lock = Barrier(2, timeout=10), Lock()

    def counting(data: bytes, name: str, recipe: Recipe) -> Prepared:
        editor = name[0]
        with lock:
            begun[editor] += 1
            most[editor] = max(most[editor], begun[editor])
        both.wait()
        made = prepare(data, name, recipe)
        with lock:
            begun[editor] -= 1
        return made

    paths = {editor: [tmp_path / f"{editor}{n}.png" for n in range(8)] for editor in "ab"}
    for seed, path in enumerate(chain(*paths.values())):
        path.write_bytes(pictures.png(seed=seed))
    with (
        open_door(dirs, prepare=counting) as door,
        ThreadPoolExecutor(2, thread_name_prefix="editor") as pool,
    ):
        calls = [pool.submit(door.upload, *map(str, theirs)) for theirs in paths.values()]
        assert all(call.result()["success"] for call in calls)
    assert most == {"a": 1, "b": 1}


def test_who_hangs_up_has_nothing_more_begun(dirs: Dirs, tmp_path: Path) -> None:
    """Of a long list nothing more is begun once its editor is gone."""
    paths = [tmp_path / f"{n}.png" for n in range(30)]
    for n, path in enumerate(paths):
        path.write_bytes(pictures.png(seed=n))
    with FakeBilibili() as server, open_door(dirs, **at_bilibili(server)) as door:
        server.delay_s = 0.5
        body = json.dumps({"list": list(map(str, paths))}).encode()
        head = f"POST /upload HTTP/1.1\r\nHost: localhost:{door.port}\r\n"
        with connected(door.port) as peer:
            peer.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            eventually(lambda: len(server.uploads) > 0)
        eventually(lambda: not door.app.outbox._sending)  # noqa: SLF001 - nothing tells it else
        assert len(server.uploads) < len(paths)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@given(st.one_of(json_values, st.fixed_dictionaries({"list": json_values})))
def test_any_json_is_a_list_or_refused(value: object) -> None:
    """What comes of a body is what it names, in its order, or an error about the request."""
    body = json.dumps(value).encode()
    try:
        named = named_inputs(body)
    except UsageError:
        return
    texts = value["list"] if isinstance(value, dict) and value else []
    assert [one.url if isinstance(one, LinkInput) else one.path for one in named] == texts


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_refused(body: bytes) -> None:
    """Nothing but UsageError comes out, for deletions too."""
    for read in (named_inputs, deletions):
        with suppress(UsageError):
            assert all(isinstance(one, EditorFile | LinkInput | tuple) for one in read(body))


names = st.text(
    st.characters(exclude_characters='"\\', exclude_categories=["Cc", "Cs"]), min_size=1
).filter(lambda name: not re.match(r".?:?\\", name))
form_files = st.lists(st.tuples(st.just("file"), names, st.binary(max_size=300)), max_size=5)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(form_files, st.lists(st.integers(1, 200), max_size=30))
def test_a_form_comes_out_as_it_went_in(
    files: list[tuple[str, str, bytes]], cuts: list[int]
) -> None:
    """Names and bytes of its files, in their order, wherever the network cuts it."""
    found = fed(form(*files, fields={"a": "b"}), cuts)
    assert [(one.name, one.data) for one in found.files()] == [f[1:] for f in files]


@given(form_files, st.lists(st.integers(1, 200), max_size=10), st.data())
def test_half_a_form_is_never_a_whole_one(
    files: list[tuple[str, str, bytes]], cuts: list[int], data: st.DataObject
) -> None:
    """Whatever is missing at its end is missed."""
    whole = form(*files)
    end = data.draw(st.integers(0, len(whole) - 3))
    with pytest.raises(UsageError):
        fed(whole[:end], cuts).files()


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=10), st.booleans())
def test_noise_is_no_form(noise: bytes, cuts: list[int], has_beginning: bool) -> None:
    """Random bytes raise UsageError, if anything."""
    start = START if has_beginning else b""
    with suppress(UsageError):
        fed(start + noise, cuts).files()


def fed(body: bytes, cuts: list[int]) -> Form:
    """A form that was fed these bytes in pieces of these sizes."""
    found, at = Form(FORM), 0
    for size in (*cuts, len(body)):
        found.feed(body[at : at + size])
        at += size
    return found


@given(
    st.text(st.characters(codec="latin-1"))  # as headers are read
    | st.text(st.characters(codec="latin-1")).map("multipart/form-data; boundary=".__add__),
    st.binary(max_size=99),
)
def test_any_content_type_is_a_form_or_refused(content_type: str, body: bytes) -> None:
    """Nothing but UsageError comes of whatever says that it is a form."""
    with suppress(UsageError):
        found = Form(content_type)
        found.feed(body)
        assert found.files() == ()
