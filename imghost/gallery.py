"""What the daemon does for its gallery, beside what it does for commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from imghost.app import App
from imghost.backend import Backend
from imghost.choosing import STYLES, Choice, Chooser
from imghost.errors import ConfigError, SourceError, UsageError
from imghost.forget import forget
from imghost.hosts.base import Deletes, KeepsFiles
from imghost.imaging.prepare import Prepared
from imghost.imaging.style import Style
from imghost.keep.wanted import Wanted
from imghost.links import FORMATS
from imghost.login_page import LoginPage
from imghost.models import Found, Message, Record, State
from imghost.pipeline import Pipeline
from imghost.report import held_reason
from imghost.server.asked import UploadRequest
from imghost.server.gallery.asked import BROKEN
from imghost.server.gallery.contents import (
    Bench,
    Chosen,
    Overview,
    Preview,
    Sheet,
    Shown,
    Watched,
)
from imghost.server.wire import Settled

ORIGIN = "gallery"
_NO_STYLE = "@"
_ASKS = Message("may it be sent? So far it is on this computer only")


class Gallery:
    """Each method may be called from several threads; `send` begins to send what is queued."""

    def __init__(
        self, app: App, backend: Backend, chooser: Chooser, send: Callable[[], None]
    ) -> None:
        self._app = app
        self._backend = backend
        self._chooser = chooser
        self._send = send
        self.login = LoginPage(app, chooser.file, send)
        self.pause = backend.pause
        self.resume = backend.resume
        self.discard = backend.discard

    def overview(self, wanted: Wanted) -> Overview:
        """How many uploads there are, and how many of them are wanted; quick, however many."""
        journal = self._app.journal
        counts = {str(state): n for state, n in journal.unsettled().items()}
        waiting = {state: n for state, n in counts.items() if n}
        if broken := journal.count_broken():
            waiting[BROKEN] = broken
        total = journal.total()
        return Overview(total, total if wanted == Wanted() else journal.total(wanted), waiting)

    def page(self, wanted: Wanted, limit: int, *, before: int = 0, after: int = 0) -> Sheet:
        """Uploads with links as configured, before or after an id."""
        found = self._app.journal.page(wanted, limit + 1, before=before, after=after)
        more = len(found) > limit
        kept = found[-limit:] if after else found[:limit]
        shown = tuple(self._shown(self._app.pipeline(), record) for record in kept)
        return Sheet(
            shown,
            has_newer=more if after else bool(before and kept),
            has_older=bool(kept) if after else more,
        )

    def one(self, record_id: int) -> Shown:
        """The upload of this id. Raises UsageError if there is none."""
        return self._shown(self._app.pipeline(), self._app.journal.get(record_id))

    def texts(self, ids: Sequence[int], format_name: str, style: str) -> Mapping[int, str]:
        """The links of these uploads in a format and a style ("@" for none)."""
        pipeline = self._app.checked_pipeline()
        order = pipeline.order(format_name=format_name, style=style)
        records = filter(None, map(self._app.journal.look_up, ids))
        return {record.id: pipeline.text(record, order) for record in records}

    def bench(self, record_id: int, style: str) -> Bench:
        """What a style makes of an upload. Raises ConfigError for what is no style."""
        record = self._app.journal.get(record_id)
        parsed = Style.parse(style)
        pipeline = self._app.checked_pipeline()
        links = {}
        for name in FORMATS:
            with suppress(ConfigError):  # "custom" without a template
                order = pipeline.order(format_name=name, style=str(parsed) or _NO_STYLE)
                links[name] = pipeline.text(record, order)
        size = (record.width_px, record.height_px)
        return Bench(
            parsed,
            *parsed.size(*size),
            is_void=parsed.is_void(*size),
            has_styles=self._has_styles(pipeline, record),
            links={name: text for name, text in links.items() if text},
        )

    def picture(self, record_id: int, *, as_sent: bool) -> Path:
        """The kept original's file, or the one that was sent if that is here. Raises SourceError.

        Whichever is missing, the other one will do.
        """
        record = self._app.journal.get(record_id)
        original, sent = self._app.store.path(record.original), self._sent(record)
        for path in (sent, original) if as_sent else (original, sent):
            if path and path.is_file():
                return path
        raise SourceError("the original of {name} is not here any more", name=record.name)

    def preview(self, data: bytes, name: str, host: str, bucket: str) -> Preview:
        """What would be sent of these bytes; nothing of it is kept."""
        pipeline = self._app.checked_pipeline()
        order = pipeline.order(host, bucket)
        ready = pipeline.ready(Found(ORIGIN, name, lambda: data), order)
        if isinstance(ready.made, Prepared):
            image, notes = ready.made.image, ready.made.notes
            return Preview(order.target, image, notes, len(data), image.data)
        return Preview(order.target, ready.made, ready.made.notes, len(data))

    def upload(self, request: UploadRequest, gone: Event) -> Iterator[Settled]:
        """Upload the inputs, as the commands' `upload` does."""
        return self._backend.upload(request, gone)

    def retry(self, ids: Sequence[int]) -> int:
        """Send what failed, waits or asks."""
        queued = self._backend.retry(ids)
        self._send()
        return queued

    def forget(self, record_id: int, *, at_host: bool) -> None:
        """Erase an upload, its original and its renderings; `at_host`: there, too."""
        forget(self._app, self._app.journal.get(record_id), at_host=at_host)

    def chosen(self) -> Chosen:
        """What counts for the next picture."""
        found = self._chooser.choices()
        named = {style: STYLES.get(style) for style in found.styles}
        return Chosen(
            **{choice.value: value for choice, value in found.chosen.items()},
            hosts=found.hosts,
            buckets=found.buckets,
            formats=found.formats,
            styles=named,
        )

    def choose(self, what: str, value: str) -> None:
        """Have this count from the next picture on: host, bucket, format or style."""
        try:
            choice = Choice(what)
        except ValueError:
            raise UsageError("{what} cannot be chosen; reload the page", what=what) from None
        self._chooser.choose(choice, value)

    def watched(self) -> Watched:
        """What is watched."""
        told = self._backend.watching()
        return Watched(told.state, told.pause_reason, told.changes_at)

    def can_delete(self, host: str) -> bool:
        """Whether the host can be asked to delete a picture, other than a file of our own."""
        try:
            found = self._app.pipeline().hosts(host)
        except ConfigError:  # a host of another version
            return False
        return isinstance(found, Deletes) and not isinstance(found, KeepsFiles)

    def _shown(self, pipeline: Pipeline, record: Record) -> Shown:
        record = pipeline.current(record)
        reason = record.reason
        if record.state is State.ASKING:
            reason = reason or _ASKS
        elif record.state is State.QUEUED:
            reason = reason or held_reason(self._app, record)
        text = pipeline.text(record, pipeline.order()) if record.state is State.DONE else ""
        return Shown(record, text, reason)

    def _has_styles(self, pipeline: Pipeline, record: Record) -> bool:
        try:
            return pipeline.hosts(record.host).limits.styles
        except ConfigError:  # a host of another version
            return False

    def _sent(self, record: Record) -> Path | None:
        try:
            host = self._app.pipeline().hosts(record.host)
        except ConfigError:  # a host of another version
            return None
        if not isinstance(host, KeepsFiles) or not record.key:
            return None
        return host.find(record.bucket, record.key)
