"""The gallery's pictures: thumbnails, originals and what styles make of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imghost.imaging.sniff import HEAD_BYTES, format_of
from imghost.imaging.style import Style
from imghost.models import MIME_TYPES
from imghost.server.body import Body
from imghost.server.files import unless_gone
from imghost.server.gallery.asked import path_id
from imghost.server.gallery.headers import DATA, STATIC
from imghost.server.gallery.pages import STATIC as STATIC_FILES
from imghost.server.gallery.pages import static_file

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from imghost.server.gallery.answered import Answers
    from imghost.server.gallery.contents import Gallery
    from imghost.server.renderings import Renderings

_STILL = Style(width_px=540, height_px=360, mode=1, crop=1, quality=72, ending="webp")
_FIRST_FRAME = replace(_STILL, ending="jpg")
_SAME = Style(ending="webp")
_SHOWN_BY_BROWSERS = frozenset({"png", "jpeg", "webp", "gif", "avif"})


class Pictures:
    """Answers for those who may see the gallery; what is drawn is drawn by `renderings`."""

    def __init__(self, gallery: Gallery, renderings: Renderings, answers: Answers) -> None:
        self._gallery = gallery
        self._renderings = renderings
        self._answers = answers

    async def thumbnail(self, request: Request) -> Response:
        """A small picture of an upload, of the first frame if it moves."""
        record_id = path_id(request.path_params["id"])
        shown = await self._answers.worked(self._gallery.one, record_id)
        style = _FIRST_FRAME if shown.record.frames > 1 else _STILL
        path = await self._path(request, as_sent=False)
        return await self._drawn(request, path, style)

    async def whole(self, request: Request) -> Response:
        """The picture as it was sent, or its original; drawn anew if no browser could show it."""
        path = await self._path(request, as_sent=True)
        form = await self._answers.worked(_format_of, path)
        if form not in _SHOWN_BY_BROWSERS:
            return await self._drawn(request, path, _SAME)
        from starlette.responses import FileResponse

        return FileResponse(path, headers=DATA, media_type=MIME_TYPES[form])

    async def styled(self, request: Request) -> Response:
        """The picture in a style."""
        style = Style.parse(request.query_params.get("style", ""))
        path = await self._path(request, as_sent=True)
        if not str(style.effective):
            return await self.whole(request)
        return await self._drawn(request, path, style)

    async def static(self, request: Request) -> Response:
        """The style sheet and the scripts."""
        from starlette.responses import Response

        name = request.path_params["name"]
        if name not in STATIC_FILES:
            raise FileNotFoundError(name)
        content = await self._answers.worked(static_file, name)
        return Response(content, headers=STATIC, media_type=STATIC_FILES[name])

    async def _path(self, request: Request, *, as_sent: bool) -> Path:
        record_id = path_id(request.path_params["id"])
        return await self._answers.worked(self._gallery.picture, record_id, as_sent=as_sent)

    async def _drawn(self, request: Request, path: Path, style: Style) -> Response:
        from starlette.responses import Response

        work = self._renderings.get(path, style.effective)
        body: Body = await unless_gone(request.receive, work)
        pieces = [piece async for piece in body.pieces(0, body.size_bytes)]
        return Response(b"".join(pieces), headers=DATA, media_type=body.mime_type)


def _format_of(path: Path) -> str:
    with path.open("rb") as file:
        return format_of(file.read(HEAD_BYTES))
