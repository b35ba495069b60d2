"""Starting with Windows: the registry's list of programs that run when this user logs in.

Written from Microsoft's "Run and RunOnce Registry Keys", and type-checked for Windows; not yet run
there.
"""

from __future__ import annotations

import sys

if sys.platform != "win32":
    raise ImportError("there is a registry on Windows")

import subprocess
import winreg
from collections.abc import Mapping, Sequence
from pathlib import Path

from imghost.disk import machine_errors

_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
_LIST = (winreg.HKEY_CURRENT_USER, _KEY)
_NAME = "imghost"
_MAX_LENGTH = 260  # characters of a command line there


class RunKey:
    """Our value in that list: a command line, and nothing but that."""

    where = rf"HKEY_CURRENT_USER\{_KEY}\{_NAME}"
    holds_variables = False

    def write(self, command: Sequence[str], variables: Mapping[str, str]) -> None:  # noqa: ARG002
        """Make or replace it. Raises MachineError, and ValueError if it is too long."""
        line = subprocess.list2cmdline(command)
        if len(line) > _MAX_LENGTH:
            raise ValueError(line)
        with machine_errors(Path(self.where)), winreg.CreateKey(*_LIST) as key:
            winreg.SetValueEx(key, _NAME, 0, winreg.REG_SZ, line)

    def remove(self) -> bool:
        """Remove it; whether it was there. Raises MachineError."""
        with machine_errors(Path(self.where)), winreg.CreateKey(*_LIST) as key:
            try:
                winreg.DeleteValue(key, _NAME)
            except FileNotFoundError:
                return False
            return True

    def is_on(self) -> bool:
        """Whether it is there."""
        try:
            with winreg.CreateKey(*_LIST) as key:
                winreg.QueryValueEx(key, _NAME)
        except OSError:
            return False
        return True
