"""The tray's menu and icon, from what is so to what is seen, and from a click to what it does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from imghost.backend import Backend
from imghost.choosing import Choice, Chooser
from imghost.clipboard import WITH_TEXT
from imghost.desktop.tray import Face, Tray
from imghost.dirs import Dirs
from imghost.imaging.styled import styled
from imghost.login import Login, LoginFile
from imghost.models import Alive, State
from imghost.report import clock_text
from imghost.secret import Secret
from imghost.text import Speaker
from imghost.tray.clicks import Clicks
from imghost.tray.keeper import Keeper
from imghost.tray.shown import Look
from imghost.watch.telling import Topic
from tests.fakes import pictures
from tests.fakes.bilibili import Answer, FakeBilibili
from tests.fakes.clipboards import Desktop
from tests.fakes.images import entry
from tests.fakes.program import eventually
from tests.fakes.taking import BASE, at_bilibili, write_config
from tests.fakes.tray import SeenTray
from tests.fakes.watched import Watched


class Bench:
    """A watched desktop with a tray."""

    def __init__(self, dirs: Dirs, *, language: str = "en", **sections: Any) -> None:
        self.desktop = Desktop()
        self.watched = Watched(dirs, self.desktop, **sections)
        self.dirs = dirs
        self.tray, self.quits = SeenTray(), 0
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="click")
        watched, say = self.watched, Speaker(language)
        chooser = Chooser(watched.app, write_config(dirs, sections))
        backend = Backend(watched.app, say, self._quit, watched.watcher)

        def submit(work: Callable[[], None]) -> object:
            return self._pool.submit(watched.survive, work)

        wishes = watched.watcher.wishes
        clicks = Clicks(watched.app, backend, chooser, wishes, watched.teller, submit, BASE)
        look = partial(
            Look(watched.app, chooser, watched.pause), watched.watcher, watched.teller.left_alone
        )
        self.keeper = Keeper(
            look,
            clicks,
            say,
            lambda _opening: cast("Tray", self.tray),
            lambda record, style: styled(
                watched.app.store.read(record.original), record.name, style
            ),
            submit,
            watched.survive,
        )
        watched.watcher.changed = clicks.done = self.keeper.wake
        self._thread = threading.Thread(target=self.keeper.run, name="tray")
        self._thread.start()
        eventually(lambda: self.tray.shows > 0)

    def close(self) -> None:
        """End everything."""
        self.keeper.stop()
        self._thread.join()
        self._pool.shutdown()
        self.watched.close()

    def upload(self, *seeds: int) -> list[str]:
        """Copy pictures one after the other; the links."""
        links = []
        for seed in seeds:
            picture = pictures.png(seed=seed)
            self.watched.copies(partial(self.desktop.copy_picture, picture))
            links.append(self.watched.link())
        return links

    def shows(self, *path: str) -> None:
        """Wait until such an entry is there."""
        eventually(lambda: self.tray.has(*path))

    def _quit(self) -> None:
        self.quits += 1


@pytest.fixture
def bench(dirs: Dirs) -> Iterator[Bench]:
    """It, with the embedded host."""
    bench = Bench(dirs)
    yield bench
    bench.close()


@pytest.fixture
def fake() -> Iterator[FakeBilibili]:
    """A host elsewhere."""
    with FakeBilibili() as server:
        yield server


@pytest.fixture
def away(dirs: Dirs, fake: FakeBilibili) -> Iterator[Bench]:
    """It, with that host."""
    bench = Bench(dirs, **at_bilibili(fake))
    yield bench
    bench.close()


def test_what_stands_in_the_menu(bench: Bench) -> None:
    """Everything that the mission needs is there, in the order in which it is looked for."""
    assert bench.tray.texts() == [
        "Watching · local/images · 0 sent",
        *("Host", "Bucket", "Format", "Style"),
        *("Pause watching", "Pause for 30 minutes", "Resume for 60 minutes"),
        *("Upload clipboard now", "Put my picture back", "Copy last 5 links"),
        *("Copy last 10 links", "Recent", "Left alone", "Waiting"),
        *("Open gallery", "Open config file", "About", "Quit"),
    ]
    for name in ("Recent", "Left alone", "Waiting"):
        assert bench.tray.texts(name) == ["(nothing)"]
    assert bench.tray.texts("Bucket") == ["images", "album", "Other..."]
    assert bench.tray.texts("Style")[:2] == ["Original", "WebP, same size"]
    assert bench.tray.chosen("Format") == ["markdown"]


@pytest.mark.parametrize(
    ("path", "choice", "value"),
    [
        (("Host", "bilibili"), Choice.HOST, "bilibili"),
        (("Bucket", "album"), Choice.BUCKET, "album"),
        (("Format", "html"), Choice.FORMAT, "html"),
        (("Style", "Width 800, WebP"), Choice.STYLE, "@800w_1e_1c.webp"),
    ],
)
def test_a_choice(bench: Bench, path: tuple[str, str], choice: Choice, value: str) -> None:
    """One click, and it is ticked, alone of its group, and counts for the next picture."""
    bench.tray.click(*path)
    eventually(lambda: bench.tray.chosen(path[0]) == [path[1]])
    config = bench.watched.app.checked_pipeline().config
    counts = {
        Choice.HOST: config.host,
        Choice.BUCKET: config.of_host(config.host).bucket,
        Choice.FORMAT: config.link.format,
        Choice.STYLE: config.link.style,
    }
    assert counts[choice] == value


def test_a_choice_that_cannot_be(bench: Bench) -> None:
    """A format without its template is not chosen, and the reason is told."""
    bench.tray.click("Format", "custom")
    assert "link.template is empty" in bench.watched.hears(Topic.PROBLEM)
    assert bench.tray.chosen("Format") == ["markdown"]


def test_links_again(bench: Bench) -> None:
    """Recent has the last pictures, the newest first; a click copies one link, or the last ones."""
    links = bench.upload(1, 2, 3)
    eventually(lambda: len(bench.tray.texts("Recent")) == 3)
    eventually(lambda: "3 sent" in bench.tray.title)
    oldest = bench.watched.app.journal.latest_done(3)[-1]
    item = [*bench.tray.item("Recent").submenu][-1]
    assert (item.key, item.text) == (str(oldest.id), f"{oldest.name} · just now")
    item(None)
    bench.watched.pasted(links[0])
    bench.tray.click("Copy last 5 links")
    bench.watched.pasted("\n".join(links))


def test_recent_shows_pictures_once_it_was_looked_at(bench: Bench) -> None:
    """Nothing is drawn before somebody opens the menu, and then each picture once."""
    bench.upload(1)
    eventually(lambda: bench.tray.texts("Recent") != ["(nothing)"])
    (item,) = bench.tray.item("Recent").submenu
    assert item.picture == b""
    bench.keeper.opening()
    eventually(lambda: next(iter(bench.tray.item("Recent").submenu)).picture != b"")


def test_pausing(bench: Bench) -> None:
    """It is paused with a click, which is ticked and told by the icon, and goes on with another."""
    bench.tray.click("Pause watching")
    eventually(lambda: bench.tray.item("Pause watching").checked)
    assert bench.tray.faces[-1] is Face.PAUSED
    assert bench.tray.title.startswith("Paused · ")
    bench.tray.click("Pause watching")
    eventually(lambda: not bench.tray.item("Pause watching").checked)
    bench.tray.click("Pause for 30 minutes")
    eventually(lambda: bench.tray.faces[-1] is Face.PAUSED)
    assert 0 < bench.watched.pause.ends_at - time.time() <= 1800
    bench.tray.click("Resume for 60 minutes")
    eventually(lambda: bench.tray.faces[-1] is not Face.PAUSED)
    assert 0 < bench.watched.pause.ends_at - time.time() <= 3600


def test_the_clipboard_now(bench: Bench) -> None:
    """Also while paused, and although it came with text; its link takes its place."""
    bench.tray.click("Pause watching")
    eventually(lambda: bool(bench.watched.pause.reason))
    bench.desktop.copy_picture(pictures.png(), text="a table")
    bench.tray.click("Upload clipboard now")
    assert bench.watched.link().startswith("![](http://127.0.0.1")
    assert bench.watched.states() == [State.DONE]


def test_nothing_to_upload(bench: Bench) -> None:
    """Text is no picture, and that is told."""
    bench.desktop.copy_text("words")
    bench.tray.click("Upload clipboard now")
    assert "no image on the clipboard" in bench.watched.hears(Topic.REFUSED)


def test_put_back(bench: Bench) -> None:
    """The picture comes back with a click, once there is one."""
    assert not bench.tray.item("Put my picture back").enabled
    bench.upload(1)
    eventually(lambda: bench.tray.item("Put my picture back").enabled)
    bench.tray.click("Put my picture back")
    eventually(lambda: bool(bench.desktop.content and bench.desktop.content.picture))
    eventually(lambda: not bench.tray.item("Put my picture back").enabled)


def test_left_alone(bench: Bench) -> None:
    """What came with text stands there with its reason; a click takes it all the same."""
    bench.watched.copies(lambda: bench.desktop.copy_picture(pictures.png(), text="a table"))
    entry = f"clipboard: {WITH_TEXT}"
    bench.tray.click("Left alone", entry)
    bench.watched.link()
    eventually(lambda: bench.tray.texts("Left alone") == ["(nothing)"])


def test_left_alone_and_gone(bench: Bench) -> None:
    """If something else was copied since, a click says so and takes nothing."""
    bench.watched.copies(lambda: bench.desktop.copy_picture(pictures.png(), text="a table"))
    bench.watched.copies(lambda: bench.desktop.copy_text("words"))
    bench.tray.click("Left alone", f"clipboard: {WITH_TEXT}")
    assert "something else was copied since" in bench.watched.hears(Topic.REFUSED)
    assert bench.watched.states() == []


def test_passwords_are_never_taken(bench: Bench) -> None:
    """What a password manager marked stands there, and cannot be clicked."""
    bench.watched.copies(lambda: bench.desktop.copy_marked(pictures.png()))
    eventually(lambda: bench.tray.texts("Left alone") != ["(nothing)"])
    (item,) = bench.tray.item("Left alone").submenu
    assert not item.enabled


def test_a_file_that_was_no_picture(bench: Bench, tmp_path: Path) -> None:
    """A copied file that could not be read as a picture is taken by a click once it can."""
    path = tmp_path / "a.png"
    path.write_bytes(b"not yet")
    bench.watched.copies(lambda: bench.desktop.copy_files(path))
    eventually(lambda: bench.tray.texts("Left alone") != ["(nothing)"])
    path.write_bytes(pictures.png())
    bench.tray.click("Left alone", bench.tray.texts("Left alone")[0])
    assert bench.watched.link().startswith("![a](")


def test_more_files_than_are_asked_about(bench: Bench, tmp_path: Path) -> None:
    """Of very many copied files those after the first hundred are taken by a click, if few."""
    paths = [tmp_path / f"{n:03}.png" for n in range(102)]
    for seed, path in enumerate(paths):
        path.write_bytes(pictures.png(8, 8, seed=seed))
    bench.watched.copies(lambda: bench.desktop.copy_files(*paths))
    eventually(lambda: bench.tray.texts("Left alone") != ["(nothing)"])
    (entry,) = bench.tray.texts("Left alone")
    assert entry.startswith("100.png: it and 1 more came after")
    bench.watched.stands(*[State.ASKING] * 100)
    bench.tray.click("Left alone", entry)
    bench.watched.stands(*[State.ASKING] * 100, State.DONE, State.DONE)


def test_what_waits(away: Bench, fake: FakeBilibili) -> None:
    """A picture whose host wants peace stands there with the reason; Retry now sends it."""
    fake.answers.append(Answer(-412, "slow down"))
    away.desktop.copy_picture(pictures.png())
    away.watched.stands(State.QUEUED)
    eventually(lambda: len(away.tray.texts("Waiting")) == 2)
    assert "1 waiting" in away.tray.title
    (entry, retry) = away.tray.texts("Waiting")
    assert "412" in entry
    assert not away.tray.item("Waiting", entry).enabled
    (record,) = away.watched.app.journal.history()
    assert away.watched.app.outbox.waits_s(record) > 0
    away.tray.click("Waiting", retry)
    eventually(lambda: away.watched.app.outbox.waits_s(record) == 0)
    away.watched.senders.send_queued()
    away.watched.stands(State.DONE)
    away.shows("Waiting", "(nothing)")


@pytest.mark.parametrize("is_wanted", [True, False])
def test_what_asks(dirs: Dirs, *, is_wanted: bool) -> None:
    """The icon asks; Upload sends the picture, Discard erases it."""
    bench = Bench(dirs, watch={"ask": True})
    try:
        bench.desktop.copy_picture(pictures.png())
        bench.watched.stands(State.ASKING)
        eventually(lambda: bench.tray.faces[-1] is Face.ASKING)
        entry = bench.tray.texts("Waiting")[0]
        assert entry.endswith(": upload it?")
        bench.tray.click("Waiting", entry, "Upload" if is_wanted else "Discard")
        if is_wanted:
            bench.watched.stands(State.QUEUED)
            bench.watched.senders.send_queued()
            bench.watched.stands(State.DONE)
        else:
            bench.watched.stands()
        bench.shows("Waiting", "(nothing)")
    finally:
        bench.close()


def test_what_failed(away: Bench, fake: FakeBilibili) -> None:
    """A picture that its host refused is told by the icon; it can be sent again, or forgotten."""
    fake.answers.extend([Answer(-400, "no"), Answer(-400, "no")])
    for seed in (1, 2):
        away.desktop.copy_picture(pictures.png(seed=seed))
        away.watched.stands(*[State.FAILED] * seed)
    eventually(lambda: len(away.tray.texts("Waiting")) == 2)
    assert away.tray.faces[-1] is Face.PROBLEM
    assert away.tray.title.endswith("2 failed")
    newest, oldest = away.tray.item("Waiting").submenu
    retry, _ = newest.submenu
    _, forget = oldest.submenu
    retry(None)
    away.watched.stands(State.FAILED, State.QUEUED)
    away.watched.senders.send_queued()
    away.watched.stands(State.FAILED, State.DONE)
    forget(None)
    away.watched.stands(State.DONE)
    away.shows("Waiting", "(nothing)")
    assert away.tray.faces[-1] is not Face.PROBLEM


def test_a_host_that_wants_peace_is_a_problem(away: Bench, fake: FakeBilibili) -> None:
    """As long as pictures wait for it the icon says so."""
    fake.answers.append(Answer(-412, "slow down"))
    away.desktop.copy_picture(pictures.png())
    eventually(lambda: away.tray.faces[-1] is Face.PROBLEM)


def test_links_that_do_not_work(away: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted, and lead to the gallery; the icon tells of those that broke meanwhile."""
    opened: list[str] = []
    monkeypatch.setattr("imghost.tray.clicks.open_page", opened.append)
    away.upload(1, 2)
    journal, watcher = away.watched.app.journal, away.watched.watcher
    old, new = journal.history()
    journal.mark_all({old.id: Alive.SUSPECT})
    watcher.wake()
    away.shows("Links that do not work: 1")
    assert away.tray.faces[-1] is not Face.PROBLEM
    journal.mark_all({new.id: Alive.DEAD})
    watcher.lost.tell([new])
    away.shows("Links that do not work: 2")
    eventually(lambda: away.tray.faces[-1] is Face.PROBLEM)
    away.tray.click("Links that do not work: 2")
    eventually(lambda: len(opened) == 1)
    assert opened[0].endswith("/?state=broken")
    away.watched.app.retry([old.id, new.id])
    watcher.wake()
    eventually(lambda: not any("do not work" in text for text in away.tray.texts()))
    eventually(lambda: away.tray.faces[-1] is not Face.PROBLEM)


def test_it_says_until_when(bench: Bench) -> None:
    """A pause for a while, and watching for a while, tell when they end."""
    bench.tray.click("Pause for 30 minutes")
    ends = clock_text(time.time() + 1800), clock_text(time.time() + 1801)
    eventually(lambda: bench.tray.title.startswith(tuple(f"Paused until {end}" for end in ends)))
    bench.tray.click("Resume for 60 minutes")
    eventually(lambda: bench.tray.title.startswith("Watching until "))


def test_what_is_taken_now_is_not_left_alone(bench: Bench, tmp_path: Path) -> None:
    """Upload clipboard now takes what was cut, too, which then stands there no more."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())
    bench.watched.copies(lambda: bench.desktop.copy_files(path, are_cut=True))
    eventually(lambda: bench.tray.texts("Left alone") != ["(nothing)"])
    bench.tray.click("Upload clipboard now")
    bench.watched.link()
    bench.shows("Left alone", "(nothing)")


def test_only_the_first_that_wait(bench: Bench) -> None:
    """Of a thousand that wait some are listed, and the others counted."""
    journal = bench.watched.app.journal
    for seed in range(20):
        journal.accept(entry(seed), State.ASKING, "me")
    bench.keeper.wake()
    bench.shows("Waiting", "and 5 more")
    assert len(bench.tray.texts("Waiting")) == 17


def test_a_login_is_wanted(dirs: Dirs, fake: FakeBilibili) -> None:
    """Without a login the icon shows a problem, and the menu leads to the page for it."""
    sections = at_bilibili(fake)
    sections["hosts"]["bilibili"] |= {"sessdata": ""}
    bench = Bench(dirs, **sections)
    try:
        bench.shows("Log in to bilibili...")
        assert bench.tray.faces[-1] is Face.PROBLEM
    finally:
        bench.close()


def test_who_is_logged_in_is_shown_with_the_days_left(dirs: Dirs, fake: FakeBilibili) -> None:
    """It leads to the same page; when the host does not take it any more, it says that."""
    sections = at_bilibili(fake)
    sections["hosts"]["bilibili"] |= {"sessdata": "", "bili_jct": ""}
    login = Login(Secret("old"), Secret("old"), time.time() + 5.5 * 86_400, "Ming")
    LoginFile(dirs.login).save(login)
    bench = Bench(dirs, **sections)
    try:
        bench.shows("Logged in: Ming, 6 days left")
        assert bench.tray.faces[-1] is Face.IDLE
        bench.watched.app.outbox._gate("bilibili").hold()  # noqa: SLF001 - as by an expired login
        bench.keeper.wake()
        bench.shows("Log in to bilibili...")
    finally:
        bench.close()


def test_a_wrong_config(bench: Bench) -> None:
    """It is told in the menu, the icon shows it, and all is well again once it is mended."""
    path = bench.dirs.config / "config.json"
    path.write_text(json.dumps({"hots": "local"}))  # it may be read while it is still empty
    bench.watched.watcher.wake()
    eventually(lambda: any("did you mean host" in text for text in bench.tray.texts()))
    assert bench.tray.faces[-1] is Face.PROBLEM
    assert "local/images" in bench.tray.title
    path.write_text("{}")
    bench.watched.watcher.wake()
    eventually(lambda: bench.tray.faces[-1] is Face.IDLE)
    assert bench.tray.has("Bucket", "album")


def test_it_blinks_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The icon shows that a link is ready, once for several that come together."""
    monkeypatch.setattr("imghost.tray.keeper._BLINK_AGAIN_S", 60.0)
    bench.upload(1, 2)
    eventually(lambda: Face.READY in bench.tray.faces)
    eventually(lambda: bench.tray.faces[-1] is Face.IDLE)
    assert bench.tray.faces.count(Face.READY) == 1


def test_pages_and_files_are_opened(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gallery in the user's browser, the config, which is made first, in the user's editor."""
    opened = tmp_path / "opened"
    for name in ("browser", "xdg-open"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $1" >> {opened}\n')
        program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(tmp_path / "browser"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    config = bench.dirs.config / "config.json"
    config.unlink()
    bench.tray.click("Open gallery")
    eventually(opened.exists)
    bench.tray.click("Open config file")
    eventually(lambda: len(opened.read_text().splitlines()) == 2)
    assert opened.read_text().splitlines() == [f"browser {BASE}/", f"xdg-open {config}"]
    assert json.loads(config.read_text())["host"] == "local"


def test_nothing_that_opens_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an editor the person is told where the file is."""
    monkeypatch.setenv("PATH", "/nowhere")
    bench.tray.click("Open config file")
    assert str(bench.dirs.config) in bench.watched.hears(Topic.PROBLEM)


def test_about_and_quit(bench: Bench) -> None:
    """The one tells what this is, the other ends it."""
    bench.tray.click("About")
    assert "copy an image, paste a link" in bench.watched.hears(Topic.ABOUT)
    bench.tray.click("Quit")
    assert bench.quits == 1


def test_chinese(dirs: Dirs) -> None:
    """Every text of the menu is said in the user's language."""
    bench = Bench(dirs, language="zh_CN")
    try:
        own = {"local", "bilibili", "s3", "images", "album", *bench.tray.texts("格式")}
        texts = [
            text
            for path in ((), ("图床",), ("样式",), ("最近",))
            for text in bench.tray.texts(*path)
        ]
        for text in set(texts) - own:
            assert any("\u4e00" <= character <= "\u9fff" for character in text), text
    finally:
        bench.close()


def test_a_name_cannot_steer_the_menu(bench: Bench, tmp_path: Path) -> None:
    """A file's name is shown as one short line, whatever is in it."""
    path = tmp_path / f"a\n_b&{'x' * 200}.png"
    path.write_bytes(pictures.png())
    bench.watched.copies(lambda: bench.desktop.copy_files(path))
    bench.watched.link()
    eventually(lambda: bench.tray.texts("Recent") != ["(nothing)"])
    (text,) = bench.tray.texts("Recent")
    assert text.isprintable()
    assert len(text) <= 80
