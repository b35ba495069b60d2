"""The promise, checked from outside: what a home of imghost must look like after any fault."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from imghost.app import App
from imghost.config_file import ConfigFile
from imghost.dirs import find_dirs
from imghost.errors import JournalDamaged
from tests.fakes.canaries import SECRETS, leaked

STATES = ("asking", "queued", "uploading", "done", "failed")
LOCAL = {"server": {"port": 36677}}  # nobody listens there: links are only written down
BASE = "http://127.0.0.1:36677"
_SHA256_LENGTH = 64
_TOLD = ("sha256", "host", "bucket", "name", "state", "key", "url")
_MAX_READ = 1 << 20  # of a file in which a secret is looked for


class Home:
    """A folder below which imghost keeps everything; no process may be using it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dirs = find_dirs({"IMGHOST_HOME": str(path)})

    def restart(self) -> None:
        """What the next start does: give back what the dead left, and send all that may be sent.

        Then somebody looks at all of it. A row that cannot be read is met once, as by commands and
        the daemon, and then made anew.
        """
        try:
            self._restart()
        except JournalDamaged:
            self._restart()

    def _restart(self) -> None:
        file = ConfigFile(self.dirs.config / "config.json", {})
        with App(self.dirs, file, file.load(), base_url=BASE, thorough=True) as app:
            app.drain()
            app.journal.history()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The journal's rows, the oldest first.

        Reading them has SQLite tidy up after a crash: not before the program had to.
        """
        with closing(self._journal()) as db:
            db.row_factory = sqlite3.Row
            db.text_factory = partial(str, encoding="utf-8", errors="replace")
            return [dict(row) for row in db.execute("SELECT * FROM uploads ORDER BY id")]

    @property
    def states(self) -> Counter[str]:
        """How many rows stand in each state."""
        return Counter(row["state"] for row in self.rows)

    @property
    def originals(self) -> dict[str, bytes]:
        """The originals, by the hash that names them."""
        paths = self.dirs.originals.glob("??/*")
        return {p.name: p.read_bytes() for p in paths if len(p.name) == _SHA256_LENGTH}

    def check(self, *given: bytes, behind: int = 0) -> int:
        """All that must be true of images that were accepted; `given` are some that were.

        `behind`: how many slips may tell of a moment before the end, since their writer was killed.
        How many rows were found to be well.
        """
        self._check_rows(given)
        assert (count := self._slips_behind()) <= behind, count
        assert not (litter := self._litter()), litter
        assert not (secrets := self._secrets()), secrets
        return len(self.rows)

    def _journal(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.dirs.journal.as_uri()}?mode=rw", uri=True)

    def _check_rows(self, given: Collection[bytes]) -> None:
        rows, originals = self.rows, self.originals
        with closing(self._journal()) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {row["state"] for row in rows} <= set(STATES)
        places = [(row["sha256"], row["host"], row["bucket"]) for row in rows]
        assert len(places) == len(set(places))
        for row in rows:
            assert row["original"] in originals, row
            assert row["url"] or row["state"] != "done", row
            assert (row["state"] == "uploading") == bool(row["owner"]), row
            if (row["state"], row["host"]) == ("done", "local"):
                stored = (self.dirs.local / row["bucket"] / row["key"]).read_bytes()
                assert hashlib.sha256(stored).hexdigest() == row["sha256"]
        for name, data in originals.items():
            assert hashlib.sha256(data).hexdigest() == name
        accepted = {row["original"] for row in rows}
        assert {hashlib.sha256(data).hexdigest() for data in given} <= accepted

    def _slips_behind(self) -> int:
        """How many rows have a slip that tells of a moment before the row's."""
        behind = 0
        for row in self.rows:
            path = self.dirs.originals / row["original"][:2] / f"{row['original']}.json"
            slips = json.loads(path.read_bytes()) if path.exists() else []
            slips = [{key: slip[key] for key in _TOLD} for slip in slips]
            if {key: row[key] for key in _TOLD} not in slips:
                behind += 1
                assert not any(
                    slip["state"] == "done" for slip in slips if slip["sha256"] == row["sha256"]
                ), row
        return behind

    def _litter(self) -> list[Path]:
        """Unfinished files, locks of senders, and what lies about."""
        known = {self.dirs.config, self.dirs.data, self.dirs.state, self.dirs.cache, self.dirs.logs}
        litter = [p for p in self.path.glob("*") if p not in known and p.name != "lost+found"]
        litter += list(self.dirs.tmp.glob("**/*"))
        litter += [*self.dirs.run.glob("*"), *self.dirs.outgoing.glob("*")]
        return litter

    def _secrets(self) -> list[tuple[str, Path]]:
        """The secrets that can be read anywhere but in the config."""
        files = filter(Path.is_file, self.path.rglob("*"))
        told = [path for path in files if self.dirs.config not in path.parents]
        return [(secret, path) for path in told for secret in leaked(_text(path), SECRETS)]


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_READ).decode("latin-1")
