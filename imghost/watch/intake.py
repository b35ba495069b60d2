"""Taking what was found: from its bytes to a row of the journal, or to the reason why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from imghost.app import App
from imghost.errors import (
    ConfigError,
    DaemonError,
    HostError,
    ImageError,
    ImageUnfinished,
    ImghostError,
    JournalDamaged,
    MachineError,
)
from imghost.models import Found, Message, Record, State
from imghost.outbox import Outcome
from imghost.pipeline import Accepted, Pipeline, Ready
from imghost.senders import Senders
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.folder import Folders
from imghost.values import dataclass
from imghost.watch.asking import Asker
from imghost.watch.board import RESTORED
from imghost.watch.bursts import Bursts, Item
from imghost.watch.fights import Fights
from imghost.watch.put_off import PutOff
from imghost.watch.row_news import RowNews
from imghost.watch.same_picture import SamePicture
from imghost.watch.surroundings import Decoding
from imghost.watch.telling import Teller, Topic
from imghost.watch.twins import Twins

_FOLLOWED = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Find:
    """Something to take: where its link belongs, and the watched file that it is, if it is one.

    `asks`: nothing of it is sent before the user says so, which `is_told` already. `is_wanted`: the
    user asked for just this.
    """

    found: Found
    item: Item
    asks: bool = False
    is_told: bool = False
    is_wanted: bool = False
    file: FileFind | None = None


class Intake:
    """Takes finds, and follows their rows until they are settled; safe from several threads.

    `decoding` is for what was copied, and for twins; files wait for their turn at the app's.
    `later` takes a watched file's find that this machine cannot take now. `changed` is called when
    a burst may have something to give.
    """

    def __init__(
        self,
        app: App,
        senders: Senders,
        bursts: Bursts,
        folders: Folders,
        teller: Teller,
        decoding: Decoding,
        later: Callable[[Find], None],
        changed: Callable[[], None],
    ) -> None:
        self._app = app
        self._senders = senders
        self._bursts = bursts
        self._folders = folders
        self._teller = teller
        self._prepare = decoding.prepare
        self._later = later
        self._changed = changed
        self._asker = Asker(app, senders, teller, changed)
        same_picture = SamePicture(decoding.pixels, app.store.read)
        self._twins = Twins(same_picture, time.monotonic)
        self._fights = Fights(same_picture, time.monotonic)
        self.put_off = PutOff(teller)
        self._news = RowNews(app, teller)

    def take(self, find: Find) -> None:
        """Have it accepted and sent; whatever is wrong with it is told.

        Raises JournalDamaged, for somebody to mend it.
        """
        try:
            self._take(find)
        except ImghostError as exc:
            self._refused(find, exc)
            if isinstance(exc, JournalDamaged):
                raise
        except BaseException:
            self._bursts.drop(find.item)
            raise
        finally:
            self._changed()
        if find.item.is_overdue:  # it is accepted by now, whatever becomes of its draft
            self._draft(find.item)

    def ended(self, outcome: Outcome) -> None:
        """A try to send a row, found here or not, ended so."""
        record, error = outcome.record, outcome.error
        is_back = record.state is State.QUEUED and outcome.tried
        if record.state is State.DONE:
            self._news.sent(record, is_awaited=bool(self._bursts.pending(record.id)))
            self._linked(record)
        elif record.state is State.FAILED:
            self._unlinked(record)
        elif is_back and isinstance(error, HostError | ConfigError):
            self._news.waits(record, error)
        self._changed()

    def follow(self) -> None:
        """See what other processes, or the user, made of the rows that are waited for."""
        for record_id in self._bursts.pending_ids()[:_FOLLOWED]:
            record = self._app.journal.look_up(record_id)
            if record is None:
                for item in self._bursts.pending(record_id):
                    self._bursts.drop(item)
            elif record.state is State.DONE:
                self._linked(record)
            elif record.state is State.FAILED:
                self._unlinked(record)

    def heed_answers(self) -> None:
        """Do as the user answered to what was asked."""
        self._asker.heed()

    def overdue(self, item: Item) -> None:
        """Show the picture by the embedded host until its own host has answered."""
        self._bursts.overdue(item)
        if item.record_id:
            self._draft(item)

    def _draft(self, item: Item) -> None:
        if item.is_settled:
            return
        record = self._app.journal.look_up(item.record_id)
        if record and record.state in (State.QUEUED, State.UPLOADING):
            self._bursts.draft(item, self._app.pipeline().draft(_named(record, item), item.order))
            self._changed()

    def _take(self, find: Find) -> None:
        pipeline = self._app.pipeline()
        is_file = find.file is not None
        ready = pipeline.ready(find.found, find.item.order, None if is_file else self._prepare)
        is_bitmap = not find.item.name
        if is_bitmap and not find.is_wanted and self._fights.goes_on(ready):
            self._bursts.drop(find.item)
            self._leave(find, RESTORED, is_told=False)
            return
        with self._twins.sighting(ready, is_file=is_file) as sighting:
            twin_id = self._twins.of(sighting, ready, is_file=is_file)
            joined = self._joined(pipeline, find, ready, twin_id) if twin_id else None
            accepted = joined or pipeline.keep(ready, self._state_for(find))
            sighting.record_id = 0 if joined else accepted.record.id
        self._took(find)
        self._news.changed(accepted)
        if not joined:
            self._await(pipeline, find, accepted)
        elif find.file:
            self._bursts.drop(find.item)
        else:
            self._await(pipeline, replace(find, is_told=True), accepted)

    def _joined(
        self, pipeline: Pipeline, find: Find, ready: Ready, twin_id: int
    ) -> Accepted | None:
        """The row of a picture that was found the other way before; its link is the clipboard's."""
        twin = self._app.journal.look_up(twin_id)
        if twin is None:
            return None
        log.info("%s shows the picture of %d", find.item.name or find.found.origin, twin.id)
        if find.file:
            return Accepted(twin, twin.name, known=True)
        for item in self._bursts.pending(twin.id):
            if item.burst.origin.source != find.item.burst.origin.source:
                self._bursts.drop(item)
        return pipeline.join(ready, twin)

    def _state_for(self, find: Find) -> State:
        if find.asks:
            return State.ASKING
        has_room = self._app.outbox.has_room(find.item.order.target.host)
        return State.UPLOADING if has_room else State.QUEUED

    def _await(self, pipeline: Pipeline, find: Find, accepted: Accepted) -> None:
        item, record = find.item, accepted.record
        if pipeline.works(record):
            self._settle(pipeline, item, record)
            self._news.advise(pipeline, record)
            return
        self._bursts.accept(item, record.id)
        if record.state is State.UPLOADING and accepted.image:
            self._senders.send(record, accepted.image)
        elif not find.asks:
            if record.state not in (State.QUEUED, State.UPLOADING):  # it may be done by now
                self._app.journal.reopen(record.id)
            self._senders.send_queued()
        elif record.state is State.ASKING:
            self._bursts.set_apart(item)
            if not find.is_told:
                self._asker.ask(record, item.name)
        elif record.state in (State.FAILED, State.DONE):  # not sent again without consent
            self._unlinked(record)

    def _refused(self, find: Find, error: ImghostError) -> None:
        self._bursts.drop(find.item)
        if isinstance(error, DaemonError):  # it ends; the file is taken at the next start
            return
        if find.file is None:
            self._leave(find, error.message, is_told=True)
        elif isinstance(error, MachineError):
            self.put_off.add(find.file, error.message)
            self._later(find)
        else:
            self.put_off.drop(find.file)
            is_final = isinstance(error, ImageError) and not isinstance(error, ImageUnfinished)
            if is_final:
                self._folders.settled(find.file)
            if is_final or not self._folders.again(find.file):
                is_there = stamp_of(str(find.file.path)) == find.file.stamp
                self._leave(find, error.message, is_told=is_there)

    def _leave(self, find: Find, reason: Message, *, is_told: bool) -> None:
        name = find.item.name or find.item.burst.origin.source
        self._teller.left_alone.add(name, reason, find, find.found.held_bytes)
        if is_told:
            self._teller.tell(Topic.REFUSED, reason, is_failure=True)

    def _took(self, find: Find) -> None:
        if find.file:
            self._folders.settled(find.file)
        self.put_off.drop(find.file)

    def _linked(self, record: Record) -> None:
        pipeline = self._app.pipeline()
        for item in self._bursts.pending(record.id):
            self._settle(pipeline, item, record)
        self._news.advise(pipeline, record)

    def _settle(self, pipeline: Pipeline, item: Item, record: Record) -> None:
        """Have the link given; one that cannot be written as the config says is in the history."""
        try:
            text = pipeline.text(_named(record, item), item.order)
        except ConfigError as exc:
            self._teller.tell(Topic.PROBLEM, exc.message)
            text = ""
        self._bursts.settle(item, text, record.id)

    def _unlinked(self, record: Record) -> None:
        for item in self._bursts.pending(record.id):
            self._bursts.settle(item, "")
        self._news.failed(record)


def _named(record: Record, item: Item) -> Record:
    """The row by the name under which the picture was found."""
    return replace(record, name=item.name or record.name)
