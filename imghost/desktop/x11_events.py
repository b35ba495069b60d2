"""What an X display tells us, in plain types."""

from __future__ import annotations

from typing import Any, TypeAlias

from imghost.values import dataclass

NONE = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """The clipboard has another owner, or NONE; `vanished`: the last one's window is gone."""

    owner: int
    time_ms: int
    vanished: bool


@dataclass(frozen=True, slots=True)
class Cleared:
    """We own a selection no more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Another program wants a selection of ours, in the format `target`, at `place`."""

    requestor: int
    selection: int
    target: int
    place: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What we asked for in the format `target` is at `place`, or NONE: it was refused."""

    window: int
    target: int
    place: int


@dataclass(frozen=True, slots=True)
class Written:
    """A window's property has a new value."""

    window: int
    place: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A window's property was deleted: who waited for it has read it."""

    window: int
    place: int


@dataclass(frozen=True, slots=True)
class Gone:
    """A window is no more; its number may soon be another's."""

    window: int


WindowEvent: TypeAlias = Answered | Written | Taken | Gone
Event: TypeAlias = Changed | Cleared | Asked | WindowEvent


def parsed(event: Any) -> Event | None:  # noqa: ANN401, PLR0911 - untyped library; one line a kind
    """The library's event; None for those that are not about clipboards."""
    from Xlib import X
    from Xlib.ext import xfixes

    if isinstance(event, xfixes.SelectionNotify):
        vanished = event.sub_code != xfixes.XFixesSetSelectionOwnerNotify
        owner = NONE if vanished else event.owner.id
        return Changed(owner, event.selection_timestamp, vanished)
    if event.type == X.SelectionRequest:
        place = event.property or event.target  # what obsolete programs mean
        return Asked(event.requestor.id, event.selection, event.target, place, event.time)
    if event.type == X.SelectionClear:
        return Cleared()
    if event.type == X.SelectionNotify:
        return Answered(event.requestor.id, event.target, event.property)
    if event.type == X.DestroyNotify:
        return Gone(event.window.id)
    if event.type == X.PropertyNotify and event.state == X.PropertyNewValue:
        return Written(event.window.id, event.atom, event.time)
    if event.type == X.PropertyNotify:
        return Taken(event.window.id, event.atom)
    return None
