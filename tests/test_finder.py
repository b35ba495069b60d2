"""Of what was copied or saved the pictures are found, and where they are to go."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from imghost.clipboard import CUT, NOT_HANDED_OVER, TOO_LARGE, WITH_TEXT, Held
from imghost.dirs import Dirs
from imghost.errors import ConfigError
from imghost.models import State
from imghost.watch.telling import Topic
from tests.fakes import bilibili, pictures
from tests.fakes.taking import Taking, at_bilibili, write_config

Begin = Callable[..., Taking]


@pytest.fixture
def begin(dirs: Dirs) -> Iterator[Begin]:
    """Begins with a config."""
    with ExitStack() as stack:
        yield lambda **sections: stack.enter_context(closing(Taking(dirs, **sections)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that may be watched."""
    path = tmp_path / "pictures"
    path.mkdir()
    return path


def write(folder: Path, count: int) -> list[Path]:
    """So many pictures, the last in the alphabet first."""
    paths = [folder / f"{n:03}.png" for n in range(count, 0, -1)]
    for n, path in enumerate(paths):
        path.write_bytes(pictures.png(16, 16, seed=n))
    return paths


def names(taking: Taking) -> list[str]:
    """Whose links were given, line by line, as their alt texts say."""
    return [text[2:].partition("]")[0] for texts in taking.texts() for text in texts]


def test_a_copied_picture_is_found(begin: Begin) -> None:
    """It goes where the config says, and its link is written as that says."""
    taking = begin(link={"format": "url", "style": "@32w"})
    taking.copied(pictures.png(), copies=3)
    (record,) = taking.records()
    assert (record.origin, record.host, record.bucket) == ("clipboard", "local", "images")
    (links,) = taking.links
    assert links.texts == (record.url + "@32w",)
    assert (links.origin.source, links.origin.copies) == ("clipboard", 3)


def test_copied_files_give_a_line_each_in_their_order(begin: Begin, folder: Path) -> None:
    """As they were copied, not by name; what is no picture is passed over."""
    taking = begin()
    first, second, third = write(folder, 3)
    (folder / "a.txt").write_text("text")
    (folder / "b").mkdir()
    (folder / "odd").write_bytes(pictures.png(seed=9))
    taking.copied(first, folder / "a.txt", third, folder / "b", folder / "odd", second)
    assert names(taking) == ["003", "001", "odd", "002"]
    assert len(taking.links) == 1
    taking.copied(folder / "a.txt", copies=2)
    assert len(taking.links) == 1
    assert taking.told(Topic.REFUSED) == []


def test_too_many_files_are_asked_about(begin: Begin, folder: Path) -> None:
    """One notice with number and destination; nothing is sent but what is wanted, one by one."""
    with bilibili.FakeBilibili() as server:
        taking = begin(**at_bilibili(server), watch={"max_files": 2})
        taking.copied(*write(folder, 3))
        assert taking.states() == [State.ASKING] * 3
        (told,) = taking.told(Topic.ASKING)
        assert told.startswith("3 copied pictures would go to bilibili/openplatform;")
        assert told.endswith("imghost retry ID sends one")
        taking.app.retry([taking.records()[1].id])
        taking.senders.send_queued()
        assert taking.states() == [State.ASKING, State.DONE, State.ASKING]
        assert len(server.uploads) == 1


def test_of_too_many_files_a_known_one_waits_for_the_others(begin: Begin, folder: Path) -> None:
    """The files stay on the clipboard until somebody answers; then its link comes with the rest."""
    taking = begin(watch={"max_files": 2})
    paths = write(folder, 3)
    taking.copied(paths[1])
    taking.copied(*paths, copies=2)
    taking.after(20.0)
    assert names(taking) == ["002"]
    taking.app.retry([taking.records()[1].id])
    taking.senders.send_queued()
    taking.after(0.0)
    assert names(taking) == ["002", "003", "002"]


def test_as_many_as_allowed_are_not_asked_about(begin: Begin, folder: Path) -> None:
    """The limit itself is not too many, and a copied picture counts for none."""
    taking = begin(watch={"max_files": 2})
    taking.copied(*write(folder, 2))
    assert taking.states() == [State.DONE] * 2
    taking.configure(watch={"max_files": 0})
    taking.copied(pictures.png(seed=50))
    assert taking.states() == [State.DONE] * 3


def test_of_very_many_files_the_first_are_asked_about(begin: Begin, folder: Path) -> None:
    """A hundred; that there are more stands in the status."""
    taking = begin()
    taking.copied(*write(folder, 103))
    assert taking.states() == [State.ASKING] * 100
    (left,) = taking.left_alone()
    assert left[0] == "003.png"
    assert "it and 2 more" in left[1]


def test_everything_is_asked_about_if_the_user_wants_that(begin: Begin, folder: Path) -> None:
    """Copied or saved, with watch.ask nothing is sent by itself."""
    taking = begin(watch={"ask": True, "folders": [str(folder)]})
    taking.copied(pictures.png(seed=1))
    taking.saved(folder / "a.png", pictures.png(seed=2))
    assert taking.states() == [State.ASKING] * 2
    assert taking.texts() == []


@pytest.mark.parametrize("reason", [CUT, WITH_TEXT, TOO_LARGE, NOT_HANDED_OVER])
def test_what_is_left_alone_says_why(begin: Begin, reason: Any) -> None:
    """In the status; who waits for a link that cannot come is told, too."""
    taking = begin()
    taking.finder.copied(Held(1, reason=reason), 1)
    assert taking.left_alone() == [("clipboard", str(reason))]
    is_told = reason in (TOO_LARGE, NOT_HANDED_OVER)
    assert taking.told(Topic.REFUSED) == [str(reason)] * is_told
    assert taking.records() == []


def test_a_folder_may_have_a_place_and_style_of_its_own(begin: Begin, folder: Path) -> None:
    """What is saved there goes where the folder's config says, and is linked as that says."""
    entry = {"path": str(folder), "bucket": "shots", "style": "@64w"}
    taking = begin(watch={"folders": [entry]}, link={"format": "url", "style": "@32w"})
    taking.saved(folder / "a.png", pictures.png())
    (record,) = taking.records()
    assert (record.origin, record.bucket, record.name) == ("folder", "shots", "a.png")
    assert taking.texts() == [(record.url + "@64w",)]
    assert taking.links[0].origin.source == str(folder)


def test_a_folder_that_is_watched_no_longer_gives_nothing(begin: Begin, folder: Path) -> None:
    """What was found in it before, but not yet handed on, is left alone."""
    taking = begin()
    taking.saved(folder / "a.png", pictures.png())
    assert taking.records() == []


def test_a_full_disk_is_told_once_and_tried_again(begin: Begin, folder: Path, dirs: Dirs) -> None:
    """Saved files are taken when there is room again; until then one notice is enough."""
    taking = begin(watch={"folders": [str(folder)]})
    dirs.originals.parent.mkdir(parents=True, exist_ok=True)
    for times_told in (1, 2):
        dirs.originals.write_text("in the way")
        finds = [
            taking.saved(folder / f"{times_told}{n}.png", pictures.png(seed=10 * times_told + n))
            for n in range(3)
        ]
        taking.later()
        assert len(taking.told(Topic.PROBLEM)) == times_told
        assert taking.told(Topic.PROBLEM)[-1].endswith("check the disk")
        assert taking.left_alone() == []
        problem = str(taking.intake.put_off.problem)
        assert problem.startswith("new files in watched folders wait, and are taken when ")
        dirs.originals.unlink()
        taking.later()
        assert taking.intake.put_off.problem is None
        assert taking.next_s() == math.inf
        assert taking.states() == [State.DONE] * 3 * times_told
        assert finds[0].path.stem in names(taking)
        dirs.originals.rename(dirs.originals.with_name(f"aside{times_told}"))


def test_a_trouble_of_some_files_is_not_over_for_others(
    begin: Begin, folder: Path, dirs: Dirs
) -> None:
    """While one file still cannot be kept, others that can make it no news."""
    taking = begin(watch={"folders": [str(folder)]})
    bad, good = pictures.png(seed=1), pictures.png(seed=2)
    from hashlib import sha256

    place = taking.app.store.path(sha256(bad).hexdigest()).parent
    place.parent.mkdir(parents=True)
    place.write_text("in the way")
    taking.saved(folder / "bad.png", bad)
    taking.saved(folder / "good.png", good)
    taking.later()
    assert taking.states() == [State.DONE]
    (told,) = taking.told(Topic.PROBLEM)
    assert told.endswith("check the disk")
    place.unlink()
    taking.later()
    assert taking.states() == [State.DONE, State.DONE]


def test_a_config_without_a_template_is_told_once(begin: Begin, folder: Path, dirs: Dirs) -> None:
    """Nothing can be linked so: what was copied can be taken later, saved files wait."""
    watch = {"folders": [str(folder)]}
    taking = begin(watch=watch, link={"format": "custom"})
    taking.copied(pictures.png(seed=1))
    taking.saved(folder / "a.png", pictures.png(seed=2))
    taking.later()
    assert taking.records() == []
    (told,) = taking.told(Topic.PROBLEM)
    assert "link.template" in told
    assert taking.left_alone() == [("clipboard", told)]
    (left,) = taking.teller.left_alone.latest()
    assert left.thing == 1
    with pytest.raises(ConfigError):
        taking.finder.copied(Held(1, pictures.png(seed=1)), 1, wanted=True)
    write_config(dirs, {"watch": watch})
    taking.later()
    assert names(taking) == ["a"]
    write_config(dirs, {"watch": watch, "link": {"format": "custom"}})
    taking.copied(pictures.png(seed=3))
    assert len(taking.told(Topic.PROBLEM)) == 2


def test_a_draft_is_shown_while_the_host_is_slow(begin: Begin) -> None:
    """After watch.draft_after_s, and not before; the real link follows."""
    with bilibili.FakeBilibili() as server:
        taking = begin(**at_bilibili(server), link={"format": "url"})
        server.answers.append(bilibili.DOWN)
        taking.copied(pictures.png())
        assert taking.next_s() == 5
        taking.after(4.0)
        assert taking.texts() == []
        taking.after(1.0)
        (draft,) = taking.links
        assert draft.is_draft
        assert "/bfs/drafts/" in draft.texts[0]
        taking.send_again()
        assert not taking.links[1].is_draft
        assert taking.texts()[1] == (taking.records()[0].url,)


def test_no_drafts_where_they_make_no_sense(begin: Begin) -> None:
    """Not at the embedded host, whose links are there at once, and not when switched off."""
    taking = begin()
    taking.copied(pictures.png())
    assert taking.next_s() == math.inf
    with bilibili.FakeBilibili() as server:
        taking.configure(**at_bilibili(server), watch={"draft_after_s": 0})
        taking.copied(pictures.png(seed=1))
        assert taking.next_s() == math.inf
        taking.configure(**at_bilibili(server))
        taking.copied(pictures.png(seed=2))
        taking.later()
    assert [links.is_draft for links in taking.links] == [False] * 3
