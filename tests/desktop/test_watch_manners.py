"""What `imghost watch` leaves alone, and who comes first when several want the clipboard."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from imghost.clipboard import CUT, DRAWING, MARKED, NOT_HANDED_OVER, WITH_TEXT
from imghost.watch.board import BEFORE
from imghost.watch.telling import Topic
from tests.fakes import bilibili, pictures
from tests.fakes.notifications import Notifications
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.x11_owners import Conduct, Manager, Owner

PNG = "image/png"
PIECES = pictures.png() + os.urandom(1_000_000)


def _next_is_taken(program: Program, person: Person) -> None:
    """A picture that is copied now becomes a link, and is the first to be taken at all."""
    person.copy(pictures.png(seed=99))
    (link,) = person.linked()
    assert seen(link) == pictures.png(seed=99)
    assert len(program.history) == 1


def _left_alone(program: Program) -> list[str]:
    return [left["reason"] for left in program.status["left_alone"]]


def _told(notices: Notifications, topic: Topic) -> list[str]:
    return notices.texts(str(topic.value))


def test_what_was_there_before(program: Program, person: Person) -> None:
    """A picture that was copied before the start stays where it is, and is not sent."""
    person.copy(pictures.png())
    with program.watching():
        assert _left_alone(program) == [str(BEFORE)]
        assert person.pasted(PNG) == pictures.png()
        _next_is_taken(program, person)


def test_left_alone(program: Program, person: Person, tmp_path: Path) -> None:
    """A bitmap with text, what is marked, and cut files stay; status tells each with its reason."""
    table = {PNG: pictures.png(), "UTF8_STRING": b"a table"}
    password = {PNG: pictures.png(), "x-kde-passwordManagerHint": b"secret"}
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    with Owner(person.display, {"UTF8_STRING": b"x"}) as owner, program.watching():
        owner.copy(table)
        eventually(lambda: _left_alone(program) == [str(WITH_TEXT)])
        assert person.owner() == owner.window.id
        owner.copy(password)
        eventually(lambda: _left_alone(program) == [str(WITH_TEXT), str(MARKED)])
        assert person.owner() == owner.window.id
        with person.gtk("files", "cut", picture):
            eventually(lambda: _left_alone(program) == [str(WITH_TEXT), str(MARKED), str(CUT)])
            assert "x-special/gnome-copied-files" in person.offered()
        person.copy(b"<svg/>", "image/svg+xml")
        eventually(lambda: _left_alone(program)[-1] == str(DRAWING))
        (line,) = [line for line in program.run("status").lines if str(DRAWING) in line]
        assert re.match(r"left alone at \d{4}-\d\d-\d\d \d\d:\d\d: clipboard: ", line)
        _next_is_taken(program, person)


def test_too_many_files(
    program: Program, person: Person, tmp_path: Path, notices: Notifications
) -> None:
    """More files than allowed are asked about, with number and place, and sent one by one."""
    program.set("watch.max_files", 2)
    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for seed, path in enumerate(paths):
        path.write_bytes(pictures.png(seed=seed))
    with program.watching():
        person.copy_files(*paths)
        eventually(lambda: bool(_told(notices, Topic.ASKING)))
        assert "3 copied pictures would go to local/images" in _told(notices, Topic.ASKING)[0]
        eventually(lambda: program.status["counts"]["asking"] == 3)
        ids = {row["name"]: str(row["id"]) for row in program.status["waiting"]}
        assert "text/uri-list" in person.offered()
        assert program.run("history", "rm", ids["1.png"]).code == 0
        assert program.run("retry", ids["0.png"], ids["2.png"]).code == 0
        links = person.linked(2)
        assert [seen(link) for link in links] == [pictures.png(), pictures.png(seed=2)]
    assert len(program.originals) == 2


def test_asking(program: Program, person: Person, notices: Notifications) -> None:
    """A picture is shown with its destination, and sent when its button is pressed, not before."""
    program.set("watch.ask", value=True)
    with program.watching():
        person.copy(pictures.png())
        eventually(lambda: bool(_told(notices, Topic.ASKING)))
        assert "local/images" in notices.shown[0].text
        assert Path(notices.shown[0].hints["image-path"].removeprefix("file://")).is_file()
        assert program.status["counts"]["asking"] == 1
        notices.press("Upload")
        (link,) = person.linked()
        assert seen(link) == pictures.png()


def test_an_owner_that_stalls(program: Program, person: Person, notices: Notifications) -> None:
    """Who stalls in the middle of a picture is told of and stays; the next copy is taken."""
    with program.watching():
        with Owner(person.display, {PNG: PIECES}, Conduct(stalls_after=2)) as owner:
            eventually(lambda: _told(notices, Topic.REFUSED) == [str(NOT_HANDED_OVER)])
            assert person.owner() == owner.window.id
        _next_is_taken(program, person)


def test_an_owner_that_dies(program: Program, person: Person) -> None:
    """A program that dies while it hands a picture over is no end: the next is taken."""
    with program.watching():
        with Owner(person.display, {PNG: PIECES}, Conduct(dies_after=2)):
            eventually(lambda: not person.owner())
        _next_is_taken(program, person)


def test_copying_while_another_owner_stalls(program: Program, person: Person) -> None:
    """Nobody waits for a program that stalls once something else was copied."""
    with program.watching(), Owner(person.display, {PNG: PIECES}, Conduct(stalls_after=2)) as owner:
        eventually(lambda: owner.pieces == 2)
        began = time.monotonic()
        person.copy(pictures.png(seed=99))
        person.linked()
        assert time.monotonic() - began < 4
    assert len(program.history) == 1


def test_a_clipboard_manager(program: Program, person: Person, fake: bilibili.FakeBilibili) -> None:
    """Who takes over what was copied has not copied: one upload, and its link takes the place."""
    fake.delay_s = 2
    with program.watching(), Manager(person.display) as manager:
        person.copy(pictures.png())
        eventually(lambda: len(fake.uploads) == 1)
        manager.copy({PNG: pictures.png()})
        person.linked()
        assert person.owner() != manager.window.id
    assert len(fake.uploads) == 1


def test_copying_meanwhile(
    program: Program,
    person: Person,
    fake: bilibili.FakeBilibili,
    notices: Notifications,
) -> None:
    """A text that was copied while the host took its time stays; one notice tells of the link."""
    fake.delay_s = 2
    with program.watching():
        person.copy(pictures.png())
        eventually(lambda: len(fake.uploads) == 1)
        person.copy(b"words", "UTF8_STRING")
        eventually(lambda: bool(_told(notices, Topic.LATE)))
        assert person.text() == "words"
        assert program.history[0]["state"] == "done"
        assert program.run("history", "--limit", "1", "--copy", "--format", "markdown").code == 0
        (link,) = person.linked()
    assert seen(link) == pictures.png()
    assert len(_told(notices, Topic.LATE)) == 1
