"""What the user lets go of: whole uploads, or old originals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from imghost.app import App
from imghost.errors import ConfigError, HostRefused, UsageError
from imghost.hosts.base import Deletes, KeepsFiles
from imghost.keep.learning import IMPORTED
from imghost.keep.recovery import RECOVERED
from imghost.models import EXTENSIONS, Alive, Record, State, Stored
from imghost.pipeline import DRAFT_BUCKET, DRAFT_HOST
from imghost.posts.recorded import Recorded
from imghost.posts.remembered import links_in_use
from imghost.server.shelf import Shelf

ASK_S = 86_400.0


def forget(app: App, record: Record, *, at_host: bool) -> None:
    """Erase a row, its originals, its renderings, and the embedded host's file.

    `at_host` asks the host first to delete it there too. Raises HostError, and then nothing was
    erased; ConfigError if that host is not set up; UsageError while it is being sent.
    """
    if record.state is State.UPLOADING:
        raise UsageError("{id} is being sent just now; try again when it has ended", id=record.id)
    if record.state is State.DONE:
        _delete(app, record, at_host=at_host)
    _forget_draft(app, record)
    originals = app.journal.originals_of(record.id)
    if not app.journal.erase(record.id, app.store.erase):
        raise UsageError("{id} is being sent just now; try again when it has ended", id=record.id)
    for original in originals:
        if app.journal.slips(original):
            app.store.write_slips(original, app.journal.slips)
    app.store.drop_outgoing(record.sha256)
    shelf = Shelf(app.dirs.renderings, app.config.server.cache_bytes)
    for drawn in filter(None, (record.sha1, *originals)):
        shelf.forget(drawn)


def _delete(app: App, record: Record, *, at_host: bool) -> None:
    try:
        host = app.pipeline().hosts(record.host)
    except ConfigError:  # a host of another version, or without its settings
        if at_host:
            raise
        return
    if not (at_host or isinstance(host, KeepsFiles)):
        return
    if not isinstance(host, Deletes):
        raise HostRefused(
            "{host} cannot delete images; without --host it is forgotten here only",
            host=record.host,
        )
    stored = Stored(record.host, record.bucket, record.key, record.url, record.size_bytes)
    host.delete(stored)


def forget_unanswered(app: App, now: float) -> None:
    """Erase what was found by itself and has asked for a day without an answer.

    Originals that were recovered or imported ask for as long as it takes: nobody saw them being
    found.
    """
    for record in app.journal.in_states(State.ASKING):
        if record.origin not in (RECOVERED, IMPORTED) and now - record.created_at > ASK_S:
            forget(app, record, at_host=False)


def _forget_draft(app: App, record: Record) -> None:
    """Delete the file that stood in for the link until there was one."""
    host = app.pipeline().hosts(DRAFT_HOST)
    if record.host != DRAFT_HOST and record.format and isinstance(host, Deletes):
        key = f"{record.sha1}.{EXTENSIONS[record.format]}"
        host.delete(Stored(DRAFT_HOST, DRAFT_BUCKET, key, "", record.size_bytes))


def prunable(app: App, older_than_s: float, *, use_all: bool) -> dict[str, int]:
    """The originals older than this that nothing needs any more, each with its bytes.

    Never those of rows that are not settled. Those of links that are dead or suspect stay too, as
    the only copy that is left, those of links in known posts, and copies of what others host,
    unless `use_all`.
    """
    before = time.time() - older_than_s
    needs = _needed_by(app, use_all=use_all)
    return {
        original: app.store.original_bytes(original)
        for original in app.store.hashes()
        if _is_old(app, original, before)
        and not any(map(needs, app.journal.records_of(original)))
        and (use_all or not app.journal.is_copy(original))
    }


def prune(app: App, originals: Mapping[str, int], *, use_all: bool) -> dict[str, int]:
    """Erase these originals, but for those that something needs by now; those that went.

    Their rows and links stay.
    """
    needs = _needed_by(app, use_all=use_all)
    return {
        original: size_bytes
        for original, size_bytes in originals.items()
        if app.journal.release(original, needs, app.store.erase, with_copies=use_all)
    }


def _is_old(app: App, original: str, before: float) -> bool:
    times = [record.created_at for record in app.journal.records_of(original)]
    return max(times, default=app.store.kept_at(original)) < before


def _needed_by(app: App, *, use_all: bool) -> Callable[[Record], bool]:
    """Whether a row needs its original."""
    links = set() if use_all else links_in_use(app.dirs.posts)
    recorded = Recorded(app.journal, links)
    used = {record.id for link in links for record in recorded.of(link)}

    def needs(record: Record) -> bool:
        is_lost = record.alive in (Alive.DEAD, Alive.SUSPECT) and not use_all
        return record.state is not State.DONE or is_lost or record.id in used

    return needs
