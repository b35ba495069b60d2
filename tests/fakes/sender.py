"""A sender put together from real parts and the memory host, with clocks that tests move."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from imghost.config import Config
from imghost.delivery import Delivery
from imghost.errors import HostError
from imghost.hosts.base import Host, Outside
from imghost.imaging.prepare import Prepared, Recipe
from imghost.keep.database import Database
from imghost.keep.journal import Journal
from imghost.keep.store import Store
from imghost.models import Alive, Found, Image, Message, Record, State, Target
from imghost.outbox import Outbox
from imghost.pipeline import Accepted, Order, Pipeline
from imghost.transport import Http
from tests.fakes.memory_host import MemoryConfig, MemoryHost

NOTE = Message("made smaller")


def prepare(data: bytes, name: str, recipe: Recipe) -> Prepared:
    """What is sent of bytes that nobody will decode: themselves, or half of them if they say so."""
    notes: tuple[Message, ...] = ()
    if data.startswith(b"halve "):
        data, notes = data[: len(data) // 2], (NOTE,)
    image = Image(data, "png", 4, 3, 1, hashlib.sha256(data).hexdigest(), name)
    return Prepared(image, notes)


@dataclass
class Clock:
    """A monotonic clock."""

    now: float = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@dataclass
class Sender:
    """One process: its host, its journal, and what it is told that links look like."""

    root: Path
    owner: str = "me"
    host_config: MemoryConfig = field(default_factory=MemoryConfig)
    alive: Alive = Alive.ALIVE
    dead: tuple[str, ...] = ()
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        outside = Outside(Http(timeout_s=1), "", self.root, self.root)
        self.host = MemoryHost(self.host_config, outside)
        self.db = Database(self.root / "journal.db")
        self.journal = Journal(self.db)
        self.store = Store(self.root / "originals", self.root / "outgoing", self.root / "tmp")
        self.pipeline = Pipeline(
            Config(), self._host, self.store, self.journal, prepare, self._look, self.owner
        )
        self.outbox = Outbox(
            self.journal, lambda: self.pipeline, self.owner, clock=self.clock, draw=lambda: 0.0
        )
        self.order = Order(Target("memory", "memory"), "url")

    def close(self) -> None:
        """Let go of the journal."""
        self.outbox.stop()
        self.db.close()

    def fails(self, *errors: HostError | None) -> None:
        """Have the host's next tries end so; None passes."""
        self.host.failures.extend(errors)

    def accept(self, data: bytes, state: State = State.QUEUED) -> Accepted:
        """Accept bytes, as any source gives them."""
        found = Found("command", "a.png", lambda: data)
        return self.pipeline.accept(found, self.order, state)

    def upload(self, data: bytes) -> Accepted:
        """Accept bytes as a command does."""
        return self.accept(data, State.UPLOADING)

    def delivery(self, wait_s: float = 5.0) -> Delivery:
        """A command's sending."""
        return Delivery(
            self.outbox,
            self.pipeline,
            self.journal,
            self.owner,
            self.reap,
            wait_s=wait_s,
            clock=self.clock,
        )

    def reap(self) -> None:
        """Queue again what the dead had claimed."""
        for owner in self.dead:
            self.journal.requeue(owner)

    def run(self, rounds: int = 1000, step_s: float = 1.0) -> None:
        """Send as the daemon does, time passing between rounds, until nothing is queued."""
        for _ in range(rounds):
            while record := self.outbox.take():
                self.outbox.work(record)
            if not self.journal.queued_hosts():
                return
            self.clock.now += step_s

    def state(self, accepted: Accepted) -> State:
        """How an accepted image stands."""
        return self.journal.get(accepted.record.id).state

    def _host(self, name: str) -> Host:
        assert name == "memory"
        return self.host

    def _look(self, record: Record) -> Alive:
        return self.alive


Make = Callable[..., Sender]
