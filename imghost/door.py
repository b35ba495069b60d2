"""The running daemon's door: where it answers, and the token that its commands show."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from imghost.dirs import Dirs
from imghost.disk import write_atomically
from imghost.errors import DaemonError
from imghost.lock import FileLock
from imghost.secret import Secret
from imghost.values import dataclass

_NO_SETTINGS = frozenset({"IMGHOST_HOME", "IMGHOST_CONFIG", "IMGHOST_LOG"})


@dataclass(frozen=True, slots=True)
class Door:
    """`url` is without a slash at its end; `settings` tells apart who works with another config."""

    url: str
    token: Secret
    settings: str
    language: str
    pid: int


def daemon_lock(dirs: Dirs) -> FileLock:
    """The lock that the daemon holds alone; whoever only asks whether it is there shares it."""
    return FileLock(dirs.state / "daemon.lock")


def open_door(dirs: Dirs, door: Door, tmp: Path) -> None:
    """Tell the commands of this user where the daemon is. Raises MachineError."""
    content = {
        "url": door.url,
        "token": door.token.reveal(),
        "settings": door.settings,
        "language": door.language,
        "pid": door.pid,
    }
    write_atomically(dirs.door, json.dumps(content).encode(), tmp)


def close_door(dirs: Dirs) -> None:
    """The daemon ends. A door that stays where nothing may be written leads nowhere: no lock."""
    with contextlib.suppress(OSError):
        dirs.door.unlink()


def find_door(dirs: Dirs) -> Door | None:
    """The door of the daemon that runs now."""
    try:
        content = json.loads(dirs.door.read_bytes())
        door = Door(**content | {"token": Secret(content["token"])})
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    with daemon_lock(dirs) as lock:
        return None if lock.acquire(shared=True) else door


def untold() -> DaemonError:
    """What is wrong where a daemon holds its lock, and no door is found."""
    return DaemonError(
        "an imghost runs that tells nobody where it answers; if that stays so, end its process "
        "and start imghost watch again"
    )


def new_token() -> Secret:
    """A token for one life of the daemon."""
    return Secret(os.urandom(32).hex())


def settings_of(config_file: Path, environ: Mapping[str, str], token: Secret) -> str:
    """What the config file and the secrets in the environment come to; tells no secret."""
    secrets = {k: v for k, v in environ.items() if k.startswith("IMGHOST_")}
    told = [f"{name}={secrets[name]}" for name in sorted(secrets.keys() - _NO_SETTINGS)]
    return f"{config_file} {_digest(told, token) if told else ''}"


def _digest(texts: Sequence[str], token: Secret) -> str:
    from hashlib import sha256
    from hmac import new

    return new(token.reveal().encode(), "\0".join(texts).encode(), sha256).hexdigest()
