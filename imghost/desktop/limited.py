"""A call that may hang, given a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(limit_s: float, name: str, call: Callable[[], T]) -> T:
    """What `call` gives or raises; TimeoutError if that takes longer, and it is left to itself.

    It runs on a daemon thread `imghost-<name>`, which ends when the call does.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
            result.set_exception(exc)

    threading.Thread(target=run, name=f"imghost-{name}", daemon=True).start()
    return result.result(limit_s)
