"""What was accepted is sent by itself, one after the other, and each end is told."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from imghost.errors import HostRefused, HostUnavailable
from imghost.models import State
from imghost.outbox import Outcome
from imghost.senders import Senders
from imghost.survival import Survival
from tests.fakes.memory_host import MemoryConfig
from tests.fakes.program import eventually
from tests.fakes.sender import Sender


class Bench:
    """A sender's own threads; `ends` is what they told."""

    def __init__(self, root: Path, threads: int = 3) -> None:
        self.sender = Sender(root, host_config=MemoryConfig(parallel=threads))
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="send")
        self.ends: list[Outcome] = []
        self.senders = Senders(self.sender.outbox, self.pool, Survival())
        self.senders.ended = self.ends.append

    def close(self) -> None:
        """End the threads."""
        self.sender.outbox.stop()
        self.pool.shutdown()
        self.sender.close()

    def states(self) -> set[State]:
        """In which states its images stand."""
        return {record.state for record in self.sender.journal.history()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A process that sends."""
    made = Bench(tmp_path)
    yield made
    made.close()


def test_all_that_is_queued_goes_out(bench: Bench) -> None:
    """One call is enough, each is sent once, and each end is told with its row."""
    rows = [bench.sender.accept(b"%d" % n).record for n in range(20)]
    bench.senders.send_queued()
    eventually(lambda: len(bench.ends) == 20)
    assert bench.states() == {State.DONE}
    assert bench.sender.host.tries == 20
    assert sorted(end.record.id for end in bench.ends) == [row.id for row in rows]
    assert all(end.error is None and end.record.url for end in bench.ends)


def test_a_claimed_one_goes_with_the_bytes_at_hand(bench: Bench) -> None:
    """What was accepted just now is sent as it is, and then what else waits."""
    waiting = bench.sender.accept(b"waiting").record
    accepted = bench.sender.upload(b"halve me, and again")
    assert accepted.image
    bench.sender.store.drop_outgoing(accepted.record.sha256)
    bench.sender.store.erase(accepted.record.original)  # so that only the image can be sent
    bench.senders.send(accepted.record, accepted.image)
    eventually(lambda: len(bench.ends) == 2)
    assert [end.record.id for end in bench.ends] == [accepted.record.id, waiting.id]
    assert bench.states() == {State.DONE}


def test_failures_are_told_and_hold_up_nobody(bench: Bench) -> None:
    """A refused image, one that will be tried later, and one that passes."""
    for n in range(3):
        bench.sender.accept(b"%d" % n)
    refused, down = HostRefused("it is refused"), HostUnavailable("it is down")
    bench.sender.fails(refused, down)
    bench.senders.send_queued()
    wanted = {str(refused), str(down), "None"}
    eventually(lambda: {str(end.error) for end in bench.ends} == wanted)
    bench.sender.clock.now += 100
    bench.senders.send_queued()
    eventually(lambda: bench.states() == {State.DONE, State.FAILED})


def test_a_host_that_wants_peace_gets_it_at_once(tmp_path: Path) -> None:
    """What was claimed before the host said so, and waits for a slot, is not sent after."""
    with closing(Bench(tmp_path, threads=1)) as bench:
        bench.sender.fails(HostUnavailable("suspicious", risk_control=True))
        accepted = [bench.sender.upload(b"%d" % n) for n in range(3)]
        for each in accepted:
            assert each.image
            bench.senders.send(each.record, each.image)
        eventually(lambda: len(bench.ends) == 3)
        assert bench.states() == {State.QUEUED}
        assert bench.sender.host.tries == 1


def test_who_listens_badly_loses_nothing(tmp_path: Path) -> None:
    """A bug in what follows an upload costs no upload, and the only thread goes on."""
    ends: list[Outcome] = []

    def fail(end: Outcome) -> None:
        ends.append(end)
        raise ZeroDivisionError

    with closing(Bench(tmp_path, threads=1)) as bench:
        bench.senders.ended = fail
        for n in range(10):
            bench.sender.accept(b"%d" % n)
        bench.senders.send_queued()
        eventually(lambda: len(ends) == 10)
        assert bench.states() == {State.DONE}


def test_what_was_not_begun_at_the_end_is_queued_again(bench: Bench) -> None:
    """A row that was claimed when imghost stops is somebody else's to send."""
    accepted = bench.sender.upload(b"late")
    assert accepted.image
    bench.sender.outbox.stop()
    bench.senders.send(accepted.record, accepted.image)
    bench.pool.shutdown()
    bench.sender.outbox.tidy()
    assert bench.states() == {State.QUEUED}
    assert bench.sender.host.tries == 0
