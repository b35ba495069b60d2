"""What commands ask of the daemon, as values: light, for both ends."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Self

from imghost.errors import UsageError
from imghost.values import dataclass

MAX_WAIT_S = 3600.0
MAX_MINUTES = 60 * 24 * 366
_IDS = 1 << 63  # what SQLite can count

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FileInput:
    """A file of this machine; `path` is absolute, `sha256` what it must hold, "" for anything."""

    path: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class EditorFile:
    """A file of this machine that another program names: trusted less, and no link itself."""

    path: str


@dataclass(frozen=True, slots=True)
class LinkInput:
    """Something to fetch first."""

    url: str


@dataclass(frozen=True, slots=True)
class RemoteInput:
    """A picture on anybody's host, which the user's own command asks for: that is leave enough."""

    url: str


@dataclass(frozen=True, slots=True)
class BytesInput:
    """What came on standard input, and what to call it."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UploadedInput:
    """What was uploaded before, by the id of its row; it went where it is wanted, unless told."""

    id: int


Input = FileInput | EditorFile | LinkInput | RemoteInput | BytesInput | UploadedInput


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
        return {"inputs": [_input_json(i) for i in self.inputs], **self.options.to_json()}

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
        if not isinstance(ids, list) or not all(map(_is_id, ids)):
            raise UsageError('the request must be JSON with a list of numbers "ids"')
        return cls(tuple(ids))


@dataclass(frozen=True, slots=True)
class PauseRequest:
    """For how long to pause or to resume; None: until told otherwise."""

    minutes: float | None = None

    def to_json(self) -> Json:
        """The body of the request."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read it from a JSON body. Raises UsageError."""
        match value:
            case {"minutes": None}:
                return cls()
            case {"minutes": int() | float() as minutes} if 0 < minutes <= MAX_MINUTES:
                return cls(float(minutes))
        raise UsageError(
            'the request must be JSON with "minutes", null or a number up to {most}',
            most=MAX_MINUTES,
        )


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """A text for the clipboard."""

    text: str

    def to_json(self) -> Json:
        """The body of the request."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read it from a JSON body. Raises UsageError."""
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise UsageError('the request must be JSON with a text "text"')
        return cls(value["text"])


def read_json(data: bytes) -> object:
    """The value that a request's body holds. Raises UsageError."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise UsageError("the request is not JSON: {detail}", detail=str(exc)) from exc


def _input_json(given: Input) -> Json:
    match given:
        case RemoteInput(url):
            return {"remote": url}
        case FileInput(path, ""):
            return {"path": path}
        case _:
            return asdict(given)


def _input(value: object) -> Input:
    match value:
        case {"path": str(path), **rest} if path and not rest:
            return FileInput(path)
        case {"path": str(path), "sha256": str(sha256), **rest} if path and not rest:
            return FileInput(path, sha256)
        case {"url": str(url), **rest} if url and not rest:
            return LinkInput(url)
        case {"remote": str(url), **rest} if url and not rest:
            return RemoteInput(url)
        case {"id": int() as record_id, **rest} if _is_id(record_id) and not rest:
            return UploadedInput(record_id)
    raise UsageError('each of "inputs" in the request must have a "path", a "url" or an "id"')


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value < _IDS


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
