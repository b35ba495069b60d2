"""Row 22: what is handed in without end, by a pipe, a device, or another program's clipboard."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from imghost.clipboard import TOO_LARGE
from tests.fakes import pictures
from tests.fakes.needs import WAYLAND, may_skip, missing
from tests.fakes.program import Program, eventually
from tests.fakes.wayland import Owner, sway
from tests.faults.processes import Memory
from tests.faults.promise import LOCAL, Home
from tests.faults.trial import Trial

CAP_MB = 20
MEMORY_KB = 150_000
TOO_MUCH_BYTES = 500_000_000
PROMPT_S = 3.0
PICTURE = pictures.png()
MEASURED = """
import pathlib, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
pathlib.Path(sys.argv[1]).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""  # in a process as small as can be, for a program's peak begins with that of who starts it

pytestmark = pytest.mark.row(22)


@contextmanager
def _endless(head: bytes) -> Iterator[int]:
    """A pipe into which somebody pours this, and zeros without end."""
    code = f"import sys\nout = sys.stdout.buffer\nout.write({head!r})"
    code += "\nwhile True: out.write(bytes(65536))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as pouring:
        assert pouring.stdout
        try:
            yield pouring.stdout.fileno()
        finally:
            pouring.kill()


@pytest.mark.parametrize("has_daemon", [False, True])
@pytest.mark.parametrize(
    ("head", "code", "said"),
    [
        (b"", 5, "no known image format"),
        (b"words and words. " * 400, 5, "is text, not an image"),
        (PICTURE, 4, f"standard input is larger than {CAP_MB} MB"),
        (PICTURE[:60], 4, f"standard input is larger than {CAP_MB} MB"),
    ],
    ids=["zeros", "words", "behind a picture", "within a picture"],
)
def test_an_endless_pipe(
    trial: Trial, home: Path, head: bytes, code: int, said: str, has_daemon: bool
) -> None:
    """`imghost upload -` stops, says why, and has needed little; nothing of it was accepted."""
    program = Program(home / "imghost")
    program.configure(**LOCAL, limits={"input_bytes": CAP_MB * 1_000_000})
    with program.serving() if has_daemon else nullcontext(), _endless(head) as pipe:
        measured = home / "peak"
        program.prefix = (sys.executable, "-c", MEASURED, str(measured))
        with trial.recovering(), program.start("upload", "-", stdin=pipe) as process:
            told = process.communicate(timeout=60)[1].decode()
    used_kb = int(measured.read_text())
    assert (process.returncode, said in told) == (code, True), told
    assert used_kb < MEMORY_KB
    assert trial.longest_s < trial.bound_s(PROMPT_S)
    kept = Home(program.home)
    kept.restart()  # by which an original without a row would get one
    checked = kept.check()
    assert checked == 0
    trial.note("an endless pipe", 1, checked=checked, more=f"{used_kb / 1000:.0f} MB in all")


@pytest.mark.parametrize("has_daemon", [False, True])
def test_what_never_ends_by_its_name(home: Path, tmp_path: Path, has_daemon: bool) -> None:
    """Pipes and devices are told apart from files, and not even waited for."""
    program = Program(home / "imghost")
    program.configure()
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with program.serving() if has_daemon else nullcontext(), _endless(PICTURE) as endless:
        for path in (pipe, Path("/dev/zero"), Path("/dev/stdin"), Path("/proc/self/fd/0")):
            began = time.monotonic()
            with program.start("upload", str(path), stdin=endless) as process:
                _, err = process.communicate(timeout=PROMPT_S * 4)
            assert process.returncode == 4, err
            assert b"is not a file" in err
            assert time.monotonic() - began < PROMPT_S * 4


@pytest.mark.skipif(
    any(name in missing("test_watch_wayland") for name in WAYLAND) and may_skip(),
    reason="no Wayland here",
)
def test_far_too_much_on_wayland(trial: Trial, home: Path) -> None:
    """What nobody should read is left alone there too, in little memory; the next is taken."""
    with sway() as session:
        names = ("WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
        program = Program(home / "imghost", {name: session.environ[name] for name in names})
        program.configure()
        with program.watching("--no-tray") as watching:
            memory = Memory(watching.process.pid)
            with Owner(session, {"image/png": bytes(TOO_MUCH_BYTES)}):
                with trial.recovering():
                    eventually(lambda: memory.look() and bool(program.status["left_alone"]))
                assert program.status["left_alone"][0]["reason"] == str(TOO_LARGE)
                assert session.run("wl-paste", "--list-types") == b"image/png\n"
                assert b"image/png" in session.run("wl-paste", "--list-types")
            session.copy("image/png", PICTURE)
            eventually(lambda: memory.look() and program.status["counts"]["done"] == 1)
    checked = Home(program.home).check(PICTURE)
    assert checked == 1
    assert memory.used_kb < MEMORY_KB
    assert trial.longest_s < trial.bound_s(PROMPT_S)
    used = f"{memory.used_kb / 1000:.0f} MB above idle"
    trial.note("500 MB on Wayland's clipboard", 1, checked=checked, more=used)
