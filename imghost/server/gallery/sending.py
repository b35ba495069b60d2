"""Pictures that come in through the gallery: shown first, as they would be sent, then sent.

The page holds the bytes until its user says so; here nothing of a preview is kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imghost.models import Image, Record
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from imghost.server.commands import body_of
from imghost.server.gallery.answered import TooMuchError, json_answer
from imghost.server.gallery.headers import DATA
from imghost.text import size_text

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from imghost.server.gallery.answered import Answers
    from imghost.server.gallery.contents import Gallery, Preview
    from imghost.server.wire import Settled
    from imghost.text import Speaker

_AT_ONCE = 4  # the script sends two


class Sending:
    """A body is read up to `max_input_bytes`, and only a few are held at the same time."""

    def __init__(
        self, gallery: Gallery, answers: Answers, say: Speaker, max_input_bytes: int
    ) -> None:
        self._gallery = gallery
        self._answers = answers
        self._say = say
        self._max_input_bytes = max_input_bytes
        self._held = 0

    async def preview(self, request: Request) -> Response:
        """A line of JSON, then the image's bytes as they would be sent."""
        from starlette.responses import Response

        query = request.query_params
        with self._room():
            data = await body_of(request, self._max_input_bytes)
            name, host, bucket = (
                query.get("name", ""),
                query.get("host", ""),
                query.get("bucket", ""),
            )
            found = await self._answers.worked(self._gallery.preview, data, name, host, bucket)
        line = json.dumps(self._told(found)).encode("ascii")
        body = b"\n".join((line, found.data))
        return Response(body, media_type="application/octet-stream", headers=DATA)

    async def upload(self, request: Request) -> Response:
        """Accept and send one picture; how that ended for now."""
        query = request.query_params
        with self._room():
            options = UploadOptions.from_json(query)
            data = await body_of(request, self._max_input_bytes)
            given = UploadRequest((BytesInput(query.get("name", ""), data),), options)
            del data
            settled = await self._answers.worked(self._settled, given)
        record, failure = settled.record, settled.failure
        return json_answer(
            {
                "id": record.id if record else 0,
                "state": str(record.state) if record else "",
                "text": settled.text,
                "reused": settled.reused,
                "error": self._say(failure.message) if failure else "",
            }
        )

    def _settled(self, given: UploadRequest) -> Settled:
        (settled,) = self._gallery.upload(given, threading.Event())
        return settled

    def _told(self, found: Preview) -> dict[str, object]:
        made = found.made
        size_bytes = made.size_bytes if isinstance(made, Record) else len(made.data)
        return {
            "host": found.target.host,
            "bucket": found.target.bucket,
            "id": made.id if isinstance(made, Record) else 0,
            "name": made.name,
            "format": made.format,
            "mime_type": made.mime_type if isinstance(made, Image) else "",
            "width_px": made.width_px,
            "height_px": made.height_px,
            "frames": made.frames,
            "size_bytes": size_bytes,
            "size": size_text(size_bytes),
            "original_size": size_text(found.original_bytes),
            "is_changed": size_bytes != found.original_bytes,
            "notes": [self._say(note) for note in found.notes],
        }

    @contextmanager
    def _room(self) -> Iterator[None]:
        if self._held >= _AT_ONCE:
            raise TooMuchError("imghost is busy with other pictures; try again in some seconds")
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
