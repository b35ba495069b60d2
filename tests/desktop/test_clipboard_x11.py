"""Tests of the X11 clipboard: what it reads of other programs, on a real X server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from imghost.clipboard import CUT, MARKED, NOT_HANDED_OVER, TOO_LARGE, WITH_TEXT, Held, Offer
from imghost.desktop import clipboard_x11, x11_reading
from imghost.desktop.clipboard_x11 import X11Clipboard
from imghost.errors import MachineError
from imghost.models import Message
from tests.fakes.frozen import freeze
from tests.fakes.pictures import png
from tests.fakes.program import eventually
from tests.fakes.x11 import DEADLINE_S, Client, Watcher, xvfb
from tests.fakes.x11_owners import Conduct, Manager, Owner

MAX_BYTES = 20_000_000
PICTURE = png()
LARGE = PICTURE + os.urandom(11_000_000)
PIECES = PICTURE + os.urandom(1_000_000)
GTK_OWNER = Path(__file__).parent.parent / "fakes" / "gtk_owner.py"
FILES = b"file:///tmp/b%20%C3%A9.gif\r\nfile:///tmp/a.png\r\n"
FILE_PATHS = ("/tmp/b é.gif", "/tmp/a.png")
PROMPT_S = 3.0


@pytest.fixture
def clipboard(display: str) -> Iterator[X11Clipboard]:
    """The clipboard of a display where nobody holds anything."""
    found = X11Clipboard(display)
    yield found
    found.close()


@contextmanager
def program(
    display: str, *words: str | Path, stdin: bytes = b"", stderr: BinaryIO | None = None
) -> Iterator[None]:
    """A real program on the display that holds something until it is ended."""
    environ = os.environ | {"DISPLAY": display}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=stderr, env=environ) as process:
        try:
            assert process.stdin
            process.stdin.write(stdin)
            if stdin:
                process.stdin.close()
            with Client(display) as client:
                eventually(lambda: bool(client.owner()))
            yield
        finally:
            process.kill()


def test_a_real_program_s_picture_comes_byte_for_byte(
    display: str, clipboard: X11Clipboard
) -> None:
    """What xclip holds, small or of 11 MB, is read as it is."""
    for data in (PICTURE, LARGE):
        words = ("xclip", "-quiet", "-selection", "clipboard", "-t", "image/png")
        with program(display, *words, stdin=data):
            held = clipboard.read(MAX_BYTES)
            assert (held.bitmap, held.reason, held.ours, held.empty) == (data, None, False, False)


def test_a_gtk_program_encodes_on_demand(display: str, clipboard: X11Clipboard) -> None:
    """A GTK program offers many formats and encodes a large picture only now: the PNG is read."""
    with program(display, "/usr/bin/python3", GTK_OWNER, "picture", "1600", "1200"):
        assert clipboard.read(MAX_BYTES).bitmap.startswith(b"\x89PNG")


def test_a_gtk_program_s_files(display: str, clipboard: X11Clipboard) -> None:
    """Copied files win over the text beside them, with their Chinese names; cut ones are left."""
    paths = ("/tmp/图片 100%.png", "/tmp/b.gif")
    gtk = ("/usr/bin/python3", GTK_OWNER, "files")
    with program(display, *gtk, "copy", *paths):
        assert clipboard.read(MAX_BYTES).paths == paths
    with program(display, *gtk, "cut", *paths):
        held = clipboard.read(MAX_BYTES)
        assert (held.paths, held.reason) == ((), CUT)


def test_what_comes_in_pieces_is_put_together(display: str, clipboard: X11Clipboard) -> None:
    """A picture that comes in pieces comes whole, from one request for it."""
    with Owner(display, {"image/png": PIECES}) as owner:
        assert clipboard.read(MAX_BYTES).bitmap == PIECES
        assert owner.asked == ["TARGETS", "image/png"]


@pytest.mark.parametrize(
    ("formats", "paths", "reason"),
    [
        ({"image/png": PICTURE, "text/plain;charset=UTF-8": b"a"}, (), WITH_TEXT),
        ({"image/png": PICTURE, "STRING": b"a"}, (), WITH_TEXT),
        ({"image/png": PICTURE, "x-kde-passwordManagerHint": b"secret"}, (), MARKED),
        ({"text/uri-list": FILES, "text/plain": b"a", "image/png": PICTURE}, FILE_PATHS, None),
        ({"text/uri-list": FILES, "application/x-kde-cutselection": b"0"}, FILE_PATHS, None),
        ({"text/uri-list": FILES, "application/x-kde-cutselection": b"1"}, (), CUT),
        ({"x-special/gnome-copied-files": b"cut\n" + FILES, "text/uri-list": FILES}, (), CUT),
        ({"UTF8_STRING": b"words", "x-kde-passwordManagerHint": b"secret"}, (), None),
        ({"image/png": b""}, (), NOT_HANDED_OVER),
        ({}, (), None),
    ],
)
def test_manners(
    display: str,
    clipboard: X11Clipboard,
    formats: Mapping[str, bytes],
    paths: tuple[str, ...],
    reason: Message | None,
) -> None:
    """Files are taken; what nobody meant to publish is left alone, and the reason is said."""
    with Owner(display, formats):
        held = clipboard.read(MAX_BYTES)
        assert (held.bitmap, held.paths, held.reason, held.empty) == (b"", paths, reason, False)


@pytest.mark.parametrize(
    ("conduct", "reason"),
    [
        (Conduct(refuses=frozenset({"image/png"})), NOT_HANDED_OVER),
        (Conduct(silent=frozenset({"image/png"})), NOT_HANDED_OVER),
        (Conduct(stalls_after=0), NOT_HANDED_OVER),
        (Conduct(stalls_after=2), NOT_HANDED_OVER),
        (Conduct(dies_after=0), None),
        (Conduct(dies_after=2), None),
        (Conduct(item_bits=32), NOT_HANDED_OVER),
        (Conduct(item_bits=16, piece_bytes=MAX_BYTES), NOT_HANDED_OVER),
        (Conduct(refuses=frozenset({"TARGETS"})), None),
        (Conduct(silent=frozenset({"TARGETS"})), None),
    ],
)
def test_who_does_not_hand_it_over(
    display: str,
    clipboard: X11Clipboard,
    monkeypatch: pytest.MonkeyPatch,
    conduct: Conduct,
    reason: Message | None,
) -> None:
    """A program that refuses, stalls or dies, at the start or half-way, costs a limited time."""
    with monkeypatch.context() as brief, Owner(display, {"image/png": PIECES}, conduct) as owner:
        brief.setattr(x11_reading, "TARGETS_S", (0.1, 0.2))
        brief.setattr(x11_reading, "DATA_S", (0.1, 0.2))
        brief.setattr(x11_reading, "PROGRESS_S", 1.0)
        start = time.monotonic()
        held = clipboard.read(MAX_BYTES)
        assert time.monotonic() - start < PROMPT_S
        assert (held.bitmap, held.reason) == (b"", reason)
        assert held.empty == (conduct.dies_after == owner.pieces)
    with Owner(display, {"image/png": PICTURE}):
        assert clipboard.read(MAX_BYTES).bitmap == PICTURE


def test_a_slow_program_is_not_hurt(
    display: str, clipboard: X11Clipboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that we gave up on comes to its end without an error, and serves again."""
    monkeypatch.setattr(x11_reading, "PROGRESS_S", 0.1)
    watcher = Watcher(clipboard)
    with Owner(display, {"image/png": PIECES}, Conduct(piece_s=0.2, piece_bytes=900_000)) as owner:
        errors: list[object] = []
        owner.x.set_error_handler(lambda error, _request: errors.append(error))
        assert clipboard.read(MAX_BYTES).reason == NOT_HANDED_OVER
        eventually(lambda: owner.pieces == 3)
        owner.copy({"image/png": PICTURE})
        assert clipboard.read(MAX_BYTES).bitmap == PICTURE
        assert not errors
    clipboard.close()
    assert watcher.ended()


def test_who_does_not_hear_us_at_first(display: str, clipboard: X11Clipboard) -> None:
    """A program that is deaf while it serves another, as xclip is, is asked again."""
    with Owner(display, {"image/png": PICTURE}, Conduct(deaf_to=1)) as owner:
        assert clipboard.read(MAX_BYTES).bitmap == PICTURE
        assert owner.asked == ["TARGETS", "TARGETS", "image/png"]


def test_a_trickle_ends_too(
    display: str, clipboard: X11Clipboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that always sends a little more does not go on for ever."""
    monkeypatch.setattr(clipboard_x11, "READ_S", 1.0)
    with Owner(display, {"image/png": PIECES}, Conduct(piece_s=0.02, piece_bytes=10)):
        start = time.monotonic()
        assert clipboard.read(MAX_BYTES).reason == NOT_HANDED_OVER
        assert time.monotonic() - start < PROMPT_S


@pytest.mark.parametrize(
    ("conduct", "most_pieces"),
    [
        (Conduct(), 1),
        (Conduct(announces=1), 4),
        (Conduct(piece_bytes=MAX_BYTES), 0),
    ],
    ids=["announced", "a false announcement", "in one piece"],
)
def test_too_large(
    display: str, clipboard: X11Clipboard, conduct: Conduct, most_pieces: int
) -> None:
    """What is larger than allowed is not read on, whatever its size was said to be."""
    with Owner(display, {"image/png": PIECES}, conduct) as owner:
        held = clipboard.read(500_000)
        assert (held.bitmap, held.reason) == (b"", TOO_LARGE)
        assert owner.pieces <= most_pieces
        assert clipboard.read(len(PIECES)).bitmap == PIECES


def test_what_was_too_large_can_still_be_pasted(
    display: str, clipboard: X11Clipboard, tmp_path: Path
) -> None:
    """A program that serves one after another, as xclip does, is not left in the middle."""
    watcher = Watcher(clipboard)
    words = ("xclip", "-selection", "clipboard", "-t", "image/png")
    log = tmp_path / "log"
    with log.open("wb") as said, program(display, *words, "-quiet", stdin=LARGE, stderr=said):
        assert clipboard.read(1_000_000).reason == TOO_LARGE
        eventually(lambda: "request number 2" in log.read_text())  # until then it hears nobody
        environ = os.environ | {"DISPLAY": display}
        pasted = subprocess.check_output((*words, "-o"), env=environ, timeout=DEADLINE_S)
        assert pasted == LARGE
    clipboard.close()
    assert watcher.ended()


def test_only_what_is_there_now_counts(display: str, clipboard: X11Clipboard) -> None:
    """If somebody copies while another's picture stalls, the new picture is read, and at once."""
    with Owner(display, {"image/png": PIECES}, Conduct(stalls_after=2)) as old:
        held: list[Held] = []
        reader = threading.Thread(target=lambda: held.append(clipboard.read(MAX_BYTES)))
        reader.start()
        eventually(lambda: old.pieces == 2)
        with Owner(display, {"image/png": PICTURE}):
            reader.join(PROMPT_S)
            assert [one.bitmap for one in held] == [PICTURE]


def test_each_copy_is_a_change(display: str) -> None:
    """What is there at the start is no change; copying, our own writes and an end are."""
    with Owner(display, {"UTF8_STRING": b"old"}):
        clipboard = X11Clipboard(display)
        watcher = Watcher(clipboard)
        clipboard.put(Offer(text="ours"))
        eventually(lambda: watcher.changes == 1)
        assert clipboard.read(MAX_BYTES).ours
        with Owner(display, {"UTF8_STRING": b"new"}):
            eventually(lambda: watcher.changes == 2)
            assert not clipboard.read(MAX_BYTES).ours
        eventually(lambda: watcher.changes == 3)
        assert clipboard.read(MAX_BYTES).empty
        clipboard.close()
        assert watcher.ended()
        assert (watcher.changes, watcher.error) == (3, None)


def test_what_was_copied_before_the_first_look_is_told(
    display: str, clipboard: X11Clipboard
) -> None:
    """A copy between opening the clipboard and waiting for its changes is told."""
    with Owner(display, {"image/png": PICTURE}):
        assert clipboard.read(MAX_BYTES).bitmap == PICTURE
        next(iter(clipboard.changes()))


def test_a_flood_of_copies(display: str, clipboard: X11Clipboard) -> None:
    """Of many copies in a moment the last one stands in the end."""
    with Owner(display, {"image/png": b"start"}) as owner:
        watcher = Watcher(clipboard)
        for n in range(200):
            owner.copy({"image/png": PICTURE + b"%d" % n})
            if n % 10 == 0:
                clipboard.read(MAX_BYTES)
        assert clipboard.read(MAX_BYTES).bitmap == PICTURE + b"199"
        told = watcher.changes
        assert 0 < told <= 201
        clipboard.close()
        assert watcher.ended()


def test_who_inherits(display: str, clipboard: X11Clipboard) -> None:
    """A manager inherits, and whoever copies when the last owner is gone; others do not."""
    with Owner(display, {"image/png": PICTURE}):
        assert not clipboard.read(MAX_BYTES).inherited
        with Owner(display, {"image/png": PICTURE}):
            assert not clipboard.read(MAX_BYTES).inherited
        with Owner(display, {"image/png": PICTURE}):
            assert clipboard.read(MAX_BYTES).inherited
    with Manager(display) as manager:
        manager.copy({"image/png": PICTURE})
        assert clipboard.read(MAX_BYTES).inherited


def test_the_calls_of_many_threads(display: str, clipboard: X11Clipboard) -> None:
    """While one thread waits for changes and others for a program that stalls, all goes on."""
    watcher = Watcher(clipboard)
    with Owner(display, {"image/png": PIECES}, Conduct(stalls_after=1)) as owner:
        held: list[Held] = []
        readers = [
            threading.Thread(target=lambda: held.append(clipboard.read(MAX_BYTES)))
            for _ in range(3)
        ]
        for reader in readers:
            reader.start()
        eventually(lambda: owner.asked.count("image/png") == 3)
        start = time.monotonic()
        clipboard.put(Offer(text="link"))
        assert clipboard.read(MAX_BYTES).ours
        for reader in readers:
            reader.join()
        assert time.monotonic() - start < PROMPT_S
        assert [one.ours for one in held] == [True] * 3
    clipboard.close()
    assert watcher.ended()


def test_reading_and_writing_at_once(display: str, clipboard: X11Clipboard) -> None:
    """Readings that meet our own writing, and so ask ourselves, leave nothing behind."""
    watcher = Watcher(clipboard)
    done = threading.Event()
    last: list[bytes] = []

    def read() -> None:
        while not done.is_set():
            clipboard.read(MAX_BYTES)
        last.append(clipboard.read(MAX_BYTES).bitmap)

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    with Owner(display, {"image/png": PIECES}) as owner:
        for _ in range(20):
            clipboard.put(Offer(picture=PIECES, mime_type="image/png"))
            owner.copy({"image/png": PIECES})
        done.set()
        for reader in readers:
            reader.join()
        assert last == [PIECES] * len(readers)
    clipboard.close()
    assert watcher.ended()


def test_reading_from_within_the_changes(display: str, clipboard: X11Clipboard) -> None:
    """Who is told of a change may read there and then, while other threads read too."""
    with Owner(display, {"image/png": b"start"}) as owner:
        for n in range(10):
            owner.copy({"image/png": b"%d" % n})
            next(iter(clipboard.changes()))
            other: list[Held] = []
            reader = threading.Thread(target=lambda: other.append(clipboard.read(MAX_BYTES)))  # noqa: B023 - joined
            reader.start()
            assert clipboard.read(MAX_BYTES).bitmap == b"%d" % n
            reader.join()
            assert other[0].bitmap == b"%d" % n


def test_a_display_that_goes_away() -> None:
    """When the display ends, waiting and reading end with an error that says so."""
    with xvfb() as (name, server):
        clipboard = X11Clipboard(name)
        watcher = Watcher(clipboard)
        clipboard.put(Offer(text="link"))
        server.kill()
        assert watcher.ended()
        assert watcher.error
        assert name in str(watcher.error)
        with pytest.raises(MachineError):
            clipboard.read(MAX_BYTES)
        clipboard.close()


def test_a_server_that_hangs_does_not_hold_up_the_end() -> None:
    """While the server does not answer, closing ends all that waits for it, within seconds."""
    with xvfb() as (name, server):
        clipboard = X11Clipboard(name)
        watcher = Watcher(clipboard)
        clipboard.put(Offer(text="link"))
        freeze(server.pid)
        begun = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(clipboard.read, MAX_BYTES)
            clipboard.close()
            assert watcher.ended()
            with suppress(MachineError):
                reading.result(DEADLINE_S)
        assert time.monotonic() - begun < 4


def test_a_server_that_hangs_is_given_up() -> None:
    """After a while that is an error which says so, as to begin then is; later it goes on."""
    with xvfb() as (name, server):
        clipboard = X11Clipboard(name, reply_s=0.5)
        watcher = Watcher(clipboard)
        freeze(server.pid)
        with pytest.raises(MachineError):
            clipboard.put(Offer(text="link"))
        assert watcher.ended()
        assert "does not answer" in str(watcher.error)
        clipboard.close()
        with pytest.raises(MachineError, match="does not answer"):
            X11Clipboard(name)
        server.send_signal(signal.SIGCONT)
        clipboard = X11Clipboard(name)
        clipboard.put(Offer(text="link"))
        clipboard.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["", "no display", ":987"])
def test_no_display(name: str) -> None:
    """Without a display that is said in words.

    (The library leaves the socket that could not be connected to the garbage collector.)
    """
    with pytest.raises(MachineError, match="desktop"):
        X11Clipboard(name)


def test_a_poor_display(home: Path) -> None:
    """Where XFixes is missing that is said in words, and nothing on standard output.

    In a process of its own: the library shares a server's numbers between all displays.
    """
    (home / ".Xauthority").touch()  # of an empty one the library would say so
    words = (
        "import sys; from imghost.desktop.clipboard_x11 import X11Clipboard; "
        "X11Clipboard(sys.argv[1])"
    )
    with xvfb("-extension", "XFIXES") as (name, _):
        found = subprocess.run(
            (sys.executable, "-c", words, name),
            check=False,
            capture_output=True,
            timeout=DEADLINE_S,
            cwd=GTK_OWNER.parent.parent.parent,
        )
    assert b"MachineError" in found.stderr
    assert b"XFixes" in found.stderr
    assert not found.stdout


def test_after_closing(display: str) -> None:
    """A closed clipboard says so, tells of no more changes, and may be closed again."""
    clipboard = X11Clipboard(display)
    changes = clipboard.changes()
    clipboard.put(Offer(text="link"))
    next(changes)
    clipboard.close()
    clipboard.close()
    assert not list(changes)
    with pytest.raises(MachineError):
        clipboard.read(MAX_BYTES)
    with pytest.raises(MachineError):
        clipboard.put(Offer(text="link"))
