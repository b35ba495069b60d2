"""Starting with the desktop session: one entry, in the place where each system looks for them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from imghost.disk import machine_errors, write_atomically
from imghost.errors import MachineError
from imghost.values import dataclass

_TURNED_OFF = frozenset({b"Hidden=true", b"X-GNOME-Autostart-enabled=false"})
_UNRESERVED = re.compile(r"""[^\s"'\\<>~|&;$*?#()`]+""")
_QUOTED = re.compile(r'["`$\\]')
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r"})


@dataclass(frozen=True, slots=True)
class Written:
    """Where it is written, for a person, and which of the variables could not be."""

    where: str
    lacks: tuple[str, ...] = ()


def turn_on(command: Sequence[str], variables: Mapping[str, str]) -> Written:
    """Have the command started from the next login on, with these environment variables.

    Raises MachineError.
    """
    entry = _entry()
    try:
        entry.write(command, variables)
    except ValueError as exc:  # too long, or with characters that it cannot hold
        raise MachineError(
            "{path} cannot be started with the desktop; install imghost in a folder with a "
            "shorter and plainer name",
            path=ascii(command[0]),
        ) from exc
    return Written(entry.where, () if entry.holds_variables else tuple(variables))


def turn_off() -> bool:
    """Have nothing started any more; whether there was an entry. Raises MachineError."""
    return _entry().remove()


def is_on() -> bool:
    """Whether there is an entry, and the desktop's own settings have not turned it off."""
    return _entry().is_on()


def own_command(
    executable: str = sys.executable, *, windows: bool = sys.platform == "win32"
) -> list[str]:
    """How this very installation is started to watch: without a console, from any folder."""
    python = Path(executable)
    script = python.with_name("imghostw.exe" if windows else "imghost")
    if script.is_file():
        program = [str(script)]
    else:
        without_console = python.with_name("pythonw.exe") if windows else python
        program = [str(without_console), "-P", "-m", "imghost"]
    return [*program, "watch", "--autostart"]


class Entry(Protocol):
    """The entry of this program."""

    @property
    def where(self) -> str:
        """Its place, for a person."""
        ...

    @property
    def holds_variables(self) -> bool:
        """Whether the environment can be written there."""
        ...

    def write(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        """Make or replace it. Raises MachineError, and ValueError for what it cannot hold."""
        ...

    def remove(self) -> bool:
        """Remove it; whether it was there. Raises MachineError."""
        ...

    def is_on(self) -> bool:
        """Whether it is there and counts."""
        ...


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file in a folder that the session reads when it begins."""

    path: Path
    content: Callable[[Sequence[str], Mapping[str, str]], bytes]
    holds_variables: bool = True

    @property
    def where(self) -> str:
        """Its path."""
        return str(self.path)

    def write(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        """Put it there, whole. Raises MachineError, and ValueError for what it cannot hold."""
        write_atomically(self.path, self.content(command, variables), self.path.parent)

    def remove(self) -> bool:
        """Delete it; whether it was there. Raises MachineError."""
        with machine_errors(self.path):
            try:
                self.path.unlink()
            except FileNotFoundError:
                return False
        return True

    def is_on(self) -> bool:
        """Whether it is there, without a line by which a session passes it over."""
        try:
            return _TURNED_OFF.isdisjoint(self.path.read_bytes().splitlines())
        except OSError:
            return False


def desktop_entry(command: Sequence[str], variables: Mapping[str, str]) -> bytes:
    """The command as a file of the Desktop Entry Specification, 1.5, says it.

    It knows no environment: the program `env` hands that on. Raises ValueError for what cannot be
    said, and for a program with a percent sign in its path: GLib, and so GNOME, would pass the
    whole file over.
    """
    if {"=", "%"} & set(command[0]):
        raise ValueError(command[0])
    if variables:
        command = ["env", *map("=".join, variables.items()), *command]
    lines = {
        "Type": "Application",
        "Name": "imghost",
        "Comment": "Copy an image, paste a link.",
        "Exec": " ".join(map(_quoted, command)).replace("%", "%%").translate(_ESCAPES),
        "Terminal": "false",
    }
    return "\n".join(["[Desktop Entry]", *map("=".join, lines.items()), ""]).encode()


def launch_agent(command: Sequence[str], variables: Mapping[str, str]) -> bytes:
    """The command as launchd.plist(5) says it; launchd reads it at the next login."""
    import plistlib

    agent = {"Label": "imghost", "ProgramArguments": list(command), "RunAtLoad": True}
    return plistlib.dumps(agent | ({"EnvironmentVariables": dict(variables)} if variables else {}))


def _entry() -> Entry:
    if sys.platform == "win32":
        from imghost.desktop.run_key import RunKey

        return RunKey()
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path's raises where there is none
    if sys.platform == "darwin":
        agents = home / "Library" / "LaunchAgents"
        return FileEntry(agents / "imghost.plist", launch_agent)
    given = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    config = given if given.is_absolute() else home / ".config"
    return FileEntry(config / "autostart" / "imghost.desktop", desktop_entry)


def _quoted(argument: str) -> str:
    """An argument of `Exec`, in quotes where it needs them."""
    if _UNRESERVED.fullmatch(argument):
        return argument
    return '"' + _QUOTED.sub(r"\\\g<0>", argument) + '"'
