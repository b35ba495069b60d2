"""Starting with the desktop session: one entry, in the place where each system looks for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from imghost.disk import machine_errors, write_atomically
from imghost.errors import MachineError

_NAME = "imghost"
_RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
_LONGEST_RUN = 260  # characters, by Microsoft's "Run and RunOnce Registry Keys"
_TURNED_OFF = frozenset({b"Hidden=true", b"X-GNOME-Autostart-enabled=false"})
_UNRESERVED = re.compile(r"""[^\s"'\\<>~|&;$*?#()`]+""")
_ENTRY = """[Desktop Entry]
Type=Application
Name=imghost
Comment=Copy an image, paste a link.
Exec={command}
Terminal=false
"""


def turn_on(command: Sequence[str]) -> str:
    """Have the command started from the next login on; where that is written, for a person.

    Raises MachineError.
    """
    entry = _entry()
    try:
        entry.write(command)
    except ValueError as exc:  # what is no text, or not in XML
        raise MachineError(
            "{path} cannot be started with the desktop; install imghost in a folder with a "
            "plainer name",
            path=ascii(command[0]),
        ) from exc
    return entry.where


def turn_off() -> bool:
    """Have nothing started any more; whether anything was. Raises MachineError."""
    return _entry().remove()


def is_on() -> bool:
    """Whether there is an entry that the desktop's own settings have not turned off."""
    return _entry().is_on()


def own_command(
    executable: str = sys.executable, *, windows: bool = sys.platform == "win32"
) -> list[str]:
    """How this very installation is started to watch, without a console, from any folder."""
    python = Path(executable)
    script = python.with_name("imghostw.exe" if windows else "imghost")
    if script.is_file():
        program = [str(script)]
    else:
        program = [str(python.with_name("pythonw.exe") if windows else python), "-P", "-m", _NAME]
    return [*program, "watch", "--autostart"]


class Entry(Protocol):
    """The one entry of this program."""

    @property
    def where(self) -> str:
        """Where it is, for a person."""
        ...

    def write(self, command: Sequence[str]) -> None:
        """Make or replace it. Raises MachineError, ValueError for what it cannot hold."""
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
    content: Callable[[Sequence[str]], bytes]

    @property
    def where(self) -> str:
        return str(self.path)

    def write(self, command: Sequence[str]) -> None:
        write_atomically(self.path, self.content(command), self.path.parent)

    def remove(self) -> bool:
        with machine_errors(self.path):
            try:
                self.path.unlink()
            except FileNotFoundError:
                return False
            return True

    def is_on(self) -> bool:
        try:
            return _TURNED_OFF.isdisjoint(self.path.read_bytes().splitlines())
        except OSError:
            return False


class Registry(Protocol):
    """What is used of the module `winreg`."""

    @property
    def HKEY_CURRENT_USER(self) -> int: ...  # noqa: D102, N802 - winreg's
    @property
    def REG_SZ(self) -> int: ...  # noqa: D102, N802 - winreg's

    def CreateKey(self, key: int, sub_key: str, /) -> AbstractContextManager[Any]: ...  # noqa: D102, N802 - winreg's
    def SetValueEx(self, key: Any, name: str, reserved: Any, type_: int, value: Any, /) -> None: ...  # noqa: ANN401, D102, N802 - winreg's
    def QueryValueEx(self, key: Any, name: str, /) -> tuple[Any, int]: ...  # noqa: ANN401, D102, N802 - winreg's
    def DeleteValue(self, key: Any, name: str, /) -> None: ...  # noqa: ANN401, D102, N802 - winreg's


class RunKey:
    """A value of the key from which Windows starts programs when this user logs in."""

    where = rf"HKEY_CURRENT_USER\{_RUN_KEY}\{_NAME}"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def write(self, command: Sequence[str]) -> None:
        line = subprocess.list2cmdline(command)
        if len(line) > _LONGEST_RUN:
            raise ValueError(line)
        with self._opened() as key:
            self._registry.SetValueEx(key, _NAME, 0, self._registry.REG_SZ, line)

    def remove(self) -> bool:
        with self._opened() as key:
            try:
                self._registry.DeleteValue(key, _NAME)
            except FileNotFoundError:
                return False
            return True

    def is_on(self) -> bool:
        with self._opened() as key:
            try:
                self._registry.QueryValueEx(key, _NAME)
            except FileNotFoundError:
                return False
            return True
