"""`imghost watch` beside the other commands: start, pause, resume, lock, stop, and what is told."""

from __future__ import annotations

import os
import re
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from imghost.watch.board import MEANWHILE
from imghost.watch.pausing import AT_START, BY_USER, LOCKED, TIME_OVER
from imghost.watch.telling import Topic
from tests.fakes import bilibili, pictures
from tests.fakes.loop import running_loop
from tests.fakes.notifications import Notifications
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.screens import screen_saver

PNG = "image/png"
MOMENT_MINUTES = 0.08


def _is_paused(program: Program) -> bool:
    return bool(program.status["paused"])


def _wait_until_left(program: Program) -> None:
    """Wait until what was copied during a pause was looked at, after its end."""
    wanted = [str(MEANWHILE)]
    eventually(lambda: [left["reason"] for left in program.status["left_alone"]] == wanted)


def _only_the_next(program: Program, person: Person) -> None:
    """A picture that is copied now becomes a link, and no other was ever taken."""
    person.copy(pictures.png(seed=99))
    (link,) = person.linked()
    assert seen(link) == pictures.png(seed=99)
    assert len(program.history) == 1


def test_pause_and_resume(program: Program, person: Person) -> None:
    """What is copied during a pause stays where it is, then too when the pause is over."""
    with program.watching():
        assert program.run("pause").err == "imghost: paused; imghost resume goes on\n"
        person.copy(pictures.png())
        assert program.run("status").lines[0] == f"paused: {BY_USER}; imghost resume goes on"
        assert person.pasted(PNG) == pictures.png()
        assert program.run("resume").err == "imghost: watching\n"
        assert person.pasted(PNG) == pictures.png()
        assert [left["reason"] for left in program.status["left_alone"]] == [str(MEANWHILE)]
        _only_the_next(program, person)
        assert program.run("status").lines[0] == "watching"


def test_minutes(program: Program, person: Person) -> None:
    """A pause with an end tells when that is; it ends by itself, and so does a time to watch."""
    with program.watching():
        program.run("pause", "30")
        at = re.fullmatch(r"it watches again at (\S+)", program.run("status").lines[1])
        assert at
        left = datetime.fromisoformat(at[1]) - datetime.now().astimezone()
        assert 29 < left.total_seconds() / 60 <= 30
        program.run("pause", str(MOMENT_MINUTES))
        person.copy(pictures.png())
        eventually(lambda: not _is_paused(program))
        _wait_until_left(program)
        _only_the_next(program, person)
        program.run("resume", str(MOMENT_MINUTES / 4))
        eventually(lambda: _is_paused(program))
        assert program.status["pause_reason"] == str(TIME_OVER)
        person.copy(pictures.png())
        assert person.pasted(PNG) == pictures.png()


def test_a_pause_outlives_a_restart(program: Program, person: Person) -> None:
    """Who paused it finds it paused, and is told so at the start."""
    with program.watching():
        program.run("pause")
    with program.watching() as watching:
        eventually(lambda: "paused: you paused it; imghost resume goes on" in watching.said)
        person.copy(pictures.png())
        program.run("resume")
        _only_the_next(program, person)


def test_started_by_the_session(
    program: Program, person: Person, fake: bilibili.FakeBilibili
) -> None:
    """With a host that publishes it begins paused, says how to resume, and sends nothing."""
    with program.watching("--autostart") as watching:
        eventually(lambda: f"paused: {AT_START}; imghost resume" in watching.said)
        person.copy(pictures.png())
        assert _is_paused(program)
        program.run("resume")
        _only_the_next(program, person)
    assert len(fake.uploads) == 1


def test_started_by_the_session_for_oneself(program: Program, person: Person) -> None:
    """With the host that never leaves this machine it watches at once."""
    with program.watching("--autostart"):
        _only_the_next(program, person)


def test_a_locked_screen(program: Program, person: Person, notices: Notifications) -> None:
    """While the screen is locked nothing is taken, and nobody is bothered with that."""
    address = program.environ["DBUS_SESSION_BUS_ADDRESS"]
    with (
        running_loop() as loop,
        screen_saver(loop, address, "freedesktop") as saver,
        program.watching(),
    ):
        loop.call(saver.says, True)
        eventually(lambda: _is_paused(program))
        assert program.status["pause_reason"] == str(LOCKED)
        person.copy(pictures.png())
        assert person.pasted(PNG) == pictures.png()
        loop.call(saver.says, False)
        eventually(lambda: not _is_paused(program))
        _wait_until_left(program)
        _only_the_next(program, person)
    assert notices.texts(str(Topic.PAUSED.value)) == []


def test_a_second_one(program: Program, person: Person) -> None:
    """Who starts it twice is told so, and the first one goes on."""
    with program.watching() as watching:
        second = program.run("watch")
        assert second.code == 8
        assert f"another imghost is running (process {watching.process.pid})" in second.err
        _only_the_next(program, person)


def test_stop(program: Program, person: Person) -> None:
    """`imghost stop` ends it well."""
    with program.watching() as watching:
        assert program.run("stop").code == 0
        watching.must_end()
        assert watching.said.endswith("imghost: stopped\n")


def test_without_the_clipboard(program: Program, person: Person, tmp_path: Path) -> None:
    """With --no-clipboard nothing is taken of it, and folders are watched."""
    folder = tmp_path / "watched"
    folder.mkdir()
    program.set("watch.folders", [str(folder)])
    with program.watching("--no-clipboard"):
        person.copy(pictures.png())
        (folder / "a.png").write_bytes(pictures.png(seed=1))
        eventually(lambda: [row["state"] for row in program.history] == ["done"])
        assert person.pasted(PNG) == pictures.png()
    assert program.history[0]["name"] == "a.png"


def test_without_a_desktop(program: Program, tmp_path: Path) -> None:
    """Folders and server go on, and one line says what is missing and how to get it."""
    folder = tmp_path / "watched"
    folder.mkdir()
    program.set("watch.folders", [str(folder)])
    del program.environ["DISPLAY"]
    with program.watching() as watching:
        (folder / "a.png").write_bytes(pictures.png())
        eventually(lambda: [row["state"] for row in program.history] == ["done"])
        assert seen(program.history[0]["url"]) == pictures.png()
        told = [line for line in watching.said.splitlines() if "clipboard" in line]
        assert len(told) == 1
        assert "start imghost inside a desktop session" in told[0]
        assert any("clipboard" in problem for problem in program.status["missing"])


@pytest.mark.skipif(os.name != "posix", reason="file modes mean something else there")
def test_nobody_else_can_read(program: Program, person: Person) -> None:
    """Whatever the umask, all that imghost writes is for its user only."""
    shutil.rmtree(program.home)
    former = os.umask(0)
    try:
        program.set("server.port", 0)
        program.set("chime.enabled", value=False)
        with program.watching():
            person.copy(pictures.encoded(pictures.picture(), "BMP"), "image/bmp")
            person.linked()
            written = [program.home, *program.home.rglob("*")]
            assert {"config.json", "journal.db", "daemon.lock"} <= {path.name for path in written}
            assert [path for path in written if path.stat().st_mode & 0o077] == []
    finally:
        os.umask(former)
