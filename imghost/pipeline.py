"""The way of an image: found, checked, made to fit, on the disk, at its host, a link."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field, replace

from imghost.config import Config
from imghost.errors import ConfigError, MachineError
from imghost.hosts.base import Host, KeepsFiles
from imghost.imaging.check import NAMELESS, safe_name
from imghost.imaging.prepare import Prepare, Prepared, Recipe, style_of
from imghost.keep.journal import Entry, Journal
from imghost.keep.store import Store
from imghost.links import Link, alt_text, check_format, is_web_address, render_link, styled
from imghost.models import Alive, Found, Image, Message, Record, State, Target
from imghost.values import dataclass

FRESH_S = 86_400.0
DRAFT_HOST, DRAFT_BUCKET = "local", "drafts"


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for an image: where it goes, and how its link is written.

    `style` is None for the configured one, which is not put on animations.
    """

    target: Target
    format: str
    style: str | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """An image that can be accepted: its bytes, their hash, and what is made of them.

    That is what would be sent, or the row of the same bytes that went the same way before.
    """

    found: Found
    target: Target
    data: bytes = field(repr=False)
    original: str
    recipe: str
    made: Prepared | Record


@dataclass(frozen=True, slots=True)
class Accepted:
    """An image that is safe: its row, and the bytes to send if the row is new and the caller's.

    `name` and `notes` are of this very image, whose row may be another's. `known`: it went the same
    way before, and was not even looked at again.
    """

    record: Record
    name: str
    image: Image | None = None
    notes: tuple[Message, ...] = ()
    known: bool = False


class Pipeline:
    """The steps, with one config and its hosts; safe from several threads at once.

    `hosts` gives an open host by its name. `prepare` turns bytes into what is sent, here or in a
    child process. `look` says whether a record's link works. `owner` is the sender's id in the
    journal.
    """

    def __init__(
        self,
        config: Config,
        hosts: Callable[[str], Host],
        store: Store,
        journal: Journal,
        prepare: Prepare,
        look: Callable[[Record], Alive],
        owner: str,
    ) -> None:
        self.config = config
        self.hosts = hosts
        self._store = store
        self._journal = journal
        self._prepare = prepare
        self._look = look
        self._owner = owner

    def order(
        self, host: str = "", bucket: str = "", format_name: str = "", style: str = ""
    ) -> Order:
        """What the user asks for; "" is as configured, "@" is no style. Raises ConfigError."""
        format_name = format_name or self.config.link.format
        check_format(format_name, self.config.link.template)
        return Order(self.config.target(host, bucket), format_name, _canonical(style))

    def accept(
        self, found: Found, order: Order, state: State, prepare: Prepare | None = None
    ) -> Accepted:
        """Have the image on the disk and in the journal; `prepare` as `ready` takes it.

        A new row starts in `state`, and is ours if that is uploading. Raises SourceError,
        ImageError or MachineError, and then nothing was accepted.
        """
        return self.keep(self.ready(found, order, prepare), state)

    def ready(self, found: Found, order: Order, prepare: Prepare | None = None) -> Ready:
        """Load it and make what is sent, by `prepare` if given. Raises SourceError, ImageError."""
        data = found.load()
        original = hashlib.sha256(data).hexdigest()
        recipe = self._recipe(order)
        key = recipe.key()
        make = prepare or self._prepare
        made = self._journal.find(original, order.target, key) or make(data, found.name, recipe)
        return Ready(found, order.target, data, original, key, made)

    def find(self, original: str, order: Order) -> Record | None:
        """The row of these bytes if they went the same way before, however that ended."""
        return self._journal.find(original, order.target, self._recipe(order).key())

    def keep(self, ready: Ready, state: State) -> Accepted:
        """Have an image that is ready on the disk and in the journal, as `accept` does."""
        made, original, data = ready.made, ready.original, ready.data
        self._store.keep(original, data)
        if isinstance(made, Record):
            return Accepted(made, safe_name(ready.found.name), notes=made.notes, known=True)
        image, notes = made.image, made.notes
        entry = Entry(original, image, ready.recipe, ready.target, ready.found.origin, notes)
        record, is_new = self._journal.accept(entry, state, self._owner)
        if not self._store.path(original).exists():  # pruned before the row said who needs it
            self._store.keep(original, data)
        if is_new and image.sha256 != original:
            self._store.keep_outgoing(image.sha256, image.data)
        self._write_slips(record)
        return Accepted(record, image.name, image if is_new else None, notes)

    def join(self, ready: Ready, record: Record) -> Accepted | None:
        """Have the bytes of a row's picture on the disk, as they were found a second time.

        None if the row is gone. Raises MachineError.
        """
        self._store.keep(ready.original, ready.data)
        if not self._journal.join(ready.original, ready.recipe, record.id):
            return None
        self._write_slips(record)
        return Accepted(record, record.name, known=True)

    def to_send(self, record: Record) -> tuple[Record, Image | None]:
        """A claimed row and what is to be sent for it; None if it is another sender's, after all.

        Raises ImageError or MachineError if the image cannot be had.
        """
        if image := self._kept_image(record):
            return record, image
        original = self._store.read(record.original)
        order = Order(record.target, "", style_of(record.notes) if record.format else None)
        made = self._prepare(original, record.name, self._recipe(order))
        image, is_ours = made.image, True
        if image.sha256 != record.sha256 or not record.format:
            record, is_ours = self._journal.replace_image(record.id, self._owner, image, made.notes)
        return record, image if is_ours else None

    def send(self, record: Record, image: Image, answered: Callable[[], None]) -> Record:
        """Try once to bring a claimed row's image to its host; the finished row.

        A row that is not finished then is another sender's, as it turned out. `answered` is called
        once the host has the image, before that is written down.

        Raises HostError as the host does, MachineError.
        """
        stored = self.hosts(record.host).upload(image, record.bucket)
        answered()
        done = self._journal.done(record.id, self._owner, stored)
        self._store.drop_outgoing(record.sha256)
        self._write_slips(done)
        return done

    def draft(self, record: Record, order: Order) -> str:
        """A link by the embedded host to what is to be sent elsewhere; "" if that is not at hand.

        Raises HostError, MachineError.
        """
        image = self._kept_image(record)
        if image is None:
            return ""
        stored = self.hosts(DRAFT_HOST).upload(image, DRAFT_BUCKET)
        shown = replace(record, host=stored.host, bucket=stored.bucket, key=stored.key)
        return self.text(replace(shown, url=stored.url), order)

    def works(self, record: Record) -> bool:
        """Whether a finished row's link may be given out again."""
        if record.state is not State.DONE or record.alive in (Alive.DEAD, Alive.SUSPECT):
            return False
        at_hand = isinstance(self.hosts(record.host), KeepsFiles)
        if not at_hand and time.time() - record.seen_at < FRESH_S:
            return True
        alive = self._look(record)
        self._journal.mark(record.id, alive)
        return alive is Alive.ALIVE

    def settle(self, record: Record, state: State, reason: Message | None) -> Record:
        """Note how a claimed row's try ended when it did not end in a link."""
        if state is State.FAILED and reason is not None:
            settled = self._journal.fail(record.id, self._owner, reason)
            self._store.drop_outgoing(record.sha256)
        else:
            settled = self._journal.give_back(record.id, self._owner, reason)
        self._write_slips(settled)
        return settled

    def told(self, record: Record, accepted: Accepted) -> Record:
        """The row as whoever gave this image in should hear of it: by its name, with its notes."""
        added = record.notes[len(accepted.record.notes) :]
        return replace(self.current(record), name=accepted.name, notes=accepted.notes + added)

    def current(self, record: Record) -> Record:
        """The row with its link as it is now: those of files move with their server."""
        try:
            host = self.hosts(record.host)
        except ConfigError:  # a host of another version
            return record
        if record.key and isinstance(host, KeepsFiles):
            return replace(record, url=host.link(record.bucket, record.key))
        return record

    def text(self, record: Record, order: Order) -> str:
        """The link to paste; empty until there is one that can be used."""
        record = self.current(record)
        if not is_web_address(record.url):
            return ""
        style = self._link_style(record, order)
        date = time.strftime("%Y-%m-%d", time.localtime(record.created_at))
        link = Link(
            url=styled(record.url, style),
            original=record.url,
            alt="",
            name="" if record.name == NAMELESS else record.name,
            width_px=record.width_px,
            height_px=record.height_px,
            host=record.host,
            bucket=record.bucket,
            sha1=record.sha1,
            date=date,
        )
        link = replace(link, alt=alt_text(link, self.config.link.alt))
        return render_link(link, order.format, self.config.link.template)

    def _recipe(self, order: Order) -> Recipe:
        config, limits = self.config, self.hosts(order.target.host).limits
        style = config.link.style if order.style is None else order.style
        drawn = "" if limits.styles else style
        return Recipe(config.limits, limits, config.convert, drawn, order.style is None)

    def _link_style(self, record: Record, order: Order) -> str:
        try:
            styles = self.hosts(record.host).limits.styles
        except ConfigError:  # a host of another version
            styles = False
        if not styles:
            return ""
        if order.style is None:
            return "" if record.frames > 1 else self.config.link.style
        return order.style

    def _kept_image(self, record: Record) -> Image | None:
        if not record.format:  # its record was lost: nobody knows what it is
            return None
        data = self._store.read_outgoing(record.sha256)
        if data is None and record.sha256 == record.original:
            data = self._store.read(record.original)
        if data is None:
            return None
        return Image(  # the hash says that these are the bytes that were checked
            data,
            record.format,
            record.width_px,
            record.height_px,
            record.frames,
            record.sha256,
            record.name,
        )

    def _write_slips(self, record: Record) -> None:
        """Note the row beside its originals; that this fails now is no reason to leave the row."""
        with suppress(MachineError):
            for original in self._journal.originals_of(record.id):
                self._store.write_slips(original, self._journal.slips)


def _canonical(style: str) -> str | None:
    if not style:
        return None
    from imghost.imaging.style import Style

    return str(Style.parse(style))
