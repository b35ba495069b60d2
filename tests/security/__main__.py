"""The long form: `python -m tests.security [COUNT] [SEED]` damages so many pictures, and counts.

Each is checked and cleaned in the limited process, as what comes by itself is; what comes out is
judged by Pillow and exiftool. Some of them, dealt out among all ways, and all that Pillow is tested
with, by each way that the tests do not send all of them, go into running daemons. A line per fault
names the file, whose name is the number that repeats it; with any it ends with 1.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from imghost.imaging.prepare import prepare
from tests.fakes.person import Person
from tests.fakes.program import Program
from tests.fakes.wild import pillow_images
from tests.fakes.x11 import xvfb
from tests.security.outcomes import SEED, Wild, assert_sound, assert_true, hurt, judged, small
from tests.security.ways import (
    QUIET,
    Told,
    Way,
    by_clipboard,
    by_folder,
    by_form,
    by_gallery,
    by_path,
    by_pipe,
    by_post,
    dealt,
)

_COUNT = 20_000
_AT_ONCE = 500
_DEALT = 50  # one in so many
_LINE = 4_000  # characters: where everything is wrong, the first files tell why
_EVERY = (
    *((way, 1) for way in (by_path, by_folder, by_form, by_gallery, by_post)),
    (by_pipe, 5),  # a process each takes long
)


class Faults(list[str]):
    """What was found, told at once."""

    @contextmanager
    def looked_for(self, where: str) -> Iterator[None]:
        """Whatever turns out to be untrue."""
        try:
            yield
        except Exception as exc:  # noqa: BLE001 - the other ways are tried nevertheless
            self.append(f"{where}: {exc!r}"[:_LINE])
            _say(self[-1])


def main() -> int:
    """Print a table; 1 if there is a fault."""
    count, seed = (*map(int, sys.argv[1:]), *(_COUNT, SEED)[len(sys.argv) - 1 :])
    numbers, faults = range(seed, seed + count), Faults()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wild = judged(pillow_images(Path(".pytest_cache/d/pillow").absolute()), prepare)
        _damage(wild, numbers, folder, faults)
        some = hurt(wild, numbers[::_DEALT], _new(folder / "dealt"))
        with faults.looked_for("damaged, by every way"):
            _send(dealt(some.files), some, Program(folder / "every" / "imghost"))
        with faults.looked_for("damaged, by the clipboard"):
            _copy([path for path in some.files if path.suffix == ".png"], some, folder)
        for way, step in _EVERY:
            with faults.looked_for(_name(way)):
                program = Program(folder / way.__name__ / "imghost")
                _send([(way, wild.files[::step])], wild, program)
    _row("faults", len(faults))
    return 1 if faults else 0


def _damage(wild: Wild, numbers: range, folder: Path, faults: Faults) -> None:
    """So many, some at a time."""
    made = refused = 0
    slowest_s = 0.0
    for start in range(numbers.start, numbers.stop, _AT_ONCE):
        with tempfile.TemporaryDirectory(dir=folder) as inside:
            now = range(start, min(start + _AT_ONCE, numbers.stop))
            some = hurt(wild, now, Path(inside))
            with faults.looked_for("damaged"):
                assert_sound(some, _new(Path(inside, "sound")))
        made, refused = made + len(some.made), refused + len(some.refused)
        slowest_s = max(slowest_s, *some.took_s.values())
    _row("damaged and sound", made)
    _row("damaged and refused", refused)
    _row("the slowest took, in seconds", round(slowest_s, 2))


def _copy(paths: Sequence[Path], wild: Wild, folder: Path) -> None:
    """By somebody at an X display."""
    with xvfb() as (display, _server), Person(display) as person:
        program = Program(folder / "clipboard" / "imghost", {"DISPLAY": display})
        _send([(by_clipboard(person), paths)], wild, program, "--no-tray")


def _send(
    ways: Iterable[tuple[Way, Sequence[Path]]], wild: Wild, program: Program, *words: str
) -> None:
    """By these ways into a daemon of their own."""
    program.environ["LC_ALL"] = "C.UTF-8"
    watched = _new(program.home.with_name("pictures"))
    program.configure(watch={"folders": [str(watched)]})
    told: Told = {}
    with program.watching(*words or QUIET) as watching, small(watching.process.pid):
        for way, paths in ways:
            began = time.monotonic()
            told |= way(program, paths)
            _row(f"sent {_name(way)}, in {time.monotonic() - began:.0f} s", len(paths))
    assert_true(told, program, wild)


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _name(way: Way) -> str:
    return way.__name__.replace("_", " ")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _row(what: str, figure: float) -> None:
    _say(f"{what:<40} {figure:>8}")


if __name__ == "__main__":
    raise SystemExit(main())
