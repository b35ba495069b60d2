"""A program that watches folders, and says what it finds until its input ends.

`python -m tests.fakes.watching JOURNAL FOLDER...` prints `ready`, `found NAME` and `told WORDS`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from imghost.keep.database import Database
from imghost.keep.seen import Seen
from imghost.sources.folder import Folders


@contextmanager
def watching(
    journal: Path, *folders: Path, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The program while it watches, and what it says."""
    command = [*prefix, sys.executable, "-m", "tests.fakes.watching", journal, *folders]
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        list(map(str, command)),
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout
        finally:
            process.kill()


def say(line: str) -> None:
    """Print it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(journal: str, *folders: str) -> None:
    """Watch until there is no more input; settle nothing."""
    db = Database(Path(journal))
    watched = Folders(
        Seen(db),
        found=lambda find: say(f"found {find.path.name}"),
        tell=lambda message: say(f"told {message}"),
    )
    watched.watch([Path(folder) for folder in folders], existing=False)
    say("ready")
    sys.stdin.read()
    watched.close()
    db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
