"""Work on many things at once, but on few of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def gently(
    work: Callable[[T], R],
    items: Iterable[T],
    kind_of: Callable[[T], str],
    *,
    at_once: int,
    of_a_kind: int,
) -> Iterator[tuple[T, R]]:
    """Each item with its result, as soon as there is one: so many `at_once` and `of_a_kind`.

    Raises what the work raises. Whoever stops asking leaves what was begun to end by itself.
    """
    waiting: dict[str, list[T]] = {}
    for item in items:
        waiting.setdefault(kind_of(item), []).append(item)
    for queue in waiting.values():
        queue.reverse()
    running: dict[Future[R], T] = {}
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="gently")

    def begin(kind: str) -> None:
        if queue := waiting[kind]:
            item = queue.pop()
            running[pool.submit(work, item)] = item

    try:
        for kind in [*waiting] * of_a_kind:
            begin(kind)
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                item = running.pop(future)
                begin(kind_of(item))
                yield item, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
