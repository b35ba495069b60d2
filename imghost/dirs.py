"""Where imghost keeps its things on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imghost.values import dataclass


@dataclass(frozen=True, slots=True)
class Dirs:
    """The folders of one user: `data` must never be lost, `cache` can be made again."""

    config: Path
    data: Path
    state: Path
    cache: Path
    logs: Path

    @property
    def tmp(self) -> Path:
        """Unfinished files, a folder per process; beside `data`, so that a rename moves them."""
        return self.data / "tmp"

    @property
    def run(self) -> Path:
        """The locks of living senders, and nothing else."""
        return self.state / "run"

    @property
    def door(self) -> Path:
        """The running daemon's address and token."""
        return self.state / "door.json"

    @property
    def login(self) -> Path:
        """The login at Bilibili; not beside the config, which people show and share."""
        return self.state / "login.json"

    @property
    def journal(self) -> Path:
        """What was accepted, and where it went."""
        return self.data / "journal.db"

    @property
    def originals(self) -> Path:
        """The bytes that came in, named by their hash."""
        return self.data / "originals"

    @property
    def backups(self) -> Path:
        """Posts as they were before their pictures were moved, a folder for each run."""
        return self.data / "backups"

    @property
    def posts(self) -> Path:
        """The posts whose pictures were moved, and the links in them."""
        return self.data / "posts.json"

    @property
    def outgoing(self) -> Path:
        """What is sent where that is not the original itself, until it is sent."""
        return self.data / "outgoing"

    @property
    def renderings(self) -> Path:
        """What the embedded server made of its files, by style."""
        return self.cache / "renderings"

    @property
    def local(self) -> Path:
        """The embedded host's files, a folder per bucket."""
        return self.data / "local"


def find_dirs(environ: Mapping[str, str]) -> Dirs:
    """The folders by the system's custom, or all below IMGHOST_HOME."""
    if home := environ.get("IMGHOST_HOME"):
        root = Path(home).expanduser().absolute()
        return Dirs(root / "config", root / "data", root / "state", root / "cache", root / "logs")
    from platformdirs import PlatformDirs

    found = PlatformDirs("imghost", appauthor=False)
    return Dirs(
        found.user_config_path,
        found.user_data_path,
        found.user_state_path,
        found.user_cache_path,
        found.user_log_path,
    )
