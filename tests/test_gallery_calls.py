"""What the gallery's pages call: previews, uploads, changes, pictures; and who may call them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imghost.dirs import Dirs
from imghost.errors import UsageError
from imghost.forget import forget
from imghost.links import FORMATS
from imghost.models import State
from imghost.server.gallery.asked import Search, ids_of, path_id, query_ids
from imghost.server.gallery.pages import STATIC as FILES
from imghost.server.gallery.pages import static_version
from imghost.server.gallery.sending import _AT_ONCE
from tests.fakes import pictures
from tests.fakes.bilibili import Answer, FakeBilibili
from tests.fakes.gallery import COMMANDS_TOKEN, MAX_BYTES, PAGE_TOKEN, Visitor, visiting
from tests.fakes.serving import ask, connected
from tests.fakes.taking import at_bilibili

CHANGES = (
    *("retry", "discard", "forget", "choose", "watch", "preview", "upload"),
    *("login/begin", "login/poll", "login/forget"),
)
STATIC = f"/gallery/static/{static_version()}"
SEEN = (
    *("/", "/settings", "/login", "/picture/1", f"{STATIC}/gallery.js"),
    *("/gallery/thumbnail/1", "/gallery/whole/1", "/gallery/styled/1?style=@9w.webp"),
    *("/gallery/texts?ids=1", "/gallery/bench/1"),
)


@pytest.fixture
def visitor(dirs: Dirs) -> Iterator[Visitor]:
    """Somebody at a gallery."""
    with visiting(dirs) as visitor:
        yield visitor


def opened(data: bytes) -> Image.Image:
    """The picture in these bytes."""
    return Image.open(BytesIO(data))


# -- who may call


@pytest.mark.parametrize("path", SEEN)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"X_Forwarded_For": "192.0.2.7"},
        {"Forwarded": "for=192.0.2.7"},
        {"Via": "1.1 proxy"},
    ],
)
def test_nobody_else_sees_anything(visitor: Visitor, path: str, headers: dict[str, str]) -> None:
    """Neither other sites, nor rebound names, nor who comes through a proxy."""
    visitor.uploaded(pictures.png())
    answer = visitor.see(path, **headers)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers
    assert PAGE_TOKEN.encode() not in answer.body


@pytest.mark.parametrize("call", CHANGES)
@pytest.mark.parametrize("token", ["", "wrong", COMMANDS_TOKEN, "page", "\u00e9"])
def test_nothing_is_changed_without_the_pages_token(
    visitor: Visitor, call: str, token: str
) -> None:
    """No token, a wrong one, and that of commands are refused before anything is read."""
    record_id = visitor.uploaded(pictures.png())
    answer = ask(
        visitor.port,
        f"/gallery/{call}?name=a.png",
        {"X-Imghost-Page": token} if token else {},
        method="POST",
        body=json.dumps({"ids": [record_id], "what": "bucket", "value": "x"}).encode(),
    )
    assert answer.status == 403
    assert visitor.state(record_id) is State.DONE
    assert visitor.app.journal.total() == 1
    assert visitor.app.config.target().bucket == "images"


@pytest.mark.parametrize("call", CHANGES)
def test_the_token_alone_is_not_enough(visitor: Visitor, call: str) -> None:
    """With the token too, another Origin is refused, and so is reading instead of posting."""
    for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        assert visitor.post(f"/gallery/{call}", {"ids": [1]}, headers=headers).status == 403
    assert visitor.see(f"/gallery/{call}").status == 405


def test_the_pages_token_opens_no_command(visitor: Visitor) -> None:
    """What stands on the page is of no use at the commands' routes."""
    answer = ask(visitor.port, "/api/status", {"X-Imghost-Token": "the page's own"})
    assert answer.status == 401


# -- previews and uploads


def test_a_preview_is_what_would_be_sent_and_is_not_kept(visitor: Visitor, dirs: Dirs) -> None:
    """Destination, format, pixels and bytes; the metadata is gone; nothing is kept."""
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    data = pictures.jpeg(exif=exif)
    facts, image = visitor.preview(data, "C:\\photos\\me.jpg")
    assert (facts["host"], facts["bucket"], facts["name"]) == ("local", "images", "me.jpg")
    assert (facts["width_px"], facts["height_px"], facts["format"]) == (64, 48, "jpeg")
    assert facts["size_bytes"] == len(image) < len(data)
    assert facts["is_changed"]
    assert b"a secret" not in image
    assert opened(image).size == (64, 48)
    assert visitor.app.journal.total() == 0
    assert not [p for p in dirs.data.rglob("*") if p.is_file() and p.stat().st_size == len(data)]
    assert not list(dirs.originals.glob("??/*"))


def test_a_preview_shows_what_is_converted(dirs: Dirs) -> None:
    """What its host does not take is shown as it will be, with what was done to it."""
    with FakeBilibili() as host, visiting(dirs, **at_bilibili(host)) as visitor:
        facts, image = visitor.preview(pictures.animation(), "a.gif")
        assert (facts["format"], facts["mime_type"]) == ("webp", "image/webp")
        assert any("animated" in note for note in facts["notes"])
        assert opened(image).format == "WEBP"
        assert facts["host"] == "bilibili"
        assert host.uploads == []


def test_what_was_uploaded_before_is_known(visitor: Visitor) -> None:
    """The preview says so, and has no bytes."""
    record_id = visitor.uploaded(pictures.png())
    facts, image = visitor.preview(pictures.png(), "b.png")
    assert (facts["id"], image) == (record_id, b"")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"<svg xmlns='x'/>", "SVG"), (b"plain text", "text"), (b"", ""), (b"\x89PNG\r\n\x1a\n", "")],
)
def test_what_is_no_picture_is_said(visitor: Visitor, data: bytes, said: str) -> None:
    """In a sentence, with a status that is no success; nothing is accepted."""
    for call in ("preview", "upload"):
        answer = visitor.post(f"/gallery/{call}?name=a.png", body=data)
        told = json.loads(answer.body)
        assert said in told["error"]
        assert told["error"]
        assert call == "upload" or answer.status == 422
    assert visitor.app.journal.total() == 0


def test_an_upload_gives_its_link(visitor: Visitor) -> None:
    """Once sent it has an id and the text to paste; the same again costs nothing."""
    told = json.loads(visitor.post("/gallery/upload?name=a.png", body=pictures.png()).body)
    assert (told["state"], told["reused"], told["error"]) == ("done", False, "")
    assert told["text"].startswith("![a](http://127.0.0.1")
    again = json.loads(visitor.post("/gallery/upload?name=b.png", body=pictures.png()).body)
    assert (again["id"], again["reused"]) == (told["id"], True)


def test_an_upload_that_fails_says_why(dirs: Dirs) -> None:
    """A host that refuses: the picture is kept, and its sentence comes back."""
    with FakeBilibili() as host, visiting(dirs, **at_bilibili(host)) as visitor:
        host.answers.append(Answer(-400, "no"))
        told = json.loads(visitor.post("/gallery/upload?name=a.png", body=pictures.png()).body)
    assert (told["state"], told["text"]) == ("failed", "")
    assert "-400" in told["error"]


def test_a_body_that_is_too_large_is_refused(visitor: Visitor) -> None:
    """Before it is read: it says so itself."""
    answer = visitor.post("/gallery/preview?name=a.png", body=bytes(MAX_BYTES + 1))
    assert answer.status == 400
    assert str(MAX_BYTES) in json.loads(answer.body)["error"]


def test_few_bodies_are_held_at_the_same_time(visitor: Visitor) -> None:
    """One more than may be is told to come again; when one has gone there is room."""
    head = (
        "POST /gallery/preview?name=a.png HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{visitor.port}\r\nX-Imghost-Page: the page's own\r\n"
        "Content-Length: 1000\r\n\r\n"
    )
    slow = [connected(visitor.port) for _ in range(_AT_ONCE)]
    for peer in slow:
        peer.sendall(head.encode())
    busy = visitor.post("/gallery/preview?name=a.png", body=pictures.png())
    while busy.status == 200:  # not all of them were heard yet
        busy = visitor.post("/gallery/preview?name=a.png", body=pictures.png())
    assert (busy.status, busy.headers["retry-after"]) == (503, "2")
    for peer in slow:
        peer.close()
    while visitor.post("/gallery/preview?name=a.png", body=pictures.png()).status != 200:
        pass


# -- changes


def test_what_asks_is_sent_or_discarded(visitor: Visitor, dirs: Dirs) -> None:
    """Yes queues it and begins to send; no erases it, and nothing that does not ask."""
    yes, no, done = (visitor.uploaded(pictures.png(seed=n)) for n in range(3))
    with visitor.app.journal._db.changing() as db:  # noqa: SLF001 - as the watcher leaves them
        db.execute("UPDATE uploads SET state = 'asking' WHERE id IN (?, ?)", (yes, no))
    assert visitor.change("/gallery/retry", {"ids": [yes]}) == {"queued": 1}
    assert (visitor.state(yes), visitor.sent) == (State.QUEUED, ["queued"])
    assert visitor.change("/gallery/discard", {"ids": [no, done, 999]}) == {"discarded": 1}
    assert [r.id for r in visitor.app.journal.history()] == [done, yes]
    assert len(list(dirs.originals.glob("??/*.json"))) == 2


def test_forgetting_erases_everything_of_it(visitor: Visitor, dirs: Dirs) -> None:
    """Row, original, renderings, and the built-in host's file; the thumbnail is gone, too."""
    record_id = visitor.uploaded(pictures.png(900, 700))
    url = visitor.app.journal.get(record_id).url
    assert visitor.see(f"/gallery/thumbnail/{record_id}").status == 200
    assert visitor.see(f"/gallery/styled/{record_id}?style=@9w.webp").status == 200
    assert len([p for p in dirs.renderings.iterdir() if p.is_file()]) == 2
    assert visitor.change("/gallery/forget", {"ids": [record_id]}) == {"forgotten": record_id}
    assert not [p for p in dirs.renderings.iterdir() if p.is_file()]
    assert not list(dirs.originals.glob("??/*"))
    assert visitor.app.journal.total() == 0
    assert visitor.see("/" + url.split("/", 3)[3]).status == 404
    assert visitor.see(f"/gallery/thumbnail/{record_id}").status == 400


def test_a_host_that_cannot_delete_says_so(dirs: Dirs) -> None:
    """Asked to delete it there too, nothing is erased; without that it is forgotten here."""
    with FakeBilibili() as host, visiting(dirs, **at_bilibili(host)) as visitor:
        record_id = visitor.uploaded(pictures.png())
        answer = visitor.post("/gallery/forget", {"ids": [record_id], "at_host": True})
        assert answer.status == 500
        assert "cannot delete" in json.loads(answer.body)["error"]
        assert visitor.app.journal.total() == 1
        visitor.change("/gallery/forget", {"ids": [record_id]})
        assert visitor.app.journal.total() == 0


@pytest.mark.parametrize(
    ("what", "value"),
    [("host", "bilibili"), ("bucket", "my-blog"), ("format", "org"), ("style", "@800w.webp")],
)
def test_a_choice_counts_from_the_next_picture_on(
    visitor: Visitor, dirs: Dirs, what: str, value: str
) -> None:
    """It is in the config file, and the page shows it."""
    assert visitor.change("/gallery/choose", {"what": what, "value": value}) == {"chosen": value}
    assert value in (dirs.config / "config.json").read_text()
    checked = re.findall(r'name="(\w+)" value="([^"]*)" checked', visitor.page("/settings"))
    assert (what, value) in checked


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("choose", {"what": "bucket", "value": "../up"}),
        ("choose", {"what": "language", "value": "en"}),
        ("choose", {"what": "style", "value": 3}),
        ("choose", []),
        ("retry", {"ids": []}),
        ("retry", {"ids": ["1"]}),
        ("retry", {"ids": [True]}),
        ("retry", {"ids": [1 << 60]}),
        ("discard", None),
        ("forget", {"ids": [99]}),
        ("watch", {"what": "stop", "minutes": None}),
        ("watch", {"what": "pause", "minutes": -1}),
    ],
)
def test_what_makes_no_sense_is_refused(visitor: Visitor, call: str, asked: object) -> None:
    """With a sentence; nothing is changed."""
    answer = visitor.post(f"/gallery/{call}", asked)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]


def test_a_mere_server_has_nothing_to_pause(visitor: Visitor) -> None:
    """It says what to start instead."""
    answer = visitor.post("/gallery/watch", {"what": "pause", "minutes": None})
    assert "imghost watch" in json.loads(answer.body)["error"]


# -- looking closer


def test_links_in_any_format_and_style(visitor: Visitor) -> None:
    """Those that are asked for, as they are asked for."""
    one, two = visitor.uploaded(pictures.png()), visitor.uploaded(pictures.png(seed=1))
    found = visitor.json(f"/gallery/texts?ids={one},{two},99,x&format=html&style=@9w.webp")
    assert found.keys() == {str(one), str(two)}
    assert '@9w.webp" alt' in found[str(one)]
    assert visitor.see("/gallery/texts?ids=1&format=word").status == 400


@pytest.mark.parametrize(
    ("style", "size", "is_void", "suffix"),
    [
        ("", (1280, 720), False, ""),
        ("@800W.WEBP", (800, 450), False, "@800w.webp"),
        ("@400w_300h_1e_1c", (400, 300), False, "@400w_300h_1e_1c"),
        ("@2000w", (1280, 720), True, "@2000w"),
    ],
)
def test_the_bench_tells_what_a_style_makes(
    visitor: Visitor, style: str, size: tuple[int, int], is_void: bool, suffix: str
) -> None:
    """Canonical suffix, pixels, whether there are enough of them, and each link with it."""
    record_id = visitor.uploaded(pictures.png(1280, 720))
    told = visitor.json(f"/gallery/bench/{record_id}?style={quote(style)}")
    assert (told["width_px"], told["height_px"]) == size
    assert (told["is_void"], told["style"]) == (is_void, suffix)
    assert [*told["links"]] == [name for name in FORMATS if name != "custom"]
    assert told["links"]["url"].endswith(f".png{suffix}")
    drawn = visitor.see(f"/gallery/styled/{record_id}?style={quote(style)}")
    assert opened(drawn.body).size == size


@pytest.mark.parametrize("style", ["800w", "@0w", "@9x", "@1e_2c_2e", "@" + "1w" * 300])
def test_what_is_no_style_is_named(visitor: Visitor, style: str) -> None:
    """With the part that is wrong."""
    record_id = visitor.uploaded(pictures.png())
    for call in ("bench", "styled"):
        answer = visitor.see(f"/gallery/{call}/{record_id}?style={quote(style)}")
        assert answer.status == 400
        assert "style" in json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("data", "size", "form"),
    [
        (pictures.png(1200, 900), (540, 360), "WEBP"),
        (pictures.png(64, 48), (64, 48), "WEBP"),
        (pictures.animation(width_px=800, height_px=600), (540, 360), "JPEG"),
        (pictures.png(2000, 20), (2000, 20), "WEBP"),
    ],
)
def test_thumbnails_are_small_and_still(
    visitor: Visitor, data: bytes, size: tuple[int, int], form: str
) -> None:
    """Cut to the box, never enlarged, the first frame of what moves; nobody may store them."""
    record_id = visitor.uploaded(data)
    answer = visitor.see(f"/gallery/thumbnail/{record_id}")
    with opened(answer.body) as image:
        assert (image.size, image.format) == (size, form)
        assert getattr(image, "n_frames", 1) == 1
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_a_pruned_original_is_drawn_from_what_was_sent(dirs: Dirs) -> None:
    """From the built-in host's file where there is one; else it says that nothing is here."""
    with FakeBilibili() as host, visiting(dirs, **at_bilibili(host)) as visitor:
        here = visitor.uploaded(pictures.png(), host="local")
        there = visitor.uploaded(pictures.png(seed=1))
        for record in visitor.app.journal.history():
            visitor.app.store.erase(record.original)
        assert visitor.see(f"/gallery/thumbnail/{here}").status == 200
        answer = visitor.see(f"/gallery/thumbnail/{there}")
        assert answer.status == 404
        assert "not here any more" in json.loads(answer.body)["error"]


def test_what_browsers_do_not_show_is_drawn_for_them(dirs: Dirs) -> None:
    """The whole picture of a TIFF that is only kept, not sent, comes as WebP."""
    with FakeBilibili() as host, visiting(dirs, **at_bilibili(host)) as visitor:
        record_id = visitor.uploaded(pictures.encoded(pictures.picture(), "TIFF"), "a.tif")
        answer = visitor.see(f"/gallery/whole/{record_id}")
    assert answer.headers["content-type"] == "image/webp"
    assert opened(answer.body).size == (64, 48)


def test_only_known_files_are_static(visitor: Visitor) -> None:
    """Each module and the style sheet, typed and for good; no other name is looked up."""
    for name, mime_type in FILES.items():
        answer = visitor.see(f"{STATIC}/{name}")
        assert answer.headers["content-type"].startswith(mime_type)
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("pages.py", "..%2fpages.py", "%2e%2e/pages.py", "../templates/base.html", "x"):
        assert visitor.see(f"{STATIC}/{name}").status == 404
    assert visitor.see("/gallery/static/another/gallery.js").status == 404  # nobody may keep it


def test_the_watcher_may_forget_meanwhile(visitor: Visitor) -> None:
    """What another process erased is answered as what is not there."""
    record_id = visitor.uploaded(pictures.png())
    forget(visitor.app, visitor.app.journal.get(record_id), at_host=False)
    for path in (f"/gallery/{call}/{record_id}" for call in ("thumbnail", "whole", "bench")):
        assert visitor.see(path).status == 400


# -- reading what is asked


@given(st.dictionaries(st.sampled_from(["q", "since", "until", "state", "before"]), st.text()))
def test_any_query_is_a_search(query: dict[str, str]) -> None:
    """Whatever stands in the address, something can be looked for; its link reads the same."""
    search = Search.of(query)
    search.wanted()
    assert search.link(before=3).startswith("/?")


@pytest.mark.parametrize(
    ("day", "is_day"),
    [
        *(("2026-01-31", True), ("2026-02-30", False), ("1970-01-02", True)),
        *(("0001-01-01", False), ("9999-12-31", False), ("20260131", False), ("2026-W05-6", False)),
    ],
)
def test_only_days_are_days(day: str, is_day: bool) -> None:
    """A day of the calendar that this machine can count to, written as forms write it."""
    assert Search.of({"since": day}).since == (day if is_day else "")


@given(st.text())
def test_ids_are_numbers_of_the_journal(text: str) -> None:
    """No text leads to an id that the journal could not have."""
    assert all(0 < found < 1 << 53 for found in query_ids(text))
    with suppress(UsageError):
        assert 0 < path_id(text) < 1 << 53


@given(st.recursive(st.none() | st.integers() | st.text() | st.booleans(), st.lists))
def test_a_body_that_names_no_ids_is_refused(value: object) -> None:
    """Lists of anything else are a usage error, never a crash."""
    for asked in (value, {"ids": value}):
        with suppress(UsageError):
            assert all(type(found) is int for found in ids_of(asked))
