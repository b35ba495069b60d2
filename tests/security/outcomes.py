"""What becomes of files of strangers, and whether it is what should."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from imghost.errors import ImageError
from imghost.imaging.check import Caps
from imghost.imaging.child import Child
from imghost.imaging.conversion import Conversion
from imghost.imaging.prepare import Prepare, Prepared, Recipe
from imghost.models import Limits
from tests.bench.measure import peaks_mb
from tests.fakes.judges import hidden_in, pixels
from tests.fakes.program import Program
from tests.fakes.wild import damaged
from tests.faults.processes import memory_kb
from tests.security.ways import SLOW_S, Told

SEED = 20261129
RECIPE = Recipe(
    Caps(), Limits(1 << 30, frozenset({"png", "jpeg", "webp", "gif", "avif"})), Conversion(), ""
)
_MOST_KB = 150_000
_MOST_TOGETHER_MB = 600  # with the processes that decode


@dataclass(frozen=True)
class Wild:
    """Files good and bad; of each what is made of it, or why it is refused, and the time taken."""

    files: tuple[Path, ...]
    made: dict[Path, Prepared]
    refused: dict[Path, ImageError]
    took_s: dict[Path, float]


def judged(files: Sequence[Path], prepare: Prepare) -> Wild:
    """What becomes of them."""
    wild = Wild(tuple(files), {}, {}, {})
    for path in files:
        began = time.monotonic()
        try:
            wild.made[path] = prepare(path.read_bytes(), path.name, RECIPE)
        except ImageError as exc:
            wild.refused[path] = exc
        wild.took_s[path] = time.monotonic() - began
    return wild


def hurt(wild: Wild, numbers: range, folder: Path) -> Wild:
    """What becomes of some, in the limited process: each damaged as its number says, its name.

    Those that could be read are likelier to be among them.
    """
    files = (*wild.made, *wild.files)
    made = [_written(files, number, folder) for number in numbers]
    child = Child(deadline_s=2 * SLOW_S)
    try:
        return judged(made, child.prepare)
    finally:
        child.close()


def _written(files: Sequence[Path], number: int, folder: Path) -> Path:
    chance = random.Random(number)
    file = chance.choice(files)
    path = folder / f"{number}{file.suffix}"
    path.write_bytes(damaged(file.read_bytes(), chance))
    return path


def assert_sound(wild: Wild, folder: Path) -> None:
    """None took long, each refusal has its reason, and what is made can be seen and hides nothing.

    Seen by others too; the folder is for them.
    """
    slow = {str(path): took_s for path, took_s in wild.took_s.items() if took_s > SLOW_S}
    assert not slow, slow
    silent = [str(path) for path, error in wild.refused.items() if not str(error)]
    assert not silent, silent
    for number, prepared in enumerate(wild.made.values()):
        path = folder / f"{number}.{prepared.image.extension}"
        path.write_bytes(prepared.image.data)
    unseen = [str(path) for path, made in wild.made.items() if not _is_seen(made.image.data)]
    assert not unseen, unseen
    hidden = hidden_in(folder)
    names = dict(enumerate(map(str, wild.made)))
    assert not hidden, {names[int(Path(name).stem)]: tags for name, tags in hidden.items()}


def _is_seen(data: bytes) -> bool:
    try:
        return bool(pixels(data))
    except Exception:  # noqa: BLE001 - whatever Pillow raises
        return False


def assert_true(told: Told, program: Program, *wilds: Wild) -> None:
    """What can be decoded was linked, as it was made, and nothing else was; each has its reason."""
    refused = {path for wild in wilds for path in wild.refused}
    wrong = {str(path): why for path, why in told.items() if bool(why) != (path in refused)}
    assert not wrong, wrong
    wanted = {
        made.image.sha256 for wild in wilds for path, made in wild.made.items() if path in told
    }
    files = [path for path in (program.home / "data" / "local").rglob("*") if path.is_file()]
    linked = {sha256(path.read_bytes()).hexdigest() for path in files}
    assert linked == wanted, linked ^ wanted


@contextmanager
def small(pid: int) -> Iterator[None]:
    """The daemon stays small meanwhile, and so do those that decode for it."""
    idle_kb = memory_kb(pid)
    with peaks_mb(pid) as together_mb:
        yield
    grown_kb = memory_kb(pid, "VmHWM") - idle_kb
    assert grown_kb < _MOST_KB, f"the daemon grew by {grown_kb} kB"
    assert max(together_mb) < _MOST_TOGETHER_MB, f"{max(together_mb):.0f} MB together"
