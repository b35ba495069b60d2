"""How long the server waits for its clients, and for whom no longer when there are too many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto
from typing import Protocol, TypeVar

from imghost.values import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """The server's limits on slow clients.

    `headers_s`: until a request's headers are whole. `body_s`: until its body is, and `silence_s`
    between two pieces of it. `reader_s`: for taking a piece of the answer. `connections`: how many
    may be open; one more ends one that is waited for. `look_s`: between two looks at an open
    connection.
    """

    headers_s: float = 10.0
    body_s: float = 300.0
    silence_s: float = 10.0
    reader_s: float = 30.0
    connections: int = 200
    look_s: float = 1.0


class Waiting(Enum):
    """What a connection waits for: something of its client's, or nothing."""

    NOTHING = auto()
    HEADERS = auto()
    BODY = auto()
    READER = auto()


def deadline(waiting: Waiting, since: float, heard: float, patience: Patience) -> float:
    """When the waiting is over; `since` it began, `heard` was the last sign of the client."""
    match waiting:
        case Waiting.NOTHING:
            return math.inf
        case Waiting.HEADERS:
            return since + patience.headers_s
        case Waiting.BODY:
            return min(since + patience.body_s, heard + patience.silence_s)
        case Waiting.READER:
            return since + patience.reader_s


class Awaited(Protocol):
    """A client that is waited for `since` then, at the address `peer`."""

    is_stranger: bool
    peer: str
    waiting: Waiting
    since: float


_A = TypeVar("_A", bound=Awaited)
_COSTS = {Waiting.HEADERS: 0, Waiting.READER: 1, Waiting.BODY: 2, Waiting.NOTHING: 3}


def dispensable(awaited: Sequence[_A]) -> _A:
    """Whose end costs least; of several the one that is waited for longest.

    Other users of this machine, who can read public files at most, go first. Else whoever has not
    asked for anything yet, where most such come from; pictures on their way here go last.
    """
    first = min((not one.is_stranger, _COSTS[one.waiting]) for one in awaited)
    alike = [one for one in awaited if (not one.is_stranger, _COSTS[one.waiting]) == first]
    crowd = Counter(one.peer for one in alike)
    return min(alike, key=lambda one: (-crowd[one.peer], one.since))
