"""Our dataclasses behave as the standard library's."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.values import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """Two numbers, one with a default, and what does not count."""

    x: int
    y: int = 2
    note: str = field(default="", compare=False, repr=False)
    seen: list[int] = field(default_factory=list, compare=False)

    @property
    def total(self) -> int:
        """Of both."""
        return self.x + self.y


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    """The same by the standard library."""

    x: int
    y: int = 2
    note: str = field(default="", compare=False, repr=False)
    seen: list[int] = field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class Place(Point):
    """One more, and something to be worked out."""

    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.upper())


@dataclass(frozen=True, slots=True)
class Nothing:
    """No fields."""


@dataclass(frozen=True, slots=True)
class Named:
    """Has a text of its own."""

    name: str

    def __repr__(self) -> str:
        return "named"


@dataclass(slots=True, eq=False)
class Counter:
    """Changes."""

    count: int = 0


@given(st.integers(), st.integers(), st.text(), st.integers(), st.integers())
def test_compared_as_the_standard_library_does(x: int, y: int, note: str, a: int, b: int) -> None:
    """Equal are those of one class whose compared fields are; so are their hashes."""
    ours, theirs = Point(x, y, note), Point(a, b)
    assert (ours == theirs) == (Plain(x, y, note) == Plain(a, b))
    assert ours == Point(x, y)
    assert hash(ours) == hash(Point(x, y))
    others: list[object] = [Plain(x, y), Place(x, y)]
    assert ours not in others
    assert repr(ours) == repr(Plain(x, y, note)).replace("Plain", "Point")


def test_made_as_the_standard_library_makes_them() -> None:
    """By place and by name, with defaults of one's own."""
    assert Point(y=3, x=1) == Point(1, 3)
    assert Point(1).y == 2
    assert Point(1).seen is not Point(1).seen


@pytest.mark.parametrize("args", [(), (1, 2, "", [], 5)])
def test_wrong_arguments(args: tuple[object, ...]) -> None:
    """Too few and too many are errors."""
    make: Callable[..., object] = Point
    with pytest.raises(TypeError):
        make(*args)


@pytest.mark.parametrize("name", ["x", "seen", "total", "other"])
def test_nothing_of_it_changes(name: str) -> None:
    """No field, property or anything else can be set or deleted once it is made."""
    point = Point(1)
    with pytest.raises(AttributeError):
        setattr(point, name, 5)
    with pytest.raises(FrozenInstanceError):
        delattr(point, name)
    assert (point.x, point.total) == (1, 3)
    assert not hasattr(point, "__dict__")


def test_what_the_standard_library_does_with_them() -> None:
    """Replaced, taken apart, matched and copied like any other."""
    point = Point(1, 5, "n", [7])
    assert replace(point, y=6) == Point(1, 6)
    assert asdict(point) == {"x": 1, "y": 5, "note": "n", "seen": [7]}
    assert [copy.copy(point), copy.deepcopy(point)] == [point, point]
    match point:
        case Point(1, y):
            assert y == 5
        case _:
            pytest.fail("it does not match")


def test_inheritance_and_what_is_worked_out() -> None:
    """Fields are inherited in their order, and `__post_init__` may fill in."""
    place = Place(1, 2, "n", [], "a")
    assert place.name == "A"
    assert repr(place) == "Place(x=1, y=2, seen=[], name='A')"
    assert {place: 1}[Place(1, name="a")] == 1


def test_special_cases() -> None:
    """No fields, methods of one's own, and classes that change."""
    assert Nothing() == Nothing()
    assert repr(Named("a")) == "named"
    assert Named("a") == Named("a")
    counter = Counter()
    counter.count += 1
    assert (counter.count, counter == Counter(1)) == (1, False)


def test_what_cannot_be_hashed() -> None:
    """A value that holds what changes has no hash."""

    @dataclass(frozen=True, slots=True)
    class Holder:
        """Holds a list."""

        items: list[int]

    assert Holder([1]) == Holder([1])
    with pytest.raises(TypeError, match="unhashable"):
        hash(Holder([1]))


@pytest.mark.parametrize("options", [{}, {"slots": True, "order": True}])
def test_what_is_not_made_here_is_refused(options: dict[str, bool]) -> None:
    """No option is taken that would not be heeded."""
    with pytest.raises(TypeError, match="no other options"):
        dataclass(frozen=True, **options)
