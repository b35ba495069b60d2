"""How long the server waits for its clients: a pure table of deadlines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Patience:
    """The server's limits on slow clients.

    `headers_s`: until a request's headers are whole. `body_s`: until its body is, and `silence_s`
    between two pieces of it. `reader_s`: for taking a piece of the answer. `connections`: how many
    may be open; one more ends the one that was waited for longest. `look_s`: between two looks at
    an open connection.
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
