"""What goes over the pipes of the decoding process: a length, a JSON header, then plain bytes.

The parent trusts nothing that comes back: whoever decodes hostile bytes may be theirs.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any

from imghost.errors import ConfigError, ImageError, ImghostError
from imghost.imaging.check import Caps
from imghost.imaging.conversion import Conversion
from imghost.imaging.prepare import Prepared, Recipe
from imghost.imaging.sniff import format_of
from imghost.models import MIME_TYPES, Image, Limits, Message

_LENGTHS = struct.Struct(">IQ")  # of the header and of the bytes
_MAX_REPLY_HEADER = 1 << 16
_MAX_COUNT = 1 << 31
_MAX_NAME = 255
_MAX_DEPTH = 4
_ERRORS: Mapping[str, type[ImghostError]] = {
    kind.__name__: kind for kind in (ImageError, ConfigError)
}
_PLAIN = re.compile(r"(?:[^{}]|\{[a-z][a-z0-9_]*\})+")
_PLACE = re.compile(r"\{(\w+)\}")
_FIELD = re.compile(r"(?!(?:self|template)$)[a-z][a-z0-9_]*")


class BrokenReply(ValueError):
    """A reply that no honest child gives."""


def send_request(stream: IO[bytes], data: bytes, name: str, recipe: Recipe) -> None:
    """Ask for an image to be prepared. Raises OSError."""
    limits = {"formats": sorted(recipe.limits.formats)}
    parts = asdict(recipe)
    _send(stream, {"name": name, **parts, "limits": parts["limits"] | limits}, data)


def receive_request(stream: IO[bytes]) -> tuple[bytes, str, Recipe]:
    """The next request of a trusted parent. Raises EOFError when there is none."""
    header, data = _receive(stream)
    limits = header["limits"]
    recipe = Recipe(
        Caps(**header["caps"]),
        Limits(**limits | {"formats": frozenset(limits["formats"])}),
        Conversion(**header["conversion"]),
        header["style"],
    )
    return data, header["name"], recipe


def send_reply(stream: IO[bytes], reply: Prepared | ImghostError, asked: bytes) -> None:
    """Answer a request of these bytes, which are not sent back if they did not change."""
    if isinstance(reply, ImghostError):
        _send(stream, {"error": type(reply).__name__, "said": reply.message.as_json()}, b"")
        return
    image = reply.image
    same = image.data is asked
    described = [image.format, image.width_px, image.height_px, image.frames, image.name]
    notes = [note.as_json() for note in reply.notes]
    _send(stream, {"same": same, "image": described, "notes": notes}, b"" if same else image.data)


def receive_reply(stream: IO[bytes], asked: bytes, limits: Limits) -> Prepared | ImghostError:
    """The child's answer to a request of these bytes. Raises EOFError, OSError, BrokenReply."""
    header, data = _receive(stream, _MAX_REPLY_HEADER, limits.max_bytes)
    match header:
        case {"error": str(kind), "said": said, **rest} if kind in _ERRORS and not rest:
            message = _message(said)
            return _ERRORS[kind](message.template, **message.fields)
        case {"same": bool(same), "image": list(described), "notes": list(notes), **rest} if (
            not rest
        ):
            image = _image(described, asked if same else data)
            if image.format not in limits.formats or len(image.data) > limits.max_bytes:
                raise BrokenReply("an image that the host does not take")
            return Prepared(image, tuple(_message(note) for note in notes))
    raise BrokenReply("neither an image nor an error")


def _send(stream: IO[bytes], header: Mapping[str, Any], data: bytes) -> None:
    text = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(text), len(data)))
    stream.write(text)
    stream.write(data)
    stream.flush()


def _receive(
    stream: IO[bytes], max_header: int = _MAX_COUNT, max_data: int = _MAX_COUNT
) -> tuple[Any, bytes]:
    header_bytes, data_bytes = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if header_bytes > max_header or data_bytes > max_data:
        raise BrokenReply("more than was agreed on")
    text = _exactly(stream, header_bytes)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BrokenReply("no JSON") from exc
    return header, _exactly(stream, data_bytes)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _image(described: list[object], data: bytes) -> Image:
    match described:
        case [str(form), int(width_px), int(height_px), int(frames), str(name)]:
            counts = (width_px, height_px, frames)
            honest = all(type(count) is int and 0 < count < _MAX_COUNT for count in counts)
            if form in MIME_TYPES and form == format_of(data) and honest and _is_name(name):
                sha256 = hashlib.sha256(data).hexdigest()
                return Image(data, form, width_px, height_px, frames, sha256, name)
    raise BrokenReply("no image")


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _MAX_NAME and not {"/", "\\"} & set(text)


def _message(said: object) -> Message:
    try:
        message = Message.from_json(said)
    except (ValueError, RecursionError) as exc:
        raise BrokenReply("no message") from exc
    _refuse_tricks(message, _MAX_DEPTH)
    return message


def _refuse_tricks(message: Message, depth: int) -> None:
    """A template may only name its fields: formats could take memory, or look inside objects."""
    named = set(_PLACE.findall(message.template))
    if not (depth and _PLAIN.fullmatch(message.template) and named <= message.fields.keys()):
        raise BrokenReply("no plain template")
    for name, value in message.fields.items():
        if not _FIELD.fullmatch(name):
            raise BrokenReply("no field")
        if isinstance(value, Message):
            _refuse_tricks(value, depth - 1)
