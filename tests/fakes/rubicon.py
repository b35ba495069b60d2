"""`rubicon.objc.runtime`, and behind it what a clipboard sends messages to in macOS.

Objects are pointers; each message checks that it is sent with the types that Apple's headers give.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator, Mapping
from ctypes import c_bool, c_char_p, c_long, c_ulong, c_void_p
from typing import Any
from urllib.parse import quote, unquote

_FILE, _FILE_URL = "file://", "public.file-url"


class objc_id(c_void_p):  # noqa: N801 - its name in rubicon
    """A pointer to an object."""


_ANSWERS: Mapping[str, tuple[Callable[..., Any], Any, list[Any]]] = {
    "array": (lambda _: [], objc_id, []),
    "addObject:": (list.append, objc_id, [objc_id]),
    "count": (len, c_long, []),
    "objectAtIndex:": (list.__getitem__, objc_id, [c_ulong]),
    "stringWithUTF8String:": (lambda _, data: data.decode(), objc_id, [c_char_p]),
    "UTF8String": (lambda it: ctypes.create_string_buffer(it.encode()), objc_id, []),
    "dataWithBytes:length:": (lambda _, data, size: data[:size], objc_id, [c_char_p, c_ulong]),
    "length": (len, c_long, []),
    "bytes": (ctypes.create_string_buffer, objc_id, []),
    "URLWithString:": (lambda _, text: text, objc_id, [objc_id]),
    "fileURLWithPath:": (lambda _, path: _FILE + quote(path), objc_id, [objc_id]),
    "path": (lambda it: unquote(it.removeprefix(_FILE)), objc_id, []),
    "stringForType:": (
        lambda it, kind: it[kind].decode() if kind in it else None,
        objc_id,
        [objc_id],
    ),
}
"""What objects answer, and what a message gives and takes. Classes are names, strings str, data
bytes, URLs str, arrays list, and pasteboard items dict; no count needs an unsigned number."""


class FakeRuntime:
    """The module, and one pasteboard of `items`: what each holds, by type.

    `paths`: which file a URL means that has a number instead of a path. Objects live as long as
    the pool in which they were made: a message to one after that fails.
    """

    def __init__(self) -> None:
        self.objc_id = objc_id
        self.items: list[dict[str, bytes]] = []
        self.paths: dict[str, str] = {}
        self.number = 1
        self.has_pasteboard = True
        self._objects: dict[int | None, Any] = {}
        self._bodies: list[Any] = []  # kept, so that no address is used twice
        self._answers: dict[str, tuple[Callable[..., Any], Any, list[Any]]] = {
            **_ANSWERS,
            "generalPasteboard": (lambda _: self if self.has_pasteboard else None, objc_id, []),
            "changeCount": (lambda _: self.number, c_long, []),
            "types": (lambda _: [kind for item in self.items for kind in item], objc_id, []),
            "pasteboardItems": (lambda _: self.items, objc_id, []),
            "dataForType:": (self._data, objc_id, [objc_id]),
            "clearContents": (lambda _: self.copied(), c_long, []),
            "setData:forType:": (self._set, c_bool, [objc_id, objc_id]),
            "writeObjects:": (self._write, c_bool, [objc_id]),
            "filePathURL": (self._file_url, objc_id, []),
        }

    def copied(self, *items: dict[str, bytes]) -> int:
        """Somebody copies; the count from then on."""
        self.items = list(items)
        self.number += 1
        return self.number

    def load_library(self, name: str) -> str:
        """AppKit alone."""
        assert name == "AppKit"
        return name

    def get_class(self, name: str) -> objc_id:
        """A class is an object too."""
        return self._pointer(name)

    @contextlib.contextmanager
    def autoreleasepool(self) -> Iterator[None]:
        """Ends what is made within."""
        before = set(self._objects)
        yield
        self._objects = {where: self._objects[where] for where in before}

    def send_message(
        self, receiver: objc_id, selector: str, *given: Any, restype: Any, argtypes: list[Any]
    ) -> Any:
        """What comes back is of the type that was asked for; nil answers everything with 0."""
        answer, gives, takes = self._answers[selector]
        assert (restype, argtypes) == (gives, takes), selector
        taken = [self._objects[it.value] if isinstance(it, objc_id) else it for it in given]
        said = answer(self._objects[receiver.value], *taken) if receiver.value else None
        return self._pointer(said) if gives is objc_id else gives(said or 0).value

    def _pointer(self, value: Any) -> objc_id:
        if value is None:
            return objc_id(0)
        body = value if isinstance(value, ctypes.Array) else ctypes.create_string_buffer(1)
        self._objects[ctypes.addressof(body)] = value
        self._bodies.append(body)
        return objc_id(ctypes.addressof(body))

    def _file_url(self, url: str) -> str | None:
        return self.paths.get(url, url) if url.startswith(_FILE) else None

    def _data(self, _: Any, kind: str) -> bytes | None:
        return next((item[kind] for item in self.items if kind in item), None)

    def _set(self, _: Any, data: bytes, kind: str) -> bool:
        self.items = [(self.items or [{}])[0] | {kind: data}]
        return True

    def _write(self, _: Any, urls: list[str]) -> bool:
        self.items = [{_FILE_URL: url.encode()} for url in urls]
        return True
