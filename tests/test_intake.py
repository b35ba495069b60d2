"""What was found is taken once, told of once if it cannot be, and its link is given in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL.PngImagePlugin import PngInfo

from imghost.clipboard import Held
from imghost.dirs import Dirs
from imghost.errors import HostRefused
from imghost.forget import forget
from imghost.imaging.check import recalled
from imghost.imaging.prepare import Prepared, Recipe, prepare
from imghost.models import Alive, Found, State, Stored
from imghost.outbox import Outcome, sent_elsewhere, sent_later
from imghost.watch.board import RESTORED
from imghost.watch.bursts import Origin
from imghost.watch.fights import TIMES_AT_MOST
from imghost.watch.giving import CLIPBOARD
from imghost.watch.intake import Find
from imghost.watch.telling import Topic
from tests.fakes import pictures
from tests.fakes.bilibili import DOWN, Answer, FakeBilibili
from tests.fakes.taking import Taking, at_bilibili

Begin = Callable[..., Taking]
LAST_TRY = 4
FAILED, DONE = "failed.wav", "done.wav"


@pytest.fixture
def begin(dirs: Dirs) -> Iterator[Begin]:
    """Begins with a config."""
    with ExitStack() as stack:
        yield lambda **sections: stack.enter_context(closing(Taking(dirs, **sections)))


@pytest.fixture
def server() -> Iterator[FakeBilibili]:
    """A Bilibili on loopback."""
    with FakeBilibili() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is watched."""
    path = tmp_path / "pictures"
    path.mkdir()
    return path


def watching(folder: Path, **more: Any) -> dict[str, Any]:
    """The config's section for it."""
    return {"folders": [str(folder)]} | more


# -- pictures that cannot be taken


def test_what_is_no_picture_is_told(begin: Begin) -> None:
    """Copied bytes that cannot be decoded: a notice, a sound, and the reason in the status."""
    taking = begin()
    taking.copied(pictures.png()[:200])
    (told,) = taking.told(Topic.REFUSED)
    assert taking.left_alone() == [("clipboard", told)]
    assert taking.speakers.heard == [FAILED]
    assert taking.records() == []
    assert not taking.is_expected()


def test_a_file_that_is_no_picture_is_told_at_last(begin: Begin, folder: Path) -> None:
    """It is looked at again before that, for whoever writes it may be slow."""
    taking = begin(watch=watching(folder))
    for tries in range(LAST_TRY + 1):
        assert taking.told(Topic.REFUSED) == []
        assert taking.left_alone() == []
        taking.saved(folder / "a.png", b"" if tries else pictures.png()[:200], tries=tries)
    (told,) = taking.told(Topic.REFUSED)
    assert taking.left_alone() == [("a.png", told)]
    assert taking.speakers.heard == [FAILED]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<!doctype html><title>404</title>", "web page"),
        (pictures.png(2000, 1500), "megapixels"),
    ],
)
def test_a_file_that_will_never_be_taken_is_told_at_once(
    begin: Begin, folder: Path, data: bytes, words: str
) -> None:
    """Nobody has to wait for what time does not change."""
    taking = begin(watch=watching(folder), limits={"still_mpix": 1})
    taking.saved(folder / "a.png", data)
    (told,) = taking.told(Topic.REFUSED)
    assert words in told
    assert taking.left_alone() == [("a.png", told)]


def test_a_file_that_went_away_is_not_worth_a_notice(begin: Begin, folder: Path) -> None:
    """That stands in the status only: temporary files come and go."""
    taking = begin(watch=watching(folder))
    find = taking.saved(folder / "a.png", pictures.png()[:200])
    find.path.unlink()
    taking.finder.saved(replace(find, tries=LAST_TRY), 1)
    ((name, reason),) = taking.left_alone()
    assert name == "a.png"
    assert "is gone" in reason
    assert taking.told(Topic.REFUSED) == []


def test_a_copied_file_that_went_away_is_told(begin: Begin, folder: Path) -> None:
    """Who copied it waits for a link."""
    taking = begin()
    taking.copied(folder / "gone.png")
    (told,) = taking.told(Topic.REFUSED)
    assert "there is no file" in told


@pytest.mark.parametrize("is_copied", [True, False])
def test_a_file_that_is_too_large_is_told(begin: Begin, folder: Path, *, is_copied: bool) -> None:
    """With what to do about it, as for any file that is there and cannot be taken."""
    path = folder / "a.png"
    taking = begin(limits={"input_bytes": 100}, watch=watching(folder))
    path.write_bytes(pictures.png())
    if is_copied:
        taking.copied(path)
    else:
        taking.saved(path)
    (told,) = taking.told(Topic.REFUSED)
    assert "raise limits.input_bytes" in told


def test_one_bad_file_holds_up_no_other(begin: Begin, folder: Path) -> None:
    """Of several copied files the good ones are linked."""
    paths = [folder / f"{n}.png" for n in range(3)]
    for n, path in enumerate(paths):
        path.write_bytes(pictures.png(seed=n) if n != 1 else b"\x89PNG\r\n\x1a\n, not really")
    taking = begin()
    taking.copied(*paths)
    (texts,) = taking.texts()
    assert [text[: len("![0]")] for text in texts] == ["![0]", "![2]"]
    assert len(taking.told(Topic.REFUSED)) == 1


def test_a_full_disk_is_told_to_who_copied(begin: Begin, dirs: Dirs) -> None:
    """The picture was not accepted, and a person can copy it again."""
    taking = begin()
    dirs.originals.parent.mkdir(parents=True, exist_ok=True)
    dirs.originals.write_text("in the way")
    taking.copied(pictures.png())
    (told,) = taking.told(Topic.REFUSED)
    assert "could not be written" in told
    assert taking.left_alone() == [("clipboard", told)]
    dirs.originals.unlink()
    taking.copied(pictures.png(), copies=2)
    assert taking.states() == [State.DONE]


def test_files_that_find_no_room_wait_and_that_is_said(begin: Begin, dirs: Dirs) -> None:
    """One notice for all of them, and who asks hears of it until there is room again."""
    taking = begin(watch={"folders": [str(dirs.data / "shots")]})
    dirs.originals.parent.mkdir(parents=True, exist_ok=True)
    dirs.originals.write_text("in the way")
    for seed in range(3):
        taking.saved(dirs.data / "shots" / f"{seed}.png", pictures.png(seed=seed))
    (told,) = taking.told(Topic.PROBLEM)
    assert "could not be written" in told
    assert told == str(taking.intake.put_off.problem)
    dirs.originals.unlink()
    taking.later()
    assert taking.states() == [State.DONE] * 3
    assert taking.intake.put_off.problem is None


@pytest.mark.parametrize("differs", ["text", "bytes"])
def test_who_puts_a_picture_back_for_ever_is_given_in_to(begin: Begin, differs: str) -> None:
    """In other bytes each time it is still the same picture; the user may want it all the same."""
    taking = begin()
    for number in range(9):
        info = PngInfo()
        info.add_text("Date", str(number))
        options = {"pnginfo": info} if differs == "text" else {"compress_level": number}
        encoded = pictures.encoded(pictures.picture(60, 40), "PNG", **options)
        taking.copied(encoded, copies=number)
    assert taking.left_alone() == [("clipboard", str(RESTORED))] * (9 - TIMES_AT_MOST)
    assert len(taking.texts()) == TIMES_AT_MOST
    assert taking.told(Topic.REFUSED) == []
    taking.finder.copied(Held(9, pictures.png(60, 40)), 9, wanted=True)
    assert len(taking.texts()) == TIMES_AT_MOST + 1


def test_many_pictures_of_one_size_are_all_taken(begin: Begin) -> None:
    """Somebody may copy as quickly as they can."""
    taking = begin()
    for number in range(20):
        taking.copied(pictures.png(60, 40, seed=number), copies=number)
    assert taking.left_alone() == []
    assert len(taking.texts()) == 20


def test_a_damaged_journal_is_told_and_handed_on(begin: Begin) -> None:
    """Somebody has to look after it: that is in doubt from then on."""
    taking = begin()
    path = taking.app.dirs.journal
    spoilt = path.with_name("spoilt")
    spoilt.write_bytes(b"no journal at all" * 1000)
    spoilt.replace(path)
    for ending in ("-wal", "-shm"):  # from which it could be read
        path.with_name(path.name + ending).unlink()
    taking.copied(pictures.png())
    assert taking.survive.in_doubt
    (told,) = taking.told(Topic.REFUSED)
    assert "is damaged" in told


def test_a_bug_costs_one_picture(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    """What raises something unexpected is handed on, and nobody waits for its link."""
    taking = begin()

    def fail() -> bytes:
        raise ZeroDivisionError

    order = taking.app.pipeline().order()
    first, second = taking.bursts.add_all(Origin(CLIPBOARD, 1), ["a", "b"], order, 100.0)
    with pytest.raises(ZeroDivisionError):
        taking.intake.take(Find(Found("test", "a", fail), first))
    taking.intake.take(Find(Found("test", "b", pictures.png), second))
    assert len(taking.texts()) == 1


# -- what is said of pictures that were taken


def test_a_change_of_the_picture_is_told(begin: Begin, server: FakeBilibili) -> None:
    """A GIF that becomes a WebP is, once; metadata that was removed is not."""
    taking = begin(**at_bilibili(server))
    taking.copied(pictures.animation())
    (told,) = taking.told(Topic.CHANGED)
    assert "webp" in told.lower()
    taking.copied(pictures.animation(), copies=2)
    taking.copied(pictures.jpeg(comment=b"by me"), copies=3)
    assert any("metadata" in str(note) for note in taking.records()[1].notes)
    assert len(taking.told(Topic.CHANGED)) == 1


def test_what_a_page_needs_is_told_with_the_first_link(
    begin: Begin, server: FakeBilibili, dirs: Dirs
) -> None:
    """Once for each host, ever: not again after a restart."""
    taking = begin()
    for seed in range(3):
        taking.copied(pictures.png(seed=seed), copies=seed)
    (told,) = taking.told(Topic.ADVICE)
    assert "open on this computer only" in told
    taking.configure(**at_bilibili(server))
    taking.copied(pictures.png(), copies=4)
    (_, told) = taking.told(Topic.ADVICE)
    assert "Referer" in told
    taking.close()
    again = begin()
    again.copied(pictures.png(seed=9))
    assert again.texts()
    assert again.told(Topic.ADVICE) == []


def test_advice_waits_for_somebody_to_see_it(begin: Begin) -> None:
    """While notices are off it counts as not told."""
    taking = begin(notify={"enabled": False})
    taking.copied(pictures.png(seed=1))
    assert taking.told(Topic.ADVICE) == []
    taking.configure()
    taking.copied(pictures.png(seed=2), copies=2)
    assert len(taking.told(Topic.ADVICE)) == 1


# -- hosts that do not answer, or say no


def test_an_outage_is_told_once(begin: Begin, server: FakeBilibili) -> None:
    """What was copied meanwhile is kept and sent later; the next outage is news."""
    taking = begin(**at_bilibili(server), link={"format": "url"})
    server.answers.extend([DOWN] * 10)
    taking.copied(pictures.png(seed=1), copies=1)
    taking.copied(pictures.png(seed=2), copies=2)
    taking.send_again()
    assert taking.states() == [State.QUEUED] * 2
    assert len(taking.told(Topic.WAITING)) == 1
    assert taking.speakers.heard == [FAILED]
    assert taking.texts() == []
    server.answers.clear()
    taking.send_again()
    assert taking.states() == [State.DONE] * 2
    assert sorted(links.origin.copies for links in taking.links) == [1, 2]
    server.answers.append(DOWN)
    taking.copied(pictures.png(seed=3), copies=3)
    assert len(taking.told(Topic.WAITING)) == 2


def test_an_expired_login_is_told_once_and_holds(begin: Begin, server: FakeBilibili) -> None:
    """Also beside an outage that was told; rows that are not even tried tell nothing."""
    taking = begin(**at_bilibili(server))
    server.answers.append(DOWN)
    taking.copied(pictures.png(seed=1))
    server.sessdata = "another"
    taking.send_again()
    for seed in range(2, 5):
        taking.copied(pictures.png(seed=seed), copies=seed)
    assert taking.states() == [State.QUEUED] * 4
    assert len(server.uploads) == 2
    assert len(taking.told(Topic.LOGIN)) == 1
    assert len(taking.told(Topic.WAITING)) == 1
    taking.configure(**at_bilibili(server, sessdata="another"))
    taking.app.pipeline()
    taking.senders.send_queued()
    assert taking.states() == [State.DONE] * 4


def test_what_waits_is_told_without_saying_a_name_twice(begin: Begin, server: FakeBilibili) -> None:
    """The host's own words, then what becomes of the pictures; a login is no thing that passes."""
    taking = begin(**at_bilibili(server))
    server.answers.append(Answer(-509, "too fast", headers=DOWN.headers))
    taking.copied(pictures.png(seed=1))
    (told,) = taking.told(Topic.WAITING)
    assert told.startswith("Bilibili ")
    assert told.endswith("; what goes to bilibili is kept, and sent when that has passed")
    server.sessdata = "another"
    taking.send_again()
    (told,) = taking.told(Topic.LOGIN)
    assert told.startswith("Bilibili wants you to log in")
    assert told.endswith("; what goes to bilibili is kept, and sent after that")


def test_a_setting_that_is_gone_is_told_once_and_holds(begin: Begin) -> None:
    """What waits for such a host is kept, and sent when it is written again."""
    section = {"endpoint": "http://127.0.0.1:9", "bucket": "pictures"}
    taking = begin(host="s3", hosts={"s3": section})
    for seed in range(2):
        taking.copied(pictures.png(seed=seed), copies=seed)
    taking.configure(hosts={"s3": section | {"endpoint": ""}})
    taking.send_again()
    taking.send_again()
    assert taking.states() == [State.QUEUED] * 2
    (told,) = taking.told(Topic.PROBLEM)
    assert told.startswith("hosts.s3.endpoint is empty")
    assert told.endswith("; what goes to s3 is kept, and sent after that")
    assert taking.app.outbox.is_held("s3")


@pytest.mark.parametrize("error", [sent_later(), sent_elsewhere()])
def test_what_was_not_tried_is_no_trouble(begin: Begin, error: Any) -> None:
    """A row that went back without a try, or is another sender's, is nothing to tell."""
    taking = begin()
    found = Found("test", "a.png", pictures.png)
    order = taking.app.pipeline().order()
    record = taking.app.pipeline().accept(found, order, State.QUEUED).record
    taking.intake.ended(Outcome(record, error, tried=False))
    assert taking.told(Topic.WAITING) == []
    assert taking.speakers.heard == []


def test_a_refusal_is_told(begin: Begin, server: FakeBilibili) -> None:
    """With a sound, and with how to try it again; no link is waited for any more."""
    taking = begin(**at_bilibili(server))
    server.answers.append(Answer(-400, "no"))
    taking.copied(pictures.png())
    (told,) = taking.told(Topic.FAILED)
    assert "refused" in told
    assert f"imghost retry {taking.records()[0].id}" in told
    assert taking.speakers.heard == [FAILED]
    assert taking.texts() == [()]
    assert not taking.is_expected()


def test_many_failures_are_few_notices(begin: Begin, server: FakeBilibili, folder: Path) -> None:
    """Fifty pictures that are refused together are one notice and one sound."""
    taking = begin(**at_bilibili(server), watch=watching(folder))
    server.answers.extend([Answer(-400, "no")] * 50)
    for n in range(50):
        taking.saved(folder / f"{n}.png", pictures.png(8, 8, seed=n))
    (told,) = taking.told(Topic.FAILED)
    assert told.endswith("(and 49 more)")
    assert taking.speakers.heard == [FAILED]


# -- the same picture again


def test_the_same_picture_again_has_its_link_at_once(
    begin: Begin, server: FakeBilibili, folder: Path
) -> None:
    """Nothing is sent, and the link names it as it was found."""
    taking = begin(**at_bilibili(server))
    (folder / "cat.png").write_bytes(pictures.png())
    taking.copied(pictures.png())
    taking.copied(folder / "cat.png", copies=2)
    assert len(server.uploads) == 1
    ((first,), (second,)) = taking.texts()
    assert second == first.replace("![]", "![cat]")


def test_a_dead_link_is_made_anew(begin: Begin, dirs: Dirs) -> None:
    """If the embedded host's file is gone, the picture is stored again before it is linked."""
    taking = begin()
    taking.copied(pictures.png())
    (file,) = dirs.local.glob("images/*")
    file.unlink()
    taking.copied(pictures.png(), copies=2)
    assert file.exists()
    assert taking.texts()[0] == taking.texts()[1]


@pytest.mark.parametrize("is_file_first", [True, False])
def test_a_screenshot_found_twice_is_one(
    begin: Begin, server: FakeBilibili, folder: Path, *, is_file_first: bool
) -> None:
    """Saved and copied, in either order: one upload, one row, and the clipboard's link."""
    taking = begin(**at_bilibili(server), watch=watching(folder))
    steps: list[Callable[[], object]] = [
        lambda: taking.saved(folder / "shot.png", pictures.png(compress_level=1)),
        lambda: taking.copied(pictures.png(compress_level=9)),
    ]
    for step in steps if is_file_first else steps[::-1]:
        step()
    assert len(server.uploads) == 1
    assert taking.states() == [State.DONE]
    given = [links.origin.source for links in taking.links]
    assert given == ([str(folder), CLIPBOARD] if is_file_first else [CLIPBOARD])
    assert len({texts[0].partition("(")[2] for texts in taking.texts()}) == 1


def test_a_screenshot_whose_link_is_still_to_come_is_one(
    begin: Begin, server: FakeBilibili, folder: Path
) -> None:
    """The link is given once, in the picture's place, and the copied bytes are kept with it."""
    taking = begin(**at_bilibili(server), watch=watching(folder))
    server.answers.append(DOWN)
    taking.saved(folder / "shot.png", pictures.png(compress_level=1))
    taking.copied(pictures.png(compress_level=9))
    taking.send_again()
    (links,) = taking.links
    assert (links.origin.source, len(links.fresh)) == (CLIPBOARD, 1)
    (record,) = taking.records()
    originals = taking.app.journal.originals_of(record.id)
    kept = {taking.app.store.read(original) for original in originals}
    assert kept == {pictures.png(compress_level=1), pictures.png(compress_level=9)}
    forget(taking.app, record, at_host=False)
    assert list(taking.app.store.hashes()) == []


def test_a_screenshot_that_was_discarded_is_found_anew(
    begin: Begin, server: FakeBilibili, folder: Path
) -> None:
    """A row that is gone is nobody's twin."""
    taking = begin(**at_bilibili(server), watch=watching(folder))
    taking.saved(folder / "shot.png", pictures.png(compress_level=1))
    forget(taking.app, taking.records()[0], at_host=False)
    taking.copied(pictures.png(compress_level=9))
    assert taking.states() == [State.DONE]
    assert len(taking.texts()) == 2


def test_a_screenshot_found_twice_at_the_same_moment_is_one(begin: Begin, folder: Path) -> None:
    """Though neither was accepted when the other was looked at."""
    together = threading.Barrier(2, timeout=10)

    def prepare_together(data: bytes, name: str, recipe: Recipe) -> Prepared:
        prepared = prepare(data, name, recipe)
        together.wait()
        return prepared

    taking = begin(prepare_bytes=prepare_together, watch=watching(folder))
    for n in range(1, 6):
        saved, copied = (pictures.png(seed=n, compress_level=level) for level in (1, 9))
        path = folder / f"{n}.png"
        threads = [
            threading.Thread(target=taking.saved, args=(path, saved)),
            threading.Thread(target=taking.copied, args=(copied,)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert taking.states() == [State.DONE] * n


# -- asking


def test_what_is_wanted_is_sent_and_linked(begin: Begin, server: FakeBilibili) -> None:
    """The notice shows the picture and where it would go; its button is enough, and works once."""
    taking = begin(**at_bilibili(server), watch={"ask": True})
    taking.copied(pictures.png())
    (record,) = taking.records()
    (told,) = taking.told(Topic.ASKING)
    assert told.startswith(f"image would go to bilibili/openplatform; imghost retry {record.id} ")
    (notice,) = taking.screen.notices
    assert notice.picture == taking.app.store.path(record.original)
    assert server.uploads == []
    assert taking.is_expected()
    taking.press("Upload")
    assert taking.states() == [State.DONE]
    assert len(taking.texts()) == 1
    taking.press("Discard")
    taking.press("Upload")
    assert taking.states() == [State.DONE]


def test_what_is_not_wanted_is_erased(begin: Begin, server: FakeBilibili) -> None:
    """Row and original are gone, nothing was sent, and nobody waits for a link."""
    taking = begin(**at_bilibili(server), watch={"ask": True})
    taking.copied(pictures.png())
    taking.told(Topic.ASKING)
    taking.press("Discard")
    taking.press("Upload")
    assert taking.records() == []
    assert list(taking.app.store.hashes()) == []
    assert server.uploads == []
    taking.intake.follow()
    assert taking.bursts.pending_ids() == []
    assert not taking.is_expected()


def test_a_screenshot_found_twice_is_asked_about_once(
    begin: Begin, server: FakeBilibili, folder: Path
) -> None:
    """And what is wanted then is linked where it was copied."""
    taking = begin(**at_bilibili(server), watch=watching(folder, ask=True))
    taking.saved(folder / "shot.png", pictures.png(compress_level=1))
    assert len(taking.told(Topic.ASKING)) == 1
    taking.copied(pictures.png(compress_level=9))
    assert len(taking.told(Topic.ASKING)) == 1
    taking.app.retry([taking.records()[0].id])
    taking.senders.send_queued()
    assert [links.origin.source for links in taking.links] == [CLIPBOARD]


@pytest.mark.parametrize("state", [State.FAILED, State.DONE])
def test_what_ended_badly_before_is_not_sent_again_unasked(
    begin: Begin, server: FakeBilibili, state: State
) -> None:
    """A refused picture, or a dead link: with watch.ask it is told how to send it anew."""
    taking = begin(**at_bilibili(server), watch={"ask": True})
    pipeline = taking.app.pipeline()
    found = Found("test", "a.png", pictures.png)
    row = pipeline.accept(found, pipeline.order(), State.UPLOADING).record
    if state is State.FAILED:
        pipeline.settle(row, State.FAILED, HostRefused("it is refused").message)
    else:
        stored = Stored("bilibili", row.bucket, "k", "https://i0.hdslb.com/k", 1)
        taking.app.journal.done(row.id, taking.app.owner.id, stored)
        taking.app.journal.mark(row.id, Alive.DEAD)
    taking.copied(pictures.png())
    taking.intake.follow()
    assert taking.states() == [state]
    assert server.uploads == []
    assert taking.texts() == [()]
    (told,) = taking.told(Topic.FAILED)
    assert f"imghost retry {row.id}" in told


# -- rows that others settle


def test_what_another_process_sent_is_linked(begin: Begin, server: FakeBilibili) -> None:
    """A row that was sent, given up or erased elsewhere is waited for no longer."""
    taking = begin(**at_bilibili(server), link={"format": "url"})
    server.answers.extend([DOWN] * 10)
    for seed in range(3):
        taking.copied(pictures.png(seed=seed), copies=seed)
    journal = taking.app.journal
    sent, failed, erased = taking.records()
    journal.claim(sent.id, "another")
    stored = Stored("bilibili", sent.bucket, "k", "https://i0.hdslb.com/k.png", 1)
    journal.done(sent.id, "another", stored)
    journal.claim(failed.id, "another")
    journal.fail(failed.id, "another", HostRefused("it is refused").message)
    forget(taking.app, erased, at_host=False)
    taking.intake.follow()
    taking.after(0.0)
    assert [texts for texts in taking.texts() if texts] == [(stored.url,)]
    assert taking.bursts.pending_ids() == []
    assert len(taking.told(Topic.FAILED)) == 1


def test_what_is_sent_just_now_is_not_sent_again(
    begin: Begin, server: FakeBilibili, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture found again while it is on its way gets that link, also if it arrives meanwhile."""
    taking = begin(**at_bilibili(server), link={"format": "url"})
    app = taking.app
    pipeline, keep = app.pipeline(), app.store.keep
    found = Found("test", "a.png", pictures.png)
    row = pipeline.accept(found, pipeline.order(), State.UPLOADING).record
    stored = Stored("bilibili", row.bucket, "k", "https://i0.hdslb.com/k.png", 1)

    def arrived(sha256: str, data: bytes) -> None:
        app.journal.done(row.id, app.owner.id, stored)
        keep(sha256, data)

    monkeypatch.setattr(app.store, "keep", arrived)
    taking.copied(pictures.png())
    taking.intake.follow()
    taking.after(0.0)
    assert server.uploads == []
    assert [texts for texts in taking.texts() if texts] == [(stored.url,)]


def test_a_link_that_cannot_be_written_holds_up_nobody(begin: Begin, server: FakeBilibili) -> None:
    """If the template is gone by then, that is told, and the link is in the history."""
    template = {"format": "custom", "template": "<{url}>"}
    taking = begin(**at_bilibili(server), link=template)
    server.answers.append(DOWN)
    taking.copied(pictures.png())
    taking.configure(**at_bilibili(server), link={"format": "custom"})
    taking.send_again()
    assert taking.states() == [State.DONE]
    assert taking.texts() == [()]
    assert len(taking.told(Topic.PROBLEM)) == 1


def test_what_an_earlier_run_found_is_told_when_it_is_sent(
    begin: Begin, server: FakeBilibili
) -> None:
    """In one notice, for nobody waits for those links any more; what a command gave in is not."""
    taking = begin(**at_bilibili(server))
    server.answers.extend([DOWN] * 10)
    for seed in range(2):
        taking.copied(pictures.png(seed=seed), copies=seed)
    pipeline = taking.app.pipeline()
    found = Found("command", "c.png", lambda: pictures.png(seed=9))
    pipeline.accept(found, pipeline.order(), State.QUEUED)
    taking.close()
    again = begin(**at_bilibili(server))
    server.answers.clear()
    again.copied(pictures.png(seed=5))
    again.send_again()
    assert again.states() == [State.DONE] * 4
    (told,) = again.told(Topic.SENT)
    assert told.startswith("image, from before imghost started; imghost history has the link")
    assert told.endswith("(and 1 more)")
    assert again.told(Topic.LATE) == []


# -- drafts


def test_a_draft_is_written_like_the_link(begin: Begin, server: FakeBilibili, folder: Path) -> None:
    """By the name under which the picture was found, and of the bytes that will be sent."""
    taking = begin(**at_bilibili(server))
    server.answers.extend([DOWN] * 10)
    (folder / "film.gif").write_bytes(pictures.animation())
    taking.copied(pictures.animation())
    taking.copied(folder / "film.gif", copies=2)
    taking.after(5.0)
    ((nameless,), (draft,)) = taking.texts()
    assert draft.startswith("![film](http://127.0.0.1:36677/bfs/drafts/")
    assert nameless == draft.replace("film", "")
    (path,) = taking.dirs.local.glob("drafts/*")
    assert recalled(path.read_bytes(), "a").frames == 4


def test_nothing_is_drafted_of_what_asks(begin: Begin, server: FakeBilibili, dirs: Dirs) -> None:
    """Nor of what is done, gone, or not at hand."""
    taking = begin(**at_bilibili(server), watch={"ask": True})
    taking.copied(pictures.png())
    taking.later()
    taking.configure(**at_bilibili(server))
    server.answers.append(DOWN)
    taking.copied(pictures.animation(), copies=2)
    taking.app.store.drop_outgoing(taking.records()[1].sha256)
    taking.later()
    assert list(dirs.local.glob("drafts/*")) == []
    assert taking.texts() == []
    taking.send_again()
    assert [len(texts) for texts in taking.texts()] == [1]
