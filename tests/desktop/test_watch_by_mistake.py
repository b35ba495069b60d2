"""A screenshot is never published by mistake: each case on the real clipboard, and no request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.clipboard import CUT, MARKED, WITH_TEXT
from imghost.watch.board import BEFORE, MEANWHILE
from imghost.watch.pausing import AT_START, LOCKED
from imghost.watch.telling import Topic
from tests.fakes import bilibili, pictures
from tests.fakes.loop import running_loop
from tests.fakes.notifications import Notifications
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.screens import screen_saver
from tests.fakes.x11_owners import Owner

PNG = "image/png"
TABLE = {PNG: pictures.png(seed=1), "UTF8_STRING": b"a table"}
PASSWORD = {PNG: pictures.png(seed=2), "x-kde-passwordManagerHint": b"secret"}
STILL_S = 1.0  # longer than a picture that is taken needs to be sent


@pytest.fixture
def public(program: Program, person: Person) -> Iterator[bilibili.FakeBilibili]:
    """A host that publishes; in the end nobody has asked it for anything, and nothing is kept."""
    person.copy(b"words", "UTF8_STRING")
    with bilibili.FakeBilibili() as fake:
        program.configure(**bilibili.settings(fake))
        yield fake
        assert (fake.uploads, fake.fetches) == ([], [])
        assert program.originals == []


def _left(program: Program, *reasons: object) -> None:
    """These were left alone, and so they stay."""
    wanted = list(map(str, reasons))
    eventually(lambda: [left["reason"] for left in program.status["left_alone"]] == wanted)
    threading.Event().wait(STILL_S)
    assert not any(program.status["counts"].values())


def test_what_was_there_before(
    program: Program, person: Person, public: bilibili.FakeBilibili
) -> None:
    """What was copied before the start."""
    person.copy(pictures.png())
    with program.watching():
        _left(program, BEFORE)
        assert person.pasted(PNG) == pictures.png()
    assert public.uploads == []


@pytest.mark.parametrize(("content", "reason"), [(TABLE, WITH_TEXT), (PASSWORD, MARKED)])
def test_what_says_so(
    program: Program,
    person: Person,
    public: bilibili.FakeBilibili,
    content: dict[str, bytes],
    reason: object,
) -> None:
    """A bitmap with its text, and what a password manager marked."""
    with Owner(person.display, {"UTF8_STRING": b"x"}) as owner, program.watching():
        owner.copy(content)
        _left(program, reason)
        assert person.owner() == owner.window.id
    assert public.uploads == []


def test_cut_files(
    program: Program, person: Person, public: bilibili.FakeBilibili, tmp_path: Path
) -> None:
    """Files that are about to be moved."""
    path = tmp_path / "a.png"
    path.write_bytes(pictures.png())
    with program.watching(), person.gtk("files", "cut", path):
        _left(program, CUT)
        assert "x-special/gnome-copied-files" in person.offered()
    assert public.uploads == []


def test_started_by_the_session(
    program: Program, person: Person, public: bilibili.FakeBilibili
) -> None:
    """It begins paused, and what was copied meanwhile is not taken when it goes on."""
    with program.watching("--autostart") as watching:
        eventually(lambda: f"paused: {AT_START}" in watching.said)
        person.copy(pictures.png())
        threading.Event().wait(STILL_S)
        assert program.run("resume", "60").code == 0
        _left(program, MEANWHILE)
        assert person.pasted(PNG) == pictures.png()
    assert public.uploads == []


def test_a_locked_screen(
    program: Program, person: Person, notices: Notifications, public: bilibili.FakeBilibili
) -> None:
    """What is copied then, by whoever is at the machine, is not taken after it either."""
    address = program.environ["DBUS_SESSION_BUS_ADDRESS"]
    with (
        running_loop() as loop,
        screen_saver(loop, address, "freedesktop") as saver,
        program.watching(),
    ):
        loop.call(saver.says, True)
        eventually(lambda: program.status["pause_reason"] == str(LOCKED))
        person.copy(pictures.png())
        threading.Event().wait(STILL_S)
        loop.call(saver.says, False)
        eventually(lambda: not program.status["paused"])
        _left(program, MEANWHILE)
    assert (public.uploads, notices.texts(str(Topic.PAUSED.value))) == ([], [])


def test_a_no(
    program: Program, person: Person, notices: Notifications, public: bilibili.FakeBilibili
) -> None:
    """With `ask` the picture and its destination are shown; a no erases it."""
    program.set("watch.ask", value=True)
    with program.watching():
        person.copy(pictures.png())
        eventually(lambda: bool(notices.texts(str(Topic.ASKING.value))))
        (notice,) = notices.shown
        assert "bilibili/openplatform" in notice.text
        assert Path(notice.hints["image-path"].removeprefix("file://")).is_file()
        assert len(program.originals) == 1
        no = next(label for label in notice.actions.values() if label != "Upload")
        notices.press(no)
        eventually(lambda: not any(program.status["counts"].values()))
        assert not program.originals
        assert person.pasted(PNG) == pictures.png()
    assert public.uploads == []


def test_too_many_files(
    program: Program,
    person: Person,
    notices: Notifications,
    public: bilibili.FakeBilibili,
    tmp_path: Path,
) -> None:
    """More than `watch.max_files` wait for a word on each, and go when that is a no."""
    paths = [tmp_path / f"{n}.png" for n in range(6)]
    for seed, path in enumerate(paths):
        path.write_bytes(pictures.png(seed=seed))
    with program.watching():
        person.copy_files(*paths)
        eventually(lambda: program.status["counts"]["asking"] == len(paths))
        eventually(lambda: bool(notices.texts(str(Topic.ASKING.value))))
        assert "6 copied pictures would go to bilibili" in notices.texts(str(Topic.ASKING.value))[0]
        threading.Event().wait(STILL_S)
        ids = [str(row["id"]) for row in program.status["waiting"]]
        assert program.run("history", "rm", *ids).code == 0
    assert public.uploads == []


def test_the_default_host_never_leaves_the_machine(
    program: Program, person: Person, tmp_path: Path
) -> None:
    """As it comes out of the box, whatever is copied: no connection leads out of this machine."""
    log = tmp_path / "calls"
    traced = Program(program.home, program.environ, ("strace", "-D", "-f", "-qq", "-o", str(log)))
    traced.prefix += ("-e", "trace=connect,sendto")
    with traced.watching():
        person.copy(pictures.png())
        (link,) = person.linked()
        assert seen(link) == pictures.png()
        eventually(lambda: program.history[0]["alive"] == "alive")
    calls = [line for line in log.read_text(encoding="utf-8").splitlines() if "sa_family" in line]
    assert calls
    far = [line for line in calls if "AF_INET" in line and '"127.0.0.1"' not in line]
    assert far == []
