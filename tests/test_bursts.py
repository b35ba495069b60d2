"""What belongs together comes together, in order, and nothing waits for ever."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.models import Target
from imghost.pipeline import Order
from imghost.watch.bursts import JOIN_S, SPLIT_S, Bursts, Links, Origin

ORDER = Order(Target("local", "images"), "url")
CLIPBOARD, FOLDER = Origin("clipboard", 1), Origin("/pictures", 1)


@pytest.fixture
def bursts() -> Bursts:
    """No burst yet."""
    return Bursts()


def texts(links: list[Links]) -> list[tuple[str, ...]]:
    """What each of them gives."""
    return [one.texts for one in links]


def test_a_lone_picture_gives_its_link_at_once(bursts: Bursts) -> None:
    """Nothing is waited for once it is settled, and it is given once."""
    item = bursts.add(FOLDER, "a.png", ORDER, 0.0)
    assert bursts.due(0.1) == []
    bursts.settle(item, "link a")
    assert texts(bursts.due(0.2)) == [("link a",)]
    assert bursts.due(0.3) == []


def test_copied_files_keep_their_order(bursts: Bursts) -> None:
    """Several files give one line each, in the order in which they were copied, all together."""
    items = bursts.add_all(CLIPBOARD, ["z.png", "a.png"], ORDER, 0.0)
    bursts.settle(items[1], "link a")
    assert bursts.due(0.1) == []
    bursts.settle(items[0], "link z")
    assert texts(bursts.due(0.2)) == [("link z", "link a")]


def test_files_of_a_folder_go_by_name(bursts: Bursts) -> None:
    """Those found less than a second apart are one burst, in name order."""
    found = [
        bursts.add(FOLDER, name, ORDER, at) for name, at in (("b", 0.0), ("c", 0.9), ("a", 1.8))
    ]
    for item in found:
        bursts.settle(item, f"link {item.name}")
    assert texts(bursts.due(2.0)) == [("link a", "link b", "link c")]


def test_who_joins_later_is_given_with_the_others(bursts: Bursts) -> None:
    """A burst that gave its links gives them again, with those of who joined it."""
    bursts.settle(bursts.add(FOLDER, "a", ORDER, 0.0), "link a")
    assert bursts.due(0.1)[0].fresh == ("link a",)
    late = bursts.add(FOLDER, "b", ORDER, 0.5)
    assert bursts.due(0.6) == []
    bursts.settle(late, "link b")
    (links,) = bursts.due(0.7)
    assert (links.texts, links.fresh) == (("link a", "link b"), ("link b",))


@pytest.mark.parametrize(
    ("origin", "found_at"),
    [(FOLDER, JOIN_S), (Origin("/other", 1), 0.1), (Origin("/pictures", 2), 0.1)],
)
def test_what_comes_apart_is_apart(bursts: Bursts, origin: Origin, found_at: float) -> None:
    """A second later, in another folder, or after somebody copied: a burst of its own."""
    for item in (bursts.add(FOLDER, "a", ORDER, 0.0), bursts.add(origin, "b", ORDER, found_at)):
        bursts.settle(item, f"link {item.name}")
    first, second = bursts.due(found_at)
    assert texts([first, second]) == [("link a",), ("link b",)]
    assert first.number < second.number


def test_after_ten_seconds_comes_what_is_there(bursts: Bursts) -> None:
    """What still waits then comes with it again, each ten seconds, as far as it is settled."""
    first, second, third = bursts.add_all(CLIPBOARD, ["a", "b", "c"], ORDER, 0.0)
    bursts.settle(second, "link b")
    assert bursts.next_s(1.0) == SPLIT_S - 1.0
    assert bursts.due(SPLIT_S - 0.1) == []
    assert texts(bursts.due(SPLIT_S)) == [("link b",)]
    bursts.settle(third, "link c")
    assert bursts.due(SPLIT_S + 1) == []
    (links,) = bursts.due(2 * SPLIT_S)
    assert (links.texts, links.fresh) == (("link b", "link c"), ("link c",))
    assert bursts.due(3 * SPLIT_S) == []
    bursts.settle(first, "link a")
    (links,) = bursts.due(3 * SPLIT_S + 1)
    assert (links.texts, links.fresh) == (("link a", "link b", "link c"), ("link a",))
    assert bursts.next_s(3 * SPLIT_S + 1) == math.inf


def test_a_whole_burst_has_its_drafts_in_their_places(bursts: Bursts) -> None:
    """Links and drafts stand in the order of the pictures, whatever is given when."""
    items = bursts.add_all(CLIPBOARD, list("abcd"), ORDER, 0.0)
    for number, item in enumerate(items[1:], 1):
        bursts.accept(item, number)
    for item in items:
        bursts.draft(item, f"draft {item.name}")
    assert texts(bursts.due(5.0)) == [("draft a", "draft b", "draft c", "draft d")]
    bursts.settle(items[1], "link b")
    bursts.settle(items[0], "link a", 9)
    (links,) = bursts.due(SPLIT_S)
    assert links.texts == ("link a", "link b", "draft c", "draft d")
    assert links.record_ids == (9, 1, 2, 3)
    assert (links.fresh, links.is_draft) == (("link a", "link b"), True)
    bursts.settle(items[3], "link d")
    bursts.settle(items[2], "")
    (links,) = bursts.due(SPLIT_S + 6)
    assert links.texts == ("link a", "link b", "link d")
    assert links.record_ids == (9, 1, 3)
    assert (links.fresh, links.is_draft) == (("link d",), False)


def test_a_folders_burst_stays_whole(bursts: Bursts) -> None:
    """What comes late stands with the others, by name; a file that is found then does not."""
    first, second = (bursts.add(FOLDER, name, ORDER, 0.0) for name in ("b", "a"))
    bursts.settle(first, "link b")
    assert texts(bursts.due(SPLIT_S)) == [("link b",)]
    other = bursts.add(FOLDER, "0", ORDER, SPLIT_S)
    bursts.settle(second, "link a")
    bursts.settle(other, "link 0")
    assert texts(bursts.due(SPLIT_S + 1)) == [("link a", "link b"), ("link 0",)]


def test_a_draft_stands_in_until_the_link_is_there(bursts: Bursts) -> None:
    """Given once, when every picture has its link or a draft; then the links themselves."""
    first, second = bursts.add_all(CLIPBOARD, ["a", "b"], ORDER, 0.0)
    bursts.settle(first, "link a")
    bursts.draft(second, "draft b")
    (links,) = bursts.due(5.0)
    assert (links.texts, links.is_draft) == (("link a", "draft b"), True)
    assert bursts.due(5.1) == []
    bursts.settle(second, "link b")
    (links,) = bursts.due(6.0)
    assert (links.texts, links.is_draft) == (("link a", "link b"), False)


def test_what_is_dropped_is_not_waited_for(bursts: Bursts) -> None:
    """A file that turned out to be no picture holds up nobody."""
    first, second = bursts.add_all(CLIPBOARD, ["a", "b"], ORDER, 0.0)
    bursts.settle(first, "link a")
    bursts.accept(second, 7)
    bursts.drop(second)
    assert texts(bursts.due(0.1)) == [("link a",)]
    assert bursts.pending_ids() == []


def test_what_was_dropped_stays_so(bursts: Bursts) -> None:
    """Dropped again, settled or drafted by whoever did not know, it changes nothing."""
    first, second = bursts.add_all(CLIPBOARD, ["a", "b"], ORDER, 0.0)
    bursts.drop(first)
    bursts.drop(first)
    bursts.draft(first, "draft a")
    bursts.settle(first, "link a")
    assert bursts.due(0.1) == []
    bursts.settle(second, "link b")
    assert texts(bursts.due(0.2)) == [("link b",)]
    assert bursts.next_s(0.2) == math.inf


def test_a_draft_that_cannot_be_made_is_none(bursts: Bursts) -> None:
    """The others of its burst wait for the links."""
    first, second = bursts.add_all(CLIPBOARD, ["a", "b"], ORDER, 0.0)
    bursts.draft(first, "draft a")
    bursts.draft(second, "")
    assert bursts.due(5.0) == []
    bursts.settle(second, "link b")
    (links,) = bursts.due(5.1)
    assert (links.texts, links.is_draft) == (("draft a", "link b"), True)


def test_a_burst_can_be_drafted_late(bursts: Bursts) -> None:
    """Also when drafts are wanted only after the time in which a burst waits for its links."""
    (item,) = bursts.add_all(CLIPBOARD, ["a"], ORDER, 0.0)
    assert bursts.due(SPLIT_S) == []
    bursts.draft(item, "draft a")
    (links,) = bursts.due(SPLIT_S + 5)
    assert (links.texts, links.is_draft) == (("draft a",), True)
    assert bursts.due(2 * SPLIT_S) == []
    assert bursts.due(2 * SPLIT_S + 1) == []
    bursts.settle(item, "link a")
    assert texts(bursts.due(30.0)) == [("link a",)]


def test_pictures_of_one_row_wait_together(bursts: Bursts) -> None:
    """The same picture found twice is one row, and both have its link."""
    items = bursts.add_all(CLIPBOARD, ["a", "b"], ORDER, 0.0)
    for item in items:
        bursts.accept(item, 7)
    assert bursts.pending(7) == items
    assert bursts.is_expected(CLIPBOARD, 100.0)
    for item in bursts.pending(7):
        bursts.settle(item, "link")
    assert texts(bursts.due(0.1)) == [("link", "link")]
    assert not bursts.is_expected(CLIPBOARD, 0.1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["folder", "copy", "settle", "fail", "drop", "draft", "wait"]),
            st.integers(0, 5),
        ),
        max_size=60,
    )
)
def test_every_link_is_given_and_nothing_else(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, each link is given, and stays; it is fresh just once."""
    bursts, now, waiting = Bursts(), 0.0, []
    links: set[str] = set()
    given_out: dict[int, set[str]] = {}
    fresh: list[str] = []
    for number, (step, which) in enumerate([*steps, ("wait", 0)]):
        now += SPLIT_S if step == "wait" else 0.3 * which
        if step == "folder":
            waiting.append(bursts.add(FOLDER, f"{number}", ORDER, now))
        elif step == "copy":
            waiting += bursts.add_all(Origin("clipboard", number), ["x"] * (which + 1), ORDER, now)
        elif step == "draft" and waiting:
            bursts.draft(waiting[which % len(waiting)], "draft")
        elif step != "wait" and waiting:
            item = waiting.pop(which % len(waiting))
            if step == "drop":
                bursts.drop(item)
            else:
                bursts.settle(item, f"link {number}" if step == "settle" else "")
                links |= {item.link} - {""}
        for one in bursts.due(now):
            given = set(one.texts) - {"draft"}
            assert given >= given_out.get(one.number, set())
            given_out[one.number] = given
            fresh += one.fresh
    assert sorted(fresh) == sorted(links)
    assert links == set().union(*given_out.values())
    assert bool(waiting) == (bursts.next_s(now) < math.inf)


def test_what_asks_comes_together_as_it_is_wanted(bursts: Bursts) -> None:
    """Each link with those that came before it, in the order of the copied files."""
    first, second, third = bursts.add_all(CLIPBOARD, ["c", "b", "a"], ORDER, 0.0)
    bursts.set_apart(third)
    bursts.set_apart(first)
    bursts.settle(third, "link a")
    assert bursts.due(1.0) == []
    assert texts(bursts.due(20.0)) == [("link a",)]
    bursts.settle(first, "link c")
    (links,) = bursts.due(30.0)
    assert (links.texts, links.fresh) == (("link c", "link a"), ("link c",))
    bursts.set_apart(second)
    assert bursts.due(31.0) == []
    bursts.settle(second, "link b")
    assert texts(bursts.due(32.0)) == [("link c", "link b", "link a")]
    assert bursts.due(33.0) == []


def test_what_asks_holds_up_nobody(bursts: Bursts) -> None:
    """The others come without it, and it with them once the user has said yes, however late.

    For a while its content may still come into a clipboard manager's hands.
    """
    first, second, third = bursts.add_all(CLIPBOARD, ["a", "b", "c"], ORDER, 0.0)
    bursts.set_apart(second)
    bursts.set_apart(third)
    bursts.settle(first, "link a")
    assert texts(bursts.due(0.1)) == [("link a",)]
    assert bursts.is_expected(CLIPBOARD, 0.1)
    assert not bursts.is_expected(CLIPBOARD, SPLIT_S)
    assert bursts.next_s(0.1) == math.inf
    assert bursts.due(100.0) == []
    bursts.settle(third, "link c")
    (links,) = bursts.due(100.0)
    assert (links.texts, links.fresh) == (("link a", "link c"), ("link c",))
    bursts.drop(second)
    assert bursts.due(101.0) == []


def test_what_is_known_already_may_be_kept_back(bursts: Bursts) -> None:
    """Nothing is given while all others ask, not even at the end of the time; then all at once."""
    known, first, second = bursts.add_all(CLIPBOARD, ["a", "b", "c"], ORDER, 0.0, kept_back=True)
    bursts.settle(known, "link a")
    bursts.set_apart(first)
    bursts.set_apart(second)
    assert bursts.due(0.1) == bursts.due(SPLIT_S) == []
    bursts.drop(first)
    assert bursts.due(30.0) == []
    bursts.settle(second, "link c")
    assert texts(bursts.due(40.0)) == [("link a", "link c")]


def test_what_is_all_known_is_not_kept_back(bursts: Bursts) -> None:
    """If nothing asks there is nothing to wait for."""
    for item in bursts.add_all(CLIPBOARD, ["a", "b"], ORDER, 0.0, kept_back=True):
        bursts.settle(item, f"link {item.name}")
    assert texts(bursts.due(0.1)) == [("link a", "link b")]
