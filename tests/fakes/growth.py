"""Whether time grows as the input does, and not as its square."""

from __future__ import annotations

import time
from collections.abc import Callable

SHORT, LONG = 3000, 48_000


def is_linear(task: Callable[[int], object]) -> bool:
    """16 times as much takes about 16 times as long: for its square it would be 256 times."""

    def taken_s(size: int) -> float:
        since = time.process_time()
        task(size)
        return time.process_time() - since

    short_s = min(taken_s(SHORT) for _ in range(3))
    return min(taken_s(LONG) for _ in range(2)) < 4 * LONG / SHORT * short_s + 0.1
