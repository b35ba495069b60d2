"""What goes over the pipes of the decoding process: a length, a JSON header, then plain bytes.

The parent trusts nothing that comes back: whoever decodes hostile bytes may be theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import struct
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from io import BytesIO
from typing import IO, Any

from imghost.errors import ConfigError, ImageError, ImageUnfinished, ImghostError
from imghost.imaging.check import Caps
from imghost.imaging.conversion import Conversion
from imghost.imaging.prepare import Prepared, Recipe
from imghost.imaging.sniff import format_of
from imghost.imaging.style import Style
from imghost.imaging.styled import DamagedError
from imghost.models import MIME_TYPES, Image, Limits, Message

_LENGTHS = struct.Struct(">IQ")  # of the header and of the bytes
_MAX_REPLY_HEADER = 1 << 16
_MAX_COUNT = 1 << 31
_MAX_NAME = 255
_PIECE_BYTES = 1 << 20
_DIGEST = re.compile("(?:[0-9a-f]{64})?")
_ERRORS: Mapping[str, type[ImghostError]] = {
    kind.__name__: kind for kind in (ImageError, ImageUnfinished, DamagedError, ConfigError)
}


class BrokenReply(ValueError):
    """A reply that no honest child gives."""


def send_request(stream: IO[bytes], data: bytes, name: str, recipe: Recipe) -> None:
    """Ask for an image to be prepared. Raises OSError."""
    _send(stream, {"name": name, **_parts(recipe)}, BytesIO(data))


@lru_cache(maxsize=8)
def _parts(recipe: Recipe) -> dict[str, Any]:
    parts = asdict(recipe)
    return parts | {"limits": parts["limits"] | {"formats": sorted(recipe.limits.formats)}}


def send_drawing_request(stream: IO[bytes], original: IO[bytes], name: str, style: Style) -> None:
    """Ask for a file to be drawn in a style; it is never whole in memory here. Raises OSError."""
    _send(stream, {"name": name, "draw": str(style)}, original)


def send_pixels_request(stream: IO[bytes], data: bytes, name: str) -> None:
    """Ask for the digest of an image's pixels. Raises OSError."""
    _send(stream, {"name": name}, BytesIO(data))


def receive_request(stream: IO[bytes]) -> tuple[bytes, str, Recipe | Style | None]:
    """The next request of a trusted parent, None being for the digest of the pixels.

    Raises EOFError when there is none.
    """
    header, data = _receive(stream)
    if header.keys() == {"name"}:
        return data, header["name"], None
    if "draw" in header:
        return data, header["name"], Style.parse(header["draw"])
    limits = header["limits"]
    recipe = Recipe(
        Caps(**header["caps"]),
        Limits(**limits | {"formats": frozenset(limits["formats"])}),
        Conversion(**header["conversion"]),
        header["style"],
        header["spares_animations"],
    )
    return data, header["name"], recipe


def send_reply(stream: IO[bytes], reply: Prepared | str | ImghostError, asked: bytes) -> None:
    """Answer; bytes that were `asked` for and did not change are not sent back."""
    if isinstance(reply, str):
        _send(stream, {"pixels": reply}, BytesIO())
        return
    if isinstance(reply, ImghostError):
        _send(stream, {"error": type(reply).__name__, "said": reply.message.as_json()}, BytesIO())
        return
    image = reply.image
    same = image.data is asked
    described = [image.format, image.width_px, image.height_px, image.frames, image.name]
    notes = [note.as_json() for note in reply.notes]
    header = {"same": same, "image": described, "notes": notes}
    _send(stream, header, BytesIO() if same else BytesIO(image.data))


def receive_reply(stream: IO[bytes], asked: bytes, limits: Limits) -> Prepared | str | ImghostError:
    """The child's answer to a request of these bytes. Raises EOFError, OSError, BrokenReply."""
    sha256 = hashlib.sha256(asked).hexdigest()  # while the child is at work
    header, data = _receive(stream, _MAX_REPLY_HEADER, limits.max_bytes)
    match header:
        case {"error": str(kind), "said": said, **rest} if kind in _ERRORS and not rest:
            message = _message(said)
            return _ERRORS[kind](message.template, **message.fields)
        case {"pixels": str(digest), **rest} if not rest and _DIGEST.fullmatch(digest):
            return digest
        case {"same": bool(same), "image": list(described), "notes": list(notes), **rest} if (
            not rest
        ):
            image = _image(described, asked, sha256) if same else _image(described, data)
            if image.format not in limits.formats or len(image.data) > limits.max_bytes:
                raise BrokenReply("an image that the host does not take")
            return Prepared(image, tuple(_message(note) for note in notes))
    raise BrokenReply("neither an image nor an error")


def _send(stream: IO[bytes], header: Mapping[str, Any], data: IO[bytes]) -> None:
    text = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(text), data.seek(0, os.SEEK_END)))
    stream.write(text)
    data.seek(0)
    shutil.copyfileobj(data, stream, _PIECE_BYTES)
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


def _image(described: list[object], data: bytes, sha256: str = "") -> Image:
    match described:
        case [str(form), int(width_px), int(height_px), int(frames), str(name)]:
            counts = (width_px, height_px, frames)
            honest = all(type(count) is int and 0 < count < _MAX_COUNT for count in counts)
            if form in MIME_TYPES and form == format_of(data) and honest and _is_name(name):
                sha256 = sha256 or hashlib.sha256(data).hexdigest()
                return Image(data, form, width_px, height_px, frames, sha256, name)
    raise BrokenReply("no image")


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _MAX_NAME and not {"/", "\\"} & set(text)


def _message(said: object) -> Message:
    try:
        return Message.from_json(said)
    except (ValueError, RecursionError) as exc:
        raise BrokenReply("no message") from exc
