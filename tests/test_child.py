"""The decoding process: the same results, and whatever happens to it costs one image."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image as Pillow

from imghost.errors import ConfigError, DaemonError, ImageError, ImghostError, MachineError
from imghost.imaging.check import Caps
from imghost.imaging.child import MEMORY_BYTES, Child
from imghost.imaging.conversion import Conversion
from imghost.imaging.crew import Crew
from imghost.imaging.prepare import Recipe, prepare
from imghost.imaging.style import Style
from imghost.imaging.styled import styled
from imghost.models import Limits
from tests.fakes.frozen import freeze, state_of
from tests.fakes.pictures import animation, encoded, jpeg, picture, png

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="processes are found in /proc"
)
ROOT = Path(__file__).parents[1]
LIMITS = Limits(15_000_000, frozenset({"png", "jpeg", "webp"}))
RECIPE = Recipe(Caps(), LIMITS, Conversion(), "")
NARROW = Style.parse("@20w")
WAIT_S = 10.0
DEADLINE_S = 3.0  # a new process begins within it
LITTLE_BYTES = 160_000_000


def children() -> set[int]:
    """The processes that this one has started and that are not gone."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def await_request(pid: int) -> None:
    """Wait until that process, which is stopped, has something to read."""
    import fcntl
    import termios

    until = time.monotonic() + WAIT_S
    with Path(f"/proc/{pid}/fd/0").open("rb") as requests:
        while not int.from_bytes(fcntl.ioctl(requests, termios.FIONREAD, bytes(4)), sys.byteorder):
            assert time.monotonic() < until


def is_gone(pid: int) -> bool:
    """Whether that process ends within some seconds."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if state_of(pid) != "Z":
                continue
        return True
    return False


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No process outlives its test."""
    before = children()
    yield
    assert children() == before


@pytest.fixture
def child() -> Iterator[Child]:
    """A child that is closed in the end."""
    with contextlib.closing(Child()) as child:
        yield child


def pid_of(child: Child) -> int:
    """The process that a first image starts."""
    before = children()
    child.prepare(png(), "warm.png", RECIPE)
    (pid,) = children() - before
    return pid


@pytest.mark.parametrize(
    "data",
    [
        png(),
        jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"),
        encoded(picture(), "BMP"),
        animation("GIF"),
        b"",
        b"nonsense",
        png()[:100],
    ],
    ids=["png", "turned jpeg", "bmp", "gif", "empty", "nonsense", "cut off"],
)
@pytest.mark.parametrize("style", ["", "@20w.webp", "@20z"])
def test_the_result_is_the_same_as_in_our_own_process(
    child: Child, data: bytes, style: str
) -> None:
    """Image, notes and errors are those of `prepare`."""
    recipe = Recipe(Caps(), LIMITS, Conversion(), style)

    def outcome(way: Child | None) -> object:
        try:
            return (way.prepare if way else prepare)(data, "a/b\x1b.png", recipe)
        except ImghostError as exc:
            return type(exc), exc.message

    assert outcome(child) == outcome(None)


@pytest.mark.parametrize(
    "data",
    [png(), jpeg(), animation("GIF"), png()[:-200], png(17_000, 4)],
    ids=["png", "jpeg", "gif", "damaged", "wide"],
)
@pytest.mark.parametrize("style", ["@20w.webp", "@.webp", "@64w.png"])
def test_a_drawing_is_the_same_as_in_our_own_process(
    child: Child, tmp_path: Path, data: bytes, style: str
) -> None:
    """Image and errors are those of `styled`, and a damaged original is told from a bad style."""
    original = tmp_path / "a.png"
    original.write_bytes(data)
    wanted = Style.parse(style)

    def outcome(*, here: bool) -> object:
        try:
            return styled(data, "a.png", wanted) if here else child.draw(original, wanted)
        except ImghostError as exc:
            return type(exc), exc.message

    assert outcome(here=False) == outcome(here=True)


def test_a_large_original_is_drawn_in_little_memory_of_ours(child: Child, tmp_path: Path) -> None:
    """Its bytes go to the other process piece by piece."""
    original = tmp_path / "a.png"
    original.write_bytes(png() + bytes(100_000_000))
    tracemalloc.start()
    try:
        assert child.draw(original, NARROW).width_px == 20
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_an_original_that_is_gone_is_no_image(child: Child, tmp_path: Path) -> None:
    """That is told as what it is, and the process lives on."""
    pid = pid_of(child)
    with pytest.raises(FileNotFoundError):
        child.draw(tmp_path / "gone.png", NARROW)
    assert pid_of_next(child) == pid


def test_pictures_that_look_the_same_have_one_digest(child: Child) -> None:
    """Whatever the file's format and metadata, its pixels as they are seen decide; films differ."""
    seen = picture(40, 30)
    turned = encoded(
        seen.transpose(Pillow.Transpose.ROTATE_90), "TIFF", tiffinfo={274: 6}, compression="raw"
    )
    same = [encoded(seen, "PNG"), encoded(seen, "PNG", compress_level=0), encoded(seen, "BMP")]
    digest = child.pixels(same[0], "a.png")
    assert len(digest) == 64
    assert [child.pixels(data, "b") for data in [*same, turned]] == [digest] * 4
    assert child.pixels(png(40, 30, seed=1), "c.png") != digest
    assert child.pixels(animation(), "d.gif") == ""
    with pytest.raises(ImageError):
        child.pixels(same[0][:50], "e.png")


@pytest.fixture
def crew() -> Iterator[Crew]:
    """Two children that draw, closed in the end."""
    with contextlib.closing(Crew(2, deadline_s=WAIT_S, memory_bytes=MEMORY_BYTES)) as crew:
        yield crew


def drawing(crew: Crew, original: Path) -> int:
    """The process that a crew's first drawing starts."""
    before = children()
    crew.draw(original, NARROW)
    (pid,) = children() - before
    return pid


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A stored picture."""
    path = tmp_path / "a.png"
    path.write_bytes(png())
    return path


def test_a_slow_drawing_does_not_hold_up_the_next(crew: Crew, original: Path) -> None:
    """While one process hangs, another is started and draws."""
    pid = drawing(crew, original)
    freeze(pid)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(crew.draw, original, NARROW)
        await_request(pid)
        assert crew.draw(original, NARROW).width_px == 20
        os.kill(pid, signal.SIGCONT)
        assert slow.result(WAIT_S).width_px == 20


def test_drawings_one_after_the_other_need_one_process(crew: Crew, original: Path) -> None:
    """The others are started only when they are needed."""
    pid = drawing(crew, original)
    for _ in range(3):
        crew.draw(original, NARROW)
    assert children() == {pid}


def test_what_is_in_a_hurry_finds_a_process_free() -> None:
    """However slow other pictures are, one process is there for what is in a hurry."""
    crew = Crew(2, deadline_s=WAIT_S, memory_bytes=MEMORY_BYTES, kept_free=1)
    with contextlib.closing(crew), ThreadPoolExecutor(2) as pool:
        before = children()
        crew.prepare(png(), "a.png", RECIPE)
        (pid,) = children() - before
        freeze(pid)
        slow = pool.submit(crew.prepare, png(), "a.png", RECIPE)
        await_request(pid)
        next_one = pool.submit(crew.prepare, png(), "b.png", RECIPE)
        assert crew.prepare_at_once(png(), "c.png", RECIPE).image.name == "c.png"
        assert not next_one.done()
        os.kill(pid, signal.SIGCONT)
        assert slow.result(WAIT_S).image.name == "a.png"
        assert next_one.result(WAIT_S).image.name == "b.png"


@pytest.mark.parametrize("which", ["worker", "runner"])
def test_what_is_in_a_hurry_gets_whichever_is_free_first(which: str) -> None:
    """Where all are at work, it waits for none of them more than for the others."""
    crew = Crew(2, deadline_s=WAIT_S, memory_bytes=MEMORY_BYTES, kept_free=1)
    with contextlib.closing(crew), ThreadPoolExecutor(3) as pool:
        before = children()
        crew.prepare(png(), "a.png", RECIPE)
        (worker,) = children() - before
        crew.prepare_at_once(png(), "b.png", RECIPE)
        (runner,) = children() - before - {worker}
        for pid in (worker, runner):
            freeze(pid)
        patient = pool.submit(crew.prepare, png(), "a.png", RECIPE)
        await_request(worker)
        hurried = pool.submit(crew.prepare_at_once, png(), "b.png", RECIPE)
        await_request(runner)
        next_one = pool.submit(crew.prepare_at_once, png(), "c.png", RECIPE)
        first, other = (worker, runner) if which == "worker" else (runner, worker)
        os.kill(first, signal.SIGCONT)
        assert next_one.result(WAIT_S).image.name == "c.png"
        (patient if which == "worker" else hurried).result(WAIT_S)
        assert not (hurried if which == "worker" else patient).done()
        os.kill(other, signal.SIGCONT)
        assert patient.result(WAIT_S).image.name == "a.png"
        assert hurried.result(WAIT_S).image.name == "b.png"


def test_the_next_process_is_the_one_that_is_ready(crew: Crew, original: Path) -> None:
    """What is started ahead is what the next picture gets, whoever worked before."""
    with ThreadPoolExecutor(2) as pool:
        before = children()
        list(pool.map(lambda _: crew.draw(original, NARROW), range(8)))
        crew.expect(1)
        ready = children() - before
        crew.draw(original, NARROW)
        assert children() - before == ready


def test_as_many_processes_are_ready_as_there_is_work() -> None:
    """One picture needs one; however many come, what is kept free is not for them."""
    crew = Crew(3, deadline_s=WAIT_S, memory_bytes=MEMORY_BYTES, kept_free=1)
    with contextlib.closing(crew):
        before = children()
        crew.expect(1)
        (pid,) = children() - before
        crew.prepare(png(), "a.png", RECIPE)
        assert children() - before == {pid}
        crew.expect(1000)
        assert len(children() - before) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="only POSIX has nice values")
def test_only_what_is_in_a_hurry_does_not_step_back() -> None:
    """Pictures of a burst are decoded when other programs, and copied pictures, leave time."""
    crew = Crew(2, deadline_s=WAIT_S, memory_bytes=MEMORY_BYTES, kept_free=1)
    with contextlib.closing(crew):
        before = children()
        crew.prepare(png(), "a.png", RECIPE)
        (patient,) = children() - before
        crew.prepare_at_once(png(), "b.png", RECIPE)
        (hurried,) = children() - before - {patient}
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, hurried) == ours
        assert os.getpriority(os.PRIO_PROCESS, patient) > ours


def test_closing_a_crew_ends_its_drawings(crew: Crew, original: Path) -> None:
    """Who waits hears at once that imghost is stopping; so does who comes later."""
    pid = drawing(crew, original)
    freeze(pid)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(crew.draw, original, NARROW)
        await_request(pid)
        crew.close()
        with pytest.raises(DaemonError):
            waiting.result(WAIT_S)
    with pytest.raises(DaemonError):
        crew.draw(original, NARROW)


def test_bytes_that_did_not_change_are_the_very_same(child: Child) -> None:
    """An image that is sent as it came is not copied back through the pipe."""
    data = png()
    assert child.prepare(data, "a.png", RECIPE).image.data is data


def test_a_wrong_style_is_the_config_s_error(child: Child) -> None:
    """The kind of an error survives the way back."""
    with pytest.raises(ConfigError, match="20z"):
        child.prepare(png(), "a.png", Recipe(Caps(), LIMITS, Conversion(), "@20z"))


def test_one_process_serves_many_images_and_threads(child: Child) -> None:
    """Several threads at once get each their own result, from one process."""
    files = [png(40 + n, 30, seed=n) for n in range(24)]
    before = children()
    with ThreadPoolExecutor(6) as pool:
        widths = pool.map(lambda data: child.prepare(data, "a.png", RECIPE).image.width_px, files)
        assert list(widths) == [40 + n for n in range(24)]
    assert len(children() - before) == 1


def test_an_idle_process_is_ended_and_started_again() -> None:
    """Without work for `idle_s` it goes; the next image gets another one."""
    with contextlib.closing(Child(idle_s=0.0)) as child:
        child.reap_idle()
        first = pid_of(child)
        child.reap_idle()
        assert first not in children()
        assert pid_of(child) != first


def test_a_process_that_had_work_lately_stays(child: Child) -> None:
    """Before `idle_s` is over nothing is ended."""
    pid = pid_of(child)
    child.reap_idle()
    assert pid in children()


def test_work_that_is_expected_finds_its_process(child: Child) -> None:
    """A process that was started ahead is the one that works, and it is not taken for idle."""
    before = children()
    child.warm()
    (pid,) = children() - before
    child.reap_idle()
    child.prepare(png(), "a.png", RECIPE)
    assert children() - before == {pid}


def test_nothing_is_expected_in_the_end(child: Child) -> None:
    """Once it is closed, no process is started ahead either."""
    child.close()
    before = children()
    child.warm()
    assert children() == before


def test_nothing_of_our_environment_is_handed_on(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoding process has no secret to give away."""
    monkeypatch.setenv("IMGHOST_SESSDATA", "canary")
    environment = Path(f"/proc/{pid_of(child)}/environ").read_bytes()
    names = {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry}
    assert names <= {b"PYTHONPATH", b"LD_LIBRARY_PATH", b"LC_CTYPE", b"PILLOW_BLOCKS_MAX"}


def test_a_process_killed_in_the_middle_costs_one_image(child: Child) -> None:
    """Whoever waited hears that it could not be decoded; the next image is fine."""
    pid = pid_of(child)
    freeze(pid)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(child.prepare, png(), "bad.png", RECIPE)
        await_request(pid)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ImageError, match=r"bad\.png could not be decoded safely"):
            waiting.result(WAIT_S)
    assert pid_of(child) != pid


def test_a_process_that_died_while_idle_costs_nothing(child: Child) -> None:
    """The next image simply gets another process."""
    pid = pid_of(child)
    os.kill(pid, signal.SIGKILL)
    assert is_gone(pid)
    child.prepare(png(), "a.png", RECIPE)


@pytest.mark.parametrize("size_bytes", [0, 100_000_000], ids=["small", "more than a pipe holds"])
def test_a_process_that_hangs_is_killed_at_the_deadline(size_bytes: int) -> None:
    """Whether the parent waits to write or to read, it goes on when the time is over."""
    with contextlib.closing(Child(deadline_s=DEADLINE_S)) as child:
        pid = pid_of(child)
        freeze(pid)
        started = time.monotonic()
        with pytest.raises(ImageError, match=rf"slow\.png took longer than {DEADLINE_S} s"):
            child.prepare(png() + bytes(size_bytes), "slow.png", RECIPE)
        assert time.monotonic() - started < 2 * DEADLINE_S
        assert pid_of(child) != pid


def test_the_deadline_is_for_one_image_only() -> None:
    """A process lives on after many images that together took longer than one may."""
    with contextlib.closing(Child(deadline_s=DEADLINE_S)) as child:
        pid = pid_of(child)
        until = time.monotonic() + 1.2 * DEADLINE_S
        while time.monotonic() < until:
            child.prepare(png(), "a.png", RECIPE)
        assert children() >= {pid}


def test_a_memory_bomb_costs_one_image() -> None:
    """More memory than the limit is refused in words, and the next image is fine."""
    bomb = encoded(Pillow.new("RGB", (8000, 6000)), "PNG")
    with contextlib.closing(Child(memory_bytes=LITTLE_BYTES)) as child:
        with pytest.raises(ImageError, match="needs more memory"):
            child.prepare(bomb, "bomb.png", RECIPE)
        child.prepare(png(), "a.png", RECIPE)


def test_an_animation_is_converted_frame_by_frame() -> None:
    """A GIF whose frames would take 184 MB becomes WebP in less than that."""
    frames = [Pillow.new("P", (1280, 720), n % 7) for n in range(50)]
    for number, frame in enumerate(frames):
        frame.paste(9, (5 * number, 100, 5 * number + 80, 180))
        frame.putpalette(random.Random(0).randbytes(768))
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    with contextlib.closing(Child(memory_bytes=LITTLE_BYTES)) as child:
        assert child.prepare(data, "a.gif", RECIPE).image.frames == 50


def test_closing_ends_an_image_in_the_middle(child: Child) -> None:
    """Who waits then hears that imghost is stopping, at once; so does who comes later."""
    pid = pid_of(child)
    freeze(pid)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(child.prepare, png(), "a.png", RECIPE)
        await_request(pid)
        child.close()
        with pytest.raises(DaemonError, match=r"a\.png was not taken"):
            waiting.result(WAIT_S)
    with pytest.raises(DaemonError, match=r"b\.png was not taken"):
        child.prepare(png(), "b.png", RECIPE)


def test_the_process_ends_with_its_parent() -> None:
    """A killed parent leaves no process behind."""
    code = """
import sys, time
from tests.test_child import RECIPE, Child, pid_of
print(pid_of(Child()), flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert is_gone(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_to_the_whole_group_are_left_to_the_parent(
    child: Child, number: signal.Signals
) -> None:
    """Ctrl-C in a terminal reaches both processes; an image under way is not lost by it."""
    pid = pid_of(child)
    os.kill(pid, number)
    assert pid_of_next(child) == pid


def pid_of_next(child: Child) -> int:
    """The process after one more image."""
    child.prepare(png(), "a.png", RECIPE)
    (pid,) = children()
    return pid


@pytest.mark.parametrize(
    "script",
    [
        "exec cat",
        "exit 3",
        "exec head -c 100000 /dev/zero",
        "printf '\\377%.0s' 1 2 3 4 5 6 7 8 9 0 a b",
    ],
    ids=["echo", "exit", "zeros", "huge lengths"],
)
def test_a_process_that_answers_nonsense_costs_one_image(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """Nothing but a well-formed answer is taken from the other side."""
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(fake))
        with pytest.raises(ImageError, match="could not be decoded safely"):
            child.prepare(png(), "a.png", RECIPE)
    child.prepare(png(), "a.png", RECIPE)


def test_a_process_that_cannot_be_started_is_the_machine_s_fault(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That says nothing about the image."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(MachineError, match="no process could be started"):
        child.prepare(png(), "a.png", RECIPE)


def test_processor_time_is_limited_for_each_image() -> None:
    """A process that its parent forgot ends by itself, and each image has its whole time."""
    code = """
import time
from imghost.imaging.cage import allow_cpu
for _ in range(3):
    allow_cpu(0.7)
    until = time.process_time() + 0.4
    while time.process_time() < until: pass
print("fine", flush=True)
while True: pass
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        timeout=WAIT_S,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "fine\n"
    assert ended.returncode == -signal.SIGXCPU


@pytest.mark.parametrize(("system", "most"), [("linux", 1 << 32), ("darwin", -1)])
def test_memory_is_limited_where_it_can_be(system: str, most: int) -> None:
    """Where the system refuses such a limit, as macOS does, decoding goes on without."""
    code = f"""
import resource, sys
sys.platform = {system!r}
from imghost.imaging.cage import limit_memory
limit_memory(1 << 32)
print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE)[0])
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    assert ended.stdout.decode() == f"{most} 0\n"
