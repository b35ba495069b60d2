"""The wiring of one process: its parts, opened and closed in order."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from imghost.account import Account, account_of
from imghost.config import Config
from imghost.config_file import ConfigFile
from imghost.delivery import Delivery
from imghost.dirs import Dirs
from imghost.errors import ConfigError, ImghostError, MachineError
from imghost.hosts import HOSTS
from imghost.hosts.base import KeepsFiles
from imghost.imaging.prepare import Prepare, few_at_once, prepare
from imghost.in_order import in_order
from imghost.inputs import Fetch, Inputs, fetch_public
from imghost.keep.copies import Copies
from imghost.keep.facts import Facts
from imghost.keep.journal import Journal
from imghost.keep.owner import Owner
from imghost.keep.recovery import JournalFile
from imghost.keep.seen import Seen
from imghost.keep.store import Store
from imghost.models import Alive, Message, Record, State
from imghost.open_hosts import OpenHosts
from imghost.outbox import Outbox
from imghost.pipeline import FRESH_S, Order, Pipeline
from imghost.server.asked import (
    Input,
    UploadedInput,
    UploadOptions,
    UploadRequest,
)
from imghost.server.wire import Failure, Settled
from imghost.sources.off_limits import off_limits

if TYPE_CHECKING:
    from imghost.archive.form import Kept

_SWITCH_S = 0.0005  # whoever waits for a host or a clipboard is not kept waiting by who computes
_LOOK_S = 2.0
_DRAINERS = 4
_AHEAD = 2  # pictures that are made ready while others have their host's slots

log = logging.getLogger(__name__)


class App:
    """What every process that accepts and sends images is made of.

    The config file is looked at before each send: a change takes effect for the next image.
    `base_url` is where the embedded server answers, "" while none does. `prepare_bytes` turns
    bytes into what is sent, here or in a child process; `fetch` gives what others host. `thorough`
    reads the whole journal first. `clock` gives seconds since the epoch. Raises MachineError.
    """

    def __init__(
        self,
        dirs: Dirs,
        file: ConfigFile,
        config: Config,
        *,
        prepare_bytes: Prepare | None = None,
        fetch: Fetch = fetch_public,
        base_url: str = "",
        thorough: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        sys.setswitchinterval(_SWITCH_S)
        self.dirs = dirs
        self.clock = clock
        self.off_limits = off_limits(dirs)
        self.config = config
        self.base_url = base_url
        self._file = file
        self._problem: ConfigError | None = None
        self.prepare = prepare_bytes or few_at_once(prepare)
        self._all_hosts: list[OpenHosts] = []
        self.owner = Owner(dirs.run, dirs.tmp)
        self.store = Store(dirs.originals, dirs.outgoing, self.owner.tmp)
        self._journal_file = JournalFile(dirs.journal, self.store, self.config.target())
        try:
            self._journal_file.open(thorough=thorough)
        except BaseException:
            self.owner.close()
            raise
        self.journal = Journal(self._journal_file.db, clock)
        self.copies = Copies(self._journal_file.db, clock)
        self.facts = Facts(self._journal_file.db)
        self.seen = Seen(self._journal_file.db)
        self._found = Inputs(
            self.store, self.journal, self.copies, dirs.local, self.off_limits, fetch
        )
        self._pipeline = self._piped(self.config)
        self.outbox = Outbox(self.journal, self.pipeline, self.owner.id)
        try:
            self.reap()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Begin nothing more; what is not sent stays queued."""
        self.outbox.stop()
        self.cut()
        with contextlib.suppress(MachineError):  # whoever starts next gives it back
            self.outbox.tidy()
        self.owner.close()
        self._journal_file.close()

    def hurry(self, within_s: float) -> None:
        """Let nothing wait for the journal for longer than so, from now on."""
        self._journal_file.db.lose_patience(within_s)

    def cut(self) -> None:
        """End the tries that were begun; their images stay queued."""
        for hosts in self._all_hosts:
            hosts.close()

    def pipeline(self) -> Pipeline:
        """The pipeline with the config as it is now; while that is wrong, with the former one."""
        if self._file.changed():
            try:
                self._change(self._file.load())
                self._problem = None
            except ConfigError as exc:
                self._problem = exc
                log.warning("the config was changed and is wrong; the former one stays: %s", exc)
        return self._pipeline

    @property
    def kept(self) -> Kept:
        """What an archive is made of, and what one is brought into."""
        from imghost.archive.form import Kept
        from imghost.keep.learning import Learner

        learner = Learner(self._journal_file.db, FRESH_S)
        return Kept(
            self.store, self.journal, learner, self.dirs.local, self.dirs.posts, self.owner.tmp
        )

    def expect(self) -> None:
        """Pictures are about to come: have ready what sends them."""
        with contextlib.suppress(ConfigError):
            host = self.pipeline().hosts(self.config.host)
            if not isinstance(host, KeepsFiles):
                host.http.warm()

    def serve_at(self, base_url: str) -> None:
        """The embedded server answers at another address from now on."""
        self.base_url = base_url
        self._pipeline = self._piped(self.config)

    @property
    def account(self) -> Account | None:
        """Who is logged in at the host that needs it."""
        return account_of(self._file, self.config)

    @property
    def journal_note(self) -> Message | None:
        """What became of a journal that was lost, for the person to hear."""
        return self._journal_file.news

    def checked_pipeline(self) -> Pipeline:
        """The pipeline for what a person asks for. Raises ConfigError while the config is wrong."""
        pipeline = self.pipeline()
        if self._problem:
            raise self._problem
        return pipeline

    def upload(
        self,
        request: UploadRequest,
        cut: Callable[[], None] | None = None,
        prepare: Prepare | None = None,
    ) -> Generator[Settled, None, None]:
        """Accept and send; one answer per input, in their order. Raises ConfigError at once.

        `cut` is called if nobody waits for the answers any more. `prepare` as the pipeline
        takes it.
        """
        pipeline = self.checked_pipeline()
        options = request.options
        order = pipeline.order(options.host, options.bucket, options.format, options.style)
        delivery = Delivery(
            self.outbox, pipeline, self.journal, self.owner.id, self.reap, wait_s=options.wait_s
        )

        def cancel() -> None:
            delivery.cancel()
            if cut:
                cut()

        def settle(item: tuple[int, Input]) -> Settled:
            index, given = item
            record = None
            try:
                own = self._order_of(given, order, options)
                found = self._found(given, self.config)
                accepted = pipeline.accept(found, own, State.UPLOADING, prepare)
                outcome = delivery.send(accepted)
                record = pipeline.told(outcome.record, accepted)
                text = pipeline.text(record, own)
            except ImghostError as exc:
                return Settled(index, record, failure=Failure.of(exc))
            failure = Failure.of(outcome.error) if outcome.error else None
            return Settled(index, record, text, outcome.reused and accepted.known, failure)

        threads = pipeline.hosts(order.target.host).limits.parallel + _AHEAD
        yield from in_order(settle, list(enumerate(request.inputs)), threads, cancel)

    def retry(self, ids: Sequence[int]) -> int:
        """The user says that something changed: let all that is queued, and these rows, be tried.

        How many are queued then; a link that works is left as it is. Raises UsageError for an id
        that is not in the journal, and ConfigError for a finished row whose host cannot be had.
        """
        for record_id in ids:
            if not self.pipeline().works(self.journal.get(record_id)):
                self.journal.reopen(record_id)
        for host in self.journal.queued_hosts():
            self.outbox.lift(host)
        return self.journal.counts()[State.QUEUED]

    def drain(self) -> dict[int, ImghostError]:
        """Send by oneself until nothing is left that may be sent now; what failed last, by row."""
        failures: dict[int, ImghostError] = {}

        def send(_: int) -> None:
            while record := self.outbox.take(patient=True):
                failures.pop(record.id, None)
                if error := self.outbox.work(record).error:
                    failures[record.id] = error

        for _ in in_order(send, range(_DRAINERS), _DRAINERS, self.cut):
            pass
        return failures

    def reap(self) -> None:
        """Give back what processes that died had claimed, and what they kept for nothing."""
        self.owner.reap(self.journal.owners(), self.journal.requeue)
        if outgoing := self.store.outgoing():
            for sha256 in outgoing - self.journal.unsettled_hashes():
                self.store.drop_outgoing(sha256)

    def look_after_journal(self, *, thorough: bool = False) -> None:
        """Make the journal whole again if it was deleted or damaged. Raises MachineError."""
        self._journal_file.look_after(thorough=thorough)

    def _order_of(self, given: Input, order: Order, options: UploadOptions) -> Order:
        """What was uploaded goes where it went, unless somewhere else is asked for."""
        if isinstance(given, UploadedInput) and not (options.host or options.bucket):
            return replace(order, target=self.journal.get(given.id).target)
        return order

    def _change(self, config: Config) -> None:
        former, self.config = self.config, config
        self._pipeline = self._piped(config)  # tries that are under way end with the former hosts
        for name in HOSTS:
            if config.of_host(name) != former.of_host(name):
                self.outbox.host_changed(name)

    def _piped(self, config: Config) -> Pipeline:
        self._hosts = OpenHosts(config, self.base_url, self.dirs.local, self.owner.tmp)
        self._all_hosts.append(self._hosts)
        return Pipeline(
            config, self._hosts, self.store, self.journal, self.prepare, self.look, self.owner.id
        )

    def look(self, record: Record, *, timeout_s: float = _LOOK_S) -> Alive:
        """Whether a record's link works, as far as can be seen in so many seconds."""
        from imghost.health import look

        try:
            host = self._hosts(record.host)
        except ConfigError:  # a host of another version, or without its settings
            return Alive.UNKNOWN
        return look(record, host, timeout_s=timeout_s)
