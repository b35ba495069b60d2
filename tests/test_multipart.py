"""Forms are let go of as soon as they are dealt with: nobody waits for the garbage collector."""

from __future__ import annotations

import gc
import logging
import tracemalloc
import weakref
from collections.abc import Iterator

import pytest

from imghost.dirs import Dirs
from imghost.errors import UsageError
from imghost.server.multipart import Form
from tests.fakes.editor import FORM, form, open_door
from tests.fakes.program import eventually
from tests.fakes.serving import connected

LARGE_BYTES = 8_000_000
SLACK_BYTES = 4_000_000


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Circles stay."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def held() -> Iterator[None]:
    """What is held is counted."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def held_bytes() -> int:
    """How much memory is held now."""
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_form_is_gone_with_its_last_user(share: float) -> None:
    """Whether it came whole or ended in its middle."""
    sent = form(("file", "a.png", b"x" * 1000))
    read = Form(FORM)
    read.feed(sent[: int(len(sent) * share)])
    if share < 1:
        with pytest.raises(UsageError, match="middle"):
            read.files()
    else:
        assert [len(file.data) for file in read.files()] == [1000]
    gone = weakref.ref(read)
    del read
    assert gone() is None


def test_a_picture_is_not_copied(held: None) -> None:
    """It is held once while it comes, and once when it has come."""
    assert held is None
    piece, count = b"x" * 100_000, LARGE_BYTES // 100_000
    head, tail = form(("file", "a.png", b"|")).split(b"|")
    read = Form(FORM)
    tracemalloc.reset_peak()
    before = held_bytes()
    for part in (head, *[piece] * count, tail):
        read.feed(part)
    (file,) = read.files()
    assert len(file.data) == LARGE_BYTES
    assert tracemalloc.get_traced_memory()[1] - before < LARGE_BYTES + SLACK_BYTES


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_the_door_keeps_nothing_of_what_was_sent(
    dirs: Dirs, held: None, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither of a form that is no picture, nor of one whose sender hung up."""
    assert held is None
    caplog.set_level(logging.INFO, "imghost")  # pytest keeps tracebacks, and what stands in them
    body = form(("file", "a.png", b"\x89PNG\r\n\x1a\n" + bytes(LARGE_BYTES)))
    with open_door(dirs) as door:
        door.post("/upload", form(("file", "a.png", b"x")), {"Content-Type": FORM})
        before = held_bytes()
        for _ in range(3):
            head = f"POST /upload HTTP/1.1\r\nHost: localhost:{door.port}\r\n"
            head += f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
            with connected(door.port) as peer:
                peer.sendall(head.encode() + body[: int(len(body) * share)])
                if share == 1:
                    peer.recv(100)
        eventually(lambda: held_bytes() - before < SLACK_BYTES)
