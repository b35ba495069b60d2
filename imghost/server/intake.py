"""The bodies of requests for uploads: a form's files or anything else, counted as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import field
from typing import TYPE_CHECKING

from imghost.errors import MachineError, UsageError
from imghost.server.asked import BytesInput
from imghost.server.guard import is_from_elsewhere
from imghost.server.multipart import Form
from imghost.server.refusals import NotAllowedError
from imghost.values import dataclass

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_JSON_BYTES = 16 << 20  # some 4,000 inputs with the longest paths that Linux knows
_FORM_BYTES = 1 << 20  # what a form may have besides its pictures
_AT_ONCE = 2
_FORM = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Taken:
    """A request's body: the files of a form, or None and the bytes of anything else."""

    files: tuple[BytesInput, ...] | None
    data: bytes = field(default=b"", repr=False)


class Intake:
    """Reads bodies, and holds no more of them at once than this machine's memory can bear.

    A form may have `max_input_bytes`, all that are held together twice as much.
    """

    def __init__(self, max_input_bytes: int) -> None:
        self._max_form_bytes = max_input_bytes + _FORM_BYTES
        self._held_bytes = 0

    @asynccontextmanager
    async def taken(self, request: Request) -> AsyncIterator[Taken]:
        """The body of the request, which counts as held until the end of the block.

        Raises UsageError, or MachineError while others hold too much. From other machines only
        forms are taken.
        """
        content_type = request.headers.get("content-type", "")
        is_form = content_type.partition(";")[0].strip().lower() == _FORM
        if not is_form and is_from_elsewhere(request.scope):
            raise NotAllowedError("from another machine only pictures are taken, sent as a form")
        share = _Share(self, self._max_form_bytes if is_form else MAX_JSON_BYTES)
        try:
            share.announce(int(request.headers.get("content-length", 0)))
            if is_form:
                yield Taken(await _files(request, content_type, share))
            else:
                yield Taken(None, b"".join([piece async for piece in share.counted(request)]))
        finally:
            self._held_bytes -= share.size_bytes

    def hold(self, size_bytes: int) -> None:
        """Count so many bytes more. Raises MachineError if those are too many."""
        self._held_bytes += size_bytes
        if self._held_bytes > _AT_ONCE * self._max_form_bytes:
            raise MachineError("too many pictures come in at once; try again in a moment")


class _Share:
    """What one request holds."""

    def __init__(self, intake: Intake, max_bytes: int) -> None:
        self._intake = intake
        self._max_bytes = max_bytes
        self.size_bytes = 0

    def announce(self, size_bytes: int) -> None:
        """Raise UsageError if more is to come than is taken."""
        if size_bytes > self._max_bytes:
            raise UsageError(
                "the request is larger than {max_bytes} bytes; make it smaller, or raise "
                "limits.input_bytes",
                max_bytes=self._max_bytes,
            )

    async def counted(self, request: Request) -> AsyncIterator[bytes]:
        """The body's pieces. Raises UsageError, MachineError."""
        async for piece in request.stream():
            self.size_bytes += len(piece)
            self._intake.hold(len(piece))
            self.announce(self.size_bytes)
            yield piece


async def _files(request: Request, content_type: str, share: _Share) -> tuple[BytesInput, ...]:
    form = Form(content_type)
    async for piece in share.counted(request):
        form.feed(piece)
    files = form.files()
    if not files:
        raise UsageError("there is no picture in the form that was sent; send it as a file")
    return files
