"""The editors' door: PicGo's routes, safely."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from imghost.errors import ConfigError, ImghostError, UsageError
from imghost.secret import Secret
from imghost.server.answers import json_response
from imghost.server.asked import Input, Json, LinkInput, UploadOptions, UploadRequest
from imghost.server.guard import is_from_elsewhere
from imghost.server.intake import Intake
from imghost.server.named import deletions, named_inputs
from imghost.server.outcomes import told
from imghost.server.refusals import NotAllowedError, UnauthorisedError
from imghost.server.shapes import ALIVE, DELETE, HEARTBEAT, METHODS, UPLOAD, refused
from imghost.server.wire import Settled

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from imghost.text import Speaker

P = ParamSpec("P")
T = TypeVar("T")

LANE = 16
"""How many uploads to one host are under way; more wait, and none of another host's with them."""

_SECRET_HEADER, _BEARER = "x-picgo-secret", "bearer "


class Editors(Protocol):
    """What the daemon does for editors; its methods may block, and raise ImghostError."""

    def check(self, host: str, bucket: str) -> None:
        """Raise ConfigError unless both are known; "" is as configured."""
        ...

    def copied(self) -> Sequence[Input]:
        """The images on the clipboard. Raises SourceError."""
        ...

    def known(self, links: Collection[str]) -> Mapping[str, int | None]:
        """Those of the links that are ours, with the ids of their uploads as far as known."""
        ...

    def upload(self, request: UploadRequest, gone: threading.Event) -> Iterator[Settled]:
        """Upload the inputs, and tell of each in their order, until `gone` is set."""
        ...

    def delete(self, record_id: int, link: str) -> None:
        """Delete the upload with this id and link here and at its host."""
        ...


def door_routes(
    editors: Editors, secret: Secret, workers: Executor, max_input_bytes: int, say: Speaker
) -> list[BaseRoute]:
    """The routes that editors call.

    An empty `secret` is none. `workers` run what blocks: LANE for each host, and as many more.
    """
    from starlette.routing import Route

    door = _Door(editors, secret, workers, max_input_bytes, say)
    return [
        Route(path, endpoint, methods=METHODS[path])
        for path, endpoint in (
            (HEARTBEAT, _heartbeat),
            (UPLOAD, partial(door.answered, door.upload)),
            (DELETE, partial(door.answered, door.delete)),
        )
    ]


async def _heartbeat(_request: Request) -> Response:
    return json_response(ALIVE)


class _Door:
    def __init__(
        self,
        editors: Editors,
        secret: Secret,
        workers: Executor,
        max_input_bytes: int,
        say: Speaker,
    ) -> None:
        self._editors = editors
        self._secret = secret
        self._workers = workers
        self._intake = Intake(max_input_bytes)
        self._say = say
        self._lanes: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(LANE))

    async def answered(
        self, endpoint: Callable[[Request], Awaitable[Json]], request: Request
    ) -> Response:
        from starlette.requests import ClientDisconnect
        from starlette.responses import Response

        try:
            self._authorise(request)
            return json_response(await endpoint(request))
        except UnauthorisedError:  # as PicGo says it, whatever the language
            return json_response({"success": False, "message": "Unauthorized"}, 401)
        except ImghostError as exc:
            return json_response(refused(self._say(exc.message)), _status(exc))
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody

    async def upload(self, request: Request) -> Json:
        query = request.query_params
        host, bucket = query.get("uploader") or query.get("picbed", ""), query.get("configName", "")
        if host or bucket:
            await self._checked(host, bucket)
        async with self._intake.taken(request) as body:
            inputs: Sequence[Input] = body.files or named_inputs(body.data)
            inputs = inputs or await self._worked(self._editors.copied)
            return await self._uploaded(request, inputs, UploadOptions(host, bucket, "url", "", 0))

    async def delete(self, request: Request) -> Json:
        async with self._intake.taken(request) as body:
            asked = deletions(body.data)
        problems = []
        for record_id, link in asked:
            try:
                await self._worked(self._editors.delete, record_id, link)
            except ImghostError as exc:
                problems.append(self._say(exc.message))
        deleted = self._say("{count} deleted", count=len(asked) - len(problems))
        return {"success": not problems, "message": self._say("; ").join(problems) or deleted}

    def _authorise(self, request: Request) -> None:
        if self._secret and self._secret not in map(Secret, _shown(request)):
            raise UnauthorisedError("the secret is missing or another one")

    async def _checked(self, host: str, bucket: str) -> None:
        try:
            await self._worked(self._editors.check, host, bucket)
        except ConfigError as exc:
            raise UsageError(exc.message.template, **exc.message.fields) from exc

    async def _uploaded(
        self, request: Request, inputs: Sequence[Input], options: UploadOptions
    ) -> Json:
        links = {one.url for one in inputs if isinstance(one, LinkInput)}
        known = await self._worked(self._editors.known, links) if links else {}
        new = [one for one in inputs if not (isinstance(one, LinkInput) and one.url in known)]
        settled: list[Settled] = []
        if new:
            async with self._lanes[options.host]:
                settled = await self._settled(request, UploadRequest(tuple(new), options))
        is_away = is_from_elsewhere(request.scope)
        return told(inputs, known, iter(settled), self._say, is_from_elsewhere=is_away)

    async def _settled(self, request: Request, asked: UploadRequest) -> list[Settled]:
        """What came of it; once the client is gone nothing more is begun."""
        gone = threading.Event()
        work = asyncio.ensure_future(self._worked(lambda: list(self._editors.upload(asked, gone))))
        leaving = asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                gone.set()
            return await work
        finally:
            gone.set()
            leaving.cancel()

    async def _worked(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, partial(work, *args, **kwargs))


def _status(error: ImghostError) -> int:
    match error:
        case NotAllowedError():
            return 403
        case UsageError():
            return 400
        case _:
            return 200  # Obsidian shows the message of no other


def _shown(request: Request) -> Iterator[str]:
    """The secrets that a request shows, in each place where clients put them."""
    for value in request.headers.getlist("authorization"):
        if value.lower().startswith(_BEARER):
            yield _text(value[len(_BEARER) :].strip())
    yield from map(_text, request.headers.getlist(_SECRET_HEADER))
    for name in ("secret", "key"):
        yield from request.query_params.getlist(name)


def _text(header: str) -> str:
    return header.encode("latin-1").decode("utf-8", "replace")


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
