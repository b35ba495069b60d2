"""`imghost watch` killed, ended and started again, and a display that goes away and comes back."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path

from tests.fakes import bilibili, pictures
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.x11 import xvfb

FILES = 30
FIRST_DISPLAY = 1000


def test_killed_in_the_middle(
    program: Program, fake: bilibili.FakeBilibili, tmp_path: Path
) -> None:
    """Killed while it takes thirty files, it has them all at their host after the next start."""
    folder = tmp_path / "watched"
    folder.mkdir()
    program.set("watch.folders", [str(folder)])
    fake.delay_s = 0.05
    with program.watching() as watching:
        for seed in range(FILES):
            (folder / f"{seed}.png").write_bytes(pictures.png(seed=seed))
        eventually(lambda: len(fake.images) >= 3)
        watching.kill()
        assert len(fake.images) < FILES
    with program.watching():
        eventually(lambda: program.status["counts"]["done"] == FILES)
        assert program.status["waiting"] == []
    made = {pictures.png(seed=seed) for seed in range(FILES)}
    assert {data for _, data in fake.images.values()} == made
    assert {seen(row["url"]) for row in program.history} == made
    assert {path.read_bytes() for path in program.originals} == made


def test_ended_in_an_upload(program: Program, person: Person, fake: bilibili.FakeBilibili) -> None:
    """It ends well and soon, whatever a host does; what was not sent is sent after the start."""
    answered = threading.Event()
    fake.answers.append(bilibili.Answer(after=answered))
    with program.watching() as watching:
        person.copy(pictures.png())
        eventually(lambda: bool(fake.uploads))
        watching.end()
    answered.set()
    assert [row["state"] for row in program.history] == ["queued"]
    with program.watching():
        eventually(lambda: [row["state"] for row in program.history] == ["done"])


def test_a_display_that_goes_away(program: Program) -> None:
    """Without its display it lives and says what is missing; with a new one it watches again."""
    name = f":{FIRST_DISPLAY + os.getpid() % 30_000}"
    program.environ["DISPLAY"] = name
    with ExitStack() as stack:
        _, server = stack.enter_context(xvfb(name))
        watching = stack.enter_context(program.watching())
        _copied(name, seed=1)
        server.kill()
        server.wait()
        eventually(lambda: any("clipboard" in it for it in program.status["missing"]))
        stack.enter_context(xvfb(name))
        eventually(lambda: not any("clipboard" in it for it in program.status["missing"]))
        assert program.run("resume").code == 0  # waits until it has seen what is there
        _copied(name, seed=2)
        assert watching.process.poll() is None


def _copied(display: str, seed: int) -> None:
    with Person(display) as person:
        person.copy(pictures.png(seed=seed))
        (link,) = person.linked()
    assert seen(link) == pictures.png(seed=seed)
