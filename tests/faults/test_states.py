"""Journal, outbox and store against a simple model: whatever happens, in whatever order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.hosts.base import Outside
from imghost.keep.recovery import JournalFile
from imghost.models import Alive, Image, Record, State, Stored
from imghost.transport import Http
from tests.fakes.memory_host import MemoryConfig, MemoryHost
from tests.fakes.sender import Clock, Sender
from tests.faults.trial import Trial

PLAIN = (b"one", b"two", b"three", b"halve")
PICTURES = (*PLAIN, b"halve it 1", b"halve it 2")  # these two become "halve", too
PROCESSES = (0, 1)
FASTEST = Path("/dev/shm")  # where a sync costs nothing: what it is good for is tested elsewhere


class Death(BaseException):
    """A process is no more."""


class MortalHost(MemoryHost):
    """May kill its caller once it has the picture; shared by all processes."""

    kills = False

    def upload(self, image: Image, bucket: str) -> Stored:
        """Keep the bytes."""
        stored = super().upload(image, bucket)
        if self.kills:
            self.kills = False
            raise Death
        return stored


@dataclass
class Row:
    """What the model knows of the row of what is sent."""

    state: State
    is_dead: bool = False
    may_be_twice: bool = False


@dataclass(frozen=True)
class Slip:
    """What is noted beside an original; `knows_input`: also how it came to its row."""

    state: State
    knows_input: bool


def failures() -> st.SearchStrategy[HostError | None]:
    """How a try may end; None is well."""
    return st.sampled_from(
        [
            None,
            HostUnavailable("down"),
            HostUnavailable("reset", ambiguous=True),
            HostUnavailable("slow down", retry_after_s=100),
            HostUnavailable("suspicious", risk_control=True),
            HostRefused("never"),
            LoginExpired("log in"),
        ]
    )


pictures = st.sampled_from(PICTURES)
processes = st.sampled_from(PROCESSES)
numbers = st.integers(0, len(PICTURES) * len(PROCESSES))


def _sent(data: bytes) -> bytes:
    """What is sent of a picture."""
    return data[: len(data) // 2] if data.startswith(b"halve ") else data


class Machine(RuleBasedStateMachine):
    """Two processes on one journal, and a host; each may die at any time and is followed by one."""

    well: ClassVar[int] = 0
    """How many rows stood in the end as they had to, in all histories."""

    def __init__(self) -> None:
        super().__init__()
        parent = FASTEST if FASTEST.is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="imghost-states-", dir=parent))
        self.clock = Clock()
        outside = Outside(Http(timeout_s=1), "", self.root, self.root)
        self.host = MortalHost(MemoryConfig(), outside)
        self.rows: dict[bytes, Row] = {}
        self.originals: set[bytes] = set()
        self.linked: set[bytes] = set()  # the originals that lead to a row
        self.known: set[bytes] = set()  # those of which also is known how
        self.slips: dict[bytes, Slip] = {}
        self.claimed: dict[int, list[Record]] = {process: [] for process in PROCESSES}
        self.births = 0
        self.tries = 0
        self.senders = [self._born() for _ in PROCESSES]

    # -- what sources, commands and the daemon do

    @rule(data=pictures, process=processes, state=st.sampled_from([State.ASKING, State.QUEUED]))
    def accept(self, data: bytes, process: int, state: State) -> None:
        """A picture is found by itself."""
        self._accepted(data, state)
        self.senders[process].accept(data, state)

    @rule(data=pictures, process=processes, error=failures())
    def upload(self, data: bytes, process: int, error: HostError | None) -> None:
        """A command brings a picture, and has no time to try twice."""
        if _sent(data) in map(self._sent_by, self.claimed[process]):
            return  # it would wait for the thread that has claimed it
        sender, before = self.senders[process], self.rows.get(_sent(data))
        others_have_it = before and before.state is State.UPLOADING
        has_link = before and before.state is State.DONE and not before.is_dead
        self._accepted(data, State.UPLOADING)
        accepted = sender.upload(data)
        with self._trying(_sent(data), error) as tried:
            sender.delivery(wait_s=0).send(accepted)
        assert bool(tried) == (not (others_have_it or has_link))

    @precondition(lambda self: self._in(State.QUEUED))
    @rule(process=processes)
    def take(self, process: int) -> None:
        """The daemon claims what is next."""
        if record := self.senders[process].outbox.take():
            row = self.rows[self._sent_by(record)]
            assert row.state is State.QUEUED
            row.state = State.UPLOADING
            self.claimed[process].append(record)

    @precondition(lambda self: self._in(State.UPLOADING))
    @rule(number=numbers, error=failures())
    def work(self, number: int, error: HostError | None) -> None:
        """It tries to send that; if the host wants peace by now it does not."""
        process = self._busy(number)
        record = self.claimed[process].pop()
        sent = self._sent_by(record)
        with self._trying(sent, error) as tried:
            self.senders[process].outbox.work(record)
        if not tried:
            self._settled(sent, State.QUEUED)

    # -- what people and time do

    @precondition(lambda self: self.rows)
    @rule(number=numbers, process=processes)
    def reopen(self, number: int, process: int) -> None:
        """The user wants it sent, or sent again."""
        sent, row = self._one_of(State, number)
        self.senders[process].journal.reopen(self._record(sent).id)
        if row.state is not State.UPLOADING:
            row.state = State.QUEUED

    @precondition(lambda self: self.rows)
    @rule(number=numbers, process=processes)
    def discard(self, number: int, process: int) -> None:
        """The user wants it forgotten, which is not possible while it is sent."""
        sent, row = self._one_of(State, number)
        sender = self.senders[process]
        erased = sender.journal.erase(self._record(sent).id, sender.store.erase)
        assert erased == (row.state is not State.UPLOADING)
        if erased:
            del self.rows[sent]
            for original in self._linked(sent):
                self.slips.pop(original, None)
                for group in (self.originals, self.linked, self.known):
                    group.discard(original)

    @precondition(lambda self: self._in(State.DONE))
    @rule(number=numbers, process=processes)
    def link_dies(self, number: int, process: int) -> None:
        """A look at the link shows that it does not work any more."""
        sent, row = self._one_of([State.DONE], number)
        self.senders[process].journal.mark(self._record(sent).id, Alive.DEAD)
        row.is_dead = True

    @rule(wait_s=st.sampled_from([1.0, 40.0, 700.0]))
    def time_passes(self, wait_s: float) -> None:
        """By the monotonic clock."""
        self.clock.now += wait_s

    @rule(process=processes)
    def login(self, process: int) -> None:
        """The login is renewed."""
        self.senders[process].outbox.host_changed("memory")

    @rule(process=processes)
    def lift(self, process: int) -> None:
        """The user says that something changed."""
        self.senders[process].outbox.lift("memory")

    # -- what goes wrong

    @rule(process=processes)
    def die(self, process: int) -> None:
        """A process is killed; another starts in its place, and gives back what it left."""
        self._follow(process)

    @rule(data=pictures, process=processes)
    def die_before_sending(self, data: bytes, process: int) -> None:
        """A command is killed when its picture is accepted."""
        is_new = _sent(data) not in self.rows
        row = self._accepted(data, State.UPLOADING)
        self.senders[process].upload(data)
        self._follow(process)
        if is_new:
            row.state = State.QUEUED

    @precondition(lambda self: self._in(State.UPLOADING))
    @rule(number=numbers)
    def die_when_sent(self, number: int) -> None:
        """A process is killed when the host has the picture, and nobody has noted that."""
        process = self._busy(number)
        record = self.claimed[process][-1]
        before, self.host.kills = self.host.tries, True
        with suppress(Death):
            self.senders[process].outbox.work(record)
            self.claimed[process].pop()  # it was not tried
            self._settled(self._sent_by(record), State.QUEUED)
        self.host.kills = False
        self.tries += self.host.tries - before
        self._follow(process)

    @rule(data=st.sampled_from(PLAIN), process=processes, has_row=st.booleans())
    def die_while_accepting(self, data: bytes, process: int, has_row: bool) -> None:
        """A process is killed before a row is written, or before that is noted beside it."""

        def die(*_: object) -> None:
            raise Death

        sender, last = self.senders[process], pytest.MonkeyPatch()
        if has_row:
            last.setattr(sender.store, "write_slips", die)
        else:
            last.setattr(sender.journal, "accept", die)
        with suppress(Death):
            sender.accept(data)
        last.undo()
        self.originals.add(data)
        if has_row:
            self.rows.setdefault(data, Row(State.QUEUED))
            self.linked.add(data)
            self.known.add(data)
        self._follow(process)

    @precondition(lambda self: len(self.rows) > 1)
    @rule()
    def lose_journal(self) -> None:
        """The journal is lost; whoever starts next makes it anew from what stands beside."""
        for process in PROCESSES:
            self._follow(process)
        for sender in self.senders:
            sender.db.close()
        for path in self.root.glob("journal.db*"):
            path.unlink()
        first = self.senders[0]
        file = JournalFile(self.root / "journal.db", first.store, first.order.target)
        file.open(thorough=True)
        file.close()
        self._found_again()

    # -- what must be true

    @invariant()
    def every_picture_is_in_its_one_state(self) -> None:
        """One row for what is sent, in the state that the model knows; nothing was sent besides."""
        records = {r.sha256: r for r in self.senders[0].journal.history()}
        assert len(records) == len(self.rows) == self.senders[0].journal.total()
        for data, row in self.rows.items():
            record = records[sha256(data).hexdigest()]
            assert record.state is row.state, (data, record, row)
            assert record.url or row.state is not State.DONE
            assert not row.may_be_twice or any("twice" in str(note) for note in record.notes)
            if row.state is State.DONE:
                assert self.host.images["memory", record.key] == data
        assert self.host.tries == self.tries

    @invariant()
    def every_original_is_there(self) -> None:
        """With its bytes, and with what the model knows to be noted beside it."""
        store = self.senders[0].store
        assert set(store.hashes()) == {sha256(data).hexdigest() for data in self.originals}
        for data in self.originals:
            original = sha256(data).hexdigest()
            assert store.read(original) == data
            states = [State(str(slip["state"])) for slip in store.read_slips(original)]
            assert states == ([self.slips[data].state] if data in self.slips else [])

    def teardown(self) -> None:
        """In the end, when all is well again, everything is sent that was to be."""
        for process in PROCESSES:
            self._follow(process)
        self.host.failures.clear()
        self.clock.now += 10_000
        self.senders[0].run()
        waiting = (State.ASKING, State.FAILED)
        expected = {d: r.state if r.state in waiting else State.DONE for d, r in self.rows.items()}
        found = {r.sha256: r.state for r in self.senders[0].journal.history()}
        assert found == {sha256(data).hexdigest(): state for data, state in expected.items()}
        type(self).well += len(found)
        for sender in self.senders:
            sender.close()
        shutil.rmtree(self.root)

    # -- the model

    def _accepted(self, data: bytes, state: State) -> Row:
        """The picture is on the disk; a new row stands in this state, a known one in its own."""
        self.originals.add(data)
        is_news = data not in self.known
        row = self.rows.setdefault(_sent(data), Row(state))
        if is_news:
            self.linked.add(data)
            self.known.add(data)
            self._settled(_sent(data), row.state)
        return row

    def _settled(self, sent: bytes, state: State) -> None:
        """The row stands so, and that is noted beside its originals."""
        self.rows[sent].state = state
        for original in self._linked(sent):
            self.slips[original] = Slip(state, original in self.known)

    @contextmanager
    def _trying(self, sent: bytes, error: HostError | None) -> Iterator[list[HostError | None]]:
        """Let the next try end so; what is given holds something afterwards if there was one."""
        self.host.failures.append(error)
        before, tried = self.host.tries, list[HostError | None]()
        yield tried
        self.host.failures.clear()
        self.tries += self.host.tries - before
        assert self.host.tries - before in (0, 1)
        if self.host.tries == before:
            return
        tried.append(error)
        row = self.rows[sent]
        row.is_dead = row.is_dead and error is not None
        if isinstance(error, HostUnavailable):
            row.may_be_twice = row.may_be_twice or error.ambiguous
            state = self._record(sent).state
            assert state in (State.QUEUED, State.FAILED)  # given up if others passed all the time
        else:
            ends = {type(None): State.DONE, HostRefused: State.FAILED, LoginExpired: State.QUEUED}
            state = ends[type(error)]
        self._settled(sent, state)

    def _found_again(self) -> None:
        """What the rebuilt journal holds: what the slips say, and questions about the rest."""
        former, self.rows, self.known = self.rows, {}, set()
        for data in sorted(self.originals, key=lambda data: data not in self.slips):
            sent, slip = _sent(data), self.slips.get(data)
            state = slip.state if slip else State.ASKING
            if state is State.UPLOADING:
                state = State.QUEUED
            row = self.rows.setdefault(sent, Row(state))
            row.may_be_twice = bool(slip) and sent in former and former[sent].may_be_twice
            self.linked.add(data)
            if slip and slip.knows_input:
                self.known.add(data)
        for data in self.originals - self.slips.keys():
            self.slips[data] = Slip(self.rows[_sent(data)].state, knows_input=False)

    def _in(self, *states: State) -> list[bytes]:
        return sorted(sent for sent, row in self.rows.items() if row.state in states)

    def _one_of(self, states: Iterable[State], number: int) -> tuple[bytes, Row]:
        found = self._in(*states)
        sent = found[number % len(found)]
        return sent, self.rows[sent]

    def _busy(self, number: int) -> int:
        """A process that has something to send."""
        busy = [process for process in PROCESSES if self.claimed[process]]
        return busy[number % len(busy)]

    def _linked(self, sent: bytes) -> list[bytes]:
        return [data for data in self.linked if _sent(data) == sent]

    def _sent_by(self, record: Record) -> bytes:
        return next(sent for sent in self.rows if sha256(sent).hexdigest() == record.sha256)

    def _record(self, data: bytes) -> Record:
        sha = sha256(_sent(data)).hexdigest()
        return next(r for r in self.senders[0].journal.history() if r.sha256 == sha)

    def _born(self) -> Sender:
        self.births += 1
        sender = Sender(self.root, owner=f"process {self.births}", clock=self.clock)
        sender.host = self.host
        return sender

    def _follow(self, process: int) -> None:
        """Let a process be no more, and another start in its place."""
        dead = self.senders[process]
        dead.db.close()
        self.senders[process] = self._born()
        self.senders[process].journal.requeue(dead.owner)
        for record in self.claimed[process]:
            self.rows[self._sent_by(record)].state = State.QUEUED
        self.claimed[process] = []


@pytest.mark.row(15)
def test_whatever_happens(trial: Trial) -> None:
    """Each picture stands in the state that the model says, whatever was done to it."""

    @seed(trial.seed)
    class Histories(Machine):
        """Those of this seed."""

    chosen = settings(
        max_examples=trial.size(200, 1000),
        stateful_step_count=40,
        derandomize=False,
        database=None,
        print_blob=True,
    )
    run_state_machine_as_test(Histories, settings=chosen)
    what = f"random histories of {chosen.stateful_step_count} steps against a model"
    trial.note(what, chosen.max_examples, checked=Histories.well)
