"""The doctor tells what is wrong and what to do, harms nothing, and never waits for long."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.cli import client
from imghost.desktop.autostart import turn_on
from imghost.dirs import Dirs
from imghost.doctor import machine
from imghost.doctor.daemon import try_daemon, try_port
from imghost.doctor.hosts import hosts_that_publish, try_blog, try_host, try_login
from imghost.doctor.machine import (
    try_autostart,
    try_clock,
    try_config,
    try_disk,
    try_folders,
    try_journal,
)
from imghost.doctor.referrer import sends_no_referrer
from imghost.doctor.session import try_clipboard, try_notices, try_sound, try_tray
from imghost.doctor.trial import Case, Finding, NotTriedError, Trial, Verdict, exit_code
from imghost.doctor.trials import TRIALS
from imghost.door import daemon_lock, find_door
from imghost.errors import (
    ConfigError,
    DaemonError,
    HostError,
    HostRefused,
    HostUnavailable,
    ImghostError,
    LoginExpired,
    MachineError,
    SomeFailed,
)
from imghost.hosts import HOSTS
from imghost.models import Message
from tests.fakes import bilibili, pictures
from tests.fakes.bilibili import BILI_JCT, SESSDATA, Answer, FakeBilibili
from tests.fakes.bilibili_login import Session
from tests.fakes.faults import FaultServer, answering, reply
from tests.fakes.patients import case_of, door_at, snapshot
from tests.fakes.program import Program
from tests.fakes.site import Page, Site
from tests.fakes.terminal import terminal

TAG = b'<head><meta name="referrer" content="no-referrer"></head>'


@pytest.fixture
def fake() -> Iterator[FakeBilibili]:
    """A Bilibili on loopback."""
    with FakeBilibili() as server:
        yield server


# -- how trials end


def test_a_trial_that_hangs_is_left_to_itself(dirs: Dirs) -> None:
    """It is wrong after its time, with the code of what it tried."""
    stuck = threading.Event()

    def hang(_: Case) -> Message:
        stuck.wait()
        return Message("never seen")

    trial = Trial("host x", Message("x"), hang, 0.05, HostUnavailable)
    began = time.monotonic()
    found = trial.run(case_of(dirs))
    stuck.set()
    assert time.monotonic() - began < 5
    assert (found.verdict, found.exit_code) == (Verdict.WRONG, HostError.exit_code)
    assert "0.05 s" in str(found.message)


def _ended(error: BaseException | None, dirs: Dirs) -> Finding:
    def call(_: Case) -> Message:
        if error:
            raise error
        return Message("seen")

    return Trial("x", Message("x"), call).run(case_of(dirs))


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ((), 0),
        ((None, None), 0),
        ((NotTriedError(Message("no need")), None), 0),
        ((MachineError("full"), None), MachineError.exit_code),
        ((LoginExpired("ended"), LoginExpired("ended")), LoginExpired.exit_code),
        ((ConfigError("wrong"), MachineError("full")), SomeFailed.exit_code),
    ],
)
def test_the_code_says_what_is_wrong(
    dirs: Dirs, errors: tuple[BaseException | None, ...], code: int
) -> None:
    """Nothing: 0; things of one kind: theirs; of several kinds: that of several."""
    assert exit_code([_ended(error, dirs) for error in errors]) == code


def test_every_host_is_tried_and_names_are_different() -> None:
    """A new host needs no line here; scripts can tell trials apart."""
    names = [trial.name for trial in TRIALS]
    assert {f"host {name}" for name in HOSTS} <= {*names}
    assert len({*names}) == len(names)
    assert all(0 < trial.limit_s <= 60 for trial in TRIALS)


# -- the machine


def test_a_sound_machine_is_fine_and_stays_as_it_was(dirs: Dirs) -> None:
    """Trials of an ordinary home are fine or have a reason not to be tried; nothing is left."""
    case = case_of(dirs)
    try_journal(case)
    before = snapshot(dirs.data.parent)
    found = [trial.run(case) for trial in TRIALS]
    assert [f for f in found if f.verdict is Verdict.WRONG] == []
    left = snapshot(dirs.data.parent)
    changed = {path.name for path in left if before.get(path) != left[path]}
    assert changed <= {"journal.db", "journal.db-wal", "journal.db-shm", "daemon.lock"}


def test_a_wrong_config_is_told_and_the_rest_is_tried(dirs: Dirs) -> None:
    """What needs the config says that it is wrong; what does not is tried all the same."""
    case = case_of(dirs)
    case.source.path.write_text('{"hots": 1}')
    wrong = Case(case.environ, dirs, case.source, None, None, True, case.ask, frozenset())
    found = {trial.name: trial.run(wrong) for trial in TRIALS}
    assert found["config"].exit_code == ConfigError.exit_code
    assert "hots" in str(found["config"].message)
    assert found["disk"].verdict is Verdict.FINE
    assert found["host local"].verdict is Verdict.NOT_TRIED
    assert exit_code([*found.values()]) == ConfigError.exit_code
    assert hosts_that_publish(wrong) == []


@pytest.mark.parametrize("link", [{"format": "markdwn"}, {"format": "custom"}])
def test_a_config_that_can_be_read_must_make_sense(dirs: Dirs, link: dict[str, str]) -> None:
    """A format that is none, or lacks its template, is wrong before the next picture finds out."""
    case = case_of(dirs)
    case.source.path.write_text(json.dumps({"link": link}))
    with pytest.raises(ConfigError):
        try_config(case)


@pytest.mark.parametrize(
    ("mode", "secret", "is_wrong"),
    [(0o600, "abc", False), (0o644, "", False), (0o644, "abc", True), (0o620, "abc", True)],
)
def test_secrets_that_others_can_read_are_told(
    dirs: Dirs, mode: int, secret: str, is_wrong: bool
) -> None:
    """A copied config with cookies in it is for its owner alone."""
    case = case_of(dirs, hosts={"bilibili": {"sessdata": secret}})
    case.source.path.chmod(mode)
    if is_wrong:
        with pytest.raises(ConfigError, match="chmod 600"):
            try_config(case)
    else:
        assert "is fine" in str(try_config(case))
    case.source.path.chmod(0o600)  # as all that a test leaves must be


def test_folders_that_cannot_be_used_are_told(dirs: Dirs) -> None:
    """One that is a file, one that cannot be made, and one into which others can look."""
    case = case_of(dirs)
    assert str(dirs.data) in str(try_folders(case))
    dirs.data.mkdir()
    dirs.data.chmod(0o755)
    with pytest.raises(MachineError, match="chmod 700"):
        try_folders(case)
    dirs.data.chmod(0o700)
    dirs.state.write_bytes(b"a file")
    with pytest.raises(MachineError, match=str(dirs.state)):
        try_folders(case)
    dirs.state.unlink()
    dirs.cache.parent.joinpath("logs").write_bytes(b"a file")
    with pytest.raises(MachineError, match="logs"):
        try_folders(case)


def test_a_disk_without_room_is_told(dirs: Dirs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little room, or too slow, says what to do; the trial's own file is gone."""
    case = case_of(dirs)
    assert "are free" in str(try_disk(case))
    monkeypatch.setattr(machine, "_SLOW_S", -1.0)
    with pytest.raises(MachineError, match="slow network"):
        try_disk(case)
    monkeypatch.setattr(machine, "_LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(MachineError, match="imghost prune"):
        try_disk(case)
    assert snapshot(dirs.data) == {}


def test_a_damaged_journal_is_told(dirs: Dirs) -> None:
    """It is not mended by looking at it, and what is kept is counted if it is whole."""
    case = case_of(dirs)
    assert "0 uploads" in str(try_journal(case))
    data = bytearray(dirs.journal.read_bytes())
    data[5000:9000] = b"\xff" * 4000
    dirs.journal.write_bytes(data)
    with pytest.raises(MachineError, match="rebuilt from the originals"):
        try_journal(case)
    assert dirs.journal.read_bytes() == data


def test_a_clock_behind_its_files_is_told(dirs: Dirs) -> None:
    """A journal from tomorrow means that the clock was set back."""
    case = case_of(dirs)
    assert str(try_clock(case)).startswith("it is 20")
    try_journal(case)
    os.utime(dirs.journal, (time.time() + 90_000,) * 2)
    with pytest.raises(MachineError, match="set the clock"):
        try_clock(case)


def test_autostart_is_told(dirs: Dirs) -> None:
    """On or off, both are fine."""
    assert "autostart on" in str(try_autostart(case_of(dirs)))
    turn_on(["imghost", "watch"], {})
    assert str(try_autostart(case_of(dirs))) == "it starts with your session"


@pytest.mark.parametrize("trial", [try_clipboard, try_sound, try_tray, try_notices])
def test_without_a_desktop_nothing_is_wrong_with_it(
    dirs: Dirs, trial: Callable[[Case], Message]
) -> None:
    """A server has no clipboard, and that is no fault."""
    environ = {"PULSE_SERVER": "unix:/nowhere"}
    with pytest.raises(NotTriedError, match="no desktop session"):
        trial(case_of(dirs, environ=environ, chime={"enabled": True}))


# -- the daemon


def test_a_daemon_that_runs_is_fine(home: Path, dirs: Dirs) -> None:
    """A real one is of this version, and has its port; with none there is nothing wrong either."""
    assert "imghost watch starts it" in str(try_daemon(case_of(dirs)))
    program = Program(home / "imghost")
    program.configure()
    with program.serving() as url:
        door = find_door(dirs)
        case = case_of(dirs, door=door)
        real = Case({}, dirs, case.source, case.config, door, True, client.status, frozenset())
        assert url in str(try_daemon(real))
        another = Case({}, dirs, case.source, case.config, door, False, client.status, frozenset())
        assert "another config" in str(try_daemon(another))


def test_a_daemon_with_troubles_is_told(dirs: Dirs) -> None:
    """One of another version, with a wrong config, or that nobody finds."""
    door = door_at("http://127.0.0.1:1")
    for told in ({"version": "0.0.1"}, {"version": None}):
        with pytest.raises(DaemonError, match="another version"):
            try_daemon(case_of(dirs, door=door, told=told))
    with pytest.raises(DaemonError, match="hots is unknown"):
        try_daemon(case_of(dirs, door=door, told={"problem": "hots is unknown"}))
    with daemon_lock(dirs) as lock:
        assert lock.acquire()
        with pytest.raises(DaemonError, match="tells nobody"):
            try_daemon(case_of(dirs))


def test_a_free_port_is_fine(dirs: Dirs) -> None:
    """Free, ours, or none at all; looking at it does not take it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    for _ in range(2):
        assert str(try_port(case_of(dirs, server={"port": port}))) == f"{port} is free"
    ours = door_at(f"http://127.0.0.1:{port}")
    assert "own" in str(try_port(case_of(dirs, door=ours, server={"port": port})))
    late = door_at("http://127.0.0.1:9")
    assert "soon" in str(try_port(case_of(dirs, door=late, server={"port": port})))
    assert "server.port is 0" in str(try_port(case_of(dirs, server={"port": 0})))


class _PicGo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"success": true, "result": "alive"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing."""


def test_who_has_the_port_is_told(dirs: Dirs) -> None:
    """PicGo is named, a stranger is not trusted to be anything."""
    with HTTPServer(("127.0.0.1", 0), _PicGo) as picgo:
        thread = threading.Thread(target=picgo.serve_forever, args=(0.02,), name="picgo")
        thread.start()
        with pytest.raises(DaemonError, match="PicGo, PicList"):
            try_port(case_of(dirs, server={"port": picgo.server_port}))
        picgo.shutdown()
        thread.join()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(DaemonError, match="another program"):
            try_port(case_of(dirs, server={"port": port}))


# -- the hosts


def test_a_picture_goes_to_a_host_and_back(dirs: Dirs, fake: FakeBilibili) -> None:
    """One tiny picture, another each time; who can see it is told, and that it stays."""
    case = case_of(dirs, "bilibili", **bilibili.settings(fake))
    assert hosts_that_publish(case) == ["bilibili"]
    for count in (1, 2):
        told = str(try_host("bilibili", case))
        assert len(fake.images) == len(fake.uploads) == count
    assert 'content="no-referrer"' in told
    assert "bilibili cannot delete it: http://127" in told
    assert [bool(referer) for _, referer in fake.fetches] == [False, True] * 2
    assert all(len(data) < 1000 for _, data in fake.images.values())


def test_nothing_is_published_unasked(dirs: Dirs, fake: FakeBilibili) -> None:
    """Without consent no request is made, and the reason says how to give it."""
    with pytest.raises(NotTriedError, match="--yes"):
        try_host("bilibili", case_of(dirs, **bilibili.settings(fake)))
    assert (fake.uploads, fake.fetches) == ([], [])


def test_a_host_that_nobody_set_up_is_left_alone(dirs: Dirs, fake: FakeBilibili) -> None:
    """Defaults, or a pace without a login, are no wish to send there."""
    for hosts in ({}, {"bilibili": {"api": fake.url, "min_gap_s": 1}}):
        case = case_of(dirs, "bilibili", hosts=hosts)
        assert hosts_that_publish(case) == []
        with pytest.raises(NotTriedError, match="not set up"):
            try_host("bilibili", case)
    assert fake.uploads == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(-101, "账号未登录"), LoginExpired),
        (Answer(-412, "请求被拦截"), HostUnavailable),
        (Answer(status=500, body=b""), HostUnavailable),
        (Answer(body=b"<html>"), ImghostError),
    ],
)
def test_what_a_host_says_is_told(
    dirs: Dirs, fake: FakeBilibili, answer: Answer, error: type[ImghostError]
) -> None:
    """A host that does not take the picture is wrong in its own words."""
    fake.answers.append(answer)
    with pytest.raises(error):
        try_host("bilibili", case_of(dirs, "bilibili", **bilibili.settings(fake)))


def test_a_link_that_shows_nothing_is_told(
    dirs: Dirs, fake: FakeBilibili, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken and does not come back, at once or a moment later: with its link."""
    monkeypatch.setattr("imghost.doctor.hosts._AGAIN_S", (0.0, 0.0))
    fake.down = True
    case = case_of(dirs, "bilibili", **bilibili.settings(fake))
    with pytest.raises(HostUnavailable):
        try_host("bilibili", case)
    fake.down = False
    fake.images = _Forgetful()
    with pytest.raises(HostRefused, match="answers 404: http://127"):
        try_host("bilibili", case)


class _Forgetful(dict[str, tuple[str, bytes]]):
    def __setitem__(self, key: str, value: tuple[str, bytes]) -> None:
        """Nothing stays."""


def test_a_link_that_shows_another_picture_is_told(dirs: Dirs, fake: FakeBilibili) -> None:
    """A host that gives other bytes than it was given is wrong."""

    class Changing(dict[str, tuple[str, bytes]]):
        def __setitem__(self, key: str, value: tuple[str, bytes]) -> None:
            super().__setitem__(key, (value[0], pictures.png()))

    fake.images = Changing()
    with pytest.raises(HostRefused, match="other bytes"):
        try_host("bilibili", case_of(dirs, "bilibili", **bilibili.settings(fake)))


def test_the_embedded_host_is_tried_by_its_file_or_its_link(home: Path, dirs: Dirs) -> None:
    """Without a daemon by the file, with one over HTTP as pages do; both are gone afterwards."""
    told = str(try_host("local", case_of(dirs)))
    assert "while imghost runs; it was deleted again" in told
    program = Program(home / "imghost")
    program.configure()
    with program.serving():
        case = case_of(dirs, door=find_door(dirs), server={"port": 0})
        assert "every page shows it; it was deleted again" in str(try_host("local", case))
        assert program.status["counts"]["done"] == 0
    assert [*dirs.local.glob("*/*")] == []
    with pytest.raises(HostUnavailable, match=r"server.port is 0"):
        try_host("local", case_of(dirs, server={"port": 0}))


def test_a_public_address_of_the_embedded_host_is_tried_as_others_see_it(
    dirs: Dirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked before, as it publishes; a page that answers there and is not imghost is wrong."""
    monkeypatch.setattr("imghost.doctor.hosts._AGAIN_S", (0.0, 0.0))
    with Site() as site:
        local: dict[str, Any] = {
            "hosts": {"local": {"public_url": f"http://127.0.0.1:{site.port}"}}
        }
        assert hosts_that_publish(case_of(dirs, **local)) == ["local"]
        with pytest.raises(NotTriedError, match="--yes"):
            try_host("local", case_of(dirs, **local))
        with pytest.raises(HostRefused, match="answers 404"):
            try_host("local", case_of(dirs, "local", **local))
    assert [*dirs.local.glob("*/*")] == []


def test_a_login_is_looked_at(dirs: Dirs, fake: FakeBilibili) -> None:
    """Known: with its name and days; unknown there: log in again; none: only if it is needed."""
    soon = f"a%2C{int(time.time()) + 30 * 86_400}%2Cb"
    fake.login.sessions += [Session(SESSDATA, BILI_JCT), Session(soon, BILI_JCT)]
    case = case_of(dirs, **bilibili.settings(fake))
    assert str(try_login(case)) == "bilibili knows you as 小明 Ming"
    other = bilibili.settings(fake)
    other["hosts"]["bilibili"]["sessdata"] = soon
    assert str(try_login(case_of(dirs, **other))).endswith("for 30 days")
    other["hosts"]["bilibili"]["sessdata"] = "another"
    with pytest.raises(LoginExpired, match="log in again"):
        try_login(case_of(dirs, **other))
    with pytest.raises(NotTriedError, match="imghost login"):
        try_login(case_of(dirs))
    with pytest.raises(LoginExpired, match="imghost login"):
        try_login(case_of(dirs, host="bilibili"))


def test_the_blog_is_looked_at(dirs: Dirs, fake: FakeBilibili) -> None:
    """With the tag it is fine; without, it is wrong for who needs it, and fine for others."""
    with Site() as site:
        blog: dict[str, Any] = {"verify": {"blog": f"http://127.0.0.1:{site.port}/"}}
        with pytest.raises(HostUnavailable, match="answers 404"):
            try_blog(case_of(dirs, **blog))
        site.pages["/"] = Page(TAG, "text/html")
        assert "has the referrer tag" in str(try_blog(case_of(dirs, **blog)))
        site.pages["/"] = Page(b"<html>", "text/html")
        assert "your hosts need none" in str(try_blog(case_of(dirs, **blog)))
        with pytest.raises(HostRefused, match="put <meta"):
            try_blog(case_of(dirs, **bilibili.settings(fake), **blog))
    with pytest.raises(HostUnavailable):
        try_blog(case_of(dirs, **blog))
    with pytest.raises(NotTriedError, match=r"verify.blog"):
        try_blog(case_of(dirs))


def test_a_clock_that_others_contradict_is_told(dirs: Dirs) -> None:
    """An answer's date that is hours away means that this machine's clock is wrong."""
    for date, is_wrong in (("Mon, 05 Jan 2026 07:00:00 GMT", True), ("soon", False)):
        with FaultServer(answering(reply(TAG, "200 OK", f"Date: {date}"))) as server:
            case = case_of(dirs, verify={"blog": f"http://{server.address}/"})
            if is_wrong:
                with pytest.raises(MachineError, match=r"\d+ minutes off that of verify.blog"):
                    try_blog(case)
            else:
                try_blog(case)


# -- the referrer tag


@pytest.mark.parametrize(
    ("header", "page", "is_silent"),
    [
        ("", TAG, True),
        ("", b"<META content='No-Referrer' NAME=referrer>", True),
        ("", b'<meta name="referrer" content="never">', True),
        ("", b'<meta name="referrer" content="same-origin"/>', True),
        ("no-referrer", b"", True),
        ("unknown, no-referrer", b"", True),
        ("no-referrer, unsafe-url", b"", False),
        ("no-referrer", b'<meta name="referrer" content="origin">', False),
        ("unsafe-url", TAG, True),
        ("", TAG + b'<meta name="referrer" content="what">', True),
        ("", b"", False),
        ("", b"<!-- " + TAG + b" -->", False),
        ("", b"<script>'" + TAG + b"'</script>", False),
        ("", b'<meta name="description" content="no-referrer">', False),
        ("", b'<meta name="referrer">', False),
        ("", b'<meta name="referrer" content="strict-origin-when-cross-origin">', False),
    ],
)
def test_the_tag_is_read_as_browsers_do(header: str, page: bytes, is_silent: bool) -> None:
    """The last policy that is known counts, that of the page before that of the answer."""
    assert sends_no_referrer({"referrer-policy": header}, page) is is_silent


@given(st.lists(st.sampled_from([b"<", b"meta ", b"<meta ", b"name=", b"<!--", b"-->", TAG, b'"'])))
def test_no_page_is_too_odd(pieces: list[bytes]) -> None:
    """Whatever a page holds, there is an answer."""
    assert sends_no_referrer({}, b"".join(pieces)) in (True, False)


def test_a_large_page_takes_no_time() -> None:
    """Two megabytes of beginnings that never end are read through once."""
    for piece in (b"<!--", b"<meta ", b"<meta name=", b"<script", b'"', b"<meta a='"):
        began = time.monotonic()
        sends_no_referrer({}, piece * (2_000_000 // len(piece)))
        assert time.monotonic() - began < 2
    began = time.monotonic()
    sends_no_referrer({}, b"<meta " + b"a" * 2_000_000 + b">")
    assert time.monotonic() - began < 2


# -- the command


def test_the_command_tells_all(home: Path) -> None:
    """A line for each trial, the same as JSON, in both languages; a wrong config ends with 3."""
    program = Program(home / "imghost", {"PULSE_SERVER": "unix:/nowhere"})
    program.configure(server={"port": 0})
    result = program.run("doctor")
    assert result.err == ""
    assert len(result.lines) == len(TRIALS)
    assert "WRONG: " in result.out  # no port, so no links of its own
    assert result.code == HostError.exit_code
    program.configure(server={"port": 36677})
    found = program.run("doctor", "--json")
    assert found.code == 0
    assert [list(one) for one in found.json] == [["name", "verdict", "told"]] * len(TRIALS)
    assert {one["verdict"] for one in found.json} == {"fine", "not tried"}
    program.environ["LC_ALL"] = "zh_CN.UTF-8"
    assert "配置\uff1a正常" in program.run("doctor").out
    program.configure().write_text("{")
    result = program.run("doctor")
    assert result.code == ConfigError.exit_code
    assert "Traceback" not in result.err


def test_a_person_is_asked_before_anything_is_published(home: Path, fake: FakeBilibili) -> None:
    """In a terminal by a question; elsewhere nothing goes out, unless --yes says so."""
    program = Program(home / "imghost", {"PULSE_SERVER": "unix:/nowhere"})
    program.configure(server={"port": 36677}, **bilibili.settings(fake))
    assert "add --yes" in program.run("doctor", stdin=b"y\n").out
    for answer, count in (("n", 0), ("y", 1)):
        with terminal(program, "doctor") as person:
            person.until("published at bilibili")
            person.type(f"{answer}\n")
            person.until("autostart: fine")
            person.ended()
        assert len(fake.uploads) == count
    result = program.run("doctor", "--yes")
    assert "host bilibili: fine; a tiny picture came back" in result.out
    assert len(fake.uploads) == 2
