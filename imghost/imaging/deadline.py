"""How long an image may take in all, looked at between its frames and before it is drawn again.

The limit goes with the thread that works, not with the calls: decoders and encoders lie between.
It counts that thread's processor time, so that no picture is refused because the machine is busy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time

from imghost.errors import ImageError

_ENDS = ContextVar("_ENDS", default=(math.inf, math.inf))  # by its own clock; the limit in s


class OutOfTime(Exception):
    """The time is over; `decode_errors` makes an ImageError of it."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(limit_s)
        self.limit_s = limit_s


@contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Give the work on one image this long, or less if it has less already."""
    token = _ENDS.set(min(_ENDS.get(), (thread_time() + limit_s, limit_s)))
    try:
        yield
    finally:
        _ENDS.reset(token)


def check_time() -> None:
    """Raises OutOfTime when the time is over."""
    ends, limit_s = _ENDS.get()
    if thread_time() > ends:
        raise OutOfTime(limit_s)


def too_slow(name: str, limit_s: float) -> ImageError:
    """What to say of an image that took longer."""
    return ImageError(
        "{name} took longer than {s} s to decode and convert; make it smaller or shorter",
        name=name,
        s=limit_s,
    )
