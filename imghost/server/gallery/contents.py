"""What the gallery's pages show, as values, and who gives it to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Protocol

from imghost.imaging.style import Style
from imghost.keep.wanted import Wanted
from imghost.models import Image, Message, Record, Target
from imghost.server.asked import UploadRequest
from imghost.server.wire import Settled
from imghost.values import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """An upload and its link to copy, "" while there is none; `reason` is why there is none."""

    record: Record
    text: str
    reason: Message | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Some uploads, the newest first, and whether there are newer and older ones."""

    shown: tuple[Shown, ...]
    has_newer: bool
    has_older: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """What counts for the next picture, and what could; a style's name, if any, by its suffix."""

    host: str
    bucket: str
    format: str
    style: str
    hosts: tuple[str, ...]
    buckets: tuple[str, ...]
    formats: tuple[str, ...]
    styles: Mapping[str, Message | None]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: `state` as `imghost status` tells it; `changes_at` is infinite for never."""

    state: str
    reason: Message | None
    changes_at: float


@dataclass(frozen=True, slots=True)
class Overview:
    """What stands at the top of the gallery: how many uploads there are, are found, and wait."""

    total: int
    found: int
    waiting: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Bench:
    """What a style makes of an upload: its canonical suffix, the size, the links with it.

    `is_void`: the style asks for more than there is, so the size stays. `has_styles`: whether the
    host's links may carry one at all. Links that cannot be written are left out.
    """

    style: Style
    width_px: int
    height_px: int
    is_void: bool
    has_styles: bool
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent: an image with notes of what was done to it, or the row that has it."""

    target: Target
    made: Image | Record
    notes: tuple[Message, ...]
    original_bytes: int
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ShownLogin:
    """How it stands with a host that needs a login.

    `is_wanted`: something is to be sent there, and it wants one. `left` is None while
    unknown; `origin` is where the cookies stand: "login", "config", "environment", or "" for
    nowhere. `notes` are what the last change had to say.
    """

    host: str
    is_set: bool
    is_wanted: bool
    name: str
    left: Message | None
    origin: str
    notes: tuple[Message, ...]
    warnings: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code to scan: its number here, and its image as an address with the data in it."""

    number: int
    image: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What became of a code: `state` is waiting, scanned, expired or done.

    `rest_s`: how long to wait before that is asked again; `problem`: why it is not known now.
    """

    state: str
    rest_s: float
    problem: Message | None = None


class Logins(Protocol):
    """What the daemon does for the page on which people log in."""

    def shown(self) -> ShownLogin:
        """How it stands."""
        ...

    def begin(self) -> ShownCode:
        """A new code to scan."""
        ...

    def poll(self, number: int) -> Scanned:
        """What became of the code of that number."""
        ...

    def log_out(self) -> None:
        """Forget the login."""
        ...


class Gallery(Protocol):
    """What the daemon does for its pages; each method may block and may raise ImghostError."""

    @property
    def login(self) -> Logins:
        """What it does for the page on which people log in."""
        ...

    def overview(self, wanted: Wanted) -> Overview:
        """How many uploads there are, and how many of them are wanted."""
        ...

    def page(self, wanted: Wanted, limit: int, *, before: int = 0, after: int = 0) -> Sheet:
        """Uploads with links as configured, before or after an id."""
        ...

    def one(self, record_id: int) -> Shown:
        """The upload of this id. Raises UsageError if there is none."""
        ...

    def texts(self, ids: Sequence[int], format_name: str, style: str) -> Mapping[int, str]:
        """The links of these uploads in a format and a style ("@" for none)."""
        ...

    def bench(self, record_id: int, style: str) -> Bench:
        """What a style makes of an upload. Raises ConfigError for what is no style."""
        ...

    def picture(self, record_id: int, *, as_sent: bool) -> Path:
        """The kept original's file, or the one that was sent if that is here.

        Raises SourceError if neither is here any more.
        """
        ...

    def preview(self, data: bytes, name: str, host: str, bucket: str) -> Preview:
        """What would be sent of these bytes; nothing of it is kept."""
        ...

    def upload(self, request: UploadRequest, gone: threading.Event) -> Iterator[Settled]:
        """Upload the inputs, as the commands' `upload` does."""
        ...

    def retry(self, ids: Sequence[int]) -> int:
        """Send what failed, waits or asks."""
        ...

    def discard(self, ids: Sequence[int]) -> int:
        """Erase those of these that ask; how many that were."""
        ...

    def forget(self, record_id: int, *, at_host: bool) -> None:
        """Erase an upload, its original and its renderings; `at_host`: there, too."""
        ...

    def chosen(self) -> Chosen:
        """What counts for the next picture."""
        ...

    def choose(self, what: str, value: str) -> None:
        """Have this count from the next picture on: host, bucket, format or style."""
        ...

    def watched(self) -> Watched:
        """What is watched."""
        ...

    def pause(self, minutes: float | None) -> None:
        """Take nothing for so long."""
        ...

    def resume(self, minutes: float | None) -> None:
        """Take what is found for so long."""
        ...

    def can_delete(self, host: str) -> bool:
        """Whether the host can be asked to delete a picture."""
        ...
