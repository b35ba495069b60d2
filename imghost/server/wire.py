"""How commands reach the daemon over HTTP, and what it answers, as values: light, for both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Self, TypeVar

from imghost import errors
from imghost.errors import DaemonError, ImghostError, UsageError
from imghost.models import Alive, Message, Record, State
from imghost.server.asked import Json
from imghost.values import dataclass

TOKEN_HEADER = "X-Imghost-Token"  # noqa: S105 - the header's name
STATUS, STOP, UPLOAD, RETRY = "/api/status", "/api/stop", "/api/upload", "/api/retry"
PAUSE, RESUME = "/api/pause", "/api/resume"
PUT_BACK, COPY, GIVEN = "/api/putback", "/api/copy", "/api/given"
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


def read_answer(data: bytes) -> Json:
    """The value of an answer or of its line. Raises the error that it tells of, or DaemonError."""
    value = _understood(lambda v: dict(json.loads(v)), data)
    if "error" in value:
        raise Failure.from_json(value["error"]).error()
    return value


def error_answer(error: ImghostError) -> Json:
    """An answer that tells only of an error, which is that of the whole request."""
    return {"error": Failure.of(error).to_json()}


def _understood(read: Callable[[Any], _T], value: object) -> _T:
    try:
        return read(value)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as exc:
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
