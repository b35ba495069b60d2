"""Trials of the desktop session: clipboard, sound, tray, notices."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import closing

from imghost.clipboard import Held
from imghost.desktop.chime import hear
from imghost.desktop.choice import open_clipboard
from imghost.desktop.notify import Notifier
from imghost.doctor.trial import Case, NotTriedError
from imghost.errors import MachineError
from imghost.models import Message
from imghost.watch.telling import done_sound

_POLL_S = 1.0
_LOOK_BYTES = 100_000_000
_NO_DESKTOP = Message("no desktop session was found here")


def try_clipboard(case: Case) -> Message:
    """It can be read; what is there stays as it is."""
    _have_desktop(case.environ)
    with closing(open_clipboard(case.environ, _POLL_S)) as clipboard:
        held = clipboard.read(_LOOK_BYTES)
    return Message("it can be read: {what}", {"what": _what(held)})


def try_sound(case: Case) -> Message:
    """The sound of a finished link, as it is set."""
    chime = case.settings.chime
    if not chime.enabled:
        raise NotTriedError(Message("chime.enabled is false"))
    if problem := hear(done_sound(chime), chime.volume):
        if not _is_desktop(case.environ):
            raise NotTriedError(_NO_DESKTOP)
        raise MachineError(
            "no sound can be played: {detail}; see whether the system has a sound device, or set "
            "chime.enabled to false",
            detail=problem,
        )
    return Message("you should have heard the sound of a finished link")


def try_tray(case: Case) -> Message:
    """Something shows tray icons."""
    _have_desktop(case.environ)
    if sys.platform == "linux":
        from imghost.desktop.panel import missing_panel

        _raise(asyncio.run(missing_panel()))
    return Message("a panel shows icons")


def try_notices(case: Case) -> Message:
    """Somebody would see a notice; none is shown."""
    if not case.settings.notify.enabled:
        raise NotTriedError(Message("notify.enabled is false"))
    _have_desktop(case.environ)
    _raise(asyncio.run(_missing_notices()))
    return Message("they can be shown")


async def _missing_notices() -> Message | None:
    notifier = Notifier(asyncio.get_running_loop())
    try:
        return await notifier.missing()
    finally:
        await notifier.close()


def _raise(problem: Message | None) -> None:
    if problem:
        raise MachineError(problem.template, **problem.fields)


def _have_desktop(environ: Mapping[str, str]) -> None:
    if not _is_desktop(environ):
        raise NotTriedError(_NO_DESKTOP)


def _is_desktop(environ: Mapping[str, str]) -> bool:
    others = sys.platform in ("win32", "darwin")
    return others or any(map(environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def _what(held: Held) -> Message:
    if held.reason:
        return held.reason
    if held.bitmap:
        return Message("there is an image")
    if held.paths:
        return Message("there are files")
    return Message("there is no image now")
