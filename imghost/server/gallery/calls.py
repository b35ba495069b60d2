"""What the gallery's script calls: to look closer, and to change something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imghost.errors import UsageError
from imghost.server.asked import PauseRequest, read_json
from imghost.server.commands import body_of
from imghost.server.gallery.answered import json_answer
from imghost.server.gallery.asked import ids_of, path_id, query_ids, text_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from imghost.server.gallery.answered import Answers
    from imghost.server.gallery.contents import Gallery

_MAX_JSON_BYTES = 64 << 10


class Calls:
    """Each answers with JSON."""

    def __init__(self, gallery: Gallery, answers: Answers) -> None:
        self._gallery = gallery
        self._answers = answers

    async def texts(self, request: Request) -> Response:
        """Links of the uploads that are named, by their ids."""
        query = request.query_params
        ids = query_ids(query.get("ids", ""))
        form, style = query.get("format", ""), query.get("style", "")
        found = await self._answers.worked(self._gallery.texts, ids, form, style)
        return json_answer({str(record_id): text for record_id, text in found.items()})

    async def bench(self, request: Request) -> Response:
        """What a style makes of an upload."""
        record_id, style = path_id(request.path_params["id"]), request.query_params.get("style", "")
        found = await self._answers.worked(self._gallery.bench, record_id, style)
        parsed = found.style
        return json_answer(
            {
                "style": str(parsed),
                "width_px": found.width_px,
                "height_px": found.height_px,
                "is_void": found.is_void,
                "has_styles": found.has_styles,
                "links": dict(found.links),
                "fields": {
                    "w": parsed.width_px,
                    "h": parsed.height_px,
                    "e": parsed.mode,
                    "c": parsed.crop,
                    "q": parsed.quality,
                    "f": parsed.ending,
                },
            }
        )

    async def retry(self, request: Request) -> Response:
        """Send what failed or asks."""
        ids = ids_of(await json_of(request))
        return json_answer({"queued": await self._answers.worked(self._gallery.retry, ids)})

    async def discard(self, request: Request) -> Response:
        """Erase what asks."""
        ids = ids_of(await json_of(request))
        return json_answer({"discarded": await self._answers.worked(self._gallery.discard, ids)})

    async def forget(self, request: Request) -> Response:
        """Erase an upload."""
        asked = await json_of(request)
        (record_id, *_) = ids_of(asked)
        at_host = isinstance(asked, dict) and asked.get("at_host") is True
        await self._answers.worked(self._gallery.forget, record_id, at_host=at_host)
        return json_answer({"forgotten": record_id})

    async def choose(self, request: Request) -> Response:
        """Change what counts for the next picture."""
        asked = await json_of(request)
        what, value = text_of(asked, "what"), text_of(asked, "value")
        await self._answers.worked(self._gallery.choose, what, value)
        return json_answer({"chosen": value})

    async def watch(self, request: Request) -> Response:
        """Pause or resume."""
        asked = await json_of(request)
        what = text_of(asked, "what")
        minutes = PauseRequest.from_json(asked).minutes
        if what not in ("pause", "resume"):
            raise UsageError("{what} cannot be chosen; reload the page", what=what)
        work = self._gallery.pause if what == "pause" else self._gallery.resume
        await self._answers.worked(work, minutes)
        return json_answer({"watch": what})


async def json_of(request: Request) -> object:
    """What stands in the request. Raises UsageError."""
    return read_json(await body_of(request, _MAX_JSON_BYTES))
