"""A daemon that takes what is saved into a folder, and sends it to a host."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imghost.cli import client
from imghost.door import find_door
from tests.fakes import pictures
from tests.fakes.canaries import SECRETS, leaked
from tests.fakes.program import Program, Watching, eventually
from tests.faults.promise import Home

WATCH = ("watch", "--no-clipboard", "--no-tray")


@dataclass
class Folder:
    """`path` is watched; `given` are the pictures that were saved into it."""

    program: Program
    path: Path
    settings: dict[str, Any]
    given: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.mkdir()
        self.home = Home(self.program.home)
        self.program.environ["IMGHOST_LOG"] = "debug"
        self.configure()

    def configure(self) -> None:
        """Write the config, with what the settings are by now."""
        watch = {"folders": [str(self.path)], "existing": True}
        self.program.configure(**self.settings, watch=watch)

    def save(self, count: int = 1) -> None:
        """Have so many more pictures in the folder, as programs with manners save them."""
        for seed in range(len(self.given), len(self.given) + count):
            self.given.append(pictures.png(seed=seed))
            unfinished = self.path.with_name("unfinished")
            unfinished.write_bytes(self.given[-1])
            unfinished.rename(self.path / f"{seed}.png")

    def save_at_once(self, count: int, within_s: float) -> float:
        """Have so many more there from one moment, which is given, to the next.

        They are made beside it, and then only moved, which may take so long.
        """
        beside = self.path.with_name("beside")
        beside.mkdir()
        for seed in range(len(self.given), len(self.given) + count):
            self.given.append(pictures.png(seed=seed))
            (beside / f"{seed}.png").write_bytes(self.given[-1])
        begun = time.monotonic()
        for path in list(beside.iterdir()):
            path.rename(self.path / path.name)
        assert time.monotonic() - begun < within_s
        beside.rmdir()
        return begun

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon from its very start on; if it was not ended before, it is killed."""
        log = self.home.path.with_name("said")
        with (
            log.open("wb") as says,
            self.program.start(*WATCH, stdin=subprocess.DEVNULL, stderr=says) as process,
        ):
            try:
                yield process
            finally:
                process.kill()
        assert not leaked(log.read_text(encoding="utf-8"), SECRETS)

    @contextmanager
    def watching(self) -> Iterator[Watching]:
        """The daemon from when it watches; it ends well."""
        with self.program.watching(*WATCH[1:]) as watching:
            yield watching
        assert not leaked(watching.said, SECRETS)

    def retry(self) -> None:
        """Tell the daemon that something changed."""
        door = find_door(self.home.dirs)
        assert door
        client.retry(door, ())

    @property
    def done(self) -> int:
        """How many rows have a link, without reading all of a great many."""
        journal = f"{self.home.dirs.journal.as_uri()}?mode=ro"
        with closing(sqlite3.connect(journal, uri=True)) as db:
            (count,) = db.execute("SELECT count(*) FROM uploads WHERE state = 'done'").fetchone()
        return int(count)

    @property
    def is_done(self) -> bool:
        """Whether each picture that was saved has a row, and each row a link."""
        return self.home.states == {"done": len(self.given)}

    def finish(self, within_s: float, *, behind: int = 0) -> int:
        """Let a daemon send all that is left, end it well, and have the promise kept.

        How many rows are well.
        """
        with self.watching():
            eventually(lambda: self.is_done, within_s)
        return self.home.check(*self.given, behind=behind)
