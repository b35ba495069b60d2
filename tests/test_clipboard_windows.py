"""Tests of the clipboard of Windows, on a clipboard in memory that behaves as documented."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imghost.clipboard import CUT, MARKED, NOT_HANDED_OVER, TOO_LARGE, WITH_TEXT, Offer
from imghost.desktop import windows_formats
from imghost.desktop.clipboard_windows import WindowsClipboard
from imghost.errors import MachineError
from imghost.models import Message
from tests.fakes.pictures import encoded, jpeg, picture, png
from tests.fakes.program import eventually
from tests.fakes.watcher import Watcher
from tests.fakes.windows import FakeWindows
from tests.fakes.windows_dll import FakeDlls

MAX_BYTES = 1_000_000
POLL_S = 0.005
LINK = "![](http://127.0.0.1/a.png)"
PNG = png()
DIB = encoded(picture(), "DIB")
PATHS = (r"C:\Bilder\b é.gif", r"\\server\share\a.png")
FILES = windows_formats.drop_files(PATHS)
MOVE, COPY_OR_LINK = b"\2\0\0\0", b"\5\0\0\0"


@pytest.fixture
def windows() -> FakeWindows:
    """The system, with nothing copied."""
    return FakeWindows()


@pytest.fixture
def clipboard(windows: FakeWindows) -> Iterator[WindowsClipboard]:
    """Its clipboard."""
    found = WindowsClipboard(POLL_S, windows)
    yield found
    found.close()


def pixels(data: bytes) -> bytes:
    """What a decoder sees."""
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("name", ["PNG", "image/png"])
def test_a_file_is_preferred_to_a_bitmap(
    windows: FakeWindows, clipboard: WindowsClipboard, name: str
) -> None:
    """Where a program offers a PNG file, its own bytes come."""
    windows.copied({"CF_DIB": DIB, name: PNG})
    assert clipboard.read(MAX_BYTES).bitmap == PNG


@pytest.mark.parametrize("mode", ["1", "P", "L", "RGB", "RGBA"])
def test_a_bitmap_becomes_a_file(
    windows: FakeWindows, clipboard: WindowsClipboard, mode: str
) -> None:
    """A bitmap of any depth is read as a BMP file with the same pixels."""
    shown = picture(63, 47, mode=mode)
    windows.copied({"CF_DIB": encoded(shown, "DIB")})
    held = clipboard.read(MAX_BYTES)
    assert held.bitmap[:2] == b"BM"
    assert pixels(held.bitmap) == shown.convert("RGB").tobytes()


def test_a_bitmap_with_masks_becomes_a_file() -> None:
    """The masks behind an old header are no pixels."""
    header = (40).to_bytes(4, "little") + (2).to_bytes(4, "little") + (1).to_bytes(4, "little")
    header += b"\1\0\x20\0" + (3).to_bytes(4, "little") + bytes(20)
    masks = b"\0\0\xff\0" + b"\0\xff\0\0" + b"\xff\0\0\0"
    assert pixels(windows_formats.bmp(header + masks + b"\3\2\1\0\6\5\4\0")) == bytes(range(1, 7))


def test_files_come_in_their_order(windows: FakeWindows, clipboard: WindowsClipboard) -> None:
    """Copied files win over whatever stands beside them."""
    windows.copied(
        {
            "PNG": PNG,
            "CF_UNICODETEXT": b"x\0",
            "CF_HDROP": FILES,
            "Preferred DropEffect": COPY_OR_LINK,
        }
    )
    assert clipboard.read(MAX_BYTES).paths == PATHS


@pytest.mark.parametrize(
    ("formats", "reason"),
    [
        ({"CF_HDROP": FILES, "Preferred DropEffect": MOVE}, CUT),
        ({"PNG": PNG, "CF_TEXT": b"a table"}, WITH_TEXT),
        ({"PNG": PNG, "ExcludeClipboardContentFromMonitorProcessing": b"\1"}, MARKED),
        ({"CF_HDROP": FILES, "Clipboard Viewer Ignore": b""}, MARKED),
        ({"CF_BITMAP": b"", "CF_DIB": DIB, "CanIncludeInClipboardHistory": bytes(4)}, MARKED),
        ({"PNG": b""}, NOT_HANDED_OVER),
        ({"CF_DIB": b"broken"}, NOT_HANDED_OVER),
        ({"PNG": bytes(MAX_BYTES + 1)}, TOO_LARGE),
        ({"CF_TEXT": b"words", "Clipboard Viewer Ignore": b"\1"}, None),
    ],
)
def test_what_is_left_alone_has_its_reason(
    windows: FakeWindows,
    clipboard: WindowsClipboard,
    formats: dict[str, bytes],
    reason: Message | None,
) -> None:
    """Nothing is taken of cut files, tables and secrets, and it is said why."""
    windows.copied(formats)
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.paths, held.reason) == (b"", (), reason)
    assert (held.ours, held.empty) == (False, False)


def test_what_may_be_in_the_history_is_taken(
    windows: FakeWindows, clipboard: WindowsClipboard
) -> None:
    """The mark of the history forbids only when it is 0."""
    windows.copied({"PNG": PNG, "CanIncludeInClipboardHistory": b"\1\0\0\0"})
    assert clipboard.read(MAX_BYTES).bitmap == PNG


def test_an_empty_clipboard_is_known(clipboard: WindowsClipboard) -> None:
    """Nothing is there, and nothing is left alone."""
    held = clipboard.read(MAX_BYTES)
    assert (held.empty, held.reason) == (True, None)


def watch(windows: FakeWindows, clipboard: WindowsClipboard) -> Watcher:
    """Somebody who waits for changes from now on."""
    watcher = Watcher(clipboard)
    eventually(lambda: windows.looks > 0)
    return watcher


def stand_still(windows: FakeWindows) -> None:
    """Wait until the count was looked at some times more."""
    looks = windows.looks
    eventually(lambda: windows.looks > looks + 3)


def test_changes_are_told(windows: FakeWindows, clipboard: WindowsClipboard) -> None:
    """Each copying is told, ours too, and not what was there before."""
    windows.copied({"PNG": PNG})
    watcher = watch(windows, clipboard)
    windows.copied({"CF_TEXT": b"1"})
    watcher.told(1)
    windows.copied({"CF_TEXT": b"2"})
    watcher.told(2)
    stand_still(windows)
    assert watcher.changes == 2
    clipboard.put(Offer(LINK))
    watcher.told(3)
    clipboard.close()
    watcher.ended()
    assert watcher.error is None


def test_what_we_make_an_owner_render_is_no_change(
    windows: FakeWindows, clipboard: WindowsClipboard
) -> None:
    """Windows counts a format that is made when it is asked for; nobody copied then."""
    watcher = watch(windows, clipboard)
    windows.late = {"PNG"}
    windows.copied({"PNG": PNG})
    watcher.told(1)
    held = clipboard.read(MAX_BYTES)
    assert held.bitmap == PNG
    stand_still(windows)
    assert watcher.changes == 1
    assert clipboard.replace(held.mark, Offer(LINK))
    clipboard.close()


def test_a_session_without_a_clipboard_is_told(
    windows: FakeWindows, clipboard: WindowsClipboard
) -> None:
    """A service, or a session that ended, has no clipboard: that is said, not waited for."""
    watcher = watch(windows, clipboard)
    windows.number = 0
    watcher.ended()
    assert watcher.error
    with pytest.raises(MachineError) as caught:
        clipboard.read(MAX_BYTES)
    assert caught.value.exit_code == 10


def test_a_picture_is_replaced_by_its_link(
    windows: FakeWindows, clipboard: WindowsClipboard
) -> None:
    """While nobody copied, the link takes the picture's place, and is known as ours."""
    windows.copied({"PNG": PNG})
    mark = clipboard.read(MAX_BYTES).mark
    assert clipboard.replace(mark, Offer(f"{LINK}\n{LINK}"))
    text = windows.formats["CF_UNICODETEXT"].decode("utf-16-le")
    assert text == f"{LINK}\r\n{LINK}\0"
    assert clipboard.read(MAX_BYTES).ours
    assert not clipboard.replace(mark, Offer("again"))


def test_what_was_copied_since_stays(windows: FakeWindows, clipboard: WindowsClipboard) -> None:
    """What somebody copies at the last moment, before we are alone, is not replaced."""
    windows.copied({"PNG": PNG})
    mark = clipboard.read(MAX_BYTES).mark
    windows.before_open = lambda: windows.copied({"PNG": PNG})
    assert not clipboard.replace(mark, Offer(LINK))
    windows.before_open = lambda: None
    assert windows.formats == {"PNG": PNG}
    assert not clipboard.read(MAX_BYTES).ours


def test_a_link_goes_with_its_picture(windows: FakeWindows, clipboard: WindowsClipboard) -> None:
    """Programs that paste pictures find the file and a bitmap of it, others the text."""
    data = jpeg()
    clipboard.put(Offer(LINK, picture=data, mime_type="image/jpeg"))
    assert windows.formats["JFIF"] == data
    assert pixels(windows_formats.bmp(windows.formats["CF_DIB"])) == pixels(data)
    assert windows.has("CF_UNICODETEXT")


def test_a_picture_that_cannot_be_decoded_goes_as_it_is(
    windows: FakeWindows, clipboard: WindowsClipboard
) -> None:
    """A format that Pillow does not know comes without a bitmap, under its type."""
    clipboard.put(Offer(picture=b"heic", mime_type="image/heic"))
    assert windows.formats.keys() == {"imghost", "image/heic"}


def test_files_are_put_back_as_copied(windows: FakeWindows, clipboard: WindowsClipboard) -> None:
    """Files come as file managers read them: copied, not cut."""
    clipboard.put(Offer(paths=PATHS))
    assert windows.formats["Preferred DropEffect"] == b"\1\0\0\0"
    held = clipboard.read(MAX_BYTES)
    assert (held.paths, held.ours) == (PATHS, True)


def test_a_busy_clipboard_is_waited_for(windows: FakeWindows, clipboard: WindowsClipboard) -> None:
    """Another program that has it open for a moment does no harm."""
    windows.copied({"PNG": PNG})
    windows.busy = 3
    mark = clipboard.read(MAX_BYTES).mark
    windows.busy = 3
    assert clipboard.replace(mark, Offer(LINK))


def test_a_clipboard_that_stays_busy_is_left(
    windows: FakeWindows, clipboard: WindowsClipboard
) -> None:
    """A program that never closes it cannot hold us up, and it is said."""
    windows.copied({"PNG": PNG})
    windows.busy = 1_000_000
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.reason) == (b"", NOT_HANDED_OVER)
    assert not clipboard.replace(held.mark, Offer(LINK))
    with pytest.raises(MachineError) as caught:
        clipboard.put(Offer(LINK))
    assert "another program" in str(caught.value)


def test_an_owner_that_hangs_is_left(windows: FakeWindows) -> None:
    """A program that does not hand its copy over is given up, and does no harm when it wakes."""
    clipboard = WindowsClipboard(POLL_S, windows, limit_s=0.05)
    windows.copied({"PNG": PNG})
    windows.answers.clear()
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.reason) == (b"", NOT_HANDED_OVER)
    assert not clipboard.replace(held.mark, Offer(LINK))
    with pytest.raises(MachineError):
        clipboard.put(Offer(LINK))
    windows.answers.set()
    eventually(lambda: clipboard.read(MAX_BYTES).bitmap == PNG)


def test_what_windows_refuses_is_told(windows: FakeWindows, clipboard: WindowsClipboard) -> None:
    """An error of the system comes with its words, and leaves the clipboard to others."""
    windows.fails = True
    with pytest.raises(MachineError) as caught:
        clipboard.put(Offer(LINK))
    assert "Access is denied" in str(caught.value)
    windows.copied({"PNG": PNG})
    assert clipboard.read(MAX_BYTES).bitmap == PNG


@pytest.fixture
def dlls(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDlls]:
    """The libraries of Windows, where there are none."""
    found = FakeDlls()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", found.load, raising=False)
    monkeypatch.setattr(ctypes, "get_last_error", found.last_error, raising=False)
    monkeypatch.setattr(ctypes, "WinError", found.error, raising=False)
    yield found
    sys.modules.pop("imghost.desktop.windows_calls", None)
    assert (found.windows, found.locked) == (set(), [])
    assert found.memory.keys() == {*found.formats.values()}


def test_the_calls_are_those_of_windows(dlls: FakeDlls) -> None:
    """What is put goes through the libraries and back, and no window, lock or memory is left."""
    clipboard = WindowsClipboard(POLL_S)
    assert clipboard.read(MAX_BYTES).empty
    clipboard.put(Offer(LINK))
    clipboard.put(Offer(picture=PNG, mime_type="image/png"))
    assert dlls.content("PNG") == PNG
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.ours) == (PNG, True)
    assert clipboard.read(len(PNG) - 1).reason == TOO_LARGE
    assert clipboard.replace(held.mark, Offer(paths=PATHS))
    assert clipboard.read(MAX_BYTES).paths == PATHS
    assert not clipboard.replace(held.mark, Offer(LINK))


def test_a_call_that_fails_leaves_nothing_behind(
    dlls: FakeDlls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Windows did not take over is freed, and its error is told."""
    clipboard = WindowsClipboard(POLL_S)
    with monkeypatch.context() as patch:
        patch.setattr(dlls, "_set_clipboard_data", lambda *_: None)
        with pytest.raises(MachineError) as caught:
            clipboard.put(Offer(LINK))
    assert "Access is denied" in str(caught.value)
    dlls.refuses = True
    assert clipboard.read(MAX_BYTES).reason == NOT_HANDED_OVER


@given(st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1).map("C:\\".__add__)))
def test_copied_files_survive_the_way(paths: list[str]) -> None:
    """Any names, lone surrogates too, are read as they were written."""
    assert windows_formats.paths(windows_formats.drop_files(paths)) == tuple(paths)


@given(st.binary(), st.binary())
def test_broken_formats_are_nothing(junk: bytes, tail: bytes) -> None:
    """Whatever another program offers, reading it raises nothing, and gives absolute paths."""
    for data in (junk, FILES[:20] + junk, (40).to_bytes(4, "little") + junk + tail):
        assert all(path[1:3] == ":\\" or path[:1] in "\\/" for path in windows_formats.paths(data))
        file = windows_formats.bmp(data)
        assert file in (b"", file[:14] + data)
