"""Taking what was found: from its bytes to a row of the journal, or to the reason why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from imghost.app import App
from imghost.desktop.notify import Button
from imghost.errors import (
    ConfigError,
    DaemonError,
    HostError,
    ImageError,
    ImghostError,
    LoginExpired,
    MachineError,
)
from imghost.forget import forget
from imghost.imaging.strip import METADATA_REMOVED
from imghost.models import Found, Message, Record, State
from imghost.outbox import Outcome
from imghost.pipeline import Accepted, Pipeline, Ready
from imghost.senders import Senders
from imghost.sources.file_find import FileFind
from imghost.sources.folder import Folders
from imghost.watch.bursts import Bursts, Item
from imghost.watch.left_alone import LeftAlones
from imghost.watch.telling import Teller, Topic
from imghost.watch.twins import Twins

_FOLLOWED = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Find:
    """Something to take: where its link belongs, and the watched file that it is, if it is one.

    `asks`: nothing of it is sent before the user says so.
    """

    found: Found
    item: Item
    asks: bool
    file: FileFind | None = None


class Intake:
    """Takes finds, and follows their rows until they are settled; safe from several threads.

    `pixels` gives the digest of an image's pixels. `later` takes a find that this machine cannot
    take now. `changed` is called when a burst may have something to give.
    """

    def __init__(
        self,
        app: App,
        senders: Senders,
        bursts: Bursts,
        teller: Teller,
        left_alone: LeftAlones,
        pixels: Callable[[bytes, str], str],
        later: Callable[[Find], None],
        changed: Callable[[], None],
    ) -> None:
        self._app = app
        self._senders = senders
        self._bursts = bursts
        self._teller = teller
        self._left_alone = left_alone
        self._pixels = pixels
        self._later = later
        self._changed = changed
        self._twins = Twins(self._pixels_of, time.monotonic)
        self.folders: Folders | None = None

    def take(self, find: Find) -> None:
        """Have it accepted and sent; whatever is wrong with it is told."""
        try:
            self._take(find)
        except ImghostError as exc:
            self._refused(find, exc)
        except BaseException:
            self._bursts.drop(find.item)
            raise
        finally:
            self._changed()

    def ended(self, outcome: Outcome) -> None:
        """A try to send a row, found here or not, ended so."""
        record, error = outcome.record, outcome.error
        if record.state is State.DONE:
            self._teller.over(record.host)
            self._linked(record)
        elif record.state is State.FAILED:
            self._unlinked(record)
        elif isinstance(error, HostError) and record.state is State.QUEUED:
            self._waits(record, error)
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

    def draft(self, item: Item) -> None:
        """Show the picture by the embedded host until its own host has answered."""
        if item.is_settled or not item.record_id:
            return
        record = self._app.journal.look_up(item.record_id)
        if record and record.state in (State.QUEUED, State.UPLOADING):
            self._bursts.draft(item, self._app.pipeline().draft(record, item.order))
            self._changed()

    def _take(self, find: Find) -> None:
        pipeline = self._app.pipeline()
        ready = pipeline.ready(find.found, find.item.order)
        is_file = find.file is not None
        if twin := self._twin_of(ready, is_file=is_file):
            log.info("%s is the picture of %d", find.found.name, twin.id)
            self._took(find)
            if is_file:
                self._bursts.drop(find.item)
            else:
                self._await(pipeline, find, Accepted(twin, twin.name, known=True))
            return
        accepted = pipeline.keep(ready, self._state_for(find))
        self._took(find)
        self._twins.note(accepted.record, is_file=is_file)
        self._tell_changes(accepted)
        self._await(pipeline, find, accepted)

    def _state_for(self, find: Find) -> State:
        if find.asks:
            return State.ASKING
        is_free = self._app.outbox.is_free(find.item.order.target.host)
        return State.UPLOADING if is_free else State.QUEUED

    def _await(self, pipeline: Pipeline, find: Find, accepted: Accepted) -> None:
        item, record = find.item, accepted.record
        if record.state is State.DONE and pipeline.works(record):
            self._advise(record)
            self._bursts.settle(item, pipeline.text(pipeline.told(record, accepted), item.order))
            return
        self._bursts.accept(item, record.id)
        if record.state is State.UPLOADING and accepted.image:
            self._senders.send(record, accepted.image)
        elif find.asks:
            self._ask(record, item)
        else:
            self._app.journal.reopen(record.id)
            self._senders.send_queued()

    def _ask(self, record: Record, item: Item) -> None:
        if record.state is not State.ASKING:
            return
        say = self._teller.say
        buttons = (
            Button(say("Upload"), lambda: self._answered(record, wanted=True)),
            Button(say("Discard"), lambda: self._answered(record, wanted=False)),
        )
        self._tell_asking(record, item, buttons)

    def _tell_asking(self, record: Record, item: Item, buttons: tuple[Button, ...]) -> None:
        self._teller.tell(
            Topic.ASKING,
            Message(
                "{name} would go to {host}/{bucket}; imghost retry {id} sends it, "
                "imghost history rm {id} discards it",
                {
                    "name": item.name or record.name,
                    "host": record.host,
                    "bucket": record.bucket,
                    "id": record.id,
                },
            ),
            picture=self._app.store.path(record.original),
            buttons=buttons,
        )

    def _answered(self, record: Record, *, wanted: bool) -> None:
        if wanted:
            self._app.retry([record.id])
        else:
            forget(self._app, self._app.journal.get(record.id), at_host=False)
        self._changed()

    def _refused(self, find: Find, error: ImghostError) -> None:
        self._bursts.drop(find.item)
        if isinstance(error, DaemonError):  # it ends; the file is taken at the next start
            return
        if find.file and self.folders:
            if isinstance(error, MachineError):
                self._teller.tell_once(Topic.PROBLEM, "disk", error.message)
                self._later(find)
                return
            if not isinstance(error, ConfigError) and self.folders.again(find.file):
                return
            self.folders.settled(find.file)
        self._left_alone.add(find.item.name or find.item.burst.origin.source, error.message)
        if isinstance(error, ImageError) or find.file is None:
            self._teller.tell(Topic.REFUSED, error.message)
            self._teller.chime(failed=True)

    def _took(self, find: Find) -> None:
        self._teller.over("disk")
        if find.file and self.folders:
            self.folders.settled(find.file)

    def _linked(self, record: Record) -> None:
        pipeline = self._app.pipeline()
        self._advise(record)
        for item in self._bursts.pending(record.id):
            named = replace(record, name=item.name or record.name)
            self._bursts.settle(item, pipeline.text(named, item.order))

    def _unlinked(self, record: Record) -> None:
        for item in self._bursts.pending(record.id):
            self._bursts.settle(item, "")
        self._teller.chime(failed=True)
        if record.reason:
            self._teller.tell(
                Topic.FAILED,
                Message(
                    "{name}: {reason}; the image is kept, and imghost retry {id} tries it again",
                    {"name": record.name, "reason": record.reason, "id": record.id},
                ),
            )

    def _waits(self, record: Record, error: HostError) -> None:
        topic = Topic.LOGIN if isinstance(error, LoginExpired) else Topic.WAITING
        message = Message(
            "{host}: {reason}; what you copy is kept, and sent when that has passed",
            {"host": record.host, "reason": error.message},
        )
        if self._teller.tell_once(topic, record.host, message):
            self._teller.chime(failed=True)

    def _advise(self, record: Record) -> None:
        advice = self._app.pipeline().hosts(record.host).advice
        if advice and self._app.facts.is_first(f"advice {record.host}"):
            self._teller.tell(Topic.ADVICE, advice)

    def _tell_changes(self, accepted: Accepted) -> None:
        for note in accepted.notes if accepted.image else ():
            if note.template != METADATA_REMOVED.template:
                self._teller.tell(
                    Topic.CHANGED, Message("{name}: {note}", {"name": accepted.name, "note": note})
                )

    def _twin_of(self, ready: Ready, *, is_file: bool) -> Record | None:
        made = ready.made if isinstance(ready.made, Record) else ready.made.image
        record = self._twins.of(
            (made.width_px, made.height_px),
            lambda: self._pixels(ready.data, ready.found.name),
            is_file=is_file,
        )
        return self._app.journal.look_up(record.id) if record else None

    def _pixels_of(self, original: str) -> str:
        return self._pixels(self._app.store.read(original), original)
