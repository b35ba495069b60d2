"""`rubicon.objc.runtime`, and behind it the classes of macOS that a clipboard sends messages to.

Objects are pointers; each message checks that it is sent with the types that Apple's headers give.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from ctypes import c_bool, c_char_p, c_long, c_ulong, c_void_p
from typing import Any

_BY_NUMBER = "file:///.file/id=6571367.1"


class objc_id(c_void_p):  # noqa: N801 - its name in rubicon
    """A pointer to an object."""


_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "generalPasteboard": (objc_id,),
    "changeCount": (c_long,),
    "clearContents": (c_long,),
    "types": (objc_id,),
    "pasteboardItems": (objc_id,),
    "dataForType:": (objc_id, objc_id),
    "stringForType:": (objc_id, objc_id),
    "setData:forType:": (c_bool, objc_id, objc_id),
    "writeObjects:": (c_bool, objc_id),
    "count": (c_long,),
    "objectAtIndex:": (objc_id, c_ulong),
    "length": (c_long,),
    "bytes": (objc_id,),
    "UTF8String": (objc_id,),
    "stringWithUTF8String:": (objc_id, c_char_p),
    "dataWithBytes:length:": (objc_id, c_char_p, c_ulong),
    "URLWithString:": (objc_id, objc_id),
    "fileURLWithPath:": (objc_id, objc_id),
    "filePathURL": (objc_id,),
    "path": (objc_id,),
    "array": (objc_id,),
    "addObject:": (objc_id, objc_id),
}
"""What each message gives and takes; counts and lengths fit a signed number as well."""


class Url(str):
    """An NSURL."""

    __slots__ = ()


class FakeRuntime:
    """The module, and one pasteboard of `items`: data by type.

    `paths`: which file a URL with a number means. Objects live as long as the pool in which they
    were made; a message to one after that fails.
    """

    def __init__(self) -> None:
        self.items: list[dict[str, bytes]] = []
        self.paths: dict[str, str] = {}
        self.number = 1
        self.objc_id = objc_id
        self._objects: dict[int, Any] = {}
        self._next = 0x1000
        self._pasteboard = self._new("NSPasteboard")
        self._kept = len(self._objects)

    def load_library(self, name: str) -> str:
        """AppKit alone."""
        assert name == "AppKit"
        return name

    def get_class(self, name: str) -> objc_id:
        """A class is an object too, and stays."""
        return self._new(name)
