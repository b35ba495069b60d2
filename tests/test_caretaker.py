"""What the daemon does by itself, a round after the other."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from imghost.app import App
from imghost.caretaker import Caretaker
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.door import Door, daemon_lock
from imghost.forget import ASK_S
from imghost.looks import Looks
from imghost.models import Found, State
from imghost.presence import Presence
from imghost.secret import Secret
from imghost.senders import Senders
from imghost.survival import Survival, nobody
from tests.fakes import pictures


class OneRound(Survival):
    """Ends the caretaker after its first round, by `stop`."""

    def __init__(self) -> None:
        super().__init__()
        self.stop: Callable[[], None] = nobody
        self.is_well = False

    def __call__(self, work: Callable[..., None], *args: object, **kwargs: object) -> bool:
        """Do the work, and no more."""
        self.is_well = super().__call__(work, *args, **kwargs)
        self.stop()
        return self.is_well


def _asks(app: App, seed: int) -> int:
    found = Found("clipboard", "a.png", partial(pictures.png, seed=seed))
    pipeline = app.pipeline()
    return pipeline.accept(found, pipeline.order(), State.ASKING).record.id


def test_a_clock_that_is_set_forward_erases_nothing(
    dirs: Dirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What asks since more than a day is erased, and not what asks since this minute."""
    file, now, one = ConfigFile(dirs.config / "config.json", {}), time.time, OneRound()
    with App(dirs, file, file.load()) as app, ThreadPoolExecutor(1, "care") as pool:
        old, new = _asks(app, 1), _asks(app, 2)
        with closing(sqlite3.connect(dirs.journal)) as db, db:
            db.execute("UPDATE uploads SET created_at = created_at - ? WHERE id = ?", (ASK_S, old))
        door = Door("", Secret(""), "", "en", 0)
        presence = Presence(dirs, daemon_lock(dirs), door, app.owner.tmp)
        senders, looks = Senders(app.outbox, pool, one), Looks(app, pool, one)
        caretaker = Caretaker(app, presence, senders, looks, one, None)
        monkeypatch.setattr(time, "time", lambda: now() + 400 * ASK_S)
        one.stop = app.outbox.stop
        caretaker.run(())
        assert one.is_well
        assert [row.id for row in app.journal.history()] == [new]
