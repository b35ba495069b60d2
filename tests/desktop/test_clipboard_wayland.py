"""Tests of the Wayland clipboard, on a real compositor and the programs of wl-clipboard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.clipboard import CUT, MARKED, NOT_HANDED_OVER, TOO_LARGE, WITH_TEXT, Clipboard, Offer
from imghost.desktop.choice import open_clipboard
from imghost.desktop.clipboard_wayland import WaylandClipboard
from imghost.desktop.clipboard_x11 import X11Clipboard
from imghost.errors import MachineError
from imghost.models import Message
from tests.fakes.pictures import png
from tests.fakes.program import eventually
from tests.fakes.watcher import Watcher
from tests.fakes.wayland import Owner, PlainDesktop, Session, sway

MAX_BYTES = 20_000_000
LINK = "![](http://127.0.0.1/a.png)"
PICTURE = png()
LARGE = PICTURE + bytes(11_000_000)
FILES = b"file:///tmp/b%20%C3%A9.gif\r\nfile:///tmp/a.png\r\n"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A desktop."""
    with sway() as found:
        yield found


@pytest.fixture
def clipboard(session: Session) -> Iterator[Clipboard]:
    """Its clipboard, empty."""
    session.run("wl-copy", "--clear")
    found = open_clipboard(session.environ, 0.5)
    yield found
    found.close()


def watch(clipboard: Clipboard, session: Session) -> Watcher:
    """Somebody who waits for changes from now on."""
    watcher = Watcher(clipboard)
    eventually(lambda: bool(watching(session)))
    return watcher


def watching(session: Session) -> list[int]:
    """The processes that watch the clipboard of this session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            if (
                words.startswith(b"wl-paste\0--watch")
                and session.socket.rpartition("/")[0].encode() in (folder / "environ").read_bytes()
            ):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_it_is_the_clipboard_that_is_chosen(clipboard: Clipboard) -> None:
    """On a desktop with data-control and wl-clipboard, these are used."""
    assert isinstance(clipboard, WaylandClipboard)


@pytest.mark.parametrize("data", [PICTURE, LARGE], ids=["small", "11 MB"])
def test_a_picture_is_read_as_it_was_copied(
    session: Session, clipboard: Clipboard, data: bytes
) -> None:
    """The bytes of a copied picture come unchanged."""
    session.copy("image/png", data)
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap == data, held.paths, held.reason, held.ours) == (True, (), None, False)


def test_copied_files_come_in_their_order(session: Session, clipboard: Clipboard) -> None:
    """Files win over the still picture and the text that file managers put beside them."""
    content = {"text/plain": b"b", "image/png": PICTURE, "text/uri-list": FILES}
    with Owner(session, content) as owner:
        assert clipboard.read(MAX_BYTES).paths == ("/tmp/b é.gif", "/tmp/a.png")
        assert owner.asked == ["text/uri-list"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"image/png": PICTURE, "text/plain;charset=utf-8": b"a table"}, WITH_TEXT),
        ({"x-special/gnome-copied-files": b"cut\nfile:///tmp/a.png"}, CUT),
        ({"image/png": PICTURE, "x-kde-passwordManagerHint": b"secret"}, MARKED),
        ({"image/png": b""}, NOT_HANDED_OVER),
        ({"image/png": bytes(MAX_BYTES + 1)}, TOO_LARGE),
        ({"text/plain": b"words"}, None),
    ],
)
def test_what_is_left_alone_has_its_reason(
    session: Session, clipboard: Clipboard, content: dict[str, bytes], reason: Message | None
) -> None:
    """Nothing is taken of tables, cut files, secrets and texts, and what was left alone is said."""
    with Owner(session, content):
        held = clipboard.read(MAX_BYTES)
    assert (held.bitmap, held.paths, held.reason, held.ours) == (b"", (), reason, False)


def test_a_secret_is_never_asked_for(session: Session, clipboard: Clipboard) -> None:
    """What a password manager copied is not even read."""
    with Owner(
        session, {"text/plain": b"hunter2", "x-kde-passwordManagerHint": b"secret"}
    ) as owner:
        held = clipboard.read(MAX_BYTES)
        assert not clipboard.replace(held.mark, Offer(LINK))
        assert owner.asked == []


def test_an_owner_that_stalls_is_given_up(session: Session, clipboard: Clipboard) -> None:
    """Reading ends within some seconds, though the owner never answers and never ends."""
    with Owner(session, {"image/png": PICTURE}, stalls=frozenset({"image/png"})):
        begun = time.monotonic()
        held = clipboard.read(MAX_BYTES)
        assert (held.bitmap, held.reason) == (b"", NOT_HANDED_OVER)
        assert time.monotonic() - begun < 7
        assert not clipboard.replace(held.mark, Offer(LINK))


def test_changes_are_told(session: Session, clipboard: Clipboard) -> None:
    """Each copying is told, ours too, and not what was there before."""
    with Owner(session, {"text/plain": b"before"}) as owner:
        watcher = watch(clipboard, session)
        eventually(lambda: bool(owner.asked))
        for number, data in enumerate((b"1", b"2", b"3"), start=1):
            session.copy("text/plain", data)
            watcher.told(number)
    clipboard.put(Offer(LINK))
    watcher.told(4)
    clipboard.close()
    watcher.ended()
    assert (watcher.changes, watcher.error) == (4, None)


def test_an_empty_clipboard_hides_no_change(session: Session, clipboard: Clipboard) -> None:
    """The first copying of a session is told."""
    watcher = watch(clipboard, session)
    assert clipboard.read(MAX_BYTES).empty
    session.copy("image/png", PICTURE)
    watcher.told(1)
    clipboard.close()


def test_a_stalled_owner_hides_no_later_change(session: Session, clipboard: Clipboard) -> None:
    """A program that hangs with its copy does not keep us from the next one's."""
    watcher = watch(clipboard, session)
    with Owner(session, {"text/plain": b"x"}, stalls=frozenset({"text/plain"})):
        watcher.told(1)
        session.copy("image/png", PICTURE)
        watcher.told(2)
    clipboard.close()


def test_watching_harms_no_owner(session: Session, clipboard: Clipboard) -> None:
    """An owner that dies of a closed pipe, as `wl-copy TEXT` does, keeps what it offers."""
    watcher = watch(clipboard, session)
    for number in range(1, 21):
        subprocess.run(
            ("wl-copy", f"text {number}"), env=session.environ, stdout=-3, stderr=-3, check=True
        )
        watcher.told(number)
        assert session.text() == f"text {number}"
    clipboard.close()


def test_the_last_of_many_changes_stands(session: Session, clipboard: Clipboard) -> None:
    """When the clipboard flaps, what stands in the end is told and read."""
    watcher = watch(clipboard, session)
    for number in range(50):
        session.copy("image/png", PICTURE + bytes([number]))
    told = watcher.changes
    session.copy("image/png", PICTURE)
    watcher.told(told + 1)
    assert clipboard.read(MAX_BYTES).bitmap == PICTURE
    clipboard.close()


def test_a_picture_is_replaced_by_its_link(session: Session, clipboard: Clipboard) -> None:
    """While nobody copied, the link takes the picture's place, and is known as ours."""
    session.copy("image/png", PICTURE)
    mark = clipboard.read(MAX_BYTES).mark
    assert clipboard.replace(mark, Offer(LINK, picture=PICTURE, mime_type="image/png"))
    assert session.text() == LINK
    assert clipboard.read(MAX_BYTES).ours
    assert not clipboard.replace(mark, Offer("again"))


def test_our_own_link_is_replaced_by_a_better_one(session: Session, clipboard: Clipboard) -> None:
    """A mark of what we put there is as good as any."""
    clipboard.put(Offer("draft"))
    assert clipboard.replace(clipboard.read(MAX_BYTES).mark, Offer(LINK))
    assert session.text() == LINK


@pytest.mark.parametrize(
    "later",
    [("image/png", png(seed=2)), ("text/plain", b"words"), ("text/uri-list", FILES)],
    ids=["picture", "text", "files"],
)
@pytest.mark.parametrize(
    "first", [("image/png", PICTURE), ("text/plain", b"old"), ("text/uri-list", b"file:///c.png")]
)
def test_what_was_copied_since_stays(
    session: Session, clipboard: Clipboard, first: tuple[str, bytes], later: tuple[str, bytes]
) -> None:
    """What somebody copied meanwhile is never replaced."""
    session.copy(*first)
    mark = clipboard.read(MAX_BYTES).mark
    session.copy(*later)
    assert not clipboard.replace(mark, Offer(LINK))
    assert session.run("wl-paste", "-n", "-t", later[0]) == later[1]


def test_the_same_content_under_another_owner_is_replaced(
    session: Session, clipboard: Clipboard
) -> None:
    """A clipboard manager that takes a picture over has not copied."""
    with Owner(session, {"image/png": PICTURE}):
        mark = clipboard.read(MAX_BYTES).mark
    with Owner(session, {"image/png": PICTURE, "application/x-manager": b"1"}):
        assert clipboard.replace(mark, Offer(LINK))
    assert session.text() == LINK


def test_a_picture_whose_program_ended_is_replaced(session: Session, clipboard: Clipboard) -> None:
    """A clipboard that became empty takes the link: nothing is lost by it."""
    with Owner(session, {"image/png": PICTURE}):
        mark = clipboard.read(MAX_BYTES).mark
    eventually(lambda: clipboard.read(MAX_BYTES).empty)
    assert clipboard.replace(mark, Offer(LINK))
    assert session.text() == LINK


def test_a_mark_of_another_clipboard_replaces_nothing(
    session: Session, clipboard: Clipboard
) -> None:
    """What is no mark of ours matches nothing."""
    session.copy("text/plain", b"words")
    assert not clipboard.replace(None, Offer(LINK))
    assert session.text() == "words"


def test_a_picture_put_back_is_ours_until_somebody_copies(
    session: Session, clipboard: Clipboard
) -> None:
    """Our picture is known as ours, and the same picture copied by somebody later is not."""
    clipboard.put(Offer(picture=PICTURE, mime_type="image/png"))
    held = clipboard.read(MAX_BYTES)
    assert (held.bitmap == PICTURE, held.ours) == (True, True)
    session.copy("text/plain", b"words")
    assert not clipboard.read(MAX_BYTES).ours
    session.copy("image/png", PICTURE)
    assert not clipboard.read(MAX_BYTES).ours


def test_files_are_put_back_as_files(session: Session, clipboard: Clipboard) -> None:
    """Files come as other programs read them, and are known as ours."""
    clipboard.put(Offer(paths=("/tmp/b é.gif", "/tmp/a.png")))
    assert session.run("wl-paste", "-n", "-t", "text/uri-list") == FILES
    held = clipboard.read(MAX_BYTES)
    assert (held.paths, held.ours) == (("/tmp/b é.gif", "/tmp/a.png"), True)


def test_what_we_put_outlives_us(session: Session, clipboard: Clipboard) -> None:
    """A link stays when the program ends, which leaves no watcher behind."""
    watcher = watch(clipboard, session)
    clipboard.put(Offer(LINK))
    begun = time.monotonic()
    clipboard.close()
    watcher.ended()
    assert time.monotonic() - begun < 3
    assert (watching(session), session.text()) == ([], LINK)
    assert list(clipboard.changes()) == []


def test_a_killed_program_leaves_no_watcher(session: Session) -> None:
    """The programs that watch end with us, even if we are killed."""
    code = (
        "import os\n"
        "from imghost.desktop.choice import open_clipboard\n"
        "for _ in open_clipboard(os.environ, 1).changes(): pass\n"
    )
    with subprocess.Popen((sys.executable, "-c", code), env=session.environ) as program:
        eventually(lambda: bool(watching(session)))
        program.send_signal(signal.SIGKILL)
    eventually(lambda: not watching(session))


def test_a_desktop_that_ended_is_told() -> None:
    """Whoever waits for changes, or reads, hears that the desktop is gone."""
    with sway() as session:
        clipboard = open_clipboard(session.environ, 0.5)
        watcher = watch(clipboard, session)
        os.kill(session.process.pid, signal.SIGKILL)
        watcher.ended()
        assert watcher.error
        assert watcher.error.exit_code == 10
        for act in (
            lambda: clipboard.read(MAX_BYTES),
            lambda: clipboard.put(Offer(LINK)),
            lambda: next(clipboard.changes()),
        ):
            with pytest.raises(MachineError) as caught:
                act()
            assert caught.value.exit_code == 10
        clipboard.close()


def test_a_desktop_without_data_control_is_not_asked(tmp_path: Path) -> None:
    """Where wl-paste would take the focus away, and there is no X11, what is missing is said."""
    with PlainDesktop(tmp_path) as desktop, pytest.raises(MachineError) as caught:
        open_clipboard(desktop.environ, 0.5)
    assert "xwayland" in str(caught.value)
    assert caught.value.exit_code == 10


def test_xwayland_serves_where_wayland_does_not(tmp_path: Path, display: str) -> None:
    """On a desktop without data-control, or without wl-clipboard, X11's clipboard is used."""
    with PlainDesktop(tmp_path) as desktop:
        for environ in (desktop.environ, {"WAYLAND_DISPLAY": "wayland-9", "PATH": str(tmp_path)}):
            clipboard = open_clipboard({**environ, "DISPLAY": display}, 0.5)
            assert isinstance(clipboard, X11Clipboard)
            clipboard.close()
