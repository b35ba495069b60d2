"""What a watcher meets: the desktop around it, and who else may see what it sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from imghost.app import App
from imghost.clipboard import Clipboard
from imghost.config import Config
from imghost.imaging.prepare import Prepare
from imghost.models import Message
from imghost.survival import nobody
from imghost.values import dataclass
from imghost.watch.pausing import Pause
from imghost.watch.telling import Teller


@dataclass(frozen=True, slots=True)
class Takers:
    """Who takes what is found: what was copied does not wait behind files."""

    of_copied: Executor
    of_files: Executor

    def shutdown(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        for takers in (self.of_copied, self.of_files):
            takers.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Decoding:
    """What looks into images that are in a hurry, at once whatever else is looked into.

    `prepare` makes of an image's bytes what is sent; `pixels` gives the digest of its pixels.
    `expect` is told that so many images are about to come.
    """

    prepare: Prepare
    pixels: Callable[[bytes, str], str]
    expect: Callable[[int], object] = nobody


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a watcher meets.

    `open_clipboard` opens the desktop's, looking at it each so many seconds if need be; None where
    it is not to be watched. `problems` says what else of the desktop is missing.
    """

    teller: Teller
    pause: Pause
    decoding: Decoding
    open_clipboard: Callable[[float], Clipboard] | None
    problems: Callable[[], Sequence[Message]]


def publishes(app: App, config: Config) -> bool:
    """Whether what is found by itself may be seen by others, by the config as it is."""
    hosts = [config.host, *(folder.host for folder in config.watch.folders if folder.host)]
    return any(app.pipeline().hosts(host).is_public for host in hosts)
