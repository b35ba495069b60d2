"""Work on many things at once, its results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R], items: Sequence[T], parallel: int, cancel: Callable[[], None]
) -> Iterator[R]:
    """The work's results in the order of the items, several at once, few of them held at a time.

    Whoever stops asking has `cancel` called, and what was not begun is not.
    """
    if len(items) == 1 or parallel == 1:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    ahead: deque[Future[R]] = deque()
    with ThreadPoolExecutor(parallel, thread_name_prefix="upload") as pool:
        try:
            for item in items:
                ahead.append(pool.submit(work, item))
                if len(ahead) > 2 * parallel:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        except BaseException:
            cancel()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
