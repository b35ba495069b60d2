"""Rows 21 to 23: owners of the clipboard that die, stall, hold too much, or copy without end."""

from __future__ import annotations

import itertools
import os
import threading
import time
import zlib
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from Xlib import X
from Xlib.ext import xfixes

from imghost.clipboard import NOT_HANDED_OVER
from imghost.desktop.x11_reading import PROGRESS_S
from tests.fakes import bombs, pictures, seat
from tests.fakes.needs import may_skip, missing
from tests.fakes.person import Person, seen
from tests.fakes.program import Program, eventually
from tests.fakes.x11_owners import Conduct, Owner
from tests.faults.processes import Memory, cpu_s
from tests.faults.promise import Home
from tests.faults.trial import Trial

PNG = "image/png"
PIECES = (pictures.png() + os.urandom(1_000_000)) * 3
PROMPT_S = 3.0
FLAP_S = 0.01
NEARLY = 1.02  # as many in that time as make no difference
MOST_OF_A_CORE = 0.3
HUGE_PX = 30_000
TOO_MUCH_BYTES = 500_000_000
MEMORY_KB = 150_000

display, person, program = seat.display, seat.person, seat.program

pytestmark = pytest.mark.skipif(
    bool(missing("test_clipboard_x11")) and may_skip(),
    reason=f"not installed here: {', '.join(missing('test_clipboard_x11'))}",
)


def _owners(person: Person) -> set[int]:
    """The windows that came to own the clipboard since this was asked before."""
    owners = set()
    person.x.sync()
    while person.x.pending_events():
        event = person.x.next_event()
        if isinstance(event, xfixes.SelectionNotify):
            owners.add(getattr(event.owner, "id", event.owner))
    return owners - {X.NONE}


def _left_alone(program: Program) -> list[str]:
    return [left["reason"] for left in program.status["left_alone"]]


def _wait_until_left_alone(program: Program, count: int, memory: Memory | None = None) -> None:
    """Wait until so many things were, and note how much memory that takes."""

    def look() -> bool:
        return (not memory or memory.look()) and len(_left_alone(program)) == count

    eventually(look)


def _wait_until_bad(person: Person, owner: Owner, pieces: int, holder: int) -> None:
    """Wait until an owner has handed over its last piece, and who holds the clipboard then."""
    eventually(lambda: PNG in owner.asked and owner.pieces == pieces)
    eventually(lambda: person.owner() == holder)


@pytest.mark.row(21)
def test_bad_owners(trial: Trial, program: Program, person: Person) -> None:
    """Programs that stall or die, one after another, hang nothing, and nobody takes their place.

    Nobody waits for one that stalls once the next has copied; the last ones are waited for.
    """
    owners, waited_for = trial.size((12, 0), (200, 2))
    last = pictures.png(seed=1)
    _owners(person)
    with program.watching("--no-tray"), ExitStack() as former:
        for n in range(owners):
            dies, pieces = trial.chance.random() < 0.5, trial.chance.randrange(10)
            conduct = Conduct(dies_after=pieces) if dies else Conduct(stalls_after=pieces)
            with trial.recovering():
                owner = Owner(person.display, {PNG: PIECES}, conduct)
                former.close()
                former.enter_context(owner)
                _wait_until_bad(person, owner, pieces, 0 if dies else owner.window.id)
            assert _owners(person) == {owner.window.id}, n
        for n in range(waited_for):
            owner = Owner(person.display, {PNG: PIECES}, Conduct(stalls_after=n))
            former.close()
            former.enter_context(owner)
            _wait_until_left_alone(program, n + 1)
            assert _left_alone(program)[n] == str(NOT_HANDED_OVER)
            assert _owners(person) == {person.owner()} == {owner.window.id}
        person.copy(last)
        (link,) = person.linked()
        assert seen(link) == last
    checked = Home(program.home).check(last)
    assert checked == 1
    assert trial.longest_s < min(trial.bound_s(PROMPT_S), PROGRESS_S)
    trial.note(
        "owners that die or stall in the middle",
        owners + waited_for,
        checked=checked,
        more=f"{waited_for} of them waited for until the time limit",
    )


@pytest.mark.row(22)
def test_far_too_much(trial: Trial, program: Program, person: Person) -> None:
    """What nobody should read is left alone and told of, in little memory; the next is taken."""
    times = trial.size(1, 5)
    copied = [pictures.png(seed=n) for n in range(times)]
    with program.watching() as watching:
        memory = Memory(watching.process.pid)
        for n in range(times):
            with Owner(person.display, {PNG: bytes(TOO_MUCH_BYTES)}) as owner:
                with trial.recovering():
                    _wait_until_left_alone(program, n + 1, memory)
                assert person.owner() == owner.window.id
            person.copy(copied[n])
            (link,) = person.linked()
            assert seen(link) == copied[n]
    checked = Home(program.home).check(*copied)
    assert checked == times
    assert memory.used_kb < MEMORY_KB
    assert trial.longest_s < trial.bound_s(PROMPT_S)
    used = f"{memory.used_kb / 1000:.0f} MB above idle"
    trial.note("500 MB on the clipboard", times, checked=checked, more=used)


def _bomb() -> bytes:
    """A PNG file of far more pixels than its few bytes can tell."""
    some = bombs.chunk(b"IDAT", zlib.compress(bytes(1000)))
    return bombs.png_of(HUGE_PX, HUGE_PX, some, colours=2)


@pytest.mark.row(22)
def test_far_too_many_pixels(
    trial: Trial, program: Program, person: Person, tmp_path: Path
) -> None:
    """What nobody should unpack stays on the clipboard, as a picture and as a file, and is told."""
    bomb, path, last = _bomb(), tmp_path / "huge.png", pictures.png(seed=1)
    path.write_bytes(bomb)
    with program.watching() as watching:
        memory = Memory(watching.process.pid)
        for n, copy in enumerate([partial(person.copy, bomb), partial(person.copy_files, path)]):
            with trial.recovering():
                copy()
                _wait_until_left_alone(program, n + 1, memory)
            assert "limits.still_mpix" in _left_alone(program)[n]
            assert person.offered() != []
        person.copy(last)
        person.linked()
    checked = Home(program.home).check(last)
    assert checked == 1
    assert memory.used_kb < MEMORY_KB
    assert trial.longest_s < trial.bound_s(PROMPT_S)
    used = f"{memory.used_kb / 1000:.0f} MB above idle, with its decoders"
    trial.note("30,000 x 30,000 pixels on the clipboard", 2, checked=checked, more=used)


@pytest.mark.row(23)
def test_flapping(trial: Trial, program: Program, person: Person) -> None:
    """Of a hundred copies a second the last becomes the link, and they cost little."""
    made = itertools.cycle([pictures.png(seed=seed) for seed in range(7)])
    copies = trial.size(200, 6000)
    last = pictures.png(seed=50)
    with program.watching() as watching, Owner(person.display, {"UTF8_STRING": b"x"}) as owner:
        before_s, began = cpu_s(watching.process.pid), time.monotonic()
        for n in range(copies):
            threading.Event().wait(max(0.0, began + n * FLAP_S - time.monotonic()))
            owner.copy({PNG: next(made)})
        took_s = time.monotonic() - began
        share = (cpu_s(watching.process.pid) - before_s) / took_s
        owner.copy({PNG: last})
        with trial.recovering():
            (link,) = person.linked()
        assert seen(link) == last
        assert program.status["left_alone"] == []
        assert program.history[0]["url"] == link
    checked = Home(program.home).check(last)
    assert took_s < trial.bound_s(copies * FLAP_S * NEARLY)
    assert share < MOST_OF_A_CORE
    more = f"{copies / took_s:.0f} a second, {share:.0%} of a core"
    trial.note("copies in a row", copies, checked=checked, more=more)
