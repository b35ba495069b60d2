"""user32.dll and kernel32.dll, as far as a clipboard needs them: what programs see of Windows.

Each function checks that it is called with what its documentation says it takes.
"""

from __future__ import annotations

import ctypes
import re
from ctypes import wintypes
from typing import Any

_FIRST_REGISTERED = 0xC000
_GMEM_MOVEABLE = 0x2
_HWND_MESSAGE = ctypes.c_void_p(-3).value
_ACCESS_DENIED = 5

_POINTER, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_UINT, _DWORD, _BOOL, _TEXT = wintypes.UINT, wintypes.DWORD, wintypes.BOOL, wintypes.LPCWSTR
_PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "GetClipboardSequenceNumber": (_DWORD,),
    "OpenClipboard": (_BOOL, _POINTER),
    "CloseClipboard": (_BOOL,),
    "CountClipboardFormats": (_INT,),
    "IsClipboardFormatAvailable": (_BOOL, _UINT),
    "RegisterClipboardFormatW": (_UINT, _TEXT),
    "GetClipboardData": (_POINTER, _UINT),
    "EmptyClipboard": (_BOOL,),
    "SetClipboardData": (_POINTER, _UINT, _POINTER),
    "CreateWindowExW": (
        *(_POINTER, _DWORD, _TEXT, _TEXT, _DWORD, _INT, _INT, _INT, _INT),
        *(_POINTER, _POINTER, _POINTER, _POINTER),
    ),
    "DestroyWindow": (_BOOL, _POINTER),
    "GlobalAlloc": (_POINTER, _UINT, _SIZE),
    "GlobalFree": (_POINTER, _POINTER),
    "GlobalLock": (_POINTER, _POINTER),
    "GlobalUnlock": (_BOOL, _POINTER),
    "GlobalSize": (_SIZE, _POINTER),
}


class FakeDlls:
    """The state behind both libraries; `locked` and `windows` are empty when nothing was left."""

    def __init__(self) -> None:
        self.windows: set[int] = set()
        self.locked: list[int] = []
        self.memory: dict[int, Any] = {}
        self.formats: dict[int, int] = {}
        self.names: dict[str, int] = {}
        self.number = 1
        self.refuses = False
        self._opened = False
        self._owner: int | None = None
        self._next_window = 0x10000

    def load(self, _name: str, *, use_last_error: bool) -> Any:
        """ctypes.WinDLL."""
        assert use_last_error
        return _Library(self)

    def last_error(self) -> int:
        """ctypes.get_last_error."""
        return _ACCESS_DENIED

    def error(self, code: int) -> OSError:
        """ctypes.WinError."""
        return OSError(code, "Access is denied")

    def content(self, name: str) -> bytes:
        """What is there under this registered name."""
        return bytes(self.memory[self.formats[self.names[name]]])

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What the function of this name does."""
        return getattr(self, _snake_case(name))(*arguments)

    def _get_clipboard_sequence_number(self) -> int:
        return self.number

    def _open_clipboard(self, window: int | None) -> int:
        if self._opened or self.refuses:
            return 0
        self._opened, self._owner = True, window
        return 1

    def _close_clipboard(self) -> int:
        assert self._opened
        self._opened, self._owner = False, None
        return 1

    def _count_clipboard_formats(self) -> int:
        return len(self.formats)

    def _is_clipboard_format_available(self, number: int) -> int:
        return int(number in self.formats)

    def _register_clipboard_format_w(self, name: str) -> int:
        return self.names.setdefault(name, _FIRST_REGISTERED + len(self.names))

    def _get_clipboard_data(self, number: int) -> int | None:
        assert self._opened
        return self.formats.get(number)

    def _empty_clipboard(self) -> int:
        if not self._opened:
            return 0
        for memory in self.formats.values():
            del self.memory[memory]
        self.formats.clear()
        self.number += 1
        return 1

    def _set_clipboard_data(self, number: int, memory: int) -> int | None:
        if self._owner not in self.windows:
            return None
        assert memory in self.memory
        assert memory not in self.locked
        self.formats[number] = memory
        self.number += 1
        return memory

    def _create_window_ex_w(self, *arguments: Any) -> int:
        assert arguments[8] == _HWND_MESSAGE
        self._next_window += 2
        self.windows.add(self._next_window)
        return self._next_window

    def _destroy_window(self, window: int) -> int:
        self.windows.remove(window)
        return 1

    def _global_alloc(self, flags: int, size: int) -> int:
        assert flags == _GMEM_MOVEABLE
        buffer = (ctypes.c_ubyte * size)()
        self.memory[ctypes.addressof(buffer)] = buffer
        return ctypes.addressof(buffer)

    def _global_free(self, memory: int) -> None:
        del self.memory[memory]

    def _global_lock(self, memory: int) -> int:
        assert memory in self.memory
        self.locked.append(memory)
        return memory

    def _global_unlock(self, memory: int) -> int:
        self.locked.remove(memory)
        return 0

    def _global_size(self, memory: int) -> int:
        return len(self.memory[memory])


def _snake_case(name: str) -> str:
    return "_" + re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()


class _Library:
    def __init__(self, dlls: FakeDlls) -> None:
        self._dlls = dlls

    def __getattr__(self, name: str) -> _Function:
        function = _Function(self._dlls, name)
        setattr(self, name, function)
        return function


class _Function:
    """A function that takes and gives nothing else than its prototype says."""

    def __init__(self, dlls: FakeDlls, name: str) -> None:
        self._dlls = dlls
        self._name = name
        self.restype: Any = None
        self.argtypes: Any = None

    def __call__(self, *arguments: Any) -> Any:
        assert (self.restype, *self.argtypes) == _PROTOTYPES[self._name], self._name
        taken = tuple(
            kind(given).value for kind, given in zip(self.argtypes, arguments, strict=True)
        )
        return self.restype(self._dlls.call(self._name, taken)).value
