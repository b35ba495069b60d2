"""Tests of the X11 clipboard: what it hands to programs that paste, on a real X server."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from imghost.clipboard import TOO_LARGE, Held, Offer
from imghost.desktop import x11_owning
from imghost.desktop.clipboard_x11 import X11Clipboard
from tests.fakes.pictures import png
from tests.fakes.program import eventually
from tests.fakes.x11 import DEADLINE_S, Client, Requestor, Watcher
from tests.fakes.x11_owners import Conduct, Manager, Owner

MAX_BYTES = 20_000_000
PICTURE = png()
LARGE = PICTURE + os.urandom(15_000_000)
LINK = Offer(text="![图](http://127.0.0.1/a.png)")
PATHS = ("/tmp/图片 100%.png", "/tmp/b.gif")
PROMPT_S = 3.0


@pytest.fixture
def clipboard(display: str) -> Iterator[X11Clipboard]:
    """The clipboard of a display where nobody holds anything, answered on another thread."""
    found = X11Clipboard(display)
    watcher = Watcher(found)
    yield found
    found.close()
    assert watcher.ended()
    assert watcher.error is None


def pasted(display: str, target: str) -> bytes | None:
    """What a program gets that pastes."""
    with Requestor(display) as requestor:
        return requestor.paste(target)


def test_text_is_pasted_by_real_programs(display: str, clipboard: X11Clipboard) -> None:
    """What we put is what xclip and xsel paste."""
    clipboard.put(LINK)
    environ = os.environ | {"DISPLAY": display}
    for words in (["xclip", "-selection", "clipboard", "-o"], ["xsel", "-b", "-o"]):
        found = subprocess.check_output(words, env=environ, timeout=DEADLINE_S)
        assert found.decode() == LINK.text


def test_every_format_can_be_had(display: str, clipboard: X11Clipboard) -> None:
    """Text in all its formats, a picture under its type, files as file managers offer them."""
    utf8 = LINK.text.encode()
    clipboard.put(Offer(text=LINK.text, picture=PICTURE, mime_type="image/png"))
    for target in ("UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "TEXT"):
        assert pasted(display, target) == utf8
    assert pasted(display, "STRING") == LINK.text.encode("latin-1", "replace")
    assert pasted(display, "image/png") == PICTURE
    assert pasted(display, "image/gif") is None
    clipboard.put(Offer(paths=PATHS))
    gnome = pasted(display, "x-special/gnome-copied-files")
    assert gnome == b"copy\nfile:///tmp/%E5%9B%BE%E7%89%87%20100%25.png\nfile:///tmp/b.gif"
    assert pasted(display, "text/uri-list") == gnome[5:].replace(b"\n", b"\r\n") + b"\r\n"
    assert pasted(display, "UTF8_STRING") is None


def test_what_is_offered_is_listed(display: str, clipboard: X11Clipboard) -> None:
    """TARGETS names what can be had, and TIMESTAMP the moment that was marked."""
    mark = clipboard.read(MAX_BYTES).mark
    assert clipboard.replace(mark, LINK)
    with Requestor(display) as requestor:
        names = {requestor.x.get_atom_name(atom) for atom in requestor.ask("TARGETS").value}
        assert {"TARGETS", "MULTIPLE", "TIMESTAMP", "UTF8_STRING", "text/plain"} <= names
        assert list(requestor.ask("TIMESTAMP").value) == [mark]


def test_several_formats_at_once(display: str, clipboard: X11Clipboard) -> None:
    """MULTIPLE gives each format it can, large ones in pieces, and names those it cannot."""
    clipboard.put(Offer(text="a", picture=LARGE, mime_type="image/png"))
    with Requestor(display) as requestor:
        found = requestor.paste_several("TEXT", "image/gif", "image/png", "MULTIPLE", "STRING")
        assert found == {"TEXT": b"a", "image/png": LARGE, "STRING": b"a"}
        assert requestor.ask("MULTIPLE", place="no such property") is None


def test_our_own_is_known(clipboard: X11Clipboard) -> None:
    """What we hold is read back as ours, by the same rules and limits."""
    clipboard.put(Offer(picture=PICTURE, mime_type="image/png"))
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.ours, held.inherited) == (PICTURE, True, False)
    held = clipboard.read(len(PICTURE) - 1)
    assert (held.bitmap, held.ours, held.reason) == (b"", True, TOO_LARGE)
    clipboard.put(Offer(paths=PATHS))
    assert clipboard.read(MAX_BYTES).paths == PATHS


def test_replacing_what_was_read(display: str, clipboard: X11Clipboard) -> None:
    """Nothing was copied since: the picture is replaced, and then the link by the real one."""
    with Owner(display, {"image/png": PICTURE}):
        mark = clipboard.read(MAX_BYTES).mark
        assert clipboard.replace(mark, Offer(text="draft"))
        assert pasted(display, "TEXT") == b"draft"
        assert clipboard.replace(mark, LINK)
        assert pasted(display, "TEXT") == LINK.text.encode()


def test_replacing_an_owner_that_says_when_it_copied(display: str, clipboard: X11Clipboard) -> None:
    """A program that claims the clipboard with the time of a key press is replaced all the same."""
    with Client(display) as client:
        pressed_ms = client.server_time()
    with Owner(display, {"image/png": PICTURE}, time_ms=pressed_ms):
        held = clipboard.read(MAX_BYTES)
        assert (held.bitmap, held.mark) == (PICTURE, pressed_ms)
        assert clipboard.replace(held.mark, LINK)


def test_replacing_an_empty_clipboard(display: str, clipboard: X11Clipboard) -> None:
    """Where nobody holds anything, or the owner has gone since, the link is put."""
    held = clipboard.read(MAX_BYTES)
    assert held.empty
    assert clipboard.replace(held.mark, LINK)
    with Owner(display, {"image/png": PICTURE}):
        mark = clipboard.read(MAX_BYTES).mark
    assert clipboard.replace(mark, LINK)
    assert pasted(display, "TEXT") == LINK.text.encode()


def test_never_what_was_copied_since(display: str, clipboard: X11Clipboard) -> None:
    """Whatever was copied since the mark stays, by others or by us, told of or not."""
    with Owner(display, {"image/png": PICTURE}):
        mark = clipboard.read(MAX_BYTES).mark
        with Owner(display, {"image/png": b"newer"}):
            assert not clipboard.replace(mark, LINK)
            assert pasted(display, "image/png") == b"newer"
        assert not clipboard.replace(mark, LINK)
        clipboard.put(Offer(text="ours"))
        assert not clipboard.replace(mark, LINK)
        assert not clipboard.replace(None, LINK)
        assert pasted(display, "TEXT") == b"ours"


def test_what_others_copy_frees_ours(display: str, clipboard: X11Clipboard) -> None:
    """When somebody copies, ours is gone; replacing theirs makes it ours again."""
    clipboard.put(LINK)
    with Owner(display, {"image/png": PICTURE}):
        held = clipboard.read(MAX_BYTES)
        assert (held.ours, held.bitmap) == (False, PICTURE)
        assert clipboard.replace(held.mark, LINK)
        assert clipboard.read(MAX_BYTES).ours


def test_two_programs_paste_at_once(display: str, clipboard: X11Clipboard) -> None:
    """Two programs take a large picture piece by piece in turns, and both get all of it."""
    clipboard.put(Offer(picture=LARGE, mime_type="image/png"))
    with Requestor(display) as one, Requestor(display) as two:
        assert one.ask("image/png").property_type == one.atom("INCR")
        assert two.ask("image/png").property_type == two.atom("INCR")
        got = {one: b"", two: b""}
        while pieces := [requestor.piece() for requestor in got]:
            for requestor, piece in zip(got, pieces, strict=True):
                got[requestor] += piece
            if not any(pieces):
                break
        assert set(got.values()) == {LARGE}


def test_who_dies_or_asks_again_while_it_pastes(display: str, clipboard: X11Clipboard) -> None:
    """The next program may have the same numbers as one that died; asking again begins anew."""
    clipboard.put(Offer(picture=LARGE, mime_type="image/png"))
    with Requestor(display) as requestor:
        for _ in range(2):
            requestor.ask("image/png")
            requestor.piece()
        assert requestor.paste("image/png") == LARGE
    for _ in range(3):
        with Requestor(display) as requestor:
            requestor.ask("image/png")
            requestor.piece()
    assert pasted(display, "image/png") == LARGE


def test_who_stalls_while_it_pastes(
    display: str, clipboard: X11Clipboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that stops reading is given up after a while; others are served meanwhile."""
    monkeypatch.setattr(x11_owning, "PATIENCE_S", 2.0)
    clipboard.put(Offer(picture=LARGE, mime_type="image/png"))
    with Requestor(display) as requestor:
        requestor.ask("image/png")
        requestor.piece()
        assert pasted(display, "image/png") == LARGE
        stalled = time.monotonic()
        eventually(lambda: time.monotonic() - stalled > 1.5 * x11_owning.PATIENCE_S)
        requestor.piece()
        with pytest.raises(AssertionError):
            requestor.piece(limit_s=0.3)


def test_pasting_goes_on_while_we_read(display: str, clipboard: X11Clipboard) -> None:
    """A program that is pasting from us gets the rest while we wait for another's picture."""
    some = LARGE[:2_000_000]
    clipboard.put(Offer(picture=some, mime_type="image/png"))
    held: list[Held] = []
    reader = threading.Thread(target=lambda: held.append(clipboard.read(MAX_BYTES)))
    with Requestor(display) as requestor:
        requestor.ask("image/png")
        with Owner(display, {"image/png": LARGE}, Conduct(stalls_after=1)) as owner:
            reader.start()
            eventually(lambda: owner.pieces == 1)
            assert b"".join(iter(requestor.piece, b"")) == some
            assert reader.is_alive()
            owner.copy({"image/png": PICTURE})
            reader.join(DEADLINE_S)
            assert held[0].bitmap == PICTURE


def test_a_manager_keeps_what_is_ours(display: str) -> None:
    """On closing, all formats are left to the clipboard manager, large ones too."""
    with Manager(display) as manager:
        clipboard = X11Clipboard(display)
        clipboard.put(Offer(text="a", picture=LARGE, mime_type="image/png"))
        clipboard.close()
        assert manager.asked == ["SAVE_TARGETS"]
        assert pasted(display, "image/png") == LARGE
        assert pasted(display, "TEXT") == b"a"


def test_a_manager_is_not_asked_for_nothing(display: str) -> None:
    """What is another's, or nobody's, is not left to the manager."""
    with Manager(display) as manager, Owner(display, {"image/png": PICTURE}):
        X11Clipboard(display).close()
        assert manager.asked == []


def test_a_manager_that_does_not_answer(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing does not wait long for a manager."""
    monkeypatch.setattr(x11_owning, "SAVE_S", 0.2)
    with Manager(display, Conduct(silent=frozenset({"SAVE_TARGETS"}))):
        clipboard = X11Clipboard(display)
        clipboard.put(LINK)
        start = time.monotonic()
        clipboard.close()
        assert time.monotonic() - start < PROMPT_S
