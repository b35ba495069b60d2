"""Notices on Windows and macOS, by desktop-notifier.

Type-checked for them; not yet run there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imghost.desktop.bus import BusError, adopt_log
from imghost.models import Message

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier


class NativeNotices:
    """Shows notices by the system's own centre; for one loop.

    What buttons call is called on whatever thread the system likes.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._desktop: DesktopNotifier | None = None

    async def show(
        self,
        title: str,
        text: str,
        picture: Path | None,
        buttons: Sequence[tuple[str, Callable[[], None]]],
    ) -> None:
        """Show plain text, a picture by its whole path, and buttons: labels, and what they call.

        Raises BusError if it is not taken.
        """
        from desktop_notifier import Attachment, Button

        shown = asyncio.Event()
        await self._connected().send(
            title,
            text,
            buttons=[Button(label, pressed) for label, pressed in buttons],
            attachment=Attachment(picture) if picture else None,
            on_dispatched=shown.set,
        )
        if not shown.is_set():
            raise BusError("it was not taken")

    async def missing(self) -> Message | None:
        """Why nobody would see a notice, and what to do; None where somebody might."""
        if await self._connected().get_capabilities():
            return None
        return Message(
            "notices: this system shows none from this Python; on macOS use python.org's"
        )

    async def close(self) -> None:
        """Nothing is held open."""

    def _connected(self) -> DesktopNotifier:
        if self._desktop is None:
            from desktop_notifier import DesktopNotifier

            adopt_log("desktop_notifier")
            self._desktop = DesktopNotifier(self._program, app_icon=None)
        return self._desktop
