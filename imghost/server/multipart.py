"""Pictures in a form: multipart/form-data read as it comes, counted, and nothing put on disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from imghost.errors import UsageError
from imghost.server.asked import BytesInput

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_PARTS = 1000

log = logging.getLogger(__name__)


class Form:
    """Takes a form's bytes piece by piece, and gives its files in their order.

    A file is what came with a file name, whatever its field is called; other fields are dropped.
    How many bytes come at all is for the caller to bound. Raises UsageError for what is no form.
    """

    def __init__(self, content_type: str) -> None:
        from python_multipart.multipart import MultipartParser, parse_options_header

        self._parts = _Parts()
        _, options = parse_options_header(content_type)
        with _understood():
            boundary = options.get(b"boundary", b"")
            self._parser = MultipartParser(boundary, self._parts.callbacks())
        self._parser.logger = log
        if b"boundary" not in options:
            raise UsageError("the form that was sent names no boundary in its Content-Type")

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises UsageError."""
        with _understood():
            self._parser.write(piece)

    def files(self) -> tuple[BytesInput, ...]:
        """The files of the whole form. Raises UsageError if its end is missing."""
        if not self._parts.is_whole:
            raise UsageError("the form that was sent ends in its middle; send it again")
        return tuple(self._parts.files)


class _Parts:
    """What the parser tells of. It knows no parser: a circle would keep the bytes for long."""

    def __init__(self) -> None:
        self.files: list[BytesInput] = []
        self.is_whole = False
        self._count = 0
        self._header, self._value = bytearray(), bytearray()
        self._data = BytesIO()  # gives its bytes without a copy
        self._name: str | None = None

    def callbacks(self) -> MultipartCallbacks:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": self._add,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise UsageError("the form that was sent has more than {most} parts", most=MAX_PARTS)
        self._name = None

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            from python_multipart.multipart import parse_options_header

            _, options = parse_options_header(self._value.decode("latin-1"))
            if (name := options.get(b"filename")) is not None:
                self._name = name.decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._name is not None:
            self._data.write(memoryview(data)[start:end])

    def _end_part(self) -> None:
        data, self._data = self._data.getvalue(), BytesIO()
        if self._name or data:  # a browser sends a field without a file as an empty one
            self.files.append(BytesInput(self._name or "", data))

    def _end(self) -> None:
        self.is_whole = True


@contextmanager
def _understood() -> Iterator[None]:
    from python_multipart.exceptions import FormParserError

    try:
        yield
    except FormParserError as exc:
        raise UsageError("the form that was sent is damaged: {detail}", detail=str(exc)) from exc
