"""A program that writes files as slowly and clumsily as programs do.

`python -m tests.fakes.writers FOLDER COUNT`; each file is whole when it ends with END.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.fakes.program import eventually

MAGIC = b"\x89PNG\r\n\x1a\n"
END = b"the end"

Wait = Callable[[], object]


def write_after(moment: float, path: Path, data: bytes) -> None:
    """Write a file, whose time is one of a coarser clock, after this moment."""

    def is_written() -> bool:
        path.write_bytes(data)
        return path.stat().st_ctime > moment

    eventually(is_written)


def steadily(path: Path, chunks: list[bytes], wait: Wait) -> None:
    """Keep the file open until it is whole."""
    with path.open("wb", buffering=0) as file:
        for chunk in chunks:
            file.write(chunk)
            wait()


def in_turns(path: Path, chunks: list[bytes], wait: Wait) -> None:
    """Open and close it for each piece."""
    for chunk in chunks:
        with path.open("ab") as file:
            file.write(chunk)
        wait()


def reserving(path: Path, chunks: list[bytes], wait: Wait) -> None:
    """Take the whole room first, and fill it from behind."""
    with path.open("wb", buffering=0) as file:
        file.truncate(sum(map(len, chunks)))
        wait()
        for number in reversed(range(len(chunks))):
            file.seek(sum(map(len, chunks[:number])))
            file.write(chunks[number])
            wait()


def aside(path: Path, chunks: list[bytes], wait: Wait) -> None:
    """Write under another name, as browsers do."""
    unfinished = path.with_name(path.name + ".part")
    steadily(unfinished, chunks, wait)
    unfinished.rename(path)


MANNERS = (steadily, in_turns, reserving, aside)


def main(folder: str, count: str) -> None:
    """Write so many files at the same time, each in one of the manners."""
    writers = [
        threading.Thread(target=_write, args=(Path(folder), number)) for number in range(int(count))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def _write(folder: Path, number: int) -> None:
    chance = random.Random(number)
    pieces = [chance.randbytes(chance.randrange(1, 20_000)) for _ in range(4)]

    def wait() -> None:
        threading.Event().wait(chance.uniform(0.01, 0.3))

    wait()
    write = MANNERS[number % len(MANNERS)]
    write(folder / f"{number}.png", [MAGIC, *pieces, os.fsencode(str(number)), END], wait)


if __name__ == "__main__":
    main(*sys.argv[1:])
