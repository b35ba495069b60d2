"""Tests of the clipboard of macOS, on a pasteboard in memory that behaves as documented."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from imghost.clipboard import MARKED, NOT_HANDED_OVER, TOO_LARGE, WITH_TEXT, Offer
from imghost.desktop.clipboard_macos import MacClipboard
from imghost.errors import MachineError
from imghost.models import Message
from tests.fakes.macos import FakeMac
from tests.fakes.pictures import encoded, jpeg, picture, png
from tests.fakes.program import eventually
from tests.fakes.rubicon import FakeRuntime
from tests.fakes.watcher import Watcher

MAX_BYTES = 1_000_000
POLL_S = 0.005
LINK = "![](http://127.0.0.1/a.png)"
TEXT = "public.utf8-plain-text"
PNG, TIFF = png(), encoded(picture(), "TIFF")
PATHS = ("/Users/a/b é.gif", "/Users/a/a.png")


@pytest.fixture
def mac() -> FakeMac:
    """The system, with nothing copied."""
    return FakeMac()


@pytest.fixture
def clipboard(mac: FakeMac) -> Iterator[MacClipboard]:
    """Its clipboard."""
    found = MacClipboard(POLL_S, mac)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("contents", "bitmap"),
    [
        ({"public.tiff": TIFF, "public.png": PNG}, PNG),
        ({"public.jpeg": jpeg()}, jpeg()),
        ({"public.html": b"<img>", "public.tiff": TIFF}, TIFF),
    ],
)
def test_a_picture_is_read_as_it_was_copied(
    mac: FakeMac, clipboard: MacClipboard, contents: dict[str, bytes], bitmap: bytes
) -> None:
    """The bytes come unchanged, of the best type that is there."""
    mac.copied(contents)
    assert clipboard.read(MAX_BYTES).bitmap == bitmap


def test_files_come_in_their_order(mac: FakeMac, clipboard: MacClipboard) -> None:
    """Copied files win over the icon and the names that stand beside them."""
    mac.copied({TEXT: b"b", "public.tiff": TIFF}, PATHS)
    held = clipboard.read(MAX_BYTES)
    assert (held.paths, held.bitmap) == (PATHS, b"")


@pytest.mark.parametrize(
    ("contents", "paths", "reason"),
    [
        ({"public.png": PNG, TEXT: b"a table"}, (), WITH_TEXT),
        ({"public.png": PNG, "org.nspasteboard.ConcealedType": b""}, (), MARKED),
        ({"org.nspasteboard.TransientType": b""}, PATHS, MARKED),
        ({"public.png": b""}, (), NOT_HANDED_OVER),
        ({"public.png": bytes(MAX_BYTES + 1)}, (), TOO_LARGE),
        ({TEXT: b"words", "org.nspasteboard.ConcealedType": b""}, (), None),
    ],
)
def test_what_is_left_alone_has_its_reason(
    mac: FakeMac,
    clipboard: MacClipboard,
    contents: dict[str, bytes],
    paths: tuple[str, ...],
    reason: Message | None,
) -> None:
    """Nothing is taken of tables and secrets, and it is said why."""
    mac.copied(contents, paths)
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.paths, held.reason, held.ours) == (b"", (), reason, False)


def test_an_empty_clipboard_is_known(clipboard: MacClipboard) -> None:
    """Nothing is there, and nothing is left alone."""
    held = clipboard.read(MAX_BYTES)
    assert (held.empty, held.reason) == (True, None)


def test_changes_are_told(mac: FakeMac, clipboard: MacClipboard) -> None:
    """Each copying is told, ours too, and not what was there before."""
    mac.copied({"public.png": PNG})
    watcher = Watcher(clipboard)
    eventually(lambda: mac.looks > 0)
    mac.copied({TEXT: b"1"})
    watcher.told(1)
    clipboard.put(Offer(LINK))
    watcher.told(2)
    looks = mac.looks
    eventually(lambda: mac.looks > looks + 3)
    assert watcher.changes == 2
    clipboard.close()
    watcher.ended()


def test_a_picture_is_replaced_by_its_link(mac: FakeMac, clipboard: MacClipboard) -> None:
    """While nobody copied, the link takes the picture's place, and is known as ours."""
    mac.copied({"public.png": PNG})
    mark = clipboard.read(MAX_BYTES).mark
    assert clipboard.replace(mark, Offer(LINK, picture=PNG, mime_type="image/png"))
    assert mac.contents == {TEXT: LINK.encode(), "public.png": PNG}
    assert clipboard.read(MAX_BYTES).ours
    assert not clipboard.replace(mark, Offer("again"))


def test_what_was_copied_since_stays(mac: FakeMac, clipboard: MacClipboard) -> None:
    """What somebody copies, even while the picture is read, is not replaced."""
    mac.copied({"public.png": PNG})
    mac.before_get = lambda: mac.copied({"public.png": jpeg()})
    mark = clipboard.read(MAX_BYTES).mark
    assert not clipboard.replace(mark, Offer(LINK))
    assert mac.contents == {"public.png": jpeg()}


def test_a_pasteboard_that_is_taken_away_at_once_is_no_success(
    mac: FakeMac, clipboard: MacClipboard
) -> None:
    """What somebody copies between our two calls stays, and is not called ours."""
    mark = clipboard.read(MAX_BYTES).mark
    mac.before_set = lambda: mac.copied({"public.png": PNG})
    assert not clipboard.replace(mark, Offer(LINK))
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.ours) == (PNG, False)


def test_files_are_put_back_as_files(mac: FakeMac, clipboard: MacClipboard) -> None:
    """Files come as file managers read them, and are known as ours until somebody copies."""
    clipboard.put(Offer(paths=PATHS))
    held = clipboard.read(MAX_BYTES)
    assert (held.paths, held.ours) == (PATHS, True)
    mac.copied({}, PATHS)
    assert not clipboard.read(MAX_BYTES).ours


def test_an_owner_that_hangs_is_left(mac: FakeMac) -> None:
    """A program that does not hand its copy over is given up, and does no harm when it wakes."""
    clipboard = MacClipboard(POLL_S, mac, limit_s=0.05)
    mac.copied({"public.png": PNG})
    mac.answers.clear()
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.reason) == (b"", NOT_HANDED_OVER)
    with pytest.raises(MachineError):
        clipboard.put(Offer(LINK))
    mac.answers.set()
    eventually(lambda: clipboard.read(MAX_BYTES).bitmap == PNG)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    """The runtime of Objective-C, where there is none."""
    found = FakeRuntime()
    for name, module in (("rubicon", object()), ("rubicon.objc", object())):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "rubicon.objc.runtime", found)
    return found


def test_the_messages_are_those_of_macos(runtime: FakeRuntime) -> None:
    """What is put goes through the runtime and back, each message with the types it takes."""
    clipboard = MacClipboard(POLL_S)
    assert clipboard.read(MAX_BYTES).empty
    data = PNG + bytes(3)
    clipboard.put(Offer("![](é)", picture=data, mime_type="image/png"))
    assert runtime.items == [{TEXT: "![](é)".encode(), "public.png": data}]
    clipboard.put(Offer(picture=data, mime_type="image/png"))
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.ours) == (data, True)
    assert clipboard.read(len(data) - 1).reason == TOO_LARGE
    assert clipboard.replace(held.mark, Offer(paths=PATHS))
    assert clipboard.read(MAX_BYTES).paths == PATHS
    assert not clipboard.replace(held.mark, Offer(LINK))


def test_a_file_may_be_named_by_a_number(runtime: FakeRuntime) -> None:
    """The file manager's URLs are made paths by the system; what is no file is left out."""
    runtime.paths = {"file:///.file/id=1.2": "file:///Users/a/b%20c.png"}
    runtime.copied(
        {"public.file-url": b"file:///.file/id=1.2"},
        {"public.file-url": b"https://host/a.png"},
        {TEXT: b"words"},
    )
    assert MacClipboard(POLL_S).read(MAX_BYTES).paths == ("/Users/a/b c.png",)


def test_a_session_without_a_pasteboard_is_told(runtime: FakeRuntime) -> None:
    """A process outside the user's session hears that it has no clipboard."""
    runtime.has_pasteboard = False
    with pytest.raises(MachineError) as caught:
        MacClipboard(POLL_S)
    assert caught.value.exit_code == 10
