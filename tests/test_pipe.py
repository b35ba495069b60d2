"""The decoding process's pipes: requests arrive whole, and no reply gets past that is not one."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import ConfigError, ImageError, ImghostError
from imghost.imaging.check import Caps, check
from imghost.imaging.conversion import Conversion
from imghost.imaging.pipe import (
    BrokenReply,
    receive_reply,
    receive_request,
    send_drawing_request,
    send_pixels_request,
    send_reply,
    send_request,
)
from imghost.imaging.prepare import Prepared, Recipe
from imghost.imaging.style import Style
from imghost.imaging.styled import DamagedError
from imghost.models import MIME_TYPES, Limits, Message
from tests.fakes.pictures import jpeg, png

LIMITS = Limits(1_000_000, frozenset({"png", "jpeg"}))
ASKED = png()
IMAGE = check(ASKED, "a.png", Caps())
NOTE = Message("scaled to {n} of {what}", {"n": 3, "what": Message("all")})
DESCRIBED = ["png", 64, 48, 1, "a.png"]
GOOD: dict[str, Any] = {"same": True, "image": DESCRIBED, "notes": []}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def framed(header: object, data: bytes = b"") -> BytesIO:
    """A reply of our own making."""
    text = json.dumps(header).encode()
    return BytesIO(struct.pack(">IQ", len(text), len(data)) + text + data)


def received(header: object, data: bytes = b"", limits: Limits = LIMITS) -> object:
    """What the parent makes of it."""
    return receive_reply(framed(header, data), ASKED, limits)


def there_and_back(reply: Prepared | ImghostError, limits: Limits = LIMITS) -> object:
    """What arrives of a reply."""
    stream = BytesIO()
    send_reply(stream, reply, ASKED)
    stream.seek(0)
    return receive_reply(stream, ASKED, limits)


@given(
    st.binary(),
    st.text(st.characters()),
    st.builds(
        Recipe,
        st.builds(Caps, st.floats(1, 1e4), st.floats(1, 1e4), st.integers(1, 10**9)),
        st.builds(
            Limits, st.integers(1, 10**9), st.frozensets(st.sampled_from(sorted(MIME_TYPES)))
        ),
        st.builds(Conversion),
        st.text(),
    ),
)
def test_a_request_arrives_as_it_was_sent(data: bytes, name: str, recipe: Recipe) -> None:
    """Whatever the name, even one that no file system gives, and whatever the recipe."""
    stream = BytesIO()
    send_request(stream, data, name, recipe)
    stream.seek(0)
    assert receive_request(stream) == (data, name, recipe)


@given(
    st.binary(),
    st.text(),
    st.builds(
        Style, width_px=st.none() | st.integers(1, 10**6), ending=st.sampled_from(["", "gif"])
    ),
)
def test_a_request_for_a_drawing_arrives_as_it_was_sent(
    data: bytes, name: str, style: Style
) -> None:
    """The bytes of the file, from its beginning, and the style."""
    stream, file = BytesIO(), BytesIO(data)
    file.read(3)
    send_drawing_request(stream, file, name, style)
    stream.seek(0)
    assert receive_request(stream) == (data, name, style)


@given(st.binary(), st.text())
def test_a_request_for_the_pixels_arrives_as_it_was_sent(data: bytes, name: str) -> None:
    """The bytes and the name, and neither a recipe nor a style."""
    stream = BytesIO()
    send_pixels_request(stream, data, name)
    stream.seek(0)
    assert receive_request(stream) == (data, name, None)


@pytest.mark.parametrize("digest", ["", "0" * 64, "ab" * 32])
def test_a_digest_of_pixels_arrives(digest: str) -> None:
    """It is 64 hex digits, or nothing."""
    stream = BytesIO()
    send_reply(stream, digest, ASKED)
    stream.seek(0)
    assert receive_reply(stream, ASKED, LIMITS) == digest


def test_the_end_of_the_requests_is_told_as_that() -> None:
    """A closed pipe, or half a request, is the end."""
    for half in (b"", b"\0\0", b"\0\0\0\x09\0\0\0\0\0\0\0\0{}"):
        with pytest.raises(EOFError):
            receive_request(BytesIO(half))


def test_an_image_and_its_notes_arrive() -> None:
    """A changed image comes with its bytes, an unchanged one is the very bytes that were sent."""
    same = there_and_back(Prepared(IMAGE, (NOTE,)))
    assert same == Prepared(IMAGE, (NOTE,))
    assert isinstance(same, Prepared)
    assert same.image.data is ASKED
    other = Prepared(check(jpeg(), "b.jpg", Caps()), ())
    assert there_and_back(other) == other


@pytest.mark.parametrize("kind", [ImageError, DamagedError, ConfigError])
def test_an_error_arrives_with_its_kind(kind: type[ImghostError]) -> None:
    """Its exit code, words and fields are the same."""
    back = there_and_back(kind("{name} is {n}", name="{a}", n=1.5))
    assert type(back) is kind
    assert str(back) == "{a} is 1.5"


@given(st.binary(max_size=200))
def test_random_bytes_are_no_reply(noise: bytes) -> None:
    """They raise one of the two errors that end the process."""
    with pytest.raises((BrokenReply, EOFError)):
        receive_reply(BytesIO(noise), ASKED, LIMITS)


@given(json_values)
def test_random_json_is_no_reply(header: object) -> None:
    """Well-formed JSON of another shape is refused too."""
    with pytest.raises(BrokenReply):
        received(header)


@given(st.sampled_from(["same", "image", "notes"]), json_values)
def test_a_reply_with_one_wrong_part_is_refused_or_harmless(part: str, value: object) -> None:
    """What is taken is an image with sane numbers, whatever stands in the reply."""
    try:
        reply = received(GOOD | {part: value}, ASKED)
    except BrokenReply:
        return
    assert isinstance(reply, Prepared)
    assert reply.image.data == ASKED
    assert "".join(str(note) for note in reply.notes) is not None


@pytest.mark.parametrize(
    "header",
    [
        GOOD | {"more": 1},
        GOOD | {"image": ["html", 64, 48, 1, "a.png"]},
        GOOD | {"image": ["jpeg", 64, 48, 1, "a.png"]},
        GOOD | {"image": ["png", 0, 48, 1, "a.png"]},
        GOOD | {"image": ["png", True, 48, 1, "a.png"]},
        GOOD | {"image": ["png", 2**40, 48, 1, "a.png"]},
        GOOD | {"image": ["png", 64, 48, 1, "../../a.png"]},
        GOOD | {"image": ["png", 64, 48, 1, "a" * 300]},
        GOOD | {"notes": [["{a.__class__}", {"a": "b"}]]},
        GOOD | {"notes": [["{a:>999999999}", {"a": "b"}]]},
        GOOD | {"notes": [["{a[0]}", {"a": "b"}]]},
        GOOD | {"notes": [["{a!r}", {"a": "b"}]]},
        GOOD | {"notes": [["{}", {}]]},
        GOOD | {"notes": [["{missing}", {}]]},
        GOOD | {"notes": [["{a}", {"a": ["{b.x}", {"b": "c"}]}]]},
        GOOD | {"notes": [["{a}", {"a": None}]]},
        {"pixels": "0" * 63},
        {"pixels": "A" * 64},
        {"pixels": "", "more": 1},
        {"error": "MachineError", "said": ["x", {}]},
        {"error": "ImageError", "said": ["x", {"self": 1}]},
        {"error": "ImageError", "said": ["x", {"template": 1}]},
        {"error": "ImageError", "said": "x"},
    ],
)
def test_a_reply_that_lies_is_refused(header: object) -> None:
    """Formats, sizes, names and sentences are held against what they may be."""
    with pytest.raises(BrokenReply):
        received(header)


def test_a_sentence_cannot_be_nested_without_end() -> None:
    """Messages within messages end soon, and deep JSON is no crash."""
    said: list[object] = ["end", {}]
    for _ in range(20):
        said = ["{a}", {"a": said}]
    with pytest.raises(BrokenReply):
        received({"error": "ImageError", "said": said})
    text = b"[" * 60_000
    with pytest.raises(BrokenReply):
        receive_reply(BytesIO(struct.pack(">IQ", len(text), 0) + text), ASKED, LIMITS)


def test_a_reply_larger_than_was_agreed_on_is_not_even_read() -> None:
    """The lengths are looked at before any memory is taken."""
    for lengths in ((1 << 20, 0), (2, LIMITS.max_bytes + 1), (2**32 - 1, 2**64 - 1)):
        with pytest.raises(BrokenReply):
            receive_reply(BytesIO(struct.pack(">IQ", *lengths)), ASKED, LIMITS)


def test_an_image_that_the_host_does_not_take_is_refused() -> None:
    """Its format and its size are held against the host's limits."""
    for limits in (replace(LIMITS, formats=frozenset({"jpeg"})), replace(LIMITS, max_bytes=10)):
        with pytest.raises(BrokenReply):
            received(GOOD, limits=limits)
