"""The chime, heard: a real sound server records what is played."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imghost.desktop.assets import asset
from imghost.desktop.chime import Player
from tests.fakes.program import eventually
from tests.fakes.sound_server import Heard, SoundServer


@pytest.fixture
def server(sound_server: SoundServer, monkeypatch: pytest.MonkeyPatch) -> SoundServer:
    """The server, found by what this test starts."""
    monkeypatch.setenv("PULSE_SERVER", sound_server.address)
    return sound_server


@pytest.fixture
def player() -> Iterator[Player]:
    """A player of the usual kind."""
    with closing(Player()) as player:
        yield player


def _heard(server: SoundServer, player: Player, sound: Path, volume: float) -> Heard:
    recording = server.recording()
    player.play(sound, volume)
    return recording.heard()


def _tone(path: Path, length_s: float = 0.5) -> Path:
    words = f"-n -r 44100 -c 1 {path.name} synth {length_s} sine 440"
    subprocess.run(["sox", *words.split()], cwd=path.parent, check=True)
    return path


@pytest.mark.parametrize(
    ("name", "length_s", "first", "second"),
    [
        ("done.wav", 0.32, (659.3, 0.02, 0.11), (880.0, 0.18, 0.28)),
        ("failed.wav", 0.36, (440.0, 0.02, 0.12), (329.6, 0.22, 0.32)),
    ],
)
def test_our_sounds_are_heard(
    server: SoundServer,
    player: Player,
    name: str,
    length_s: float,
    first: tuple[float, float, float],
    second: tuple[float, float, float],
) -> None:
    """Success rises, failure falls, each whole and at its pitch."""
    heard = _heard(server, player, asset(name), 1.0)
    assert heard.length_s == pytest.approx(length_s, abs=0.04)
    for pitch_hz, from_s, to_s in (first, second):
        assert heard.pitch_hz(from_s, to_s) == pytest.approx(pitch_hz, rel=0.02)


def test_volume(server: SoundServer, player: Player) -> None:
    """A quarter of the volume is a quarter of the amplitude, and nothing else changes."""
    sound = asset("done.wav")
    loud = _heard(server, player, sound, 1.0)
    eventually(lambda: not server.players())
    soft = _heard(server, player, sound, 0.25)
    assert soft.peak == pytest.approx(loud.peak / 4, rel=0.05)
    assert soft.length_s == pytest.approx(loud.length_s, abs=0.04)


@pytest.mark.parametrize("ending", ["wav", "mp3", "flac", "ogg"])
def test_a_sound_of_the_users_own(
    server: SoundServer, player: Player, tmp_path: Path, ending: str
) -> None:
    """A user's file is played whatever its format and its name."""
    sound = _tone(tmp_path / f"tone.{ending}").rename(tmp_path / f"-提示 音%.{ending}")
    heard = _heard(server, player, sound, 1.0)
    assert heard.length_s == pytest.approx(0.5, abs=0.1)
    assert heard.pitch_hz(0.1, 0.4) == pytest.approx(440, rel=0.02)


def test_one_at_a_time(server: SoundServer, player: Player) -> None:
    """Sounds that come while one is heard are dropped, not queued."""
    recording = server.recording()
    for _ in range(20):
        player.play(asset("done.wav"), 1.0)
    assert recording.heard().length_s == pytest.approx(0.32, abs=0.04)


def test_nothing_stays_open(server: SoundServer, player: Player) -> None:
    """After a sound nothing of it is left at the sound server, and the next one is heard."""
    for _ in range(2):
        assert _heard(server, player, asset("done.wav"), 1.0).peak
        eventually(lambda: not server.players())


def test_a_long_sound_is_cut(server: SoundServer, tmp_path: Path) -> None:
    """A song in the place of a chime ends at the limit."""
    song = _tone(tmp_path / "song.wav", length_s=20.0)
    with closing(Player(longest_s=3.0)) as player:
        assert 0.2 < _heard(server, player, song, 1.0).length_s < 3.5


def test_closing_cuts_a_sound(server: SoundServer, tmp_path: Path) -> None:
    """A sound ends when its player is closed."""
    song = _tone(tmp_path / "song.wav", length_s=20.0)
    recording = server.recording()
    with closing(Player(longest_s=30.0)) as player:
        player.play(song, 1.0)
        recording.wait_for_sound()
    assert recording.heard().length_s < 5
