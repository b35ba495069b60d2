"""What image files are made of: a module per container tells the picture from the metadata."""

from __future__ import annotations

import struct
from importlib import import_module

from imghost.imaging.containers.parts import Bare, CutOff

__all__ = ["Bare", "CutOff", "bare"]

_CONTAINERS = frozenset({"png", "jpeg", "webp", "gif", "avif"})


def bare(data: bytes, format_name: str) -> Bare:
    """The file without its metadata; what has none, or is of another format, comes back itself.

    Raises Broken (a ValueError) if the container cannot be followed, CutOff if it ends too early.
    """
    if format_name not in _CONTAINERS:
        return Bare(data, frozenset())
    try:
        found: Bare = import_module(f"{__name__}.{format_name}").bare(data)
    except (struct.error, IndexError) as exc:
        raise CutOff from exc
    return found
