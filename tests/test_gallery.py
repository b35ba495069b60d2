"""The gallery's pages: what they show, in which language, and that nothing on them can run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imghost.dirs import Dirs
from imghost.door import find_door
from imghost.links import FORMATS
from imghost.models import Alive, Message, State
from imghost.server.gallery.pages import STATIC as FILES
from imghost.server.gallery.words import SCRIPT
from tests.fakes import pictures
from tests.fakes.bilibili import BILI_JCT, SESSDATA, Answer, FakeBilibili
from tests.fakes.canaries import leaked
from tests.fakes.clipboards import Desktop
from tests.fakes.gallery import COMMANDS_TOKEN, PAGE_TOKEN, Read, Visitor, visiting
from tests.fakes.many import copy_rows
from tests.fakes.program import Program
from tests.fakes.serving import ask
from tests.fakes.taking import at_bilibili
from tests.fakes.watched import Watched

HOSTILE = '"><img src=x onerror=alert(1)>.png'
PAGES = ("/", "/settings", "/login", "/picture/1")
STATIC = Path(__file__).parent.parent / "imghost" / "server" / "gallery" / "static"


@pytest.fixture
def visitor(dirs: Dirs) -> Iterator[Visitor]:
    """Somebody at a gallery in which nothing is yet."""
    with visiting(dirs) as visitor:
        yield visitor


def test_an_empty_gallery_teaches(visitor: Visitor) -> None:
    """Who has no picture yet reads what to do and where pictures go."""
    page = Read(visitor.page("/"))
    assert "Copy an image, paste a link" in page.texts
    assert any("local/images" in text for text in page.texts)
    assert page.cards == []


def test_pictures_stand_there_with_their_links(visitor: Visitor) -> None:
    """The newest first, each with its name, pixels, bytes, link and thumbnail, loaded lazily."""
    ids = [visitor.uploaded(pictures.png(seed=n), f"{n}.png") for n in range(3)]
    page = Read(visitor.page("/"))
    assert [int(card["data-id"]) for card in page.cards] == ids[::-1]
    newest = page.cards[0]
    assert newest["data-text"].startswith("![2](http://127.0.0.1")
    (thumbnail,) = page.all("img", src=f"/gallery/thumbnail/{ids[-1]}")
    assert thumbnail["loading"] == "lazy"
    assert any(text.startswith("64 × 48 · ") for text in page.texts)


@pytest.mark.parametrize("path", PAGES)
def test_a_name_cannot_become_markup(visitor: Visitor, path: str) -> None:
    """A file name full of markup is text wherever it stands, and hidden characters are shown."""
    visitor.uploaded(pictures.png(), HOSTILE)
    visitor.uploaded(pictures.png(seed=1), "evil\u202egnp.exe\x1b[2J.png")
    html = visitor.page(path)
    page = Read(html)
    assert not page.all("img", src="x")
    assert not [a for _, attributes in page.elements for a in attributes if a.startswith("on")]
    assert "\u202e" not in html
    if path == "/":
        assert HOSTILE in {card["data-name"] for card in page.cards}
        assert HOSTILE in page.texts


@pytest.mark.parametrize("path", PAGES)
def test_nothing_inline_runs_and_nothing_is_stored(visitor: Visitor, path: str) -> None:
    """The policy names our own files alone; pages are neither framed, referred nor kept."""
    visitor.uploaded(pictures.png())
    answer = visitor.see(path)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = Read(answer.body.decode())
    assert all(script.get("src") for script in page.all("script"))
    assert not page.all("style")
    assert not [attributes for _, attributes in page.elements if "style" in attributes]


def test_the_script_sets_texts_only() -> None:
    """Whatever it shows it sets as text; it builds no markup and no code."""
    script = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert way not in script
    assert {*re.findall(r'say\("(\w+)"', script)} == {*SCRIPT}


def test_every_module_is_served_and_small() -> None:
    """What stands in the folder is what is served, each module is one that another one needs."""
    assert {path.name for path in STATIC.iterdir()} == {*FILES}
    modules = {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")}
    needed = {name for text in modules.values() for name in re.findall(r'from "./(.+)"', text)}
    assert needed == {*modules} - {"gallery.js"}
    assert max(text.count("\n") for text in modules.values()) < 200


@pytest.mark.parametrize("path", PAGES)
def test_pages_carry_their_own_token_only(visitor: Visitor, path: str) -> None:
    """What commands show is on no page; what the page shows is."""
    visitor.uploaded(pictures.png())
    html = visitor.page(path)
    assert COMMANDS_TOKEN not in html
    assert Read(html).all("meta", name="imghost-page")[0]["content"] == PAGE_TOKEN


def test_the_daemon_serves_it(home: Path, dirs: Dirs) -> None:
    """The program's own server shows the page, with another token than its commands have."""
    program = Program(home / "imghost")
    program.configure()
    with program.serving() as url:
        door = find_door(dirs)
        html = ask(urlsplit(url).port or 0, "/").body.decode()
    assert door
    (token,) = Read(html).all("meta", name="imghost-page")
    assert len(token["content"]) == len(door.token.reveal())
    assert door.token.reveal() not in html


def test_each_state_is_told_with_what_can_be_done(dirs: Dirs) -> None:
    """Failed with its reason and a retry; asking with a yes and a no; notes, if any."""
    with FakeBilibili() as host, visiting(dirs, **at_bilibili(host)) as visitor:
        host.answers.append(Answer(-400, "no"))
        failed = visitor.uploaded(pictures.png(), "failed.png")
        asking = visitor.uploaded(pictures.png(seed=1), "asking.png")
        noted = visitor.uploaded(pictures.animation(), "moves.gif")
        _put(visitor, asking, "state = 'asking', url = '', key = ''")
        html = visitor.page("/")
    cards = dict(re.findall(r'<li class="card" data-id="(\d+)"(.*?)</li>', html, re.DOTALL))
    assert 'data-do="retry">Retry' in cards[str(failed)]
    assert "(-400" in cards[str(failed)]
    assert 'data-do="retry">Upload' in cards[str(asking)]
    assert 'data-do="discard">Discard' in cards[str(asking)]
    assert "animated WEBP" in cards[str(noted)]
    assert "4 frames" in cards[str(noted)]
    assert "1 failed" in html


def test_a_search_finds_by_word_day_place_and_state(visitor: Visitor) -> None:
    """Each filter narrows the list, what makes no sense narrows nothing, and no find says so."""
    cat, _ = (
        visitor.uploaded(pictures.png(), "cat.png"),
        visitor.uploaded(pictures.png(seed=1), "dog.png"),
    )
    old = visitor.uploaded(pictures.png(seed=2), "old dog.png", bucket="album")
    _put(visitor, old, "created_at = 1000000000.0")

    def found(query: str) -> int:
        return len(Read(visitor.page(f"/?{query}")).cards)

    assert Read(visitor.page("/?q=CAT")).cards[0]["data-id"] == str(cat)
    assert found("q=dog") == 2
    assert found("q=dog+old") == 1
    assert found("until=2001-12-31") == 1
    assert found("since=2002-01-01") == 2
    assert found("bucket=album") == 1
    assert found("host=bilibili") == 0
    assert found("state=failed") == 0
    assert found("state=nonsense&since=2026-99-99&before=-1&after=x") == 3
    assert "Nothing found" in Read(visitor.page("/?q=zebra")).texts
    assert "Found: 2 of 3 ·" in Read(visitor.page("/?q=dog")).texts
    assert "Pictures: 3" in Read(visitor.page("/")).texts


def test_broken_links_are_found_and_sent_again(visitor: Visitor) -> None:
    """How each link is stands at its picture; broken ones are counted, found and sent again."""
    alive, dead, suspect, _ = (visitor.uploaded(pictures.png(seed=n), "a.png") for n in range(4))
    found = {alive: Alive.ALIVE, dead: Alive.DEAD, suspect: Alive.SUSPECT}
    for record_id, state in found.items():
        visitor.app.journal.looked(record_id, state, 1, 0.0)
    page = Read(visitor.page("/?state=broken"))
    assert [int(card["data-id"]) for card in page.cards] == [suspect, dead]
    assert {"the link is dead", "the link is suspect", "Send again"} <= {*page.texts}
    assert "2 with a broken link" in visitor.page("/")
    assert any("last worked at" in text for text in Read(visitor.page(f"/picture/{alive}")).texts)
    visitor.change("/gallery/retry", {"ids": [dead]})
    assert visitor.state(dead) is State.QUEUED
    assert "1 with a broken link" in visitor.page("/")


def test_one_walks_through_pages_and_back(visitor: Visitor) -> None:
    """Older and newer lead through all uploads; the first page is always whole."""
    visitor.uploaded(pictures.png())
    copy_rows(visitor.app.dirs.journal, 119)
    path, seen, pages = "/", list[int](), 0
    while path:
        page = Read(visitor.page(path))
        seen += [int(card["data-id"]) for card in page.cards]
        pages, last = pages + 1, path
        path = (page.all("a", rel="next") or [{"href": ""}])[0]["href"]
    assert (pages, seen) == (3, [*range(120, 0, -1)])
    newer = Read(visitor.page(last)).all("a", rel="prev")[0]["href"]
    assert [int(c["data-id"]) for c in Read(visitor.page(newer)).cards] == [*range(72, 24, -1)]
    first = Read(visitor.page("/?after=100"))
    assert [int(c["data-id"]) for c in first.cards] == [*range(120, 72, -1)]
    assert not first.all("a", rel="prev")


def test_a_picture_has_all_its_links(visitor: Visitor) -> None:
    """Its page lists every format that can be written, and the choices by their names."""
    record_id = visitor.uploaded(pictures.png())
    page = Read(visitor.page(f"/picture/{record_id}"))
    rows = [row for row in page.all("li") if "data-format" in row]
    assert [row["data-format"] for row in rows] == [*FORMATS]
    assert [row["data-format"] for row in rows if "hidden" in row] == ["custom"]
    assert any(text.startswith("<img src=") for text in page.texts)
    assert "Width 800, WebP" in page.texts


@pytest.mark.parametrize("record_id", ["0", "999", "9" * 30, "9" * 5000, "x", "-1", "%00"])
def test_what_is_not_there_is_said(visitor: Visitor, record_id: str) -> None:
    """No such upload: a page that says so, whatever the address."""
    answer = visitor.see(f"/picture/{record_id}")
    assert answer.status == 400
    assert "This page cannot be shown" in Read(answer.body.decode()).texts


def test_settings_show_what_is_chosen(dirs: Dirs) -> None:
    """Host, bucket, format and style as they stand, and what else there is."""
    with visiting(dirs, link={"format": "html", "style": "@12w"}) as visitor:
        page = Read(visitor.page("/settings"))
    checked = {r["name"]: r["value"] for r in page.all("input", type="radio") if "checked" in r}
    assert checked == {"host": "local", "bucket": "images", "format": "html", "style": "@12w"}
    assert {r["value"] for r in page.all("input", name="format")} == {*FORMATS}
    assert "Only serving: nothing is watched" in page.texts


def test_a_pause_is_shown_and_ended(dirs: Dirs) -> None:
    """The settings say that it is paused, why, and how it goes on."""
    with closing(Watched(dirs, Desktop())) as watched:
        watched.watcher.pause(30)
        with visiting(dirs, watcher=watched.watcher) as visitor:
            texts = Read(visitor.page("/settings")).texts
            assert "Paused: nothing is taken" in texts
            assert "Resume for 60 minutes" in texts
            assert "Pause" not in texts
            visitor.change("/gallery/watch", {"what": "resume", "minutes": None})
            assert watched.watcher.told().state == "watching"
            assert "Pause for 30 minutes" in Read(visitor.page("/settings")).texts
            visitor.change("/gallery/watch", {"what": "pause", "minutes": 5})
            assert watched.watcher.told().state == "paused"


def test_login_tells_what_is_set_and_shows_no_secret(dirs: Dirs) -> None:
    """Whether there is a login, and how to make one; the cookies' values are on no page."""
    with visiting(dirs) as visitor:
        assert any("No login yet" in text for text in Read(visitor.page("/login")).texts)
        assert "imghost login --cookies" in Read(visitor.page("/login")).texts
    with FakeBilibili() as host, visiting(dirs, **at_bilibili(host)) as visitor:
        visitor.uploaded(pictures.png())
        assert "Cookies are set" in Read(visitor.page("/login")).texts
        for path in PAGES:
            assert leaked(visitor.page(path), (SESSDATA, BILI_JCT)) == []


def test_it_speaks_chinese(dirs: Dirs) -> None:
    """Every page, and what its script says, is in the daemon's language."""
    with visiting(dirs, "zh_CN") as visitor:
        visitor.uploaded(pictures.png())
        for path in PAGES:
            html = visitor.page(path)
            assert 'lang="zh-CN"' in html
            assert "图库" in html
            (body,) = Read(html).all("body")
            assert not [text for text in json.loads(body["data-words"]).values() if text.isascii()]
        assert "没有找到" in visitor.page("/?q=zebra")
        settings = Read(visitor.page("/settings")).texts
        assert "监视新图片" in settings  # the part's name, whether it is paused or not
        assert "监视中" not in settings


def _put(visitor: Visitor, record_id: int, change: str) -> None:
    with visitor.app.journal._db.changing() as db:  # noqa: SLF001 - what only a crash could make
        db.execute(f"UPDATE uploads SET {change} WHERE id = ?", (record_id,))


def test_a_reason_is_said_in_full(visitor: Visitor) -> None:
    """Why something failed stands on its own page, too, with what was done to the picture."""
    record_id = visitor.uploaded(pictures.png())
    reason = Message("the host said {code}", {"code": 503})
    _put(visitor, record_id, "state = 'queued', url = ''")
    claimed = visitor.app.journal.claim(record_id, "me")
    assert claimed
    visitor.app.journal.fail(record_id, "me", reason)
    page = Read(visitor.page(f"/picture/{record_id}"))
    assert "the host said 503" in page.texts
    assert visitor.state(record_id) is State.FAILED
