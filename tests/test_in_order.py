"""Many things at once, results in order, and few of them held."""

from __future__ import annotations

import threading

import pytest

from imghost.in_order import in_order


def _never() -> None:
    raise AssertionError("cancelled")


@pytest.mark.parametrize("parallel", [1, 2, 8])
def test_results_come_in_the_order_of_the_items(parallel: int) -> None:
    """Whoever is faster, the first item's result comes first."""
    assert list(in_order(lambda n: n * n, range(50), parallel, _never)) == [
        n * n for n in range(50)
    ]


def test_works_at_once_but_not_far_ahead() -> None:
    """As many as allowed run together, and results do not pile up before they are asked for."""
    together = threading.Barrier(3, timeout=10)
    begun: list[int] = []

    def work(n: int) -> int:
        begun.append(n)
        if n < 3:
            together.wait()
        return n

    results = in_order(work, range(1000), 3, _never)
    assert next(results) == 0
    assert len(begun) < 20
    assert sum(1 for _ in results) == 999


def test_an_error_cancels_what_was_not_begun() -> None:
    """The first error comes out, and the rest is not begun."""
    begun: list[int] = []
    cancelled = threading.Event()

    def work(n: int) -> int:
        begun.append(n)
        if n == 2:
            raise ValueError("broken")
        return n

    with pytest.raises(ValueError, match="broken"):
        list(in_order(work, range(1000), 2, cancelled.set))
    assert cancelled.is_set()
    assert len(begun) < 20


def test_who_stops_asking_cancels() -> None:
    """Closing it in the middle cancels what was not begun."""
    cancelled = threading.Event()
    results = in_order(lambda n: n, range(1000), 2, cancelled.set)
    next(results)
    results.close()  # type: ignore[attr-defined] # it is a generator
    assert cancelled.is_set()
