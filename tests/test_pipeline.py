"""Accepting in two steps, pictures found twice, and drafts of links."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imghost.app import App
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.errors import HostRefused, HostUnavailable, ImageError, SourceError
from imghost.hosts.local import find_file
from imghost.models import Found, Record, State, Stored
from imghost.pipeline import Order, Pipeline
from tests.fakes import pictures
from tests.fakes.taking import write_config

BASE = "http://127.0.0.1:36677"
S3 = {"endpoint": "http://127.0.0.1:9", "bucket": "pictures"}  # it draws no styles itself


@pytest.fixture
def app(dirs: Dirs) -> Iterator[App]:
    """A process whose host is Bilibili, which nobody asks here."""
    path = dirs.config / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"host": "bilibili"}))
    file = ConfigFile(path, {})
    with App(dirs, file, file.load(), base_url=BASE) as made:
        yield made


@pytest.fixture
def pipeline(app: App) -> Pipeline:
    """Its steps."""
    return app.pipeline()


@pytest.fixture
def order(pipeline: Pipeline) -> Order:
    """What is asked for a picture."""
    return pipeline.order("", "", "url", "@")


def found(data: bytes, name: str = "a.png") -> Found:
    """Bytes that somebody came upon."""
    return Found("test", name, lambda: data)


def accepted(pipeline: Pipeline, order: Order, data: bytes) -> Record:
    """A row that is queued."""
    return pipeline.accept(found(data), order, State.QUEUED).record


def path_of(link: str, dirs: Dirs) -> Path | None:
    """The file that the embedded server shows at a link."""
    _, bfs, bucket, name = urlsplit(link).path.split("/")
    assert bfs == "bfs"
    return find_file(dirs.local, bucket, name)


def test_what_is_ready_is_not_yet_accepted(app: App, pipeline: Pipeline, order: Order) -> None:
    """Nothing is on the disk until it is kept; then the original and a row are."""
    data = pictures.png()
    ready = pipeline.ready(found(data), order)
    assert list(app.store.hashes()) == []
    assert app.journal.history() == []
    kept = pipeline.keep(ready, State.ASKING)
    assert app.store.read(ready.original) == data
    assert kept.record.state is State.ASKING
    assert kept.image
    assert app.store.read_slips(ready.original)[0]["id"] == kept.record.id


def test_a_known_picture_is_not_looked_at_again(pipeline: Pipeline, order: Order) -> None:
    """Its row is there at once, whatever its name, and keeps its state."""
    row = accepted(pipeline, order, pictures.png())
    ready = pipeline.ready(found(pictures.png(), "b.png"), order)
    assert ready.made == row
    again = pipeline.keep(ready, State.ASKING)
    assert (again.record, again.name, again.image, again.known) == (row, "b.png", None, True)


def test_what_cannot_be_made_ready_leaves_nothing(
    app: App, pipeline: Pipeline, order: Order
) -> None:
    """Neither bytes that are no picture nor a file that is gone."""

    def gone() -> bytes:
        raise SourceError("it is gone")

    with pytest.raises(ImageError):
        pipeline.ready(found(b"no picture"), order)
    with pytest.raises(SourceError):
        pipeline.ready(Found("test", "a.png", gone), order)
    assert list(app.store.hashes()) == []


def test_the_bytes_of_a_second_find_are_kept_with_the_first(
    app: App, pipeline: Pipeline, order: Order
) -> None:
    """They lead to the same row from then on, and go with it."""
    row = accepted(pipeline, order, pictures.png(compress_level=1))
    data = pictures.png(compress_level=9)
    joined = pipeline.join(pipeline.ready(found(data), order), row)
    assert joined
    assert (joined.record, joined.known) == (row, True)
    ready = pipeline.ready(found(data), order)
    assert ready.made == row
    assert app.store.read(ready.original) == data
    assert len(app.store.read_slips(ready.original)) == 1
    assert app.journal.erase(row.id, app.store.erase)
    assert list(app.store.hashes()) == []
    assert pipeline.join(ready, row) is None


def test_a_draft_shows_the_very_picture(
    app: App, pipeline: Pipeline, order: Order, dirs: Dirs
) -> None:
    """By the embedded host, in its own folder, without changing the row."""
    row = accepted(pipeline, order, pictures.png())
    link = pipeline.draft(row, order)
    path = path_of(link, dirs)
    assert path
    assert path.parent.name == "drafts"
    assert path.read_bytes() == app.store.read(row.original)
    assert link.startswith(BASE)
    assert app.journal.get(row.id) == row


def test_a_draft_of_what_was_converted_shows_that(
    pipeline: Pipeline, order: Order, dirs: Dirs
) -> None:
    """What the host will get is what the draft shows; its link is written as the real one."""
    row = accepted(pipeline, order, pictures.animation())
    assert row.format == "webp"
    link = pipeline.draft(row, Order(order.target, "markdown", "@32w"))
    assert link.endswith(".webp@32w)")
    assert path_of(link[len("![a](") : -len("@32w)")], dirs)


def test_there_may_be_nothing_to_draft(app: App, pipeline: Pipeline, order: Order) -> None:
    """What is not at hand is not made again for a draft."""
    row = accepted(pipeline, order, pictures.animation())
    app.store.drop_outgoing(row.sha256)
    assert pipeline.draft(row, order) == ""


def test_nobody_serves_drafts_without_a_server(app: App, dirs: Dirs, order: Order) -> None:
    """A link that nobody would answer is none."""
    file = ConfigFile(dirs.config / "config.json", {})
    with App(dirs, file, file.load()) as other:
        row = accepted(other.pipeline(), order, pictures.png())
        with pytest.raises(HostUnavailable):
            other.pipeline().draft(row, order)


@pytest.mark.parametrize("style", ["@16w", "@"])
@pytest.mark.parametrize("is_sent", [False, True])
def test_what_is_sent_again_is_drawn_as_it_was(dirs: Dirs, style: str, *, is_sent: bool) -> None:
    """In the style that was asked for, whatever is configured, though it must be made again."""
    configured = {"@16w": "", "@": "@16w"}[style]
    file = write_config(dirs, {"hosts": {"s3": S3}, "link": {"style": configured}})
    with App(dirs, file, file.load()) as app:
        pipeline = app.pipeline()
        order = pipeline.order("s3", style=style)
        picture = found(pictures.jpeg(comment=b"mine"))  # which is taken out
        row = pipeline.accept(picture, order, State.UPLOADING).record
        if is_sent:
            app.journal.done(row.id, app.owner.id, Stored("s3", "pictures", "k", "https://k", 1))
        else:
            pipeline.settle(row, State.FAILED, HostRefused("there is no such bucket").message)
        app.store.drop_outgoing(row.sha256)
        app.journal.reopen(row.id)
        claimed = app.journal.claim(row.id, app.owner.id)
        assert claimed
        sent, image = pipeline.to_send(claimed)
        assert image
        assert (sent.sha256, image.sha256) == (row.sha256, row.sha256)
        assert image.width_px == (16 if style == "@16w" else 64)
