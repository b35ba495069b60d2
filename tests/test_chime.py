"""The chime where nothing can be heard, and the sounds themselves."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
import time
import wave
from array import array
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

import imghost
from imghost.desktop.assets import asset
from imghost.desktop.chime import Player
from tests.fakes.program import eventually

PACKAGE = Path(imghost.__file__).parent
OURS = ("done.wav", "failed.wav")


@pytest.fixture(autouse=True)
def nobody_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sound server is found."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'none'}")


@pytest.fixture
def player(caplog: pytest.LogCaptureFixture) -> Iterator[Player]:
    """A player whose every word is caught."""
    caplog.set_level(logging.DEBUG, "imghost.desktop.chime")
    with closing(Player()) as player:
        yield player


@pytest.mark.parametrize("name", OURS)
def test_our_sounds(name: str) -> None:
    """They are short and small, begin and end in silence, and never jump."""
    path = asset(name)
    assert path.stat().st_size < 60_000
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 44100)
        samples = array("h", sound.readframes(sound.getnframes()))
    assert 0.25 < len(samples) / 44100 < 0.4
    assert abs(samples[0]) + abs(samples[-1]) < 10
    assert max(abs(b - a) for a, b in pairwise(samples)) < 3000


def test_an_installed_package_has_them(tmp_path: Path) -> None:
    """They are found in an installed package too, whose assets lie inside it."""
    installed = tmp_path / "imghost"
    shutil.copytree(PACKAGE, installed, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PACKAGE.parent / "assets", installed / "assets")
    asked = "from imghost.desktop.assets import asset; print(asset('done.wav'))"
    found = subprocess.run(
        [sys.executable, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert Path(found) == installed / "assets" / "done.wav"
    assert Path(found).is_file()


@pytest.mark.parametrize("name", OURS)
def test_without_a_sound_device(
    player: Player, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No sound device is normal: one line at debug level, soon."""
    began = time.monotonic()
    player.play(asset(name), 1.0)
    assert time.monotonic() - began < 1
    eventually(lambda: bool(caplog.records))
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]
    assert "init" in caplog.text


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "folder", "pipe"])
def test_what_is_no_sound(
    player: Player, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that cannot be decoded, or is none, is one line at debug level."""
    path = tmp_path / "sound.wav"
    match kind:
        case "empty" | "text":
            path.write_text("" if kind == "empty" else "la la la")
        case "cut":
            path.write_bytes(asset("done.wav").read_bytes()[:20])
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
    player.play(path, 1.0)
    eventually(lambda: bool(caplog.records))
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]


def test_nothing_is_written_to_standard_error() -> None:
    """What sound libraries write to standard error never reaches the program's own."""
    code = (
        "import sys; from imghost.desktop.assets import asset;"
        "from imghost.desktop.chime import Player;"
        "player = Player(); player.play(asset('done.wav'), 1.0);"
        "player._waiter.join(); player.close(); print('miniaudio' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (result.stdout.split(), result.stderr) == ([b"False"], b"")


def test_a_sound_server_that_hangs(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sound server that never answers holds up neither the caller nor the end."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "hangs"))
        server.listen()
        monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'hangs'}")
        began = time.monotonic()
        for _ in range(3):
            player.play(asset("done.wav"), 1.0)
        assert time.monotonic() - began < 1
        with server.accept()[0]:
            began = time.monotonic()
            player.close()
            assert time.monotonic() - began < 2


def test_a_sound_server_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next sound is tried anew once the former one had its time."""
    with socket.socket(socket.AF_UNIX) as server, closing(Player(longest_s=0.3)) as player:
        server.bind(str(tmp_path / "hangs"))
        server.listen()
        monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'hangs'}")
        player.play(asset("done.wav"), 1.0)
        former = _process(player)
        eventually(lambda: not _busy(player))
        player.play(asset("done.wav"), 1.0)
        assert _process(player) is not former


def test_no_process(
    player: Player,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A machine that starts no more processes has no chime, and nothing worse."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    player.play(asset("done.wav"), 1.0)
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]


def test_a_closed_player(player: Player, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is played once the player is closed, and closing twice is harmless."""
    player.close()
    player.close()
    player.play(asset("done.wav"), 1.0)
    assert not caplog.records


def _busy(player: Player) -> bool:
    return player._busy()  # noqa: SLF001 - nobody else needs to know


def _process(player: Player) -> object:
    return player._process  # noqa: SLF001
