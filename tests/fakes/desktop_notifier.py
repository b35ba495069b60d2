"""desktop-notifier as far as Windows and macOS have it: shown is what `send` was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Button:
    """A button."""

    title: str
    on_pressed: Callable[[], None]


@dataclass(frozen=True)
class Attachment:
    """A picture."""

    path: Path


@dataclass(frozen=True)
class Sent:
    """One notice."""

    title: str
    message: str
    buttons: Sequence[Button]
    attachment: Attachment | None


class DesktopNotifier:
    """The centre; one that `cannot` shows nothing, and says so only when it is asked."""

    cannot = False
    sent: tuple[Sent, ...] = ()

    def __init__(self, app_name: str, app_icon: None) -> None:
        self.app_name = app_name

    async def get_capabilities(self) -> frozenset[str]:
        """What it can do."""
        return frozenset() if self.cannot else frozenset({"message"})

    async def send(
        self,
        title: str,
        message: str,
        buttons: Sequence[Button],
        attachment: Attachment | None,
        on_dispatched: Callable[[], None],
    ) -> str:
        """Show it."""
        if not self.cannot:
            DesktopNotifier.sent += (Sent(title, message, buttons, attachment),)
            on_dispatched()
        return "an id"
