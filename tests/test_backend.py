"""What commands have the daemon do is done, and what it cannot do it says."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from imghost.backend import Backend
from imghost.dirs import Dirs
from imghost.errors import DaemonError, SourceError, UsageError
from imghost.models import Found, State
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from imghost.text import Speaker
from tests.fakes import pictures
from tests.fakes.bilibili import Answer, FakeBilibili
from tests.fakes.clipboards import Desktop
from tests.fakes.program import eventually
from tests.fakes.taking import at_bilibili
from tests.fakes.watched import NO_NOTICES, Watched

SAY = Speaker("en")


@pytest.fixture
def desktop() -> Desktop:
    """A desktop on which nothing was copied."""
    return Desktop()


@pytest.fixture
def watched(dirs: Dirs, desktop: Desktop) -> Iterator[Watched]:
    """It is watched."""
    with closing(Watched(dirs, desktop)) as made:
        yield made


@pytest.fixture
def backend(watched: Watched) -> Backend:
    """The daemon that watches it, as commands meet it."""
    return Backend(watched.app, SAY, lambda: None, watched.watcher)


@pytest.fixture
def server_only(watched: Watched) -> Backend:
    """A daemon that watches nothing."""
    return Backend(watched.app, SAY, lambda: None, None)


def test_it_tells_what_it_does(backend: Backend, watched: Watched, desktop: Desktop) -> None:
    """Watching or paused and why, what was left alone, and what is missing."""
    status: dict[str, Any] = dict(backend.status())
    assert (status["state"], status["paused"]) == ("watching", False)
    assert status["missing"] == [str(NO_NOTICES)]
    watched.copies(lambda: desktop.copy_files("/a.png", are_cut=True))
    status = dict(backend.status())
    (left,) = status["left_alone"]
    assert (left["name"], left["reason"]) == ("clipboard", "the files were cut, not copied")
    backend.pause(30)
    status = dict(backend.status())
    assert (status["state"], status["pause_reason"]) == ("paused", "you paused it")
    assert status["changes_at"]
    backend.resume(None)
    assert backend.watching().state == "watching"


@pytest.mark.parametrize("text", ["{", '{"link": {"format": "custom"}}'])
def test_it_tells_what_it_does_while_the_config_is_wrong(
    backend: Backend, watched: Watched, desktop: Desktop, text: str
) -> None:
    """By the former one as far as it can be, with what is wrong; until that is mended."""
    watched.copies(lambda: desktop.copy_picture(pictures.png()))
    watched.stands(State.DONE)
    (watched.dirs.config / "config.json").write_text(text)
    status: dict[str, Any] = dict(backend.status())
    assert (status["state"], status["host"]) == ("watching", "local")
    assert "JSON" in status["problem"] or "link.template" in status["problem"]
    assert status["last"][0]["text"] == status["last"][0]["url"] != ""
    watched.configure()
    status = dict(backend.status())
    assert status["problem"] == ""
    assert status["last"][0]["text"].startswith("![")


def test_it_tells_why_each_picture_waits(backend: Backend, watched: Watched) -> None:
    """By the host's own words, or by what is known of the host; what asks says how to answer."""
    app = watched.app
    with FakeBilibili() as server:
        watched.configure(**at_bilibili(server))
        app.outbox.stop()  # nothing is tried from here on
        pipeline = app.pipeline()
        for seed, state in enumerate((State.ASKING, State.QUEUED)):
            found = Found("test", "a.png", partial(pictures.png, seed=seed))
            pipeline.accept(found, pipeline.order(), state)

    def reasons() -> list[str]:
        status: dict[str, Any] = dict(backend.status())
        return [row["reason"] for row in status["waiting"]]

    asks = "it asks: imghost retry 1 sends it, imghost history rm 1 discards it"
    assert reasons() == [asks, "its turn comes"]
    app.outbox._gate("bilibili").open_at = math.inf  # noqa: SLF001 - as after failures
    assert reasons()[1] == "bilibili is left in peace for a while"
    app.outbox._gate("bilibili").hold()  # noqa: SLF001 - as by an expired login
    assert reasons()[1] == "bilibili wants you to log in"


def test_a_server_says_that_it_watches_nothing(server_only: Backend) -> None:
    """What needs a watcher is refused with what to do; the rest works."""
    assert server_only.status()["state"] == "serving"
    calls: list[Callable[[], None]] = [
        lambda: server_only.pause(None),
        lambda: server_only.resume(1),
        server_only.put_back,
    ]
    for call in calls:
        with pytest.raises(DaemonError, match="imghost watch"):
            call()
    assert not server_only.copy("text")


def test_texts_and_pictures_are_put_onto_the_clipboard(
    backend: Backend, watched: Watched, desktop: Desktop
) -> None:
    """A command's link, and the picture that a link has replaced."""
    with pytest.raises(SourceError):
        backend.put_back()
    assert backend.copy("a link")
    assert desktop.text == "a link"
    desktop.copy_picture(pictures.png())
    watched.link()
    eventually(lambda: bool(watched.speakers.heard))
    backend.put_back()
    assert desktop.content
    assert desktop.content.picture == pictures.png()


def test_a_clipboard_that_is_gone_takes_no_text(
    backend: Backend, watched: Watched, desktop: Desktop
) -> None:
    """The command hears that, and puts it there itself if it can."""
    desktop.go_away()
    eventually(lambda: watched.board.problem is not None)
    assert not backend.copy("a link")


def test_uploads_are_answered_while_somebody_listens(backend: Backend, watched: Watched) -> None:
    """One answer per input, in their order; who has gone gets no more."""
    inputs = tuple(BytesInput(f"{n}.png", pictures.png(seed=n)) for n in range(3))
    request = UploadRequest(inputs, UploadOptions())
    gone = threading.Event()
    settled = list(backend.upload(request, gone))
    assert [one.record.name for one in settled if one.record] == ["0.png", "1.png", "2.png"]
    gone.set()
    assert len(list(backend.upload(request, gone))) == 1


def test_retry_lifts_what_holds_uploads_back(
    backend: Backend, watched: Watched, desktop: Desktop
) -> None:
    """The named rows are queued, but for one that was just sent; one that is not there is named."""
    with FakeBilibili() as server:
        watched.configure(**at_bilibili(server))
        server.answers.append(Answer(-400, "no"))
        desktop.copy_picture(pictures.png())
        watched.stands(State.FAILED)
        (record,) = watched.app.journal.history()
        assert backend.retry([record.id]) == 1
        watched.senders.send_queued()
        watched.stands(State.DONE)
        assert backend.retry([record.id]) == 0
        with pytest.raises(UsageError, match="no upload with the id 99"):
            backend.retry([99])
