"""What was accepted is sent, at the host's pace, through failures, and by one sender only."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from imghost.app import App
from imghost.dirs import Dirs
from imghost.errors import (
    ConfigError,
    HostError,
    HostRefused,
    HostUnavailable,
    ImghostError,
    LoginExpired,
    MachineError,
    SourceError,
    UsageError,
)
from imghost.gate import FAILURES_WHILE_OTHERS_PASS
from imghost.hosts.base import Host, Outside
from imghost.hosts.bilibili import BilibiliConfig, BilibiliHost
from imghost.imaging.child import MEMORY_BYTES
from imghost.imaging.crew import Crew
from imghost.keep.recovery import JournalFile
from imghost.models import Alive, Found, Record, State, Target
from imghost.outbox import Outcome
from imghost.pipeline import Order
from imghost.secret import Secret
from imghost.transport import Http
from tests.fakes import bilibili, pictures
from tests.fakes.memory_host import MemoryConfig
from tests.fakes.pictures import jpeg, png
from tests.fakes.program import eventually
from tests.fakes.sender import NOTE, Clock, Sender, prepare
from tests.fakes.taking import BASE, write_config

DOWN = HostUnavailable("the host is down")


class RealClock(Clock):
    """The system's."""

    def __call__(self) -> float:
        """Seconds."""
        return time.monotonic()


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    """A process that sends."""
    made = Sender(tmp_path)
    yield made
    made.close()


def test_sends_what_is_queued(sender: Sender) -> None:
    """Every queued image arrives once, in order, with its own bytes."""
    accepted = [sender.accept(b"%d" % n) for n in range(20)]
    sender.run()
    assert {sender.state(a) for a in accepted} == {State.DONE}
    assert list(sender.host.images.values()) == [b"%d" % n for n in range(20)]
    assert sender.host.tries == 20


@pytest.mark.parametrize("failures", [1, 4, 5, 12])
def test_a_host_that_recovers_gets_everything(sender: Sender, failures: int) -> None:
    """K failures, then one done row for each image and k tries more than images."""
    accepted = [sender.accept(b"%d" % n) for n in range(3)]
    sender.fails(*[DOWN] * failures)
    sender.run()
    assert {sender.state(a) for a in accepted} == {State.DONE}
    assert sender.host.tries == failures + 3


@dataclass
class SenderByHttp(Sender):
    """Its host is one that is asked by HTTP, at `api`."""

    api: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        sessdata, bili_jct = Secret(bilibili.SESSDATA), Secret(bilibili.BILI_JCT)
        config = BilibiliConfig(sessdata=sessdata, bili_jct=bili_jct, api=self.api)
        outside = Outside(Http(timeout_s=5), "", self.root, self.root)
        self.asked = BilibiliHost(config, outside)
        self.order = Order(Target("memory", "live"), "url")

    def _host(self, name: str) -> Host:
        return self.asked


@pytest.mark.parametrize("failures", [1, 4, 5, 12])
def test_a_host_that_answers_5xx_gets_everything(tmp_path: Path, failures: int) -> None:
    """So it is with real requests: one for each try, k bad answers, k more than images."""
    sent = [pictures.png(seed=seed) for seed in range(3)]
    with (
        bilibili.FakeBilibili() as fake,
        closing(SenderByHttp(tmp_path, api=fake.url)) as sender,
        closing(sender.asked),
    ):
        fake.answers.extend(
            bilibili.Answer(status=500 + n % 5, body=b"<html>") for n in range(failures)
        )
        accepted = [sender.accept(data) for data in sent]
        for tries in range(1, failures + 4):
            while not (record := sender.outbox.take()):
                sender.clock.now += 1
            sender.outbox.work(record)
            assert len(fake.uploads) == tries
        assert {sender.state(a) for a in accepted} == {State.DONE}
        assert sender.outbox.take() is None
        assert sorted(data for _, data in fake.images.values()) == sorted(sent)


def test_an_outage_of_a_day_fails_nothing_and_asks_gently(sender: Sender) -> None:
    """While a host is down it is probed twice a minute at most, and nothing is given up."""
    accepted = [sender.accept(b"%d" % n) for n in range(10)]
    sender.fails(*[DOWN] * 100_000)
    sender.run(rounds=8640, step_s=10.0)
    assert {sender.state(a) for a in accepted} == {State.QUEUED}
    assert 1000 < sender.host.tries < 2900
    sender.host.failures.clear()
    sender.run()
    assert {sender.state(a) for a in accepted} == {State.DONE}


def test_one_bad_row_does_not_hold_up_the_rest(sender: Sender) -> None:
    """A refused image fails with its reason and the others go on."""
    bad, good = sender.accept(b"bad"), sender.accept(b"good")
    sender.fails(HostRefused("too large: {n}", n=5))
    sender.run()
    record = sender.journal.get(bad.record.id)
    assert (record.state, str(record.reason)) == (State.FAILED, "too large: 5")
    assert sender.state(good) is State.DONE


def test_retry_after_is_kept(sender: Sender) -> None:
    """No request goes out before the host's own time is over."""
    sender.accept(b"1")
    sender.accept(b"2")
    sender.fails(HostUnavailable("busy", retry_after_s=100))
    sender.run(rounds=99)
    assert sender.host.tries == 1
    sender.run()
    assert sender.host.tries == 3
    assert sender.clock.now >= 100


def test_an_expired_login_holds_everything(sender: Sender) -> None:
    """One request, then none until the login changes; then everything flows and nothing failed."""
    accepted = [sender.accept(b"%d" % n) for n in range(5)]
    sender.fails(LoginExpired("log in again"))
    sender.run(rounds=1000)
    assert sender.host.tries == 1
    assert {sender.state(a) for a in accepted} == {State.QUEUED}
    assert sender.outbox.waits_s(accepted[0].record) == float("inf")
    assert sender.outbox.is_held("memory")
    sender.outbox.host_changed("memory")
    assert not sender.outbox.is_held("memory")
    sender.run()
    assert {sender.state(a) for a in accepted} == {State.DONE}


def test_a_host_whose_config_changes_meanwhile_is_left_in_peace(sender: Sender) -> None:
    """What a try under way has yet to tell counts for the host as it is now."""
    rows = [sender.accept(b"%d" % n).record for n in range(3)]
    sender.fails(HostUnavailable("suspicious", risk_control=True))
    claimed = sender.outbox.take()
    assert claimed
    sender.outbox.host_changed("memory")
    sender.outbox.work(claimed)
    assert sender.outbox.is_shut("memory")
    assert sender.outbox.take() is None
    assert {sender.journal.get(row.id).state for row in rows} == {State.QUEUED}


def test_notes_that_cannot_be_written_hold_nothing_up(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was accepted is sent, though the journal cannot be read again just then."""

    def fail(_: int) -> None:
        raise MachineError("the disk does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(sender.journal, "originals_of", fail)
        accepted = sender.upload(b"1")
        assert sender.delivery().send(accepted).error is None
    assert sender.state(accepted) is State.DONE


def test_a_row_that_is_not_tried_keeps_its_reason(sender: Sender) -> None:
    """Whose host wanted peace before its turn came waits for what it waited for before."""
    first, second = sender.accept(b"1"), sender.accept(b"2")

    def outcomes(*errors: HostError) -> list[Outcome]:
        sender.fails(*errors)
        claimed = [sender.outbox.take(), sender.outbox.take()]
        return [sender.outbox.work(record) for record in claimed if record]

    outcomes(*(HostUnavailable("busy: {n}", n=n) for n in (1, 2)))
    assert [outcome.tried for outcome in outcomes(LoginExpired("log in"))] == [True, False]
    reasons = [str(sender.journal.get(one.record.id).reason) for one in (first, second)]
    assert reasons == ["log in", "busy: 2"]


def test_retry_lifts_a_hold_with_one_probe(sender: Sender) -> None:
    """The user's word sends one image; if that fails the rest stay where they are."""
    accepted = [sender.accept(b"%d" % n) for n in range(5)]
    sender.fails(LoginExpired("log in"), LoginExpired("log in"), None)
    sender.run(rounds=3)
    sender.outbox.lift("memory")
    sender.run(rounds=3)
    assert sender.host.tries == 2
    sender.outbox.lift("memory")
    sender.run()
    assert {sender.state(a) for a in accepted} == {State.DONE}


def test_a_lost_answer_is_recorded(sender: Sender) -> None:
    """After an ambiguous end the row says that the picture may be there twice."""
    accepted = sender.accept(b"1")
    sender.fails(HostUnavailable("reset", ambiguous=True))
    sender.run()
    record = sender.journal.get(accepted.record.id)
    assert record.state is State.DONE
    assert any("twice" in str(note) for note in record.notes)


def test_what_is_sent_is_made_once_and_dropped_after(sender: Sender) -> None:
    """Converted bytes wait on the disk, are made again if lost, and go away when sent."""
    accepted = sender.accept(b"halve me please")
    assert accepted.record.notes == (NOTE,)
    outgoing = sender.root / "outgoing" / accepted.record.sha256
    assert outgoing.read_bytes() == b"halve m"
    outgoing.unlink()
    sender.run()
    assert list(sender.host.images.values()) == [b"halve m"]
    assert not outgoing.exists()
    assert sender.store.read(accepted.record.original) == b"halve me please"


def test_what_was_recovered_is_looked_at_before_it_is_sent(sender: Sender) -> None:
    """Nobody knows what it is, even if the very bytes lie about ready to be sent."""
    digest = sha256(b"1").hexdigest()
    sender.store.keep(digest, b"1")
    sender.store.keep_outgoing(digest, b"1")
    file = JournalFile(sender.db.path, sender.store, sender.order.target)
    file.open(thorough=True)
    file.close()
    (record,) = sender.journal.history()
    assert (record.state, record.format) == (State.ASKING, "")
    sender.journal.reopen(record.id)
    sender.run()
    assert sender.journal.get(record.id).state is State.DONE
    assert sender.journal.get(record.id).format == "png"


def test_a_missing_original_fails_its_row_alone(sender: Sender) -> None:
    """A row whose bytes are gone fails with that reason instead of being tried for ever."""
    gone, there = sender.accept(b"gone"), sender.accept(b"there")
    sender.store.erase(gone.record.original)
    sender.run()
    assert sender.state(gone) is State.FAILED
    assert sender.state(there) is State.DONE


def test_what_must_be_made_when_imghost_stops_waits(dirs: Dirs) -> None:
    """A row whose bytes are not at hand, and whose maker has ended, is queued as it was."""
    file = write_config(dirs, {})
    crew = Crew(1, deadline_s=20, memory_bytes=MEMORY_BYTES)
    with App(dirs, file, file.load(), prepare_bytes=crew.prepare, base_url=BASE) as app:
        found = Found("test", "a.jpg", lambda: jpeg(comment=b"mine"))  # which is taken out
        row = app.pipeline().accept(found, app.pipeline().order(), State.QUEUED).record
        app.store.drop_outgoing(row.sha256)
        crew.close()
        claimed = app.outbox.take()
        assert claimed
        outcome = app.outbox.work(claimed)
        assert isinstance(outcome.error, HostUnavailable)
        assert not outcome.tried
        assert app.journal.get(row.id) == row


def test_a_host_that_lacks_a_setting_fails_nothing(dirs: Dirs) -> None:
    """The user's word to try again changes that no more than time does; the setting does."""
    section = {"endpoint": "http://127.0.0.1:9", "bucket": "pictures"}
    file = write_config(dirs, {"hosts": {"s3": section}})
    with App(dirs, file, file.load()) as app:
        pipeline = app.pipeline()
        for seed in range(2):
            found = Found("test", "a.png", partial(png, seed=seed))
            pipeline.accept(found, pipeline.order("s3"), State.QUEUED)
    file = write_config(dirs, {"hosts": {"s3": section | {"endpoint": ""}}})
    with App(dirs, file, file.load()) as app:
        app.retry([])
        app.drain()
        second, first = app.journal.history()
        assert (first.state, second.state) == (State.QUEUED, State.QUEUED)
        assert "hosts.s3.endpoint is empty" in str(first.reason)
        assert second.reason is None
        assert app.outbox.is_held("s3")
        write_config(dirs, {"hosts": {"s3": section}})
        app.pipeline()  # looks at the config
        assert not app.outbox.is_held("s3")


def test_what_no_host_can_be_blamed_for_fails_alone(sender: Sender) -> None:
    """A row that asks for what nobody can make holds up no other of its host."""
    bad, good = sender.accept(b"bad"), sender.accept(b"good")
    sender.fails(ConfigError("there is no such style"))  # type: ignore[arg-type]  # as any step may
    sender.run()
    assert (sender.state(bad), sender.state(good)) == (State.FAILED, State.DONE)


def test_who_was_given_up_begins_anew(sender: Sender) -> None:
    """A row that the user has tried again after that waits like any other when its host is down."""
    bad = sender.accept(b"bad")
    for n in range(FAILURES_WHILE_OTHERS_PASS):
        assert sender.delivery().send(sender.upload(b"%d" % n)).error is None
        sender.fails(DOWN)
        sender.clock.now += 100
        claimed = sender.outbox.take()
        assert claimed
        sender.outbox.work(claimed)
    assert sender.state(bad) is State.FAILED
    sender.journal.reopen(bad.record.id)
    sender.fails(DOWN)
    claimed = sender.outbox.take()
    assert claimed
    sender.outbox.work(claimed)
    assert sender.state(bad) is State.QUEUED


def test_a_disk_that_fills_up_in_between_loses_nothing(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result that cannot be noted is not lost: the row is sent again once there is room."""
    accepted = sender.accept(b"1")
    with monkeypatch.context() as full:

        def refuse(*_: object) -> None:
            raise MachineError("the disk is full")

        full.setattr(sender.journal, "done", refuse)
        sender.run(rounds=1)
        assert sender.state(accepted) is State.UPLOADING
    sender.outbox.tidy()
    sender.clock.now += 6
    sender.run()
    assert sender.state(accepted) is State.DONE


def test_what_is_being_sent_is_not_tidied_away(sender: Sender) -> None:
    """Tidying leaves alone what is on its way."""
    accepted = sender.accept(b"1")
    record = sender.outbox.take()
    sender.outbox.tidy()
    assert sender.state(accepted) is State.UPLOADING
    assert record
    sender.outbox.work(record)
    assert sender.state(accepted) is State.DONE


def test_a_row_that_is_gone_is_not_tidied_for_ever(sender: Sender) -> None:
    """One that was given up unsettled, and then forgotten, holds up no other."""
    gone, there = sender.accept(b"gone"), sender.accept(b"there")
    for record in (sender.outbox.take(), sender.outbox.take()):
        assert record
        sender.outbox.abandon(record)
        sender.outbox.leave(record)
    sender.journal.requeue(sender.owner)
    assert sender.journal.erase(gone.record.id, sender.store.erase)
    assert sender.journal.claim(there.record.id, sender.owner)
    sender.outbox.tidy()
    assert sender.state(there) is State.QUEUED
    sender.outbox.tidy()
    sender.run()
    assert sender.state(there) is State.DONE


def test_two_processes_send_everything_once(tmp_path: Path) -> None:
    """Senders that share a journal share the work and repeat none of it."""
    senders = [Sender(tmp_path, owner=str(n)) for n in range(3)]
    for n in range(60):
        senders[0].accept(b"%d" % n)
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sender.host.tries for sender in senders) == 60
    assert senders[0].journal.counts()[State.DONE] == 60
    for sender in senders:
        sender.close()


# -- commands


def test_a_command_sends_its_own(sender: Sender) -> None:
    """An image is sent by the command that brings it, and its link comes back."""
    outcome = sender.delivery().send(sender.upload(b"1"))
    assert outcome.error is None
    assert outcome.record.state is State.DONE
    assert outcome.record.url.startswith("https://memory.example/memory/")


def test_a_command_tries_three_times(sender: Sender) -> None:
    """Then the image is queued with the reason, for others to send."""
    sender.fails(*[DOWN] * 9)
    outcome = sender.delivery().send(sender.upload(b"1"))
    assert sender.host.tries == 3
    assert outcome.record.state is State.QUEUED
    assert outcome.error
    assert outcome.error.exit_code == 6
    assert str(outcome.record.reason) == "the host is down"


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (HostUnavailable("suspicious", risk_control=True), State.QUEUED, 6),
        (LoginExpired("log in"), State.QUEUED, 7),
        (HostRefused("never"), State.FAILED, 6),
    ],
)
def test_some_answers_end_a_command_at_once(
    sender: Sender, error: ImghostError, state: State, code: int
) -> None:
    """Risk control, a login and a refusal are not asked a second time."""
    assert isinstance(error, HostUnavailable | LoginExpired | HostRefused)
    sender.fails(error)
    outcome = sender.delivery().send(sender.upload(b"1"))
    assert sender.host.tries == 1
    assert outcome.record.state is state
    assert outcome.error
    assert outcome.error.exit_code == code


@pytest.mark.parametrize(
    "error", [HostUnavailable("suspicious", risk_control=True), LoginExpired("log in")]
)
def test_a_host_that_wants_peace_gets_it(
    sender: Sender, error: HostUnavailable | LoginExpired
) -> None:
    """After risk control or an expired login the command's other images are kept, not tried."""
    sender.fails(error)
    delivery = sender.delivery()
    outcomes = [delivery.send(sender.upload(b"%d" % n)) for n in range(10)]
    assert sender.host.tries == 1
    assert {o.record.state for o in outcomes} == {State.QUEUED}
    assert all(o.error for o in outcomes)


def test_a_slot_that_was_waited_for_in_vain_is_free_again(tmp_path: Path) -> None:
    """Callers that were waiting when the host asked for peace leave its slots to others."""
    sender = Sender(tmp_path, host_config=MemoryConfig(parallel=1))
    for _ in range(3):
        sender.fails(LoginExpired("log in"))
        delivery = sender.delivery()
        accepted = [sender.upload(b"%d" % n) for n in range(6)]
        threads = [threading.Thread(target=delivery.send, args=(a,)) for a in accepted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        sender.host.failures.clear()
    assert sender.delivery().send(sender.upload(b"last")).error is None
    sender.run()
    assert sender.journal.queued_hosts() == []
    sender.close()


def test_a_command_does_not_wait_for_a_dead_host_over_and_over(sender: Sender) -> None:
    """Once nothing has passed for as long as the command waits, the rest is only kept."""
    sender.fails(*[DOWN] * 100)
    delivery = sender.delivery(wait_s=0)
    outcomes = [delivery.send(sender.upload(b"%d" % n)) for n in range(10)]
    assert sender.host.tries == 1
    assert {o.record.state for o in outcomes} == {State.QUEUED}


def test_a_command_tries_whatever_others_hold(sender: Sender) -> None:
    """A host that the daemon has paused is still asked by a command."""
    sender.accept(b"queued")
    sender.fails(*[DOWN] * 5)
    sender.run(rounds=5, step_s=3.0)
    tries = sender.host.tries
    sender.host.failures.clear()
    assert sender.delivery().send(sender.upload(b"mine")).error is None
    assert sender.host.tries == tries + 1


def test_the_same_picture_again_costs_nothing(sender: Sender) -> None:
    """The old link comes at once, without the host."""
    first = sender.delivery().send(sender.upload(b"1"))
    again = sender.delivery().send(sender.upload(b"1"))
    assert again.reused
    assert again.record == first.record
    assert sender.host.tries == 1


@pytest.mark.parametrize("alive", [Alive.DEAD, Alive.SUSPECT])
def test_a_dead_link_is_not_given_out_again(sender: Sender, alive: Alive) -> None:
    """The same picture whose link died is sent anew."""
    first = sender.delivery().send(sender.upload(b"1"))
    sender.journal.mark(first.record.id, alive)
    again = sender.delivery().send(sender.upload(b"1"))
    assert not again.reused
    assert again.record.state is State.DONE
    assert sender.host.tries == 2


@pytest.mark.parametrize(
    ("alive", "tries"), [(Alive.ALIVE, 1), (Alive.UNKNOWN, 2), (Alive.DEAD, 2)]
)
def test_an_old_link_is_looked_at_first(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, alive: Alive, tries: int
) -> None:
    """A link not seen for a day is given out if it works now, else the picture is sent anew."""
    sender.delivery().send(sender.upload(b"1"))
    sender.alive = alive
    monkeypatch.setattr("imghost.pipeline.FRESH_S", -1.0)
    sender.delivery().send(sender.upload(b"1"))
    assert sender.host.tries == tries


def test_a_failed_picture_given_again_is_tried_again(sender: Sender) -> None:
    """Giving the same bytes again is the user's word that it should go."""
    sender.fails(HostRefused("no"))
    sender.delivery().send(sender.upload(b"1"))
    outcome = sender.delivery().send(sender.upload(b"1"))
    assert outcome.record.state is State.DONE
    assert len(sender.journal.history()) == 1


def test_what_another_process_sends_is_waited_for(sender: Sender, tmp_path: Path) -> None:
    """The same picture given to two processes is sent by one, and the other gets its link."""
    other = Sender(tmp_path, owner="other")
    theirs = other.upload(b"1")
    joined = sender.upload(b"1")
    assert joined.record.id == theirs.record.id
    waiting = threading.Thread(target=other.delivery().send, args=(theirs,))
    waiting.start()
    outcome = sender.delivery().send(joined)
    waiting.join()
    assert outcome.reused
    assert outcome.record.state is State.DONE
    assert (other.host.tries, sender.host.tries) == (1, 0)
    other.close()


def test_the_same_picture_twice_in_one_call_is_sent_once(sender: Sender) -> None:
    """Who joins a row that another thread has, but does not send yet, waits for its end."""
    first, again = sender.upload(b"one"), sender.upload(b"one")
    delivery = sender.delivery(wait_s=0)
    with ThreadPoolExecutor(1) as pool:
        joined = pool.submit(delivery.send, again)
        assert not wait([joined], timeout=0.2).done
        assert delivery.send(first).error is None
        assert joined.result(10).error is None
    assert sender.host.tries == 1


def test_what_is_forgotten_between_two_tries_is_told(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command hears that it is gone, and nothing else waits for it."""
    monkeypatch.setattr("imghost.delivery._BACKOFF_S", 1.0)
    accepted = sender.upload(b"1")
    sender.fails(DOWN)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(sender.delivery().send, accepted)
        eventually(lambda: sender.state(accepted) is State.QUEUED)
        assert sender.journal.erase(accepted.record.id, sender.store.erase)
        with pytest.raises(UsageError, match="no upload with the id"):
            sent.result(10)
    sender.outbox.tidy()


def test_a_row_is_given_back_by_nobody_but_who_claimed_it(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who joins a row and meets trouble leaves it to the thread that is about to send it."""
    first, again = sender.upload(b"1"), sender.upload(b"1")

    def refuse(*_: object) -> None:
        raise MachineError("the disk does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(sender.journal, "claim", refuse)
        with pytest.raises(MachineError):
            sender.delivery().send(again)
    sender.outbox.tidy()
    assert sender.state(first) is State.UPLOADING
    assert sender.delivery().send(first).error is None
    assert sender.host.tries == 1


def test_what_was_claimed_and_not_sent_is_given_back(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes between a claim and its try, the row does not stay claimed."""
    accepted = sender.upload(b"1")

    def interrupt(_: Record) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(sender.outbox, "enter", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sender.delivery().send(accepted)
    sender.outbox.tidy()
    assert sender.state(accepted) is State.QUEUED


def test_what_a_dead_process_was_sending_is_sent(sender: Sender, tmp_path: Path) -> None:
    """Nobody waits for whoever died in the middle of it."""
    other = Sender(tmp_path, owner="other")
    other.upload(b"1")
    other.close()
    sender.dead = ("other",)
    outcome = sender.delivery().send(sender.upload(b"1"))
    assert outcome.error is None
    assert (outcome.record.state, sender.host.tries) == (State.DONE, 1)


def test_an_unreadable_source_accepts_nothing(sender: Sender) -> None:
    """If the bytes cannot be had, neither the disk nor the journal holds anything."""

    def vanish() -> bytes:
        raise SourceError("gone")

    with pytest.raises(SourceError):
        sender.pipeline.accept(Found("command", "a", vanish), sender.order, State.QUEUED)
    assert sender.journal.history() == []
    assert list(sender.store.hashes()) == []


def test_a_slot_never_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent next is read while another is on its way: it is at hand when a slot is free."""
    made = threading.Event()

    def prepared(*given: object) -> object:
        made.set()
        return prepare(*given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr("tests.fakes.sender.prepare", prepared)
    with closing(Sender(tmp_path, host_config=MemoryConfig(parallel=1))) as sender:
        first, second = sender.upload(b"1"), sender.accept(b"halve me")
        sender.store.drop_outgoing(second.record.sha256)
        assert sender.outbox.enter(first.record)
        made.clear()
        taken = sender.outbox.take()
        assert taken
        working = threading.Thread(target=sender.outbox.work, args=(taken,))
        working.start()
        assert made.wait(5)
        assert sender.host.tries == 0
        sender.outbox.leave(first.record)
        working.join()
        assert sender.state(second) is State.DONE


@pytest.mark.parametrize("min_gap_s", [0.0, 0.01])
def test_no_free_slot_is_overlooked(tmp_path: Path, min_gap_s: float) -> None:
    """Each slot that is freed goes to one who waits, at once, whatever the host's pace."""
    config = MemoryConfig(parallel=2, min_gap_s=min_gap_s)
    with closing(Sender(tmp_path, host_config=config, clock=RealClock())) as sender:
        first, second, *rows = [sender.upload(b"%d" % n).record for n in range(22)]
        assert sender.outbox.enter(first)
        assert sender.outbox.enter(second)
        waiting = threading.Semaphore(0)

        def pass_through(record: Record) -> None:
            waiting.release()
            assert sender.outbox.enter(record)
            sender.outbox.leave(record)

        threads = [threading.Thread(target=pass_through, args=(row,)) for row in rows]
        for thread in threads:
            thread.start()
            waiting.acquire()
        start = time.monotonic()
        sender.outbox.leave(first)
        sender.outbox.leave(second)
        for thread in threads:
            thread.join()
        assert time.monotonic() - start < 2.0  # who is overlooked looks again after so long


def test_a_row_may_be_claimed_again_before_a_try_has_ended(tmp_path: Path) -> None:
    """What the former try lets go of is its own: the row is sent, and each slot is free again."""
    config = MemoryConfig(parallel=2)
    with closing(Sender(tmp_path, host_config=config, clock=RealClock())) as sender:
        uploaded = sender.upload(b"1")
        former = uploaded.record
        assert sender.outbox.enter(former)
        sender.outbox.give_back(former, None)
        latter = sender.outbox.take()
        assert latter
        assert latter.id == former.id
        sender.outbox.leave(former)
        assert sender.outbox.work(latter).error is None
        assert sender.state(uploaded) is State.DONE

        another = sender.upload(b"2").record
        again = sender.journal.get(another.id)
        for record in (another, again):
            assert sender.outbox.enter(record)
        for record in (another, again):
            sender.outbox.leave(record)
        rows = [sender.upload(b"%d" % n).record for n in (3, 4)]
        threads = [threading.Thread(target=sender.outbox.enter, args=(row,)) for row in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in threads)


def test_a_row_that_became_another_waits_as_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An original turns out to be what another row sends: if the host is down, that one waits."""
    made = {b"one": b"same", b"two": b"different"}
    monkeypatch.setattr(
        "tests.fakes.sender.prepare", lambda data, *rest: prepare(made[data], *rest)
    )
    with closing(Sender(tmp_path)) as sender:
        two, one = sender.accept(b"two"), sender.accept(b"one")
        sender.store.drop_outgoing(two.record.sha256)
        made[b"two"] = b"same"
        sender.fails(DOWN)
        taken = sender.outbox.take()
        assert taken
        assert str(sender.outbox.work(taken).error) == str(DOWN)
        (row,) = sender.journal.history()
        assert (row.id, row.state, str(row.reason)) == (one.record.id, State.QUEUED, str(DOWN))


def test_keeps_the_hosts_pace_with_many_callers(tmp_path: Path) -> None:
    """Callers at once never exceed what the host allows at a time."""
    sender = Sender(tmp_path, host_config=MemoryConfig(parallel=2))
    delivery = sender.delivery()
    accepted = [sender.upload(b"%d" % n) for n in range(12)]
    threads = [threading.Thread(target=delivery.send, args=(a,)) for a in accepted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {sender.state(a) for a in accepted} == {State.DONE}
    sender.close()
