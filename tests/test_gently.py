"""Many things at once, few of a kind: nobody is hurried, and nobody waits for the slow."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.gently import gently
from tests.fakes.program import DEADLINE_S


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers()), unique=True),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_all_is_done_once(items: list[tuple[str, int]], at_once: int, of_a_kind: int) -> None:
    """Every item comes back with its own result, whatever the kinds and the numbers."""
    found = gently(
        lambda item: item[1] * 2, items, lambda i: i[0], at_once=at_once, of_a_kind=of_a_kind
    )
    assert sorted(found) == sorted((item, item[1] * 2) for item in items)


def test_few_of_a_kind_and_few_in_all() -> None:
    """Of one kind two are begun before one has ended, and of all kinds no more than may be."""
    lock, now, most = threading.Lock(), Counter[str](), Counter[str]()
    together = threading.Barrier(5)

    def work(item: str) -> None:
        with lock:
            now.update((item[0], "all"))
            for kind in (item[0], "all"):
                most[kind] = max(most[kind], now[kind])
        if item[1:] == "0":
            together.wait(DEADLINE_S)  # five kinds are at work at the same time
        with lock:
            now.subtract((item[0], "all"))

    items = [f"{kind}{n}" for n in range(20) for kind in "abcde"]
    assert len(list(gently(work, items, lambda i: i[0], at_once=8, of_a_kind=2))) == 100
    assert max(most[kind] for kind in "abcde") <= 2
    assert 5 <= most["all"] <= 8


def test_the_slow_hold_up_nobody() -> None:
    """While one kind hangs, all of the others is done; and in its own kind one lane goes on."""
    may_end = threading.Event()

    def work(item: str) -> None:
        if item == "a0":
            may_end.wait(DEADLINE_S)

    items = [f"{kind}{n}" for kind in "ab" for n in range(50)]
    found = gently(work, items, lambda i: i[0], at_once=4, of_a_kind=2)
    first = [next(found)[0] for _ in range(99)]
    may_end.set()
    assert "a0" not in first
    assert [item for item, _ in found] == ["a0"]


def test_what_goes_wrong_ends_it() -> None:
    """An error of the work is raised, and what was not begun is not."""
    done: list[int] = []
    raised = threading.Event()

    def work(item: int) -> None:
        done.append(item)
        if item == 3:
            raise ValueError(item)
        if item > 3:
            raised.wait(10)

    with pytest.raises(ValueError, match="3"):
        list(gently(work, range(1000), str, at_once=1, of_a_kind=1))
    raised.set()
    assert len(done) <= 5


def test_who_stops_asking_waits_for_nothing() -> None:
    """Nothing more is begun once nobody asks any more."""
    done: list[int] = []
    found = gently(done.append, range(1000), lambda _: "", at_once=1, of_a_kind=1)
    next(found)
    del found
    assert len(done) < 1000
