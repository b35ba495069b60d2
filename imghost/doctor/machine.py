"""Trials of this machine: config, folders, disk, journal, clock, autostart."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import imghost
from imghost.config_file import is_secret
from imghost.desktop.autostart import is_on
from imghost.disk import machine_errors, make_private_folder, write_durably
from imghost.doctor.trial import Case
from imghost.errors import ConfigError, MachineError
from imghost.keep.journal import Journal
from imghost.keep.recovery import JournalFile
from imghost.keep.store import Store
from imghost.links import check_format
from imghost.models import Message, State
from imghost.setting import read_file
from imghost.text import size_text

_OTHERS = 0o077
_LEAST_FREE_BYTES = 200_000_000
_TRIAL_BYTES = 1_000_000
_SLOW_S = 5.0
_SKEW_S = 3600.0


def try_config(case: Case) -> Message:
    """It can be read and makes sense, and its secrets are seen by nobody else."""
    link = case.source.load().link
    check_format(link.format, link.template)
    path = case.source.path
    if not path.exists():
        return Message("there is no config file; the defaults are fine")
    if _others_can_read(path) and _holds_secrets(read_file(path)):
        raise ConfigError(
            "{path} holds secrets, and other users can read it; allow it to yourself alone "
            "(chmod 600)",
            path=str(path),
        )
    return Message("{path} is fine", {"path": str(path)})


def try_folders(case: Case) -> Message:
    """Each folder can be written to, and nobody else looks into those that hold pictures."""
    dirs = case.dirs
    for folder in dict.fromkeys((dirs.config, dirs.data, dirs.state, dirs.cache, dirs.logs)):
        with machine_errors(folder):
            _try_folder(folder, is_private=folder in (dirs.data, dirs.state))
    return Message("all can be written to; pictures are in {path}", {"path": str(dirs.data)})


def try_disk(case: Case) -> Message:
    """There is room, and what is written is safe soon."""
    data = case.dirs.data
    with machine_errors(data):
        make_private_folder(data)
        free_bytes = shutil.disk_usage(data).free
    if free_bytes < _LEAST_FREE_BYTES:
        raise MachineError(
            "only {size} are free in {path}; make room, for example by imghost prune",
            size=size_text(free_bytes),
            path=str(data),
        )
    began = time.monotonic()
    trial = data / f"doctor-{os.urandom(8).hex()}"
    try:
        write_durably(trial, os.urandom(_TRIAL_BYTES), data / "tmp")
    finally:
        trial.unlink(missing_ok=True)
    took_s = time.monotonic() - began
    if took_s > _SLOW_S:
        raise MachineError(
            "a picture of 1 MB takes {took_s} s to be safe on the disk of {path}; it may be "
            "failing, or on a slow network",
            took_s=round(took_s, 1),
            path=str(data),
        )
    return Message(
        "{size} are free, and a picture of 1 MB is safe after {ms} ms",
        {"size": size_text(free_bytes), "ms": round(1000 * took_s)},
    )


def try_journal(case: Case) -> Message:
    """It is whole, and tells what is kept."""
    dirs = case.dirs
    store = Store(dirs.originals, dirs.outgoing, dirs.tmp)
    with closing(JournalFile(dirs.journal, store, case.settings.target())) as file:
        file.open(thorough=False)
        file.db.check()
        counts = Journal(file.db).counts()
    return Message(
        "{n} uploads, {failed} of them failed; {size} of originals",
        {
            "n": sum(counts.values()),
            "failed": counts[State.FAILED],
            "size": size_text(store.size_bytes()),
        },
    )


def try_clock(case: Case) -> Message:
    """It is not behind what was written already: logins and signatures need the right time."""
    dirs = case.dirs
    known = (Path(imghost.__file__), dirs.journal, case.source.path)
    with machine_errors(dirs.data):
        latest = max(path.stat().st_mtime for path in known if path.exists())
    if time.time() < latest - _SKEW_S:
        raise MachineError(
            "the clock says {now}, but imghost's own files are from {latest}; set the clock",
            now=_shown(time.time()),
            latest=_shown(latest),
        )
    return Message("it is {now}", {"now": _shown(time.time())})


def try_autostart(_case: Case) -> Message:
    """Whether imghost starts with the session."""
    if is_on():
        return Message("it starts with your session")
    return Message("it does not start with your session; imghost autostart on has it do so")


def _try_folder(folder: Path, *, is_private: bool) -> None:
    """Write a file into it, or see whether it could be made."""
    if not folder.exists():
        above = next(parent for parent in folder.parents if parent.exists())
        if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
            raise MachineError(
                "{path} cannot be made in {above}; change its permissions or set IMGHOST_HOME to "
                "another folder",
                path=str(folder),
                above=str(above),
            )
        return
    if is_private and _others_can_read(folder):
        raise MachineError(
            "other users can look into {path}; allow it to yourself alone (chmod 700)",
            path=str(folder),
        )
    trial = folder / f"doctor-{os.urandom(8).hex()}"
    try:
        write_durably(trial, b"", folder)
    finally:
        trial.unlink(missing_ok=True)


def _others_can_read(path: Path) -> bool:
    return sys.platform != "win32" and bool(path.stat().st_mode & _OTHERS)


def _holds_secrets(content: Mapping[str, object], above: str = "") -> bool:
    return any(
        _holds_secrets(value, f"{above}{key}.")
        if isinstance(value, dict)
        else bool(value) and is_secret(f"{above}{key}")
        for key, value in content.items()
    )


def _shown(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
