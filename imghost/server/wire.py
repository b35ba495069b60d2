"""What commands and the daemon say to one another over HTTP, as values: light, for both ends."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self, TypeVar

from imghost import errors
from imghost.errors import DaemonError, ImghostError, UsageError
from imghost.models import Alive, Message, Record, State

TOKEN_HEADER = "X-Imghost-Token"  # noqa: S105 - the header's name
STATUS, STOP, UPLOAD, RETRY = "/api/status", "/api/stop", "/api/upload", "/api/retry"
MAX_WAIT_S = 3600.0
_IDS = 1 << 63  # what SQLite can count

Json = Mapping[str, object]
_T = TypeVar("_T")

_ERRORS: Mapping[int, type[ImghostError]] = {
    error.exit_code: error
    for error in (
        *(UsageError, errors.ConfigError, errors.SourceError, errors.ImageError),
        *(errors.HostError, errors.LoginExpired, DaemonError),
        *(errors.SomeFailed, errors.MachineError),
    )
}


@dataclass(frozen=True, slots=True)
class FileInput:
    """A file of this machine; `path` is absolute."""

    path: str


@dataclass(frozen=True, slots=True)
class LinkInput:
    """Something to fetch first."""

    url: str


@dataclass(frozen=True, slots=True)
class BytesInput:
    """What came on standard input, and what to call it."""

    name: str
    data: bytes = field(repr=False)


Input = FileInput | LinkInput | BytesInput


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """Where to and how; "" stands for what the config says. `wait_s`: for each input's outcome."""

    host: str = ""
    bucket: str = ""
    format: str = ""
    style: str = ""
    wait_s: float = 5.0

    def to_json(self) -> Json:
        """As the body of a JSON request, or the query of one of bytes, carries it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read it from JSON or from a query, where numbers are text. Raises UsageError."""
        host, bucket = _text(value, "host"), _text(value, "bucket")
        wait_s = _seconds(value.get("wait_s", cls().wait_s))
        return cls(host, bucket, _text(value, "format"), _text(value, "style"), wait_s)


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """Images to upload; each is answered by one Settled with its place among `inputs`."""

    inputs: tuple[Input, ...]
    options: UploadOptions = UploadOptions()

    def to_json(self) -> Json:
        """The body of a JSON request; what is held as bytes has none, it is sent as it is."""
        return {"inputs": [asdict(i) for i in self.inputs], **self.options.to_json()}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read files and links from a JSON body. Raises UsageError."""
        inputs = value.get("inputs") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(inputs, list) or not inputs:
            raise UsageError('the request must be JSON with a list "inputs" that is not empty')
        return cls(tuple(_input(item) for item in inputs), UploadOptions.from_json(value))


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """Images to try again by their id; none: all that is queued or held."""

    ids: tuple[int, ...] = ()

    def to_json(self) -> Json:
        """The body of the request."""
        return {"ids": list(self.ids)}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read it from a JSON body. Raises UsageError."""
        ids = value.get("ids") if isinstance(value, dict) else None
        if not isinstance(ids, list) or not all(type(n) is int and 0 < n < _IDS for n in ids):
            raise UsageError('the request must be JSON with a list of numbers "ids"')
        return cls(tuple(ids))


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it travels: the command says it in its own language and exits with its code."""

    exit_code: int
    message: Message

    @classmethod
    def of(cls, error: ImghostError) -> Self:
        """What is told of the error."""
        return cls(error.exit_code, error.message)

    def error(self) -> ImghostError:
        """The error again, for the command to raise."""
        return _ERRORS.get(self.exit_code, ImghostError)(
            self.message.template, **self.message.fields
        )

    def to_json(self) -> Json:
        """The value of an answer's "error"."""
        return {"exit_code": self.exit_code, "message": self.message.as_json()}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read an answer's "error". Raises DaemonError."""
        return _understood(
            lambda v: cls(int(v["exit_code"]), Message.from_json(v["message"])), value
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """How one input ended for now, at `index` of the request: accepted, as `record` tells, or not.

    `text` is to be pasted, once it is done. `reused` says that nothing had to be sent. `failure`
    is why there is no link: of one that was accepted, it stays queued or failed.
    """

    index: int
    record: Record | None
    text: str = ""
    reused: bool = False
    failure: Failure | None = None

    def to_json(self) -> Json:
        """One line of the answer to an upload."""
        return {
            "index": self.index,
            "record": self.record and _record_json(self.record),
            "text": self.text,
            "reused": self.reused,
            "failure": self.failure and self.failure.to_json(),
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read one line of the answer. Raises DaemonError."""
        return _understood(
            lambda v: cls(
                index=int(v["index"]),
                record=None if v["record"] is None else _record(v["record"]),
                text=str(v["text"]),
                reused=bool(v["reused"]),
                failure=None if v["failure"] is None else Failure.from_json(v["failure"]),
            ),
            value,
        )


def read_json(data: bytes) -> object:
    """The value that a request's body holds. Raises UsageError."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise UsageError("the request is not JSON: {detail}", detail=str(exc)) from exc


def read_answer(data: bytes) -> Json:
    """The value of an answer or of its line. Raises the error that it tells of, or DaemonError."""
    value = _understood(lambda v: dict(json.loads(v)), data)
    if "error" in value:
        raise Failure.from_json(value["error"]).error()
    return value


def error_answer(error: ImghostError) -> Json:
    """An answer that tells only of an error, which is that of the whole request."""
    return {"error": Failure.of(error).to_json()}


def _input(value: object) -> Input:
    match value:
        case {"path": str(path), **rest} if path and not rest:
            return FileInput(path)
        case {"url": str(url), **rest} if url and not rest:
            return LinkInput(url)
    raise UsageError('each of "inputs" in the request must have either a "path" or a "url"')


def _text(value: Json, key: str) -> str:
    text = value.get(key, "")
    if not isinstance(text, str):
        raise UsageError('"{key}" in the request must be text', key=key)
    return text


def _seconds(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    if not 0 <= seconds <= MAX_WAIT_S:
        raise UsageError(
            '"wait_s" in the request must be seconds, from 0 to {most}', most=MAX_WAIT_S
        )
    return seconds


def _understood(read: Callable[[Any], _T], value: object) -> _T:
    try:
        return read(value)
    except (KeyError, TypeError, ValueError, RecursionError) as exc:
        raise DaemonError(
            "the running imghost's answer is not understood ({detail}); stop it and start it "
            "again, so that it is of this version",
            detail=f"{type(exc).__name__}: {exc}",
        ) from exc


def _record_json(record: Record) -> Json:
    messages = {
        "reason": record.reason and record.reason.as_json(),
        "notes": [note.as_json() for note in record.notes],
    }
    return {field.name: getattr(record, field.name) for field in fields(record)} | messages


def _record(value: Any) -> Record:  # noqa: ANN401 - JSON that _understood guards
    read = {
        "state": State(value["state"]),
        "alive": Alive(value["alive"]),
        "reason": None if value["reason"] is None else Message.from_json(value["reason"]),
        "notes": tuple(map(Message.from_json, value["notes"])),
    }
    return Record(**{**value, **read})
