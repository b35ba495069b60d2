"""Pictures of all kinds, good and bad: those that Pillow is tested with, and damaged ones."""

from __future__ import annotations

import random
import subprocess
import sys
import tarfile
from pathlib import Path

import PIL

_MOST_CHANGES = 3
_LONGEST_RUN = 64


def pillow_images(folder: Path) -> list[Path]:
    """The files of Pillow's own tests, about 1,060, fetched into the folder if they are not there.

    They come from the source distribution of the installed version, by pip and its settings.
    """
    name = f"pillow-{PIL.__version__}"
    images = folder / name / "Tests" / "images"
    if not images.exists():
        command = (*("pip", "download", "-q", "--no-deps"), *("--no-binary", ":all:"))
        wanted = f"pillow=={PIL.__version__}"
        subprocess.run([sys.executable, "-m", *command, "-d", folder, wanted], check=True)
        with tarfile.open(folder / f"{name}.tar.gz") as source:
            inside = [m for m in source if m.name.startswith(f"{name}/Tests/images/")]
            source.extractall(folder, inside, filter="data")
    return sorted(path for path in images.rglob("*") if path.is_file())


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few changes: flipped, cut off, cut out, doubled, or overwritten."""
    found = bytearray(data)
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        if not found:
            break
        at, length = chance.randrange(len(found)), chance.randint(1, _LONGEST_RUN)
        match chance.randrange(6):
            case 0:
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                found[at : at + length] = chance.randbytes(length)
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length]
            case 4:
                found[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff"))
            case _ if chance.random() < 0.1:
                del found[at:]
            case _:
                found[chance.randrange(min(len(found), _LONGEST_RUN))] = chance.randrange(256)
    return bytes(found)
