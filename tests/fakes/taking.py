"""What takes finds, put together from real parts, each doing its work at once and on the spot."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from imghost.app import App
from imghost.clipboard import Held
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.errors import ImghostError
from imghost.imaging.pixels import pixels_digest
from imghost.imaging.prepare import Prepare, prepare
from imghost.login import LoginFile
from imghost.models import Record, State
from imghost.senders import Senders
from imghost.sources.file_find import FileFind, stamp_of
from imghost.sources.folder import Folders
from imghost.survival import Survival
from imghost.text import Speaker
from imghost.watch.bursts import Bursts, Links, Origin
from imghost.watch.finding import Finder
from imghost.watch.giving import CLIPBOARD, Giver
from imghost.watch.intake import Find, Intake
from imghost.watch.surroundings import Decoding
from imghost.watch.telling import Teller, Topic
from tests.fakes import bilibili
from tests.fakes.desk import Screen, Speakers
from tests.fakes.sender import Clock

P = ParamSpec("P")
T = TypeVar("T")

BASE = "http://127.0.0.1:36677"
LATER_S = 10.0


class Watchful(Survival):
    """Survives as ever, and remembers the bugs."""

    def __init__(self) -> None:
        super().__init__()
        self.bugs: list[Exception] = []

    def __call__(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Do the work."""

        def watched() -> None:
            try:
                work(*args, **kwargs)
            except ImghostError:
                raise
            except Exception as exc:
                self.bugs.append(exc)
                raise

        return super().__call__(watched)


class AtOnce(Executor):
    """A pool in which the work is done before it is submitted."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it."""
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def write_config(dirs: Dirs, sections: dict[str, Any]) -> ConfigFile:
    """A config file with these sections."""
    path = dirs.config / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(sections))
    unfinished.replace(path)
    return ConfigFile(path, {}, LoginFile(dirs.login))


def at_bilibili(server: bilibili.FakeBilibili, **settings: Any) -> dict[str, Any]:
    """A config whose host is this one."""
    known = {
        "api": server.url,
        "passport": server.url,
        "min_gap_s": 0,
        "parallel": 4,
        "sessdata": bilibili.SESSDATA,
        "bili_jct": bilibili.BILI_JCT,
    }
    return {"host": "bilibili", "hosts": {"bilibili": known | settings}}


class Taking:
    """Finder and Intake with a real App. `close` fails if anything raised what is no ImghostError.

    `links` is what was given so far.
    """

    def __init__(
        self,
        dirs: Dirs,
        prepare_bytes: Prepare = prepare,
        **sections: Any,
    ) -> None:
        self.dirs = dirs
        self.screen, self.speakers = Screen(), Speakers()
        self.survive = Watchful()
        self.clock = Clock(100.0)
        self.links: list[Links] = []
        file = write_config(dirs, sections)
        self.app = App(dirs, file, file.load(), prepare_bytes=prepare_bytes, base_url=BASE)
        self.senders = Senders(self.app.outbox, AtOnce(), self.survive)
        self.bursts = Bursts()
        self.teller = Teller(
            Speaker("en"), self.screen, self.speakers, lambda: self.app.config, self.clock
        )
        self.folders = Folders(self.app.seen, lambda _: None, lambda _: None)
        self.intake = Intake(
            self.app,
            self.senders,
            self.bursts,
            self.folders,
            self.teller,
            Decoding(prepare_bytes, pixels_digest),
            self._later,
            self._give,
        )
        giver = Giver(lambda: None, self.teller, lambda: self.app.config, self.app.store)
        self.finder = Finder(
            self.app,
            self.bursts,
            self.intake,
            giver,
            self.teller,
            self._submit,
            self._submit,
            self.clock,
        )
        self.senders.ended = self.intake.ended

    def close(self) -> None:
        """Let go of everything."""
        self.app.close()
        assert self.survive.bugs == []

    def configure(self, **sections: Any) -> None:
        """Change the config."""
        write_config(self.dirs, sections)

    def copied(self, *pictures: bytes | Path, copies: int = 1) -> None:
        """Somebody copies a picture, or files."""
        (first, *_) = pictures
        if isinstance(first, bytes):
            held = Held(copies, first)
        else:
            held = Held(copies, paths=tuple(map(str, pictures)))
        self.finder.copied(held, copies)

    def saved(self, path: Path, data: bytes = b"", *, copies: int = 1, tries: int = 0) -> FileFind:
        """A file of these bytes stands still in its folder."""
        if data:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        stamp = stamp_of(str(path))
        assert stamp
        find = FileFind(path.parent, path, stamp, tries)
        self.finder.saved(find, copies)
        return find

    def press(self, label: str) -> None:
        """Press the button of the latest notice that has it."""
        self.screen.press(label)
        self.intake.heed_answers()

    def send_again(self) -> None:
        """What was held up is tried again."""
        for host in self.app.journal.queued_hosts():
            self.app.outbox.lift(host)
        self.senders.send_queued()

    def later(self) -> None:
        """What is due after some seconds is done."""
        assert self.next_s() < math.inf
        self.after(LATER_S)

    def after(self, wait_s: float) -> None:
        """What is due after so many seconds is done."""
        self.clock.now += wait_s
        self.finder.do_due(self.clock.now)
        self._give()

    def next_s(self) -> float:
        """How long until something is due."""
        return self.finder.next_s(self.clock.now)

    def is_expected(self) -> bool:
        """Whether the link of the first copy is still to come."""
        return self.bursts.is_expected(Origin(CLIPBOARD, 1), self.clock.now)

    def texts(self) -> list[tuple[str, ...]]:
        """The links that were given so far."""
        return [links.texts for links in self.links]

    def told(self, topic: Topic) -> list[str]:
        """What was told so far about this."""
        self.teller.flush(all_of_it=True)
        return self.screen.texts(topic)

    def left_alone(self) -> list[tuple[str, str]]:
        """What was left alone, and why."""
        return [(one.name, str(one.reason)) for one in self.teller.left_alone.latest()]

    def records(self) -> list[Record]:
        """The rows of the journal, the oldest first."""
        return self.app.journal.history()[::-1]

    def states(self) -> list[State]:
        """How they stand."""
        return [record.state for record in self.records()]

    def _submit(self, work: Callable[[], None]) -> object:
        return self.survive(work)

    def _later(self, find: Find) -> None:
        self.finder.take_later(find)

    def _give(self) -> None:
        self.links += self.bursts.due(self.clock.now)
