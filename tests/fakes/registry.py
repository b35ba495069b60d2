"""The part of Windows' registry that holds one user's values, called as the module `winreg` is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

HKEY = 0x80000001
SZ = 1
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"


class Registry:
    """Keys by their path; `locked`: an administrator allows no change."""

    HKEY_CURRENT_USER = HKEY
    REG_SZ = SZ

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, str]] = {}
        self.locked = False

    @contextmanager
    def CreateKey(self, key: int, sub_key: str) -> Iterator[dict[str, str]]:  # noqa: N802 - winreg's
        """Open a key, which is made if it is not there."""
        assert key == HKEY
        if self.locked:
            raise PermissionError(13, "Access is denied")
        yield self.keys.setdefault(sub_key, {})

    def SetValueEx(  # noqa: N802 - winreg's
        self, key: dict[str, str], name: str, reserved: int, kind: int, value: str
    ) -> None:
        """Set a value."""
        assert (reserved, kind) == (0, SZ)
        key[name] = value

    def QueryValueEx(self, key: dict[str, str], name: str) -> tuple[str, int]:  # noqa: N802 - winreg's
        """Tell a value and its type."""
        if name not in key:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return key[name], SZ

    def DeleteValue(self, key: dict[str, str], name: str) -> None:  # noqa: N802 - winreg's
        """Forget a value."""
        self.QueryValueEx(key, name)
        del key[name]
