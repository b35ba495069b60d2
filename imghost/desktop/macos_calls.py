"""The calls of macOS that a clipboard needs.

Written from Apple's documentation (NSPasteboard, NSPasteboardItem, NSURL, NSData) and the source of
rubicon-objc, which desktop-notifier brings; not yet run there. Each message is sent with its types,
so that nothing hangs on what a release of macOS declares as a property.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from ctypes import c_bool, c_char_p, c_long, c_ulong, c_void_p, string_at
from typing import cast

from imghost.errors import MachineError

FILE_URL = "public.file-url"
_TAKES = {int: c_ulong, bytes: c_char_p}


class MacCalls:
    """The general pasteboard. Raises MachineError where there is none."""

    def __init__(self) -> None:
        from rubicon.objc.runtime import load_library

        self._library = load_library("AppKit")  # its classes live as long as it is loaded
        self._pasteboard = _send(_class("NSPasteboard"), "generalPasteboard")
        if not self._pasteboard.value:
            raise MachineError(
                "this process may not use the clipboard; start imghost in the session of the user "
                "who is logged in"
            )

    def count(self) -> int:
        """NSPasteboard.changeCount."""
        return _number(self._pasteboard, "changeCount")

    def types(self) -> tuple[str, ...]:
        """NSPasteboard.types."""
        with _pool():
            return tuple(map(_text, _each(_send(self._pasteboard, "types"))))

    def get(self, kind: str, limit_bytes: int) -> bytes:
        """NSPasteboard.dataForType, which waits for the owner as long as that takes."""
        with _pool():
            data = _send(self._pasteboard, "dataForType:", _string(kind))
            return _bytes(_send(data, "bytes"), min(_number(data, "length"), limit_bytes))

    def file_paths(self) -> tuple[str, ...]:
        """NSPasteboard.pasteboardItems; a URL may hold a number that only NSURL makes a path of."""
        with _pool():
            items = _each(_send(self._pasteboard, "pasteboardItems"))
            written = [_send(item, "stringForType:", _string(FILE_URL)) for item in items]
            urls = [
                _send(_class("NSURL"), "URLWithString:", text) for text in written if text.value
            ]
            paths = [_send(_send(url, "filePathURL"), "path") for url in urls]
            return tuple(_text(path) for path in paths if path.value)

    def put(self, contents: Mapping[str, bytes]) -> int:
        """NSPasteboard.clearContents and setData."""
        with _pool():
            count = _number(self._pasteboard, "clearContents")
            there = [self._set(kind, data) for kind, data in contents.items()]
            return count if all(there) else 0

    def put_files(self, paths: Iterable[str]) -> int:
        """NSPasteboard.clearContents and writeObjects."""
        with _pool():
            urls = _send(_class("NSMutableArray"), "array")
            for path in paths:
                _send(urls, "addObject:", _send(_class("NSURL"), "fileURLWithPath:", _string(path)))
            count = _number(self._pasteboard, "clearContents")
            return count if _is(self._pasteboard, "writeObjects:", urls) else 0

    def _set(self, kind: str, data: bytes) -> bool:
        held = _send(_class("NSData"), "dataWithBytes:length:", data, len(data))
        return _is(self._pasteboard, "setData:forType:", held, _string(kind))


def _send(receiver: c_void_p, selector: str, *arguments: int | bytes | c_void_p) -> c_void_p:
    """The object or pointer that a message gives; a message to nil gives nil, or 0."""
    from rubicon.objc.runtime import objc_id

    return cast("c_void_p", _message(objc_id, receiver, selector, arguments))


def _number(receiver: c_void_p, selector: str) -> int:
    return cast("int", _message(c_long, receiver, selector, ()))


def _is(receiver: c_void_p, selector: str, *arguments: c_void_p) -> bool:
    return cast("bool", _message(c_bool, receiver, selector, arguments))


def _message(
    gives: type, receiver: c_void_p, selector: str, arguments: tuple[int | bytes | c_void_p, ...]
) -> object:
    from rubicon.objc.runtime import objc_id, send_message

    takes = [_TAKES.get(type(argument), objc_id) for argument in arguments]
    answer: object = send_message(receiver, selector, *arguments, restype=gives, argtypes=takes)
    return answer


def _class(name: str) -> c_void_p:
    from rubicon.objc.runtime import get_class

    return cast("c_void_p", get_class(name))


def _pool() -> AbstractContextManager[None]:
    """What is made within goes at its end; only a main thread has one by itself."""
    from rubicon.objc.runtime import autoreleasepool

    return cast("AbstractContextManager[None]", autoreleasepool())


def _each(array: c_void_p) -> Iterator[c_void_p]:
    for place in range(_number(array, "count")):
        yield _send(array, "objectAtIndex:", place)


def _string(text: str) -> c_void_p:
    return _send(_class("NSString"), "stringWithUTF8String:", text.encode())


def _text(string: c_void_p) -> str:
    return _bytes(_send(string, "UTF8String"), -1).decode()


def _bytes(start: c_void_p, size: int) -> bytes:
    """This many bytes from there on, all until a NUL if that is -1."""
    return string_at(start.value, size) if start.value else b""
