"""The calls of Windows that a clipboard needs.

Written from Microsoft's documentation ("Clipboard functions", "Global and local functions"), and
type-checked for Windows; not yet run there.
"""

from __future__ import annotations

import sys

if sys.platform != "win32":
    raise ImportError("these calls exist on Windows")

import ctypes
from ctypes import wintypes

_STANDARD = {"CF_DIB": 8, "CF_UNICODETEXT": 13, "CF_HDROP": 15}
_MESSAGES_ONLY = -3  # HWND_MESSAGE: the parent of windows that are never seen
_MOVEABLE = 0x2  # GMEM_MOVEABLE, which SetClipboardData asks for
_HANDLE, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_UINT, _BOOL, _TEXT = wintypes.UINT, wintypes.BOOL, wintypes.LPCWSTR

_USER32 = {
    "GetClipboardSequenceNumber": (wintypes.DWORD,),
    "OpenClipboard": (_BOOL, _HANDLE),
    "CloseClipboard": (_BOOL,),
    "CountClipboardFormats": (ctypes.c_int,),
    "IsClipboardFormatAvailable": (_BOOL, _UINT),
    "RegisterClipboardFormatW": (_UINT, _TEXT),
    "GetClipboardData": (_HANDLE, _UINT),
    "EmptyClipboard": (_BOOL,),
    "SetClipboardData": (_HANDLE, _UINT, _HANDLE),
    "CreateWindowExW": (
        _HANDLE,
        *(wintypes.DWORD, _TEXT, _TEXT, wintypes.DWORD),
        *(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int),
        *(_HANDLE, _HANDLE, _HANDLE, _HANDLE),
    ),
    "DestroyWindow": (_BOOL, _HANDLE),
}
_KERNEL32 = {
    "GlobalAlloc": (_HANDLE, _UINT, _SIZE),
    "GlobalFree": (_HANDLE, _HANDLE),
    "GlobalLock": (_HANDLE, _HANDLE),
    "GlobalUnlock": (_BOOL, _HANDLE),
    "GlobalSize": (_SIZE, _HANDLE),
}
"""What each function gives, and takes."""


class WindowsCalls:
    """The clipboard of this window station."""

    def __init__(self) -> None:
        self._user = ctypes.WinDLL("user32", use_last_error=True)
        self._kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        for library, functions in ((self._user, _USER32), (self._kernel, _KERNEL32)):
            for name, (gives, *takes) in functions.items():
                function = getattr(library, name)
                function.restype, function.argtypes = gives, takes
        self._window: int | None = None

    def sequence(self) -> int:
        """GetClipboardSequenceNumber."""
        return int(self._user.GetClipboardSequenceNumber())

    def open(self) -> bool:
        """OpenClipboard, with a window: without one, EmptyClipboard makes setting fail."""
        self._window = self._user.CreateWindowExW(
            0, "STATIC", None, 0, 0, 0, 0, 0, _MESSAGES_ONLY, None, None, None
        )
        if self._user.OpenClipboard(self._window):
            return True
        self._user.DestroyWindow(self._window)
        return False

    def close(self) -> None:
        """CloseClipboard."""
        self._user.CloseClipboard()
        self._user.DestroyWindow(self._window)

    def is_empty(self) -> bool:
        """CountClipboardFormats."""
        return not self._user.CountClipboardFormats()

    def has(self, name: str) -> bool:
        """IsClipboardFormatAvailable."""
        return bool(self._user.IsClipboardFormatAvailable(self._number(name)))

    def get(self, name: str, limit_bytes: int) -> bytes:
        """GetClipboardData, which waits for the owner as long as that takes."""
        memory = self._user.GetClipboardData(self._number(name))
        start = self._kernel.GlobalLock(memory) if memory else None
        if not start:
            return b""
        try:
            return ctypes.string_at(start, min(self._kernel.GlobalSize(memory), limit_bytes))
        finally:
            self._kernel.GlobalUnlock(memory)

    def empty(self) -> None:
        """EmptyClipboard. Raises OSError."""
        if not self._user.EmptyClipboard():
            raise ctypes.WinError(ctypes.get_last_error())

    def set(self, name: str, data: bytes) -> None:
        """SetClipboardData. Raises OSError."""
        memory = self._kernel.GlobalAlloc(_MOVEABLE, len(data))
        start = self._kernel.GlobalLock(memory) if memory else None
        if not start:
            raise ctypes.WinError(ctypes.get_last_error())
        ctypes.memmove(start, data, len(data))
        self._kernel.GlobalUnlock(memory)
        if not self._user.SetClipboardData(self._number(name), memory):
            error = ctypes.WinError(ctypes.get_last_error())
            self._kernel.GlobalFree(memory)
            raise error

    def _number(self, name: str) -> int:
        return _STANDARD.get(name) or int(self._user.RegisterClipboardFormatW(name))
