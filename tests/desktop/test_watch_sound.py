"""The chime of `imghost watch`, heard: once for each link, and never for what is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import pictures
from tests.fakes.person import Person
from tests.fakes.program import Program
from tests.fakes.sound_server import Heard, SoundServer

DONE_HZ = (659.3, 880.0)
FAILED_HZ = (440.0, 329.6)


@pytest.fixture
def server(sound_server: SoundServer, program: Program) -> SoundServer:
    """The server, found by the program, which may be heard."""
    program.environ["PULSE_SERVER"] = sound_server.address
    program.configure(chime={"enabled": True})
    return sound_server


def _was(heard: Heard, first_hz: float, second_hz: float) -> None:
    """It was this chime, and once."""
    assert heard.length_s == pytest.approx(0.34, abs=0.06)
    assert heard.pitch_hz(0.02, 0.08) == pytest.approx(first_hz, rel=0.05)
    end_s = heard.length_s
    assert heard.pitch_hz(end_s - 0.1, end_s - 0.04) == pytest.approx(second_hz, rel=0.05)


def test_once_for_each_link(
    program: Program, person: Person, server: SoundServer, tmp_path: Path
) -> None:
    """Each link is heard once, and so are three that come together."""
    paths = [tmp_path / f"{seed}.png" for seed in range(3)]
    for seed, path in enumerate(paths):
        path.write_bytes(pictures.png(seed=seed))
    with program.watching():
        recording = server.recording()
        person.copy(pictures.png(seed=9))
        _was(recording.heard(), *DONE_HZ)
        recording = server.recording()
        person.copy_files(*paths)
        _was(recording.heard(), *DONE_HZ)
        assert len(person.links()) == 3


def test_silence_in_a_pause(program: Program, person: Person, server: SoundServer) -> None:
    """What is copied in a pause, or is left alone, makes no sound."""
    with program.watching():
        recording = server.recording()
        program.run("pause")
        person.copy(pictures.png())
        program.run("resume")
        person.copy(b"words", "UTF8_STRING")
        person.copy(pictures.png(seed=1))
        _was(recording.heard(), *DONE_HZ)


def test_a_failure(program: Program, person: Person, server: SoundServer) -> None:
    """What cannot be taken sounds otherwise."""
    with program.watching():
        recording = server.recording()
        person.copy(b"no picture")
        _was(recording.heard(), *FAILED_HZ)


def test_no_sound_server(program: Program, person: Person, tmp_path: Path) -> None:
    """Where nothing can be heard, links are made, and nothing is said."""
    program.environ["PULSE_SERVER"] = f"unix:{tmp_path / 'none'}"
    program.configure(chime={"enabled": True})
    with program.watching() as watching:
        person.copy(pictures.png())
        person.linked()
        assert "sound" not in watching.said
