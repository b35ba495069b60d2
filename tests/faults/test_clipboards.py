"""Rows 21 to 23: owners of the clipboard that die, stall, hold too much, or copy without end."""

from __future__ import annotations

import itertools
import os
import threading
import time
from contextlib import closing

import pytest

from imghost.desktop import x11_reading
from imghost.desktop.clipboard_x11 import X11Clipboard
from tests.fakes import pictures, seat
from tests.fakes.needs import may_skip, missing
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.x11_owners import Conduct, Owner
from tests.faults.processes import cpu_s, memory_kb
from tests.faults.trial import Trial

PNG = "image/png"
MAX_BYTES = 20_000_000
PIECES = (pictures.png() + os.urandom(1_000_000)) * 3
PROMPT_S = 3.0
FLAP_S = 0.01
TOO_MUCH_BYTES = 500_000_000
MEMORY_KB = 150_000

display, person, program = seat.display, seat.person, seat.program

pytestmark = pytest.mark.skipif(
    bool(missing("test_clipboard_x11")) and may_skip(),
    reason=f"not installed here: {', '.join(missing('test_clipboard_x11'))}",
)


@pytest.mark.row(21)
def test_bad_owners(trial: Trial, display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that stall or die, one after another, hang nothing."""
    monkeypatch.setattr(x11_reading, "PROGRESS_S", 0.05)
    owners = trial.size(20, 200)
    with closing(X11Clipboard(display)) as clipboard:
        for _ in range(owners):
            pieces = trial.chance.randrange(10)
            dies = trial.chance.random() < 0.5
            conduct = Conduct(dies_after=pieces) if dies else Conduct(stalls_after=pieces)
            with Owner(display, {PNG: PIECES}, conduct), trial.recovering():
                assert not clipboard.read(MAX_BYTES).bitmap
    assert trial.longest_s < trial.bound_s(PROMPT_S)
    trial.note("owners that die or stall in the middle", owners)


def _wait_until_left_alone(program: Program, count: int) -> None:
    eventually(lambda: len(program.status["left_alone"]) == count)


@pytest.mark.row(22)
def test_far_too_much(trial: Trial, program: Program, person: Person) -> None:
    """What nobody should read is left alone and told of, in little memory; the next is taken."""
    times = trial.size(1, 5)
    with program.watching() as watching:
        idle_kb = memory_kb(watching.process.pid)
        for n in range(times):
            data = bytes(TOO_MUCH_BYTES)
            with Owner(person.display, {PNG: data}), trial.recovering():
                _wait_until_left_alone(program, n + 1)
            person.copy(pictures.png(seed=n))
            (link,) = person.linked()
            assert seen(link) == pictures.png(seed=n)
        used_kb = memory_kb(watching.process.pid, "VmHWM") - idle_kb
    assert used_kb < MEMORY_KB
    assert trial.longest_s < trial.bound_s(PROMPT_S)
    trial.note("500 MB on the clipboard", times, more=f"{used_kb / 1000:.0f} MB above idle")


@pytest.mark.row(23)
def test_flapping(trial: Trial, program: Program, person: Person) -> None:
    """Of a hundred copies a second the last becomes the link, and they cost little."""
    made = itertools.cycle([pictures.png(seed=seed) for seed in range(7)])
    lasts_s = trial.size(2.0, 60.0)
    copies = 0
    with program.watching() as watching, Owner(person.display, {"UTF8_STRING": b"x"}) as owner:
        before_s, began = cpu_s(watching.process.pid), time.monotonic()
        while time.monotonic() < began + lasts_s:
            owner.copy({PNG: next(made)})
            copies += 1
            threading.Event().wait(FLAP_S)
        share = (cpu_s(watching.process.pid) - before_s) / (time.monotonic() - began)
        last = pictures.png(seed=50)
        owner.copy({PNG: last})
        with trial.recovering():
            (link,) = person.linked()
        assert seen(link) == last
        assert share < 0.3
        assert program.status["left_alone"] == []
        assert program.history[0]["url"] == link
    trial.note("copies in a row", copies, more=f"{share:.0%} of a core")
