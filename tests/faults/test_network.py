"""Rows 1 to 6, 9: whatever happens on the way to a host, each picture arrives, as it is told."""

from __future__ import annotations

import itertools
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic

import pytest

from imghost.errors import HostError, HostUnavailable
from imghost.hosts.base import MOST_PARALLEL, Outside
from imghost.hosts.bilibili import BilibiliConfig, BilibiliHost
from imghost.imaging.check import recalled
from imghost.models import Image
from imghost.secret import Secret
from imghost.transport import Http
from tests.fakes import bilibili, pictures
from tests.fakes.bilibili import Answer, FakeBilibili, Upload
from tests.fakes.canaries import SECRETS, leaked, shown
from tests.fakes.faults import FaultServer, Peer, random_reply
from tests.fakes.program import END_S, Program, eventually
from tests.fakes.s3 import FakeS3
from tests.faults.arrivals import arrivals, sent_twice
from tests.faults.folder import Folder
from tests.faults.proxy import Fault, FaultProxy, plans
from tests.faults.trial import Trial

TIMEOUT_S = 1.0
PATIENT_S = 30.0
FAULTY = 0.3
FAULTS = sorted(set(Fault) - {Fault.NONE})
STALL_S = 2.0
MOVE_S = 1.0
PARALLEL = 4
LINKED, NOT_SENT, UNKNOWN = "linked", "not sent", "unknown"
CAME = {LINKED: (1,), NOT_SENT: (0,), UNKNOWN: (0, 1)}
FOUND_S = 10.0


def _folder(
    home: Path, tmp_path: Path, api: str, parallel: int = 4, timeout_s: float = TIMEOUT_S
) -> Folder:
    """A folder whose pictures go to Bilibili at this address."""
    host: dict[str, object] = {"sessdata": bilibili.SESSDATA, "bili_jct": bilibili.BILI_JCT}
    host |= {"api": api, "min_gap_s": 0, "timeout_s": timeout_s, "parallel": parallel}
    settings = {"host": "bilibili", "hosts": {"bilibili": host}}
    return Folder(Program(home / "imghost"), tmp_path / "watched", settings)


def _wait_for_another(folder: Folder, than: int) -> None:
    eventually(lambda: folder.home.states["done"] > than, MOVE_S)


def _persist(folder: Folder, within_s: float) -> None:
    """Until all is done; when nothing moves, say that something changed: no pause is waited out."""
    until = monotonic() + within_s
    while not folder.is_done:
        assert monotonic() < until, folder.home.states
        with suppress(AssertionError):
            _wait_for_another(folder, folder.home.states["done"])
            continue
        folder.retry()


def _storm(trial: Trial, folder: Folder, proxy: FaultProxy) -> int:
    """Save pictures and have all of them sent, by a few daemons; how many rows are well then."""
    daemons, count = trial.size((1, 25), (5, 100))
    logs = folder.home.dirs.logs
    for _ in range(daemons):
        with folder.watching(), trial.recovering():
            folder.save(count)
            _persist(folder, within_s=count * 1.0)
        assert not any("a bug" in log.read_text(encoding="utf-8") for log in logs.iterdir())
    assert proxy.done.keys() >= set(FAULTS)
    return folder.home.check(*folder.given)


def _faulty(counts: Counter[Fault]) -> int:
    return counts.total() - counts[Fault.NONE]


@contextmanager
def _bilibili(api: str, folder: Path) -> Iterator[BilibiliHost]:
    """The host at this address, as the program asks it."""
    sessdata, bili_jct = Secret(bilibili.SESSDATA), Secret(bilibili.BILI_JCT)
    config = BilibiliConfig(sessdata=sessdata, bili_jct=bili_jct, api=api)
    with closing(Http(timeout_s=TIMEOUT_S)) as http:
        yield BilibiliHost(config, Outside(http, "", folder, folder))


def _ended(host: BilibiliHost, image: Image) -> str:
    """How its upload ended: with a link, without, or so that nobody knows."""
    try:
        host.upload(image, "live")
    except HostUnavailable as exc:
        return UNKNOWN if exc.ambiguous else NOT_SENT
    return LINKED


@pytest.mark.row(3)
def test_a_host_that_never_answers_holds_up_no_other(
    trial: Trial, home: Path, tmp_path: Path, fake: FakeBilibili
) -> None:
    """Though it has been given as many at once as any config allows; it gets all of them later."""
    settings = bilibili.settings(fake)
    with FakeS3() as store, socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        address = "http://{}:{}".format(*silent.getsockname())
        s3 = store.settings(endpoint=address, parallel=MOST_PARALLEL)
        settings |= {"host": "s3", "hosts": {**settings["hosts"], "s3": s3}}
        folder = Folder(Program(home / "imghost"), tmp_path / "watched", settings)
        with folder.watching() as watching:
            folder.save(3 * MOST_PARALLEL)
            eventually(lambda: folder.home.states.total() == 3 * MOST_PARALLEL)
            eventually(lambda: folder.home.states["uploading"] >= 2 * MOST_PARALLEL)
            settings["host"] = "bilibili"
            folder.configure()
            folder.save(8)
            eventually(lambda: folder.home.states["done"] == 8, trial.bound_s(FOUND_S))
            watching.process.terminate()
            watching.must_end(trial.bound_s(END_S))
        assert set(arrivals(fake).values()) == {1}
        s3 |= {"endpoint": store.url, "parallel": PARALLEL}
        folder.configure()
        folder.finish(within_s=30)


@pytest.mark.row(4)
def test_storm(trial: Trial, home: Path, tmp_path: Path, fake: FakeBilibili) -> None:
    """A third of all exchanges fail in some way: one row each, and what came twice says so.

    Nothing comes twice but for a reply that was not heard.
    """
    with FaultProxy(fake.port, partial(next, plans(trial.chance, FAULTY, *FAULTS))) as proxy:
        folder = _folder(home, tmp_path, f"http://{proxy.address}", parallel=8)
        checked = _storm(trial, folder, proxy)
    often = {sha256 for sha256, count in arrivals(fake).items() if count > 1}
    told = {row["sha256"] for row in folder.home.rows if "twice" in row["notes"]}
    assert often <= told
    assert sent_twice(fake) <= proxy.unheard
    what, twice = f"faults on the wire to bilibili, {checked} pictures", sent_twice(fake)
    trial.note(what, _faulty(proxy.done), checked=checked, twice=twice)


@pytest.mark.row(4)
def test_storm_to_a_bucket(trial: Trial, home: Path, tmp_path: Path) -> None:
    """So it is with S3, which has each picture once, under its own name, however often it came."""
    plan = partial(next, plans(trial.chance, FAULTY, *FAULTS))
    with FakeS3() as store, FaultProxy(store.port, plan) as proxy:
        address = f"http://{proxy.address}"
        s3 = store.settings(endpoint=address, timeout_s=TIMEOUT_S, parallel=8)
        settings = {"host": "s3", "hosts": {"s3": s3}}
        folder = Folder(Program(home / "imghost"), tmp_path / "watched", settings)
        checked = _storm(trial, folder, proxy)
    kept = [sha256(data).hexdigest() for _, data in store.objects.values()]
    assert sorted(kept) == sorted(row["sha256"] for row in folder.home.rows)
    twice = len(store.asked) - checked
    assert twice <= proxy.unheard
    what = f"faults on the wire to s3, {checked} pictures"
    trial.note(what, _faulty(proxy.done), checked=checked, twice=twice)


@pytest.mark.row(4)
def test_kept_connections(
    trial: Trial, tmp_path: Path, fake: FakeBilibili, caplog: pytest.LogCaptureFixture
) -> None:
    """A third of all exchanges fail, also those on connections that served others before.

    Each picture came once that got its link, once at most if that was not heard, and else never; a
    fault spoils no more than its own exchange.
    """
    bursts, count = trial.size((5, 16), (60, 16))
    spoilt = 0
    images = (recalled(pictures.png(seed=seed), "a.png") for seed in itertools.count())
    with FaultProxy(fake.port, partial(next, plans(trial.chance, FAULTY, *FAULTS))) as proxy:
        for _ in range(bursts):
            sent = list(itertools.islice(images, count))
            api = f"http://{proxy.address}"
            with _bilibili(api, tmp_path) as host, ThreadPoolExecutor(PARALLEL) as pool:
                ends = list(pool.map(partial(_ended, host), sent))
            spoilt += len(sent) - ends.count(LINKED)
            came = arrivals(fake)
            for image, end in zip(sent, ends, strict=True):
                assert came[image.sha256] in CAME[end]
    assert proxy.done.keys() >= set(FAULTS)
    caplog.clear()  # it holds errors, and those their connections
    assert spoilt <= _faulty(proxy.done)
    assert proxy.later.keys() >= trial.size({Fault.NONE}, {Fault.NONE, *FAULTS})
    what = "faults on the wire of bursts of uploads"
    more = f"{_faulty(proxy.later)} of them on kept connections"
    trial.note(what, _faulty(proxy.done), checked=0, twice=sent_twice(fake), more=more)


@pytest.mark.row(6)
def test_random_replies(trial: Trial, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a host answers is a link or one of our errors, in time, and shows no secret."""
    replies = trial.size(400, 10_000)
    image = recalled(pictures.png(), "a.png")
    linked, told = 0, list[str]()

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(random_reply(trial.chance))

    with FaultServer(behave) as server, _bilibili(f"http://{server.address}", tmp_path) as host:
        for _ in range(replies):
            begun = monotonic()
            try:
                linked += host.upload(image, "live").url.startswith("http")
            except HostError as exc:
                told.append(shown(exc))
            trial.longest_s = max(trial.longest_s, monotonic() - begun)
    assert trial.longest_s < trial.bound_s(TIMEOUT_S + 1)
    assert not leaked("\n".join({*told, caplog.text}), SECRETS)
    caplog.clear()  # as above
    trial.note(f"random replies, {linked} of them with a link", replies, checked=0)


@pytest.mark.row(2)
def test_rest_that_is_asked_for(
    trial: Trial, home: Path, tmp_path: Path, fake: FakeBilibili
) -> None:
    """Nobody asks again before the host's own time is over, and then all is sent."""
    rest_s, times = trial.size((2, 1), (5, 4))
    folder = _folder(home, tmp_path, fake.url, parallel=1, timeout_s=PATIENT_S)
    with folder.watching():
        for _ in range(times):
            before = len(fake.uploads)
            busy = Answer(status=429, body=b"", headers={"Retry-After": str(rest_s)})
            fake.answers.append(busy)
            folder.save(5)
            eventually(lambda: folder.is_done)
            asked = [upload.at for upload in fake.uploads[before:]]
            assert asked[1] - asked[0] >= rest_s
            assert len(asked) == 6
            trial.longest_s = max(trial.longest_s, asked[-1] - asked[0] - rest_s)
    checked = folder.home.check(*folder.given)
    trial.note(f"429 with Retry-After: {rest_s}", times, checked=checked, twice=sent_twice(fake))


@pytest.mark.row(2)
def test_risk_control(trial: Trial, home: Path, tmp_path: Path, fake: FakeBilibili) -> None:
    """Who is suspected asks no more, whatever is saved meanwhile, until the user says so."""
    folder = _folder(home, tmp_path, fake.url, parallel=1, timeout_s=PATIENT_S)
    with folder.watching():
        fake.answers.append(Answer(-412, "请求被拦截"))
        folder.save(3)
        eventually(lambda: folder.home.states["queued"] == 3)
        folder.save(3)
        eventually(lambda: folder.home.states["queued"] == 6)
        with suppress(AssertionError):
            eventually(lambda: len(fake.uploads) > 1, STALL_S)
        assert len(fake.uploads) == 1
        with trial.recovering():
            folder.retry()
            eventually(lambda: folder.is_done)
    checked = folder.home.check(*folder.given)
    trial.note("-412 in the middle", 1, checked=checked, twice=sent_twice(fake))


class Forgetful(FakeBilibili):
    """Says that it has a picture, and shows something else."""

    shown: tuple[str, bytes] | None = None

    def judge(self, upload: Upload, host: str) -> Answer:
        """As ever, but nothing is kept as it came."""
        answer = super().judge(upload, host)
        with self.lock:
            for path in self.images if self.shown else list(self.images):
                if self.shown:
                    self.images[path] = self.shown
                else:
                    del self.images[path]
        return answer


@pytest.mark.row(9)
@pytest.mark.parametrize("shown", [None, ("image/png", b"other bytes")], ids=["gone", "other"])
def test_a_link_that_does_not_work(
    trial: Trial, home: Path, tmp_path: Path, shown: tuple[str, bytes] | None
) -> None:
    """It is found out and told soon, and the original is kept."""
    count = trial.size(2, 50)
    with Forgetful() as fake:
        fake.shown = shown
        folder = _folder(home, tmp_path, fake.url)
        with folder.watching():
            for _ in range(count):
                folder.save()
                eventually(lambda: folder.is_done)
                with trial.recovering():
                    eventually(
                        lambda: {r["alive"] for r in folder.home.rows} <= {"dead", "suspect"}
                    )
    checked = folder.home.check(*folder.given)
    assert trial.longest_s < trial.bound_s(FOUND_S)
    what = f"a link whose picture is {'another' if shown else 'gone'}"
    trial.note(what, count, checked=checked, twice=sent_twice(fake))
