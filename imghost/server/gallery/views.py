"""The gallery's pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from imghost.models import EXTENSIONS, Message, State
from imghost.server.gallery.asked import Search, path_id
from imghost.server.gallery.pages import minute

if TYPE_CHECKING:
    from starlette.requests import Request

    from imghost.server.gallery.answered import Answers
    from imghost.server.gallery.contents import Gallery, Watched
    from imghost.server.gallery.pages import Pages

PER_PAGE = 48
_MODES = (
    (0, Message("fit into the box")),
    (1, Message("cover the box")),
    (2, Message("stretch to the box")),
)
_STATES = {
    "watching": Message("Watching for pictures"),
    "paused": Message("Paused: nothing is taken"),
    "serving": Message("Only serving: nothing is watched"),
}
_HEALTH = {"dead": Message("the link is dead"), "suspect": Message("the link is suspect")}
_PAUSES = (
    ("pause", "", Message("Pause")),
    ("pause", "30", Message("Pause for 30 minutes")),
    ("resume", "", Message("Resume")),
    ("resume", "60", Message("Resume for 60 minutes")),
)


class Views:
    """Each answers a page's address with its HTML."""

    def __init__(self, gallery: Gallery, pages: Pages, answers: Answers) -> None:
        self._gallery = gallery
        self._pages = pages
        self._answers = answers

    async def gallery(self, request: Request) -> str:
        """What was uploaded, the newest first."""
        return await self._answers.worked(self._gallery_page, Search.of(request.query_params))

    async def picture(self, request: Request) -> str:
        """One upload, its links, and what styles make of it."""
        record_id = path_id(request.path_params["id"])
        return await self._answers.worked(self._picture_page, record_id)

    async def settings(self, _request: Request) -> str:
        """What counts for the next picture."""
        return await self._answers.worked(self._settings_page)

    async def login(self, _request: Request) -> str:
        """Which hosts need a login."""
        return await self._answers.worked(self._login_page)

    def _gallery_page(self, search: Search) -> str:
        wanted = search.wanted()
        sheet = self._gallery.page(wanted, PER_PAGE, before=search.before, after=search.after)
        if search.after and not sheet.has_newer:  # the first page, whole
            sheet = self._gallery.page(wanted, PER_PAGE)
        ids = [shown.record.id for shown in sheet.shown]
        return self._pages.render(
            "gallery.html",
            at="gallery",
            search=search,
            sheet=sheet,
            overview=self._gallery.overview(wanted),
            chosen=self._gallery.chosen(),
            states=[*State],
            health=_HEALTH,
            can_delete=self._gallery.can_delete,
            newer=search.link(after=ids[0]) if ids and sheet.has_newer else "",
            older=search.link(before=ids[-1]) if ids and sheet.has_older else "",
        )

    def _picture_page(self, record_id: int) -> str:
        shown = self._gallery.one(record_id)
        chosen = self._gallery.chosen()
        bench = self._gallery.bench(record_id, "")
        return self._pages.render(
            "picture.html",
            at="picture",
            shown=shown,
            chosen=chosen,
            bench=bench,
            modes=_MODES,
            health=_HEALTH,
            extension=EXTENSIONS.get(shown.record.format, ""),
            can_delete=self._gallery.can_delete,
        )

    def _settings_page(self) -> str:
        watched = self._gallery.watched()
        return self._pages.render(
            "settings.html",
            at="settings",
            chosen=self._gallery.chosen(),
            state=_STATES.get(watched.state, Message(watched.state)),
            watched=watched,
            changes_at=_changes_at(watched),
            pauses=_PAUSES,
            login=self._gallery.login.shown(),
        )

    def _login_page(self) -> str:
        login, chosen = self._gallery.login.shown(), self._gallery.chosen()
        return self._pages.render("login.html", at="login", login=login, chosen=chosen)


def _changes_at(watched: Watched) -> str:
    return "" if math.isinf(watched.changes_at) else minute(watched.changes_at)
