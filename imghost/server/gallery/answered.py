"""How the gallery's routes answer, also when something is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from imghost.errors import (
    ConfigError,
    DaemonError,
    ImageError,
    ImghostError,
    SourceError,
    UsageError,
)
from imghost.server.answers import json_response
from imghost.server.files import GoneError
from imghost.server.gallery.access import check_changing, check_seeing
from imghost.server.gallery.headers import DATA, PAGE
from imghost.server.refusals import NotAllowedError
from imghost.server.renderings import BusyError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from imghost.secret import Secret
    from imghost.server.gallery.pages import Pages
    from imghost.text import Speaker

P = ParamSpec("P")
T = TypeVar("T")
Endpoint = Callable[["Request"], Awaitable["Response"]]

_AGAIN_S = "2"


class TooMuchError(DaemonError):
    """So much is being taken in that nothing more is begun."""


_STATUS: tuple[tuple[type[ImghostError], int], ...] = (
    (NotAllowedError, 403),
    (TooMuchError, 503),
    (UsageError, 400),
    (ConfigError, 400),
    (ImageError, 422),
    (SourceError, 404),
)


class Answers:
    """Wraps endpoints: who may call, what an error looks like; `workers` do what blocks."""

    def __init__(self, pages: Pages, say: Speaker, token: Secret, workers: Executor) -> None:
        self._pages = pages
        self._say = say
        self._token = token
        self._workers = workers

    async def worked(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the work comes to, done off the loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, partial(work, *args, **kwargs))

    def page(self, endpoint: Callable[[Request], Awaitable[str]]) -> Endpoint:
        """For a page: HTML for who may see it."""

        async def answer(request: Request) -> Response:
            from starlette.responses import HTMLResponse, PlainTextResponse

            try:
                check_seeing(request)
                return HTMLResponse(await endpoint(request), headers=PAGE)
            except NotAllowedError as exc:  # who may not see a page may not see its token either
                return PlainTextResponse(self._say(exc.message), _status(exc), headers=DATA)
            except ImghostError as exc:
                said = self._say(exc.message)
                html = await self.worked(self._pages.render, "problem.html", at="", problem=said)
                return HTMLResponse(html, _status(exc), headers=PAGE)

        return answer

    def data(self, endpoint: Endpoint) -> Endpoint:
        """For what pages fetch to show it."""
        return partial(self._caught, endpoint, check_seeing)

    def change(self, endpoint: Endpoint) -> Endpoint:
        """For what changes something: only with the page's token."""
        return partial(self._caught, endpoint, partial(check_changing, token=self._token))

    async def _caught(
        self, endpoint: Endpoint, check: Callable[[Request], None], request: Request
    ) -> Response:
        from starlette.requests import ClientDisconnect
        from starlette.responses import Response

        try:
            check(request)
            return await endpoint(request)
        except ImghostError as exc:
            later = {"retry-after": _AGAIN_S} if isinstance(exc, TooMuchError) else None
            return json_answer({"error": self._say(exc.message)}, _status(exc), later)
        except BusyError:
            said = self._say("this image cannot be drawn just now; ask again in some seconds")
            return json_answer({"error": said}, 503, {"retry-after": _AGAIN_S})
        except FileNotFoundError:
            return json_answer({"error": self._say("there is no such image")}, 404)
        except (ClientDisconnect, GoneError):
            return Response(status_code=400)  # to nobody


def json_answer(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """An answer for the script."""
    return json_response(value, status, {**DATA, **(headers or {})})


def _status(error: ImghostError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
