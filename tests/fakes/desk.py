"""A person at a desk, who sees notices and hears chimes."""

from __future__ import annotations

from pathlib import Path

from imghost.desktop.notify import Notice
from imghost.text import Speaker
from imghost.watch.telling import Topic

_SAY = Speaker("en")


class Screen:
    """Where notices are shown, as `show`."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def __call__(self, notice: Notice) -> None:
        """Show it."""
        self.notices.append(notice)

    def texts(self, topic: Topic) -> list[str]:
        """What was shown about this."""
        return [n.text for n in self.notices if n.title == _SAY(topic.value)]

    def press(self, label: str) -> None:
        """Press the button of the latest notice that has it."""
        buttons = [button for notice in self.notices for button in notice.buttons]
        [b for b in buttons if b.label == label][-1].pressed()


class Speakers:
    """What sounds come from, as `play`."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.volumes: list[float] = []

    def __call__(self, sound: Path, volume: float) -> None:
        """Let it be heard."""
        self.heard.append(sound.name)
        self.volumes.append(volume)
