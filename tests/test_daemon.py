"""The background process: what it does by itself, and how it takes change, trouble and its end."""

from __future__ import annotations

import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imghost.dirs import Dirs
from imghost.login import Login, LoginFile
from imghost.secret import Secret
from tests.fakes import bilibili, pictures
from tests.fakes.bilibili_login import NAME, FakeLogin
from tests.fakes.program import Program, eventually


@pytest.fixture
def program(home: Path) -> Program:
    """The program on a free port."""
    made = Program(home / "imghost")
    made.configure()
    return made


@pytest.fixture
def fake(program: Program) -> Iterator[bilibili.FakeBilibili]:
    """A Bilibili on loopback."""
    with bilibili.FakeBilibili() as server:
        program.configure(
            host="bilibili",
            hosts={
                "bilibili": {
                    "api": server.url,
                    "passport": server.url,
                    "min_gap_s": 0,
                    "sessdata": bilibili.SESSDATA,
                    "bili_jct": bilibili.BILI_JCT,
                }
            },
            server={"port": 0},
        )
        yield server


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())
    return path


def _counts(program: Program) -> dict[str, int]:
    counts: dict[str, int] = program.run("status", "--json").json["counts"]
    return counts


def _alive(program: Program) -> list[str]:
    return _column(program, "alive")


def _states(program: Program) -> list[str]:
    """The states as they stand in the file: nobody is asked, who might look at the config then."""
    return _column(program, "state")


def _column(program: Program, name: str) -> list[str]:
    with sqlite3.connect(program.home / "data" / "journal.db") as db:
        rows = db.execute(f"SELECT {name} FROM uploads").fetchall()
    db.close()
    return [row[0] for row in rows]


def test_looks_at_each_new_link_once(
    program: Program, picture: Path, fake: bilibili.FakeBilibili
) -> None:
    """A link that shows the picture is seen alive, and a command's picture is looked at too."""
    program.run("upload", picture)
    with program.serving():
        eventually(lambda: _alive(program) == ["alive"])


def test_a_dead_link_is_found(program: Program, picture: Path) -> None:
    """A file of the embedded host that was deleted is marked, and given out again only anew."""
    program.configure(verify={"after_upload": False})
    with program.serving():
        program.run("upload", picture)
    (file,) = (program.home / "data" / "local" / "images").iterdir()
    file.unlink()
    program.configure()
    with program.serving():
        eventually(lambda: _alive(program) == ["dead"])
        assert program.run("upload", picture).code == 0
        assert file.exists()


def test_a_change_of_the_config_counts_for_the_next_image(program: Program, picture: Path) -> None:
    """A running server writes links as the config says by then; a broken one is told."""
    with program.serving():
        assert program.run("upload", picture, "--format", "url", "--style", "").out.endswith(
            "png\n"
        )
        program.run("config", "set", "link.style", "@32w")
        assert program.run("upload", picture).out.endswith("png@32w\n")
        config = program.home / "config" / "config.json"
        config.write_text("{")
        result = program.run("upload", picture)
        assert result.code == 3
        assert str(config) in result.err
        config.write_text('{"server": {"port": 0}}')
        assert program.run("upload", picture).out.endswith("png\n")


def test_an_expired_login_is_held_and_flows_after_a_new_one(
    program: Program, picture: Path, tmp_path: Path, fake: bilibili.FakeBilibili
) -> None:
    """Nothing fails, nobody is bothered with requests, and new cookies send everything."""
    program.run("config", "set", "hosts.bilibili.sessdata", stdin=b"expired\n")
    other = tmp_path / "b.png"
    other.write_bytes(pictures.png(seed=7))
    with program.serving():
        result = program.run("upload", picture, other)
        assert result.code == 9
        eventually(lambda: _counts(program)["queued"] == 2)
        assert len(fake.uploads) <= 2  # as many as go at a time
        waiting = program.run("status", "--json").json["waiting"]
        assert waiting[0]["next_try_s"] is None
        new = bilibili.SESSDATA.encode() + b"\n"
        program.run("config", "set", "hosts.bilibili.sessdata", stdin=new)
        eventually(lambda: _states(program) == ["done", "done"])


def test_a_login_sends_what_was_held(
    program: Program, picture: Path, tmp_path: Path, fake: bilibili.FakeBilibili
) -> None:
    """The cookies are over: all is held, hardly asked for, and flows by itself after a login."""
    paths = [picture, *(tmp_path / f"{seed}.png" for seed in range(4))]
    for seed, path in enumerate(paths[1:]):
        path.write_bytes(pictures.png(seed=seed + 50))
    fake.sessdata = "cafe%2Crenewed"
    with program.serving():
        assert program.run("upload", *paths).code == 9
        eventually(lambda: _counts(program)["queued"] == len(paths))
        tried = len(fake.uploads)
        assert tried <= 2  # as many as go at a time
        status = program.run("status", "--json").json
        assert status["login"]["wanted"] == "bilibili"
        assert "imghost login" in program.run("status").out
        program.run("config", "set", "chime.volume", "0.5")  # which changes nothing for the host
        fake.login.behave = FakeLogin.confirm
        assert program.run("login").code == 0
        eventually(lambda: _states(program) == ["done"] * len(paths))
        assert len(fake.uploads) == tried + len(paths)
        login = program.run("status", "--json").json["login"]
        assert (login["wanted"], login["name"], login["from"]) == ("", NAME, "login")
        assert program.run("logout").code == 0
        assert program.run("upload", tmp_path / "0.png", "--bucket", "live").code == 7


def test_the_end_of_a_login_is_told_without_a_desktop(
    program: Program, dirs: Dirs, tmp_path: Path, fake: bilibili.FakeBilibili
) -> None:
    """On stderr, in the words of the notice that a desktop shows."""
    sections = bilibili.settings(fake)
    sections["hosts"]["bilibili"] |= {"sessdata": "", "bili_jct": ""}
    program.configure(**sections)
    login = Login(Secret("old"), Secret("old"), time.time() + 2.5 * 86_400)
    LoginFile(dirs.login).save(login)
    told = "imghost: your login at bilibili ends soon (days left: 3)"
    said = tmp_path / "said"
    with (
        said.open("wb") as says,
        program.start("serve", stdin=subprocess.DEVNULL, stderr=says) as server,
    ):
        try:
            eventually(lambda: told in said.read_text())
        finally:
            server.terminate()


def test_a_signal_in_an_upload_loses_nothing(
    program: Program, picture: Path, fake: bilibili.FakeBilibili
) -> None:
    """Told to end while the host keeps it waiting, it ends within five seconds, the row queued."""
    arrived = threading.Event()
    fake.answers.append(bilibili.Answer(after=arrived))
    with program.start("serve", stdin=subprocess.DEVNULL) as server:
        assert server.stderr
        server.stderr.readline()
        with program.start("upload", str(picture)) as upload:
            eventually(lambda: len(fake.uploads) == 1)
            start = time.monotonic()
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0
            assert time.monotonic() - start < 5
            _, said = upload.communicate(timeout=20)
            assert b"kept" in said
    arrived.set()
    assert _counts(program) | {"done": 0} == {
        "asking": 0,
        "queued": 1,
        "uploading": 0,
        "done": 0,
        "failed": 0,
    }


def test_a_journal_that_others_keep_does_not_hold_up_the_end(
    program: Program, picture: Path
) -> None:
    """Told to end while it waits for another process's transaction, it ends well, and soon."""
    with program.start("serve", stdin=subprocess.DEVNULL) as server:
        assert server.stderr
        server.stderr.readline()
        with closing(sqlite3.connect(program.home / "data/journal.db", isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            with program.start("upload", str(picture)) as upload:
                eventually(lambda: len(program.originals) == 1)  # it is about to be accepted
                server.send_signal(signal.SIGTERM)
                assert server.wait(5) == 0
                _, said = upload.communicate(timeout=20)
                assert b"busy" in said
                assert upload.returncode == 10
    assert _counts(program) == dict.fromkeys(_counts(program), 0)


def test_many_inputs_wait_for_the_hosts_pace_and_go_once(
    program: Program, tmp_path: Path, fake: bilibili.FakeBilibili
) -> None:
    """More pictures than go at a time, with a gap between: one link each, each sent once."""
    program.run("config", "set", "hosts.bilibili.min_gap_s", "0.3")
    paths = []
    for n in range(10):
        paths.append(tmp_path / f"{n}.png")
        paths[-1].write_bytes(pictures.png(seed=100 + n))
    with program.serving():
        result = program.run("upload", *paths)
        assert result.code == 0
        assert len(set(result.lines)) == 10
        assert all(result.lines)
    assert len(fake.uploads) == 10
    assert _counts(program)["done"] == 10


def test_a_hanging_server_does_not_hang_the_commands(program: Program) -> None:
    """A server that stands still is told as one that does not answer."""
    with program.start("serve", stdin=subprocess.DEVNULL) as server:
        assert server.stderr
        server.stderr.readline()
        server.send_signal(signal.SIGSTOP)
        result = program.run("status")
        server.send_signal(signal.SIGCONT)
        server.terminate()
        server.communicate(timeout=30)
    assert result.code == 8
    assert "does not answer" in result.err


def test_threads_of_a_long_life_leave_no_handles(program: Program, tmp_path: Path) -> None:
    """Upload after upload, the server has no more files open than before."""
    if not Path("/proc").exists():
        pytest.skip("the system does not tell how many files a process has open")
    paths = [tmp_path / f"{n}.png" for n in range(5)]
    with program.start("serve", stdin=subprocess.DEVNULL) as server:
        assert server.stderr
        server.stderr.readline()
        counts = []
        for round_number in range(6):
            for n, path in enumerate(paths):
                path.write_bytes(pictures.png(seed=1000 * round_number + n))
            program.run("upload", *paths)
            counts.append(len(list(Path(f"/proc/{server.pid}/fd").iterdir())))
        server.terminate()
        server.communicate(timeout=30)
    assert counts[-1] <= counts[1] + 8, counts


def test_a_drawing_under_way_does_not_hold_up_the_end(program: Program, tmp_path: Path) -> None:
    """Told to end while it draws what takes long, it ends within five seconds, and all with it."""
    path = tmp_path / "large.png"
    path.write_bytes(pictures.png(6000, 5000))
    with program.start("serve", stdin=subprocess.DEVNULL) as server, ExitStack() as stack:
        stack.callback(server.kill)
        assert server.stderr
        server.stderr.readline()
        link = urlsplit(program.run("upload", path, "--format", "url", "--style", "").out.strip())
        address = (str(link.hostname), link.port or 0)
        peer = stack.enter_context(socket.create_connection(address, 20))
        before = _children(server.pid)
        peer.sendall(f"GET {link.path}@99p.avif HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        eventually(lambda: bool(_children(server.pid) - before))
        drawing = _children(server.pid) - before
        start = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        assert time.monotonic() - start < 5
        assert peer.recv(1000).startswith(b"HTTP/1.1 503 ")
    assert not [pid for pid in drawing if Path(f"/proc/{pid}").exists()]


def _children(pid: int) -> set[int]:
    """The processes that this one has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def _delete(folder: Path) -> None:
    """All at once, whatever is written there meanwhile."""
    gone = folder.with_name(f"{folder.name}.gone")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def test_a_deleted_data_folder_is_made_again(program: Program, picture: Path) -> None:
    """With everything gone under it the same server goes on, and takes the next picture."""
    with program.serving() as url:
        server = program.door.pid
        program.run("upload", picture)
        _delete(program.home / "data")
        result = program.run("upload", picture)
        assert (result.code, url in result.out) == (0, True), result
        assert (program.door.pid, program.status["counts"]["done"]) == (server, 1)


def test_a_deleted_state_folder_is_made_again(program: Program, picture: Path) -> None:
    """The server is found again, is still the only one, and keeps what it was sending."""
    with program.serving():
        server = program.door.pid
        program.run("upload", picture)
        _delete(program.home / "state")
        eventually(lambda: program.run("status").code == 0)
        assert program.run("serve").code == 8
        assert program.run("upload", picture).code == 0
        assert program.door.pid == server
