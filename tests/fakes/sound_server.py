"""A sound server of the tests' own: PulseAudio with one sink that nobody hears, and its recording.

Needs `pulseaudio` and `pulseaudio-utils`.
"""

from __future__ import annotations

import os
import subprocess
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.fakes.program import DEADLINE_S, eventually

RATE_HZ = 44100
_SILENCE_S = 1.0
_GAP_S = 0.005  # longer than half a wave of any tone here
_LOUD = 30  # of 32767


@dataclass(frozen=True)
class Heard:
    """What was recorded, from its first loud sample to its last.

    Without the gaps that a busy machine leaves, which say nothing of the sound.
    """

    samples: array[int]

    @property
    def length_s(self) -> float:
        """How long it was."""
        return len(self.samples) / RATE_HZ

    @property
    def peak(self) -> int:
        """Its loudest sample, of 32767."""
        return max(map(abs, self.samples))

    def pitch_hz(self, from_s: float, to_s: float) -> float:
        """The frequency of what is one tone: how often it rises through zero."""
        part = self.samples[int(from_s * RATE_HZ) : int(to_s * RATE_HZ)]
        rises = [i for i in range(1, len(part)) if part[i - 1] < 0 <= part[i]]
        return (len(rises) - 1) * RATE_HZ / (rises[-1] - rises[0])


class Recording:
    """What the sink is given from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._from = _length(path)

    def heard(self) -> Heard:
        """What sounded, once it has sounded and silence has followed."""
        eventually(lambda: self._silent_after() >= _SILENCE_S)
        return Heard(_without_gaps(self._samples()))

    def wait_for_sound(self) -> None:
        """Wait until something sounds."""
        eventually(lambda: bool(_loud(self._samples())))

    def _silent_after(self) -> float:
        samples = self._samples()
        loud = _loud(samples)
        return (len(samples) - loud[-1]) / RATE_HZ if loud else 0.0

    def _samples(self) -> array[int]:
        with self._path.open("rb") as file:
            file.seek(self._from)
            data = file.read(_length(self._path) - self._from)
        return array("h", data)


class SoundServer:
    """A running server, and how programs find it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "recording"
        self.address = f"unix:{folder / 'socket'}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve and record until the end."""
        modules = (
            f"module-native-protocol-unix socket={self._folder / 'socket'} auth-anonymous=1",
            "module-null-sink sink_name=unheard",
        )
        alone = ("-n", "--daemonize=no", "--use-pid-file=no", "--disable-shm=yes")
        words = [*alone, "--exit-idle-time=-1", *(f"--load={module}" for module in modules)]
        with self._started("env", "--unset=PULSE_SERVER", "pulseaudio", *words):
            eventually(lambda: "unheard" in self._asked("short", "sinks"))
            form = ("--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1")
            source = ("--device=unheard.monitor", "--latency-msec=20")
            with self._started("parec", *form, *source, str(self._path)):
                eventually(lambda: self._path.exists() and _length(self._path) > 0)
                yield

    def recording(self) -> Recording:
        """What is played from now on."""
        return Recording(self._path)

    def players(self) -> str:
        """What plays into the sink now."""
        return self._asked("short", "sink-inputs")

    def _asked(self, *words: str) -> str:
        asked = ["pactl", "list", *words]
        return subprocess.run(
            asked, env=self._environ, capture_output=True, text=True, check=False
        ).stdout

    @contextmanager
    def _started(self, *command: str) -> Iterator[None]:
        with subprocess.Popen(
            command, env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield
            finally:
                process.terminate()
                process.wait(DEADLINE_S)

    @property
    def _environ(self) -> dict[str, str]:
        mine = {"HOME": str(self._folder), "XDG_RUNTIME_DIR": str(self._folder)}
        return os.environ | mine | {"PULSE_SERVER": self.address}


def _length(path: Path) -> int:
    return path.stat().st_size // 2 * 2


def _loud(samples: array[int]) -> list[int]:
    return [i for i, sample in enumerate(samples) if abs(sample) > _LOUD]


def _without_gaps(samples: array[int]) -> array[int]:
    loud = _loud(samples)
    parts = array("h")
    begin = loud[0]
    for here, there in pairwise([*loud, len(samples) + RATE_HZ]):
        if there - here > _GAP_S * RATE_HZ:
            parts.extend(samples[begin : here + 1])
            begin = there
    return parts
