"""Machines for the doctor to examine, each with one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imghost import __version__
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.doctor.trial import Case
from imghost.door import Door
from imghost.login import LoginFile
from imghost.secret import Secret


def case_of(
    dirs: Dirs,
    *agreed: str,
    door: Door | None = None,
    told: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    **sections: Any,
) -> Case:
    """A machine with this config, and with a daemon if it has a door."""
    path = dirs.config / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"chime": {"enabled": False}} | sections))
    path.chmod(0o600)
    file = ConfigFile(path, {}, LoginFile(dirs.login))
    answer = {"version": __version__, "problem": "", **(told or {})}
    config = file.load()
    return Case(environ or {}, dirs, file, config, door, True, lambda _: answer, frozenset(agreed))


def door_at(url: str, pid: int = 7) -> Door:
    """The door of a daemon that answers there."""
    return Door(url, Secret("token"), "", "", pid)


def snapshot(root: Path) -> dict[Path, bytes]:
    """All files below a folder."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
