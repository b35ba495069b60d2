"""The long form: `python -m tests.security [COUNT] [SEED]` damages so many pictures, and counts.

Each is checked and cleaned in the limited process, as what comes by itself is; what comes out is
judged by Pillow and exiftool. A line per fault names the number that repeats it.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from imghost.errors import ImageError
from imghost.imaging.child import Child
from tests.fakes.judges import hidden_in, pixels
from tests.fakes.wild import damaged, pillow_images
from tests.security.conftest import RECIPE, SLOW_S

_COUNT, _SEED = 20_000, 20261129
_KINDS = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".tif", ".bmp", ".ico"}
)


def sweep(files: list[Path], count: int, seed: int, sound: Path) -> tuple[Counter[str], float]:
    """How they ended, and the longest time that one took, in seconds; sound ones are written."""
    ends: Counter[str] = Counter()
    slowest_s = 0.0
    child = Child(deadline_s=SLOW_S)
    for number in range(seed, seed + count):
        chance = random.Random(number)
        data = damaged(chance.choice(files).read_bytes(), chance)
        began = time.monotonic()
        try:
            image = child.prepare(data, "x", RECIPE).image
        except ImageError:
            ends["refused"] += 1
        else:
            ends["sound"] += 1
            (sound / f"{number}.{image.extension}").write_bytes(image.data)
            if not _is_seen(image.data):
                ends["linked, though nothing else decodes it"] += 1
                _say(f"number {number} cannot be decoded")
        slowest_s = max(slowest_s, time.monotonic() - began)
    child.close()
    return ends, slowest_s


def _say(*lines: object) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _is_seen(data: bytes) -> bool:
    try:
        return bool(pixels(data))
    except Exception:  # noqa: BLE001 - whatever Pillow raises
        return False


def main() -> None:
    """Print a table."""
    count, seed = (*map(int, sys.argv[1:]), *(_COUNT, _SEED)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder, "sound")
        sound.mkdir()
        wild = pillow_images(Path(".pytest_cache/d/pillow"))
        files = [path for path in wild if path.suffix in _KINDS]
        ends, slowest_s = sweep(files, count, seed, sound)
        for how, number in ends.most_common():
            _say(f"{how:<40} {number:>8}")
        _say(f"{'the slowest took, in seconds':<40} {slowest_s:>8.2f}")
        hidden = hidden_in(sound)
        _say(f"{'hide something':<40} {len(hidden):>8}", *hidden.items())


if __name__ == "__main__":
    main()
