"""Asking the running daemon, in HTTP 1.0 on a plain socket: an HTTP library takes 25 ms to load."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import BinaryIO
from urllib.parse import urlencode, urlsplit

from imghost.door import Door
from imghost.errors import DaemonError
from imghost.server.asked import (
    BytesInput,
    CopyRequest,
    Json,
    PauseRequest,
    RetryRequest,
    UploadRequest,
)
from imghost.server.wire import (
    COPY,
    GIVEN,
    PAUSE,
    PUT_BACK,
    RESUME,
    RETRY,
    STATUS,
    STOP,
    TOKEN_HEADER,
    UPLOAD,
    Settled,
    read_answer,
)

_CONNECT_S = 5.0
_ANSWER_S = 10.0


def status(door: Door) -> Json:
    """What the daemon says of itself. Raises DaemonError."""
    return next(_answers(door, "GET", STATUS))


def stop(door: Door) -> None:
    """Ask the daemon to end. Raises DaemonError."""
    _posted(door, STOP, {})


def retry(door: Door, ids: Sequence[int]) -> None:
    """Have these rows, or all that waits, tried again. Raises DaemonError, UsageError."""
    _posted(door, RETRY, RetryRequest(tuple(ids)).to_json())


def pause(door: Door, minutes: float | None) -> None:
    """Have it take nothing, for so long. Raises DaemonError."""
    _posted(door, PAUSE, PauseRequest(minutes).to_json())


def resume(door: Door, minutes: float | None) -> None:
    """Have it take what it finds, for so long. Raises DaemonError."""
    _posted(door, RESUME, PauseRequest(minutes).to_json())


def put_back(door: Door) -> None:
    """Have it put back the picture whose place a link took. Raises DaemonError, SourceError."""
    _posted(door, PUT_BACK, {})


def copy(door: Door, text: str) -> bool:
    """Have it put a text onto the clipboard; False if it has none. Raises DaemonError."""
    return _posted(door, COPY, CopyRequest(text).to_json()).get("copied") is True


def given(door: Door) -> tuple[int, ...]:
    """The uploads whose links it has put onto the clipboard. Raises DaemonError, SourceError."""
    return RetryRequest.from_json(next(_answers(door, "GET", GIVEN))).ids


def upload(door: Door, request: UploadRequest) -> Iterator[Settled]:
    """Have the inputs uploaded, and each told in their order. Raises DaemonError, ConfigError."""
    start = 0
    for is_bytes, group in groupby(request.inputs, lambda given: isinstance(given, BytesInput)):
        inputs = tuple(group)
        parts = [(given,) for given in inputs] if is_bytes else [inputs]
        for part in parts:
            answered = 0
            for settled in _upload(door, replace(request, inputs=part)):
                answered += 1
                yield replace(settled, index=start + settled.index)
            if answered < len(part):
                raise DaemonError(
                    "the running imghost ended before it had answered; what it accepted is kept, "
                    "see imghost status"
                )
            start += len(part)


def _posted(door: Door, path: str, asked: Json) -> Json:
    return next(_answers(door, "POST", path, json.dumps(asked).encode()), {})


def _upload(door: Door, request: UploadRequest) -> Iterator[Settled]:
    first = request.inputs[0]
    if isinstance(first, BytesInput):
        query = urlencode({"name": first.name, **request.options.to_json()})
        answers = _answers(
            door, "POST", f"{UPLOAD}?{query}", first.data, "application/octet-stream", None
        )
    else:
        body = json.dumps(request.to_json()).encode()
        answers = _answers(door, "POST", UPLOAD, body, wait_s=None)
    yield from map(Settled.from_json, answers)


def _answers(
    door: Door,
    method: str,
    path: str,
    body: bytes = b"",
    mime_type: str = "application/json",
    wait_s: float | None = _ANSWER_S,
) -> Iterator[Json]:
    url = urlsplit(door.url)
    head = (
        f"{method} {path} HTTP/1.0\r\nHost: {url.netloc}\r\n"
        f"{TOKEN_HEADER}: {door.token.reveal()}\r\n"
        f"Content-Type: {mime_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    try:
        with socket.socket() as sock:  # by number: looking up a name would load IDNA
            sock.settimeout(_CONNECT_S)
            sock.connect((url.hostname, url.port))
            sock.settimeout(wait_s)
            sock.sendall(head.encode() + body)
            with sock.makefile("rb") as answer:
                yield from _read(answer)
    except OSError as exc:
        raise DaemonError(
            "the running imghost (process {pid}) does not answer at {url}: {detail}; stop it and "
            "start it again",
            pid=door.pid,
            url=door.url,
            detail=exc.strerror or str(exc),
        ) from exc


def _read(answer: BinaryIO) -> Iterator[Json]:
    while answer.readline().strip():  # the status tells nothing that the lines do not
        pass
    for line in answer:
        if line.strip():
            yield read_answer(line)
