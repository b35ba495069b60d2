"""What the user lets go of is gone, and nothing else is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial

import pytest

from imghost.app import App
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.errors import ConfigError, HostRefused, UsageError
from imghost.forget import ASK_S, forget, forget_unanswered, prunable, prune
from imghost.keep.learning import IMPORTED
from imghost.models import Alive, Found, State
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from tests.fakes import pictures

YEAR_S = 31_536_000.0


@pytest.fixture
def app(dirs: Dirs) -> Iterator[App]:
    """A process with an empty home."""
    file = ConfigFile(dirs.config / "config.json", {})
    with App(dirs, file, file.load(), base_url="http://127.0.0.1:36677") as made:
        yield made


def _upload(app: App, seed: int, bucket: str = "") -> int:
    request = UploadRequest(
        (BytesInput("a.png", pictures.png(seed=seed)),), UploadOptions(bucket=bucket)
    )
    (settled,) = app.upload(request)
    assert settled.record
    return settled.record.id


def test_a_shared_original_stays_with_what_is_known_of_the_rest(app: App) -> None:
    """Forgetting one of two uploads leaves the original, with a slip of the other alone."""
    one, two = _upload(app, 1), _upload(app, 1, bucket="blog")
    original = app.journal.get(one).original
    forget(app, app.journal.get(one), at_host=False)
    assert app.store.read(original)
    assert [slip["id"] for slip in app.store.read_slips(original)] == [two]
    forget(app, app.journal.get(two), at_host=False)
    assert list(app.store.hashes()) == []
    assert list(app.dirs.local.glob("*/*")) == []


def test_what_is_being_sent_is_not_forgotten(app: App) -> None:
    """A row on its way cannot be taken from under its sender."""
    record = app.journal.get(_upload(app, 1))
    app.journal.mark(record.id, Alive.DEAD)
    app.journal.reopen(record.id)
    claimed = app.journal.claim(record.id, "another")
    assert claimed
    for stale in (claimed, record):
        with pytest.raises(UsageError, match="being sent"):
            forget(app, stale, at_host=False)
    assert app.store.read(record.original)


def test_a_host_that_cannot_delete_says_so(app: App) -> None:
    """Asked to delete at a host that has no way to, nothing is forgotten."""
    from dataclasses import replace

    record = replace(app.journal.get(_upload(app, 1)), host="bilibili")
    with pytest.raises(HostRefused, match="cannot delete"):
        forget(app, record, at_host=True)
    assert app.journal.get(record.id).host == "local"


def test_a_host_that_is_not_set_up_any_more(app: App) -> None:
    """What went to a host whose settings are gone can be forgotten here, though not there."""
    from dataclasses import replace

    record = replace(app.journal.get(_upload(app, 1)), host="s3")
    with pytest.raises(ConfigError, match="endpoint is empty"):
        forget(app, record, at_host=True)
    assert app.store.read(record.original)
    forget(app, record, at_host=False)
    assert app.journal.look_up(record.id) is None


def test_only_what_nothing_needs_may_go(app: App) -> None:
    """Old originals of working links may go, of dead ones only with all, unsent ones never."""
    alive, dead, queued = (app.journal.get(_upload(app, n)) for n in (1, 2, 3))
    app.journal.mark(alive.id, Alive.ALIVE)
    app.journal.mark(dead.id, Alive.DEAD)
    app.journal.mark(queued.id, Alive.DEAD)
    app.journal.reopen(queued.id)
    assert prunable(app, YEAR_S, use_all=True) == {}
    found = prunable(app, -1.0, use_all=False)
    assert found == {alive.original: len(pictures.png(seed=1))}
    more = prunable(app, -1.0, use_all=True)
    assert more.keys() == {alive.original, dead.original}
    assert prune(app, more, use_all=False) == found
    assert set(app.store.hashes()) == {dead.original, queued.original}
    assert app.journal.get(alive.id).state is State.DONE


def test_what_was_given_in_meanwhile_is_not_pruned(app: App) -> None:
    """Between the question and the answer a picture may come to be needed: then it stays."""
    record = app.journal.get(_upload(app, 1))
    app.journal.mark(record.id, Alive.ALIVE)
    found = prunable(app, -1.0, use_all=True)
    assert list(found) == [record.original]
    app.journal.mark(record.id, Alive.DEAD)
    app.journal.reopen(record.id)
    assert prune(app, found, use_all=True) == {}
    assert app.store.read(record.original)


def test_an_original_without_a_row_is_as_old_as_its_file(app: App) -> None:
    """What a crash left before it was accepted can be pruned by its age."""
    app.store.keep("a" * 64, b"left over")
    assert prunable(app, 60.0, use_all=False) == {}
    old = time.time() - 120
    os.utime(app.store.path("a" * 64), (old, old))
    assert prunable(app, 60.0, use_all=False) == {"a" * 64: len(b"left over")}


def test_what_was_imported_asks_for_as_long_as_it_takes(app: App) -> None:
    """A day without an answer erases what was found by itself, and not what came by an import."""
    pipeline = app.pipeline()
    for seed, origin in enumerate(("clipboard", IMPORTED)):
        found = Found(origin, "a.png", partial(pictures.png, seed=seed))
        pipeline.accept(found, pipeline.order(), State.ASKING)
    forget_unanswered(app, time.time() + 2 * ASK_S)
    assert [row.origin for row in app.journal.history()] == [IMPORTED]


def test_a_draft_goes_with_its_upload(dirs: Dirs) -> None:
    """What stood in for the link, and what was drawn of it, is erased with the row."""
    path = dirs.config / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"host": "bilibili"}')
    file = ConfigFile(path, {})
    with App(dirs, file, file.load(), base_url="http://127.0.0.1:36677") as app:
        pipeline, data = app.pipeline(), pictures.png()
        order = pipeline.order()
        row = pipeline.accept(Found("test", "a.png", lambda: data), order, State.ASKING).record
        pipeline.draft(row, order)
        drawn = dirs.renderings / f"{row.sha1}@32w.webp"
        drawn.parent.mkdir(parents=True)
        drawn.write_bytes(b"drawn")
        assert len(list(dirs.local.glob("drafts/*"))) == 1
        forget(app, row, at_host=False)
        assert list(dirs.local.glob("*/*")) == []
        assert not drawn.exists()
        assert app.journal.history() == []
