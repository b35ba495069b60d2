"""Copy a picture, paste a link: what a person at a desktop meets, with all threads running."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from imghost.dirs import Dirs
from imghost.disk import write_atomically
from imghost.errors import MachineError, SourceError
from imghost.imaging.prepare import Prepared, Recipe, prepare
from imghost.models import Message, State
from imghost.watch.board import RESTORED
from imghost.watch.pausing import AT_START, BY_USER, LOCKED
from imghost.watch.surroundings import publishes
from imghost.watch.telling import Topic
from tests.fakes import pictures
from tests.fakes.bilibili import DOWN, FakeBilibili
from tests.fakes.clipboards import NO_DESKTOP, Desktop
from tests.fakes.program import DEADLINE_S, eventually
from tests.fakes.taking import at_bilibili, write_config
from tests.fakes.watched import NO_NOTICES, Watched
from tests.fakes.writers import write_after

Watch = Callable[..., Watched]
URL = {"format": "url"}
DONE = "done.wav"


@pytest.fixture
def desktop() -> Desktop:
    """A desktop on which nothing was copied."""
    return Desktop()


@pytest.fixture
def watch(dirs: Dirs, desktop: Desktop) -> Iterator[Watch]:
    """Begins to watch, with a config."""
    with ExitStack() as stack:
        yield lambda **known: stack.enter_context(closing(Watched(dirs, desktop, **known)))


@pytest.fixture
def server() -> Iterator[FakeBilibili]:
    """A Bilibili on loopback."""
    with FakeBilibili() as running:
        yield running


# -- links that broke


def test_links_that_broke_together_are_one_notice(watch: Watch, desktop: Desktop) -> None:
    """One is told with its name, link and what brings it back, several with how many they are."""
    watched = watch()
    for seed in range(3):
        watched.copies(partial(desktop.copy_picture, pictures.png(seed=seed)))
        watched.stands(*[State.DONE] * (seed + 1))
    rows = watched.app.journal.history()
    watched.watcher.lost.tell(rows[:1])
    (told,) = watched.told(Topic.LOST)
    assert rows[0].url in told
    assert f"imghost retry {rows[0].id}" in told
    watched.watcher.lost.tell(rows)
    _, told = watched.told(Topic.LOST)
    assert told.startswith("3 links, the first is")
    assert watched.watcher.lost.ids == {row.id for row in rows}


# -- the clipboard


def test_a_copied_picture_becomes_a_link(watch: Watch, desktop: Desktop) -> None:
    """The link is there to be pasted, with a chime, and is not taken for something copied."""
    watched = watch()
    desktop.copy_picture(pictures.png())
    assert watched.link().startswith("![](http://127.0.0.1:36677/bfs/images/")
    eventually(lambda: watched.speakers.heard == [DONE])
    assert watched.states() == [State.DONE]
    assert watched.board.copies == 2


def test_what_was_there_before_is_left_alone(watch: Watch, desktop: Desktop) -> None:
    """Copied again after the start, the same picture is taken."""
    desktop.copy_picture(pictures.png(seed=1))
    watched = watch()
    watched.copies(lambda: desktop.copy_text("text"))
    assert watched.states() == []
    desktop.copy_picture(pictures.png(seed=1))
    watched.link()
    assert watched.states() == [State.DONE]


def test_copied_files_become_links(watch: Watch, desktop: Desktop, tmp_path: Path) -> None:
    """One line each, in the order in which they were copied, without what is no picture."""
    watched = watch()
    for name, seed in (("b.png", 1), ("a.png", 2)):
        (tmp_path / name).write_bytes(pictures.png(seed=seed))
    (tmp_path / "c.txt").write_text("text")
    desktop.copy_files(*(tmp_path / name for name in ("b.png", "c.txt", "a.png")))
    lines = watched.link().splitlines()
    assert [line[: len("![a]")] for line in lines] == ["![b]", "![a]"]


def test_nothing_that_was_copied_since_is_replaced(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """The text stays, the link is in the history, and one notice says so."""
    watched = watch(**at_bilibili(server), watch={"draft_after_s": 0})
    server.answers.append(DOWN)
    watched.copies(lambda: desktop.copy_picture(pictures.png()))
    watched.stands(State.QUEUED)
    desktop.copy_text("text")
    watched.send_again()
    watched.stands(State.DONE)
    assert watched.hears(Topic.LATE).startswith("imghost history has the link: ![](http")
    assert len(watched.told(Topic.LATE)) == 1
    assert desktop.text == "text"
    assert DONE not in watched.speakers.heard


def test_a_manager_may_take_the_picture_over(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """While its link is awaited, that is no copy: it is sent once, and the link replaces it."""
    watched = watch(**at_bilibili(server), watch={"draft_after_s": 0})
    server.answers.append(DOWN)
    desktop.copy_picture(pictures.png())
    desktop.take_over()
    watched.stands(State.QUEUED)
    desktop.take_over()
    watched.send_again()
    watched.link()
    assert watched.states() == [State.DONE]
    assert watched.told(Topic.LATE) == []


def test_a_manager_that_restores_is_given_in_to(watch: Watch, desktop: Desktop) -> None:
    """Nothing goes round for ever, and the status says why."""
    watched = watch()
    desktop.restores = 1000
    desktop.copy_picture(pictures.png())
    eventually(lambda: bool(watched.watcher.told().left_alone))
    ((name, reason, _at),) = watched.watcher.told().left_alone
    assert (name, reason) == ("clipboard", RESTORED)
    assert desktop.restores >= 1000 - 5
    assert watched.states() == [State.DONE]


def test_the_last_of_many_copies_wins(watch: Watch, desktop: Desktop) -> None:
    """Of pictures that flash by, the one that stays is linked, and text in between is no matter."""
    watched = watch(link=URL)
    for n in range(50):
        desktop.copy_picture(pictures.png(8, 8, seed=n))
        desktop.copy_text("in between")
    desktop.copy_picture(pictures.png(8, 8, seed=99))
    link = watched.link()
    (newest,) = watched.app.journal.history(limit=1)
    assert link == newest.url
    assert watched.app.store.read(newest.original) == pictures.png(8, 8, seed=99)


def test_a_clipboard_that_cannot_be_read_is_read_again(watch: Watch, desktop: Desktop) -> None:
    """A picture is not lost because another program keeps the clipboard for a moment."""
    watched = watch()
    desktop.failures.append(MachineError("another program keeps it"))
    desktop.copy_picture(pictures.png())
    assert watched.link()


def test_there_may_be_no_desktop(watch: Watch, desktop: Desktop, tmp_path: Path) -> None:
    """It is in its place all the same, says what is missing, and takes what is saved."""
    desktop.is_there = False
    watched = watch(watch={"folders": [str(tmp_path / "shots")]})
    clipboard, folder, notices = watched.watcher.told().missing
    assert (clipboard, notices) == (Message(NO_DESKTOP), NO_NOTICES)
    assert str(tmp_path / "shots") in str(folder)
    shots = tmp_path / "shots"
    shots.mkdir()
    write_after(time.time(), shots / "a.png", pictures.png())
    watched.stands(State.DONE)


# -- putback


def test_a_picture_that_was_put_back_stays(watch: Watch, desktop: Desktop) -> None:
    """It is not taken again, also by a manager's hand, until something else was copied."""
    watched = watch()
    for copies in (1, 2):
        desktop.copy_picture(pictures.png())
        watched.link()
        eventually(lambda: len(watched.speakers.heard) == copies)  # noqa: B023 - in this round
        watched.watcher.put_back()
        assert desktop.content
        assert desktop.content.picture == pictures.png()
        desktop.take_over()
        watched.copies(lambda: desktop.copy_text("text"))
    with pytest.raises(SourceError):
        watched.watcher.put_back()
    assert len(watched.speakers.heard) == 2


# -- asking


def test_what_was_asked_about_is_linked_where_it_was_copied(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """With consent the link replaces the picture; nothing is sent before."""
    watched = watch(**at_bilibili(server), watch={"ask": True}, link=URL)
    desktop.copy_picture(pictures.png())
    watched.hears(Topic.ASKING)
    assert server.uploads == []
    assert desktop.text == ""
    watched.screen.press("Upload")
    watched.link()
    assert len(server.uploads) == 1


def test_a_manager_may_take_over_what_asks(watch: Watch, desktop: Desktop) -> None:
    """The user is asked once, with buttons, and the link comes to where the picture is by then."""
    watched = watch(watch={"ask": True}, link=URL)
    desktop.copy_picture(pictures.png())
    watched.stands(State.ASKING)
    desktop.take_over()
    watched.hears(Topic.ASKING)
    watched.screen.press("Upload")
    watched.link()
    watched.copies(lambda: desktop.copy_text("text"))
    assert len(watched.told(Topic.ASKING)) == 1
    assert watched.told(Topic.LATE) == []


def test_a_manager_may_take_over_as_the_link_comes(watch: Watch, desktop: Desktop) -> None:
    """What is looked at only once it stands still is no copy either, though its link is there."""
    watched = watch(watch={"ask": True}, link=URL)
    desktop.copy_picture(pictures.png())
    watched.hears(Topic.ASKING)
    reads = desktop.reads
    desktop.take_over()
    eventually(lambda: desktop.reads > reads)
    desktop.take_over()  # so soon that the look is put off
    watched.screen.press("Upload")
    watched.link()
    watched.copies(lambda: desktop.copy_text("text"))
    assert watched.told(Topic.LATE) == []


def test_consent_that_comes_late_replaces_nothing(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """If something was copied since, one notice says that the link is in the history."""
    watched = watch(**at_bilibili(server), watch={"ask": True})
    desktop.copy_picture(pictures.png())
    watched.hears(Topic.ASKING)
    watched.copies(lambda: desktop.copy_text("text"))
    watched.screen.press("Upload")
    watched.hears(Topic.LATE)
    assert desktop.text == "text"


# -- hosts that are slow or down


def test_an_outage_ends_with_the_second_link_in_the_clipboard(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """Both are sent, the first is in the history, and the user was told once of the outage."""
    watched = watch(**at_bilibili(server), link=URL, watch={"draft_after_s": 0})
    server.answers.extend([DOWN] * 100)
    for seed in (1, 2):
        watched.copies(lambda: desktop.copy_picture(pictures.png(seed=seed)))  # noqa: B023
        eventually(lambda: len(watched.states()) == seed)  # noqa: B023 - in this round
        watched.hears(Topic.WAITING)
    watched.stands(State.QUEUED, State.QUEUED)
    server.answers.clear()
    watched.send_again()
    watched.stands(State.DONE, State.DONE)
    second, first = watched.app.journal.history()
    watched.pasted(second.url)
    assert watched.hears(Topic.LATE) == f"imghost history has the link: {first.url}"
    assert len(watched.told(Topic.WAITING)) == 1


@pytest.mark.parametrize("after_s", [0.0001, 0.1])
def test_a_draft_stands_in_for_a_link(
    after_s: float, watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """It comes silently, however soon it is wanted; the real link takes its place, and is heard."""
    watched = watch(**at_bilibili(server), link=URL, watch={"draft_after_s": after_s})
    server.answers.append(DOWN)
    desktop.copy_picture(pictures.png())
    draft = watched.link()
    assert draft.startswith("http://127.0.0.1:36677/bfs/drafts/")
    assert DONE not in watched.speakers.heard
    watched.stands(State.QUEUED)
    watched.send_again()
    watched.stands(State.DONE)
    watched.pasted(watched.app.journal.history()[0].url)
    eventually(lambda: DONE in watched.speakers.heard)


def test_a_draft_that_cannot_be_made_costs_nothing(
    watch: Watch, desktop: Desktop, server: FakeBilibili, dirs: Dirs
) -> None:
    """The picture was accepted: nothing is told of a refusal, and its link comes."""
    dirs.local.mkdir(parents=True)
    (dirs.local / "drafts").write_text("a file where the folder should be")
    watched = watch(**at_bilibili(server), link=URL, watch={"draft_after_s": 0.0001})
    server.answers.append(DOWN)
    desktop.copy_picture(pictures.png())
    watched.stands(State.QUEUED)
    watched.send_again()
    watched.stands(State.DONE)
    watched.pasted(watched.app.journal.history()[0].url)
    assert watched.told(Topic.REFUSED) == []


# -- pausing


def test_what_comes_while_paused_is_left_alone(watch: Watch, desktop: Desktop) -> None:
    """Also what is still there at resume; once `resume` returns, each copy is taken."""
    watched = watch()
    for seed in range(5):
        watched.watcher.pause(None)
        assert watched.watcher.told().pause_reason == BY_USER
        desktop.copy_picture(pictures.png(seed=100 + seed))
        watched.watcher.resume(None)
        desktop.copy_picture(pictures.png(seed=seed))
        watched.link()
        assert watched.states() == [State.DONE] * (seed + 1)
    assert watched.told(Topic.PAUSED) == []  # who says so need not be told


def _asking_a_slow_program(watch: Watch, desktop: Desktop, folder: Path) -> Watched:
    """A watcher that waits for a copied picture, and watches a folder besides."""
    folder.mkdir()
    watched = watch(watch={"folders": [str(folder)]})
    reads = desktop.reads
    desktop.answers.clear()
    desktop.copy_picture(pictures.png(seed=1))
    eventually(lambda: desktop.reads > reads)
    return watched


def test_a_pause_that_nobody_noticed_counts(watch: Watch, desktop: Desktop, tmp_path: Path) -> None:
    """It came and went while a slow program was asked: what is of that time is left alone."""
    folder = tmp_path / "shots"
    watched = _asking_a_slow_program(watch, desktop, folder)
    watched.watcher.pause(None)
    watched.save(folder / "secret.png", pictures.png(seed=2))
    resuming = threading.Thread(target=watched.watcher.resume, args=(None,))
    resuming.start()
    desktop.answers.set()
    resuming.join()
    watched.copies(lambda: desktop.copy_picture(pictures.png(seed=3)))
    watched.save(folder / "a.png", pictures.png(seed=4))
    watched.stands(State.DONE, State.DONE)
    assert [row.name for row in watched.app.journal.history()] == ["a.png", "image"]


def test_a_pause_ends_by_itself(watch: Watch, desktop: Desktop) -> None:
    """After its minutes what is copied is taken again."""
    watched = watch()
    watched.watcher.pause(0.03)
    told = watched.watcher.told()
    assert (told.state, told.changes_at < math.inf) == ("paused", True)
    eventually(lambda: watched.watcher.told().state == "watching")
    eventually(lambda: watched.board.copies == 2)
    desktop.copy_picture(pictures.png())
    watched.link()


def test_a_locked_screen_is_no_time_to_watch(
    watch: Watch, desktop: Desktop, tmp_path: Path
) -> None:
    """What is copied or saved then is left alone, without a notice."""
    folder = tmp_path / "shots"
    folder.mkdir()
    watched = watch(watch={"folders": [str(folder)]})
    watched.watcher.screen_locked(True)
    assert watched.watcher.told().pause_reason == LOCKED
    watched.notices()
    watched.save(folder / "secret.png", pictures.png(seed=3))
    desktop.copy_picture(pictures.png(seed=1))
    watched.watcher.screen_locked(False)
    eventually(lambda: watched.board.copies == 2)
    desktop.copy_picture(pictures.png(seed=2))
    watched.link()
    watched.save(folder / "a.png", pictures.png(seed=4))
    watched.stands(State.DONE, State.DONE)
    assert [row.name for row in watched.app.journal.history()] == ["a.png", "image"]
    assert watched.told(Topic.PAUSED) == []


def test_what_is_saved_at_the_moment_of_a_pause_is_left_alone(
    watch: Watch, desktop: Desktop, tmp_path: Path
) -> None:
    """Although the watcher is still asking a slow program, and has not heard of the pause."""
    folder = tmp_path / "shots"
    watched = _asking_a_slow_program(watch, desktop, folder)
    watched.watcher.screen_locked(True)
    watched.save(folder / "secret.png", pictures.png(seed=2))
    path = str(folder / "secret.png")
    eventually(lambda: path in watched.app.seen.marks())
    eventually(lambda: not watched.app.seen.marks()[path].is_due)
    watched.watcher.screen_locked(False)
    desktop.answers.set()
    watched.copies(lambda: desktop.copy_text("text"))
    assert watched.states() == []


def test_after_autostart_it_begins_paused(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """Nothing is taken, not even what a folder holds from before, until the user resumes."""
    watched = watch(begins_paused=True, **at_bilibili(server))
    assert watched.watcher.told().pause_reason == AT_START
    assert "imghost resume" in watched.hears(Topic.PAUSED)
    desktop.copy_picture(pictures.png(seed=1))
    watched.watcher.resume(None)
    desktop.copy_picture(pictures.png(seed=2))
    watched.link()
    assert len(server.uploads) == 1


def test_what_others_may_see_is_known(watch: Watch, tmp_path: Path) -> None:
    """The host of the clipboard, or of any folder, publishes."""
    watched = watch()
    assert not publishes(watched.app, watched.app.config)
    folder = {"path": str(tmp_path), "host": "bilibili"}
    watched.configure(watch={"folders": [folder]})
    assert publishes(watched.app, watched.app.config)
    watched.configure(hosts={"local": {"public_url": "https://pictures.example"}})
    assert publishes(watched.app, watched.app.config)


# -- folders


def test_a_saved_picture_becomes_a_link(watch: Watch, desktop: Desktop, tmp_path: Path) -> None:
    """In place of what was copied before; what was in the folder before is left alone."""
    folder = tmp_path / "shots"
    folder.mkdir()
    (folder / "old.png").write_bytes(pictures.png(seed=1))
    watched = watch(watch={"folders": [str(folder)]})
    watched.copies(lambda: desktop.copy_text("text"))
    watched.save(folder / "inner" / "new.png", pictures.png(seed=2))
    assert watched.link().startswith("![new](http")
    assert len(watched.states()) == 1
    with pytest.raises(SourceError):
        watched.watcher.put_back()


def test_what_was_copied_after_a_file_was_saved_stays(
    watch: Watch, desktop: Desktop, tmp_path: Path
) -> None:
    """Also if the file is taken late, for the journal was busy: its link is told of."""
    folder = tmp_path / "shots"
    folder.mkdir()
    watched = watch(watch={"folders": [str(folder)]})
    with closing(sqlite3.connect(watched.dirs.journal, isolation_level=None)) as other:
        watched.app.hurry(0)
        other.execute("BEGIN IMMEDIATE")
        watched.save(folder / "a.png", pictures.png())
        watched.hears(Topic.PROBLEM)
        watched.copies(lambda: desktop.copy_text("important"))
    watched.hears(Topic.LATE)
    assert desktop.text == "important"


def test_a_screenshot_that_is_saved_and_copied_is_one(
    watch: Watch, desktop: Desktop, tmp_path: Path
) -> None:
    """One row, one chime, and what is put back are the very bytes that were copied."""
    folder = tmp_path / "shots"
    folder.mkdir()
    saved, copied = (pictures.png(compress_level=level) for level in (1, 9))
    watched = watch(watch={"folders": [str(folder)]})
    watched.save(folder / "shot.png", saved)
    watched.link()
    desktop.copy_picture(copied)
    eventually(lambda: watched.speakers.heard == [DONE, DONE])
    watched.watcher.put_back()
    assert desktop.content
    assert desktop.content.picture == copied
    watched.copies(lambda: desktop.copy_picture(pictures.png(seed=5, compress_level=9)))
    watched.stands(State.DONE, State.DONE)
    watched.save(folder / "again.png", pictures.png(seed=5, compress_level=1))
    watched.save(folder / "other.png", pictures.png(seed=6))
    watched.stands(State.DONE, State.DONE, State.DONE)
    assert [row.name for row in watched.app.journal.history()] == ["other.png", "image", "shot.png"]


def test_slow_files_do_not_hold_up_what_is_copied(
    watch: Watch, desktop: Desktop, tmp_path: Path
) -> None:
    """While ever so many files are looked at, a copied picture has its link at once."""
    gate, begun = threading.Event(), threading.Semaphore(0)

    def prepare_slowly(data: bytes, name: str, recipe: Recipe) -> Prepared:
        begun.release()
        gate.wait(DEADLINE_S)
        return prepare(data, name, recipe)

    folder = tmp_path / "shots"
    folder.mkdir()
    watched = watch(prepare_bytes=prepare_slowly, watch={"folders": [str(folder)]}, link=URL)
    for number in range(4):
        watched.save(folder / f"{number}.png", pictures.png(seed=number))
    assert begun.acquire(timeout=DEADLINE_S)
    assert begun.acquire(timeout=DEADLINE_S)
    desktop.copy_picture(pictures.png(seed=9))
    watched.link()
    assert watched.states() == [State.DONE]
    gate.set()
    watched.stands(*[State.DONE] * 5)


def test_folders_wait_while_paused(watch: Watch, tmp_path: Path, desktop: Desktop) -> None:
    """Also those that are added to the config meanwhile; what was saved then is left alone."""
    folder = tmp_path / "shots"
    folder.mkdir()
    watched = watch()
    watched.watcher.pause(None)
    write_config(watched.dirs, {"watch": {"folders": [str(folder)]}})
    watched.watcher.wake()
    eventually(lambda: "imghost-folders" in {thread.name for thread in threading.enumerate()})
    watched.save(folder / "secret.png", pictures.png(seed=1))
    watched.watcher.resume(None)
    watched.save(folder / "a.png", pictures.png(seed=2))
    watched.link()
    assert [row.name for row in watched.app.journal.history()] == ["a.png"]


def test_without_a_clipboard_folders_go_on(watch: Watch, tmp_path: Path, desktop: Desktop) -> None:
    """A chime says that the link is in the history; there is nothing to put back."""
    folder = tmp_path / "shots"
    folder.mkdir()
    watched = watch(has_clipboard=False, watch={"folders": [str(folder)]})
    assert watched.watcher.board is None
    watched.save(folder / "a.png", pictures.png())
    eventually(lambda: watched.speakers.heard == [DONE])
    watched.stands(State.DONE)
    with pytest.raises(SourceError):
        watched.watcher.put_back()


# -- changes of the config


def test_the_clipboard_can_be_switched_off_and_on(watch: Watch, desktop: Desktop) -> None:
    """What is there when it is switched on is left alone, as at the start."""
    watched = watch()
    watched.configure(watch={"clipboard": False})
    assert watched.watcher.board is None
    desktop.copy_picture(pictures.png(seed=1))
    watched.configure()
    desktop.copy_picture(pictures.png(seed=2))
    watched.link()
    assert len(watched.states()) == 1


def test_a_link_from_before_replaces_nothing_after_that(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """Nobody knows what was copied while the clipboard was not watched."""
    config = at_bilibili(server) | {"link": URL}
    watched = watch(**config, watch={"draft_after_s": 0})
    server.answers.append(DOWN)
    watched.copies(lambda: desktop.copy_picture(pictures.png()))
    watched.stands(State.QUEUED)
    watched.configure(**config, watch={"clipboard": False})
    watched.configure(**config)
    watched.copies(lambda: desktop.copy_text("text"))
    watched.send_again()
    watched.hears(Topic.LATE)
    assert desktop.text == "text"


def test_format_and_host_count_from_the_next_picture_on(
    watch: Watch, desktop: Desktop, server: FakeBilibili
) -> None:
    """Without a restart."""
    watched = watch()
    watched.configure(link={"format": "html"})
    watched.copies(lambda: desktop.copy_picture(pictures.png(seed=1)))
    assert watched.link().startswith("<img ")
    watched.configure(**at_bilibili(server), link=URL)
    watched.copies(lambda: desktop.copy_picture(pictures.png(seed=2)))
    eventually(lambda: "/bfs/openplatform/" in desktop.text)


def test_folders_can_be_added_and_removed(watch: Watch, desktop: Desktop, tmp_path: Path) -> None:
    """From then on, and until then."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    watched = watch()
    watched.configure(watch={"folders": [str(one)]})
    watched.save(one / "a.png", pictures.png(seed=1))
    watched.stands(State.DONE)
    watched.configure(watch={"folders": [str(two)]})
    watched.save(one / "b.png", pictures.png(seed=2))
    watched.save(two / "c.png", pictures.png(seed=3))
    watched.stands(State.DONE, State.DONE)
    watched.configure()
    watched.save(two / "d.png", pictures.png(seed=4))
    watched.copies(lambda: desktop.copy_picture(pictures.png(seed=5)))
    watched.stands(*[State.DONE] * 3)
    assert [row.name for row in watched.app.journal.history()] == ["image", "c.png", "a.png"]


def test_a_broken_config_is_told_once(watch: Watch, desktop: Desktop) -> None:
    """It is gone on with the former one until it is mended."""
    watched = watch(link=URL)
    path = watched.dirs.config / "config.json"
    write_atomically(path, b"{", path.parent)
    watched.watcher.wake()
    assert "is not JSON" in watched.hears(Topic.PROBLEM)
    desktop.copy_picture(pictures.png())
    assert watched.link().startswith("http")
    assert len(watched.told(Topic.PROBLEM)) == 1
    watched.configure()
    desktop.copy_picture(pictures.png(seed=1))
    eventually(lambda: desktop.text.startswith("![]("))
    write_atomically(path, b"[", path.parent)
    watched.watcher.wake()
    eventually(lambda: len(watched.told(Topic.PROBLEM)) == 2)


# -- the end


def test_it_ends_while_the_clipboard_is_read(watch: Watch, desktop: Desktop) -> None:
    """A program that is slow to answer does not keep it; what it copied is not taken."""
    watched = watch()
    desktop.answers.clear()
    desktop.copy_picture(pictures.png())
    ending = threading.Thread(target=watched.watcher.stop)
    ending.start()
    desktop.answers.set()
    ending.join()
    eventually(lambda: not watched._thread.is_alive())  # noqa: SLF001 - the fake's own
