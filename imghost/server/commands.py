"""The routes of our own commands, for whoever holds the daemon's token."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from imghost.errors import ImghostError, UsageError
from imghost.secret import Secret
from imghost.server import wire
from imghost.server.answers import json_body, json_response
from imghost.server.asked import (
    BytesInput,
    CopyRequest,
    Json,
    PauseRequest,
    RetryRequest,
    UploadOptions,
    UploadRequest,
    read_json,
)
from imghost.server.guard import is_from_elsewhere
from imghost.server.intake import MAX_JSON_BYTES
from imghost.server.refusals import UnauthorisedError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

P = ParamSpec("P")
T = TypeVar("T")


class Backend(Protocol):
    """What the daemon does for its commands; each method may raise ImghostError.

    All but `stop` may block: they are called from worker threads, several at once.
    """

    def status(self) -> Json:
        """How it stands, as `imghost status --json` tells, each message as template and fields."""
        ...

    def stop(self) -> None:
        """Begin to end the daemon, and return at once."""
        ...

    def pause(self, minutes: float | None) -> None:
        """Take nothing that is found, for so long or until `resume`."""
        ...

    def resume(self, minutes: float | None) -> None:
        """Take what is found, for so long or until `pause`."""
        ...

    def put_back(self) -> None:
        """Put the picture back onto the clipboard whose place a link took."""
        ...

    def copy(self, text: str) -> bool:
        """Put a text onto the clipboard; False if this daemon has none."""
        ...

    def given(self) -> Sequence[int]:
        """The ids of the uploads whose links stand on the clipboard, in pictures' place."""
        ...

    def retry(self, ids: Sequence[int]) -> int:
        """Try these images again, without ids all that are queued or held; how many those are."""
        ...

    def upload(self, request: UploadRequest, gone: threading.Event) -> Iterator[wire.Settled]:
        """Upload the inputs and tell of each when it settles, in whatever order.

        Once `gone` is set nobody listens: what was begun may end, and nothing more is begun.
        """
        ...


def command_routes(
    backend: Backend, token: Secret, workers: Executor, max_input_bytes: int
) -> list[BaseRoute]:
    """The routes below /api; `workers` run what blocks, an image has `max_input_bytes` at most."""
    from starlette.routing import Route

    commands = _Commands(backend, workers, max_input_bytes)
    endpoints = {
        wire.STATUS: ("GET", commands.status),
        wire.STOP: ("POST", commands.stop),
        wire.RETRY: ("POST", commands.retry),
        wire.UPLOAD: ("POST", commands.upload),
        wire.PAUSE: ("POST", commands.pause),
        wire.RESUME: ("POST", commands.resume),
        wire.PUT_BACK: ("POST", commands.put_back),
        wire.COPY: ("POST", commands.copy),
        wire.GIVEN: ("GET", commands.given),
    }
    return [
        Route(path, partial(_answered, token, endpoint), methods=[method])
        for path, (method, endpoint) in endpoints.items()
    ]


async def _answered(
    token: Secret, endpoint: Callable[[Request], Awaitable[Response]], request: Request
) -> Response:
    from starlette.requests import ClientDisconnect
    from starlette.responses import Response

    try:
        _authorise(request, token)
        return await endpoint(request)
    except ImghostError as exc:
        return json_response(wire.error_answer(exc), _status(exc))
    except ClientDisconnect:
        return Response(status_code=400)  # to nobody


def _authorise(request: Request, token: Secret) -> None:
    shown = request.headers.getlist(wire.TOKEN_HEADER)
    if is_from_elsewhere(request.scope) or len(shown) != 1 or Secret(shown[0]) != token:
        raise UnauthorisedError(
            "the running imghost does not know this command's token; stop it and start it again"
        )


def _status(error: ImghostError) -> int:
    match error:
        case UnauthorisedError():
            return 401
        case UsageError():
            return 400
        case _:
            return 500


class _Commands:
    def __init__(self, backend: Backend, workers: Executor, max_input_bytes: int) -> None:
        self._backend = backend
        self._workers = workers
        self._max_input_bytes = max_input_bytes

    async def status(self, _request: Request) -> Response:
        return json_response(await self._worked(self._backend.status))

    async def pause(self, request: Request) -> Response:
        asked = PauseRequest.from_json(await _json_of(request))
        await self._worked(self._backend.pause, asked.minutes)
        return json_response({"paused": True})

    async def resume(self, request: Request) -> Response:
        asked = PauseRequest.from_json(await _json_of(request))
        await self._worked(self._backend.resume, asked.minutes)
        return json_response({"paused": False})

    async def put_back(self, _request: Request) -> Response:
        await self._worked(self._backend.put_back)
        return json_response({"put_back": True})

    async def copy(self, request: Request) -> Response:
        asked = CopyRequest.from_json(await _json_of(request))
        return json_response({"copied": await self._worked(self._backend.copy, asked.text)})

    async def given(self, _request: Request) -> Response:
        return json_response({"ids": list(await self._worked(self._backend.given))})

    async def stop(self, _request: Request) -> Response:
        self._backend.stop()
        return json_response({"stopping": True})

    async def retry(self, request: Request) -> Response:
        asked = RetryRequest.from_json(await _json_of(request))
        return json_response({"retried": await self._worked(self._backend.retry, asked.ids)})

    async def upload(self, request: Request) -> Response:
        from starlette.responses import StreamingResponse

        asked = await self._upload_asked(request)
        return StreamingResponse(self._lines(asked), media_type="application/x-ndjson")

    async def _worked(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, partial(work, *args, **kwargs))

    async def _upload_asked(self, request: Request) -> UploadRequest:
        if _content_type(request) != "application/octet-stream":
            return UploadRequest.from_json(await _json_of(request))
        query = request.query_params
        options = UploadOptions.from_json(query)
        data = await body_of(request, self._max_input_bytes)
        return UploadRequest((BytesInput(query.get("name", ""), data),), options)

    async def _lines(self, request: UploadRequest) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        gone = threading.Event()
        told: asyncio.Queue[wire.Settled | None] = asyncio.Queue()

        def work() -> None:
            for settled in self._backend.upload(request, gone):
                loop.call_soon_threadsafe(told.put_nowait, settled)

        working = loop.run_in_executor(self._workers, work)
        working.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while settled := await told.get():
                yield _line(settled.to_json())
            await working
        except ImghostError as exc:
            yield _line(wire.error_answer(exc))
        finally:
            gone.set()


def _line(value: Json) -> bytes:
    return json_body(value) + b"\n"


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _json_of(request: Request) -> object:
    return read_json(await body_of(request, MAX_JSON_BYTES))


async def body_of(request: Request, max_bytes: int) -> bytes:
    """A request's body. Raises UsageError if it is larger."""
    too_large = UsageError(
        "the request is larger than {max_bytes} bytes; make it smaller, or raise "
        "limits.input_bytes",
        max_bytes=max_bytes,
    )
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > max_bytes:
            raise too_large
    return bytes(body)
