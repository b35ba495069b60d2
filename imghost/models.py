"""The values that flow from a found image to a finished link: frozen, one way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum

from imghost.values import dataclass

MIME_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "ico": "image/x-icon",
    "heic": "image/heic",
}
"""Every format that imghost can read, by its one name here."""

EXTENSIONS: Mapping[str, str] = {name: name for name in MIME_TYPES} | {"jpeg": "jpg", "tiff": "tif"}

_MAX_DEPTH = 4
_MAX_TEMPLATE = 1000
_MAX_TIMES = 2
_PLAIN = re.compile(r"(?:[^{}]|\{\{|\}\}|\{[a-z][a-z0-9_]*\})+")
_PLACE = re.compile(r"\{\{|\}\}|\{(\w+)\}")
_FIELD = re.compile(r"(?!(?:self|template)$)[a-z][a-z0-9_]*")  # what an error takes by name


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for a person: an English template and its fields, messages among them."""

    template: str
    fields: Mapping[str, str | int | float | Message] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format_map(self.fields)

    def as_json(self) -> list[object]:
        """The message as JSON."""
        fields = {k: v.as_json() if isinstance(v, Message) else v for k, v in self.fields.items()}
        return [self.template, fields]

    @classmethod
    def from_json(cls, value: object) -> Message:
        """What `as_json` gave, whoever hands it in. Raises ValueError for anything else.

        Its template only names its fields, none more than twice: formats could take gigabytes, or
        look inside objects, and so could repetition within repetition.
        """
        return _message(value, _MAX_DEPTH)


def _message(value: object, depth: int) -> Message:
    match value:
        case [str(template), dict(fields)] if depth and _is_plain(template, fields):
            return Message(
                template,
                {
                    name: field
                    if isinstance(field, str | int | float)
                    else _message(field, depth - 1)
                    for name, field in fields.items()
                },
            )
    raise ValueError("not a message")


def _is_plain(template: str, fields: Mapping[str, object]) -> bool:
    places = [name for name in _PLACE.findall(template) if name]
    return (
        len(template) <= _MAX_TEMPLATE
        and _PLAIN.fullmatch(template) is not None
        and all(places.count(name) <= _MAX_TIMES for name in places)
        and set(places) <= fields.keys()
        and all(map(_FIELD.fullmatch, fields))
    )


@dataclass(frozen=True, slots=True)
class Found:
    """An image that a source came upon; its bytes are loaded only when it is its turn.

    `name` is what the source calls it, untrusted; `held_bytes` are those that wait in memory.
    """

    origin: str
    name: str
    load: Callable[[], bytes]
    held_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """Bytes that were decoded completely: whoever holds one holds a real image.

    `format` is a key of MIME_TYPES; `sha256` is of `data`, in lower-case hex.
    """

    data: bytes
    format: str
    width_px: int
    height_px: int
    frames: int
    sha256: str
    name: str
    _told: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def extension(self) -> str:
        """The file name's ending, without a dot."""
        return EXTENSIONS[self.format]

    @property
    def sha1(self) -> str:
        """The SHA-1 of the bytes, in lower-case hex, by which hosts name them."""
        if "sha1" not in self._told:  # asked for several times on the way of one image
            from hashlib import sha1

            self._told["sha1"] = sha1(self.data, usedforsecurity=False).hexdigest()
        return self._told["sha1"]

    @property
    def mime_type(self) -> str:
        """The Content-Type of the bytes."""
        return MIME_TYPES[self.format]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host takes: formats (keys of MIME_TYPES), sizes, and how gently it wants to be asked.

    `styles`: whether its links may carry a style suffix.
    """

    max_bytes: int
    formats: frozenset[str]
    animated: bool = True
    parallel: int = 4
    min_gap_s: float = 0.0
    styles: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """All that a host knows of an image it holds: enough to find or delete it later."""

    host: str
    bucket: str
    key: str
    url: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where an image is to go."""

    host: str
    bucket: str


class State(StrEnum):
    """The one state in which an accepted image stands."""

    ASKING = "asking"
    QUEUED = "queued"
    UPLOADING = "uploading"
    DONE = "done"
    FAILED = "failed"


class Alive(StrEnum):
    """What the last look at a finished link showed."""

    UNKNOWN = "unknown"
    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Record:
    """One accepted image as the journal knows it: what was sent, where to, and how that ended.

    The hashes, `format`, `frames` and the sizes describe what is sent; `original` is the sha256
    of the bytes that came in. `key` and `url` are empty until the state is done. `seen_at` is when
    the link was last known to work, `looks` how many of the daemon's looks at it were conclusive.
    Times are seconds since the epoch.
    """

    id: int
    original: str
    sha256: str
    sha1: str
    host: str
    bucket: str
    name: str
    origin: str
    format: str
    width_px: int
    height_px: int
    frames: int
    size_bytes: int
    state: State
    reason: Message | None
    notes: tuple[Message, ...]
    key: str
    url: str
    created_at: float
    alive: Alive
    seen_at: float
    looks: int = 0

    @property
    def target(self) -> Target:
        """Where it goes or went."""
        return Target(self.host, self.bucket)
