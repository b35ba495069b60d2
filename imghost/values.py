"""Dataclasses that are quickly made: a command makes sixty, and that took a fifth of its time.

The standard library compiles six functions for each that is frozen. Here it compiles one, the rest
is shared; what is not frozen is the standard library's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        *, frozen: bool = False, slots: bool = False, **options: bool
    ) -> Callable[[type], type]:
        """As `dataclasses.dataclass`; what is frozen has slots, and takes no other options."""
        if not frozen:
            return dataclasses.dataclass(slots=slots, **options)
        if options or not slots:
            raise TypeError("what is frozen has slots, and takes no other options")
        return _frozen


def _frozen(cls: type) -> type:
    own = set(vars(cls))
    made: type = dataclasses.dataclass(slots=True, eq=False, repr=False)(cls)
    for name, method in _methods(dataclasses.fields(made)).items():
        if name not in own:
            setattr(made, name, method)
    return made


def _methods(fields: tuple[dataclasses.Field[Any], ...]) -> dict[str, Callable[..., Any]]:
    compared = [field.name for field in fields if field.compare]
    shown = [field.name for field in fields if field.repr]
    content: Callable[[object], object] = attrgetter(*compared) if compared else _nothing

    def equal(self: object, other: object) -> bool:
        return content(self) == content(other) if type(other) is type(self) else NotImplemented

    def digest(self: object) -> int:
        return hash(content(self))

    def text(self: object) -> str:
        items = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({items})"

    return {
        "__eq__": equal,
        "__hash__": digest,
        "__repr__": text,
        "__setattr__": _set_once,
        "__delattr__": _keep,
    }


def _nothing(_: object) -> object:
    return ()


def _set_once(self: object, name: str, value: object) -> None:
    if hasattr(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _keep(_: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
