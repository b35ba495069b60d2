"""Cookies: what servers set is read as browsers read it, and what people copy as they copy it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.secret import Secret
from imghost.transport.cookies import copied_cookies, set_cookies

NOW = 1_800_000_000.0
LATER = "Fri, 01 Jan 2100 00:00:00 GMT"
LATER_S = 4_102_444_800.0
PAST = "Thu, 01 Jan 1970 00:00:10 GMT"


def found(*lines: str) -> dict[str, tuple[str, float]]:
    """What these lines set."""
    cookies = set_cookies(map(Secret, lines), NOW)
    return {name: (cookie.value.reveal(), cookie.ends_at) for name, cookie in cookies.items()}


@pytest.mark.parametrize(
    ("line", "ends_at"),
    [
        ("a=1%2C2*3; Path=/; Domain=x.example; Max-Age=60; HttpOnly; Secure", NOW + 60),
        (f"a=1%2C2*3; expires={LATER}", LATER_S),
        ("a=1%2C2*3; EXPIRES=Friday, 01-Jan-2100 00:00:00 GMT;;", LATER_S),
        ("a=1%2C2*3;Expires=Fri Jan  1 00:00:00 2100", LATER_S),
        (f"  a = 1%2C2*3 ;Expires={PAST}; max-age=5", NOW + 5),
        (f"a=1%2C2*3; Max-Age=soon; Expires={LATER}; SameSite", LATER_S),
        ("a=1%2C2*3; Expires=the twelfth of never; =; Max-Age", math.inf),
        ("a=1%2C2*3", math.inf),
    ],
)
def test_a_cookie_is_read_with_its_end(line: str, ends_at: float) -> None:
    """The value stays as it was sent, Max-Age counts before Expires, and nonsense not at all."""
    assert found(line) == {"a": ("1%2C2*3", ends_at)}


@pytest.mark.parametrize(
    "line",
    [
        *("a=1; Max-Age=0", "a=1; Max-Age=-1", f"a=1; Expires={PAST}", "a=; Max-Age=60"),
        *("=1", "a", "", ";", "; Max-Age=60"),
    ],
)
def test_what_is_no_cookie_or_taken_back_is_none(line: str) -> None:
    """Ended, empty and nameless cookies are left out, and take nothing from those that were set."""
    assert found("a=good; Max-Age=60", line) == {"a": ("good", NOW + 60)}


def test_the_last_of_a_name_counts() -> None:
    """As in a browser; other names stay beside it, and a value may hold the sign."""
    assert found("a=1", "b=x=y=", "a=2") == {"a": ("2", math.inf), "b": ("x=y=", math.inf)}


@given(st.lists(st.text(st.characters(codec="latin-1"))))
def test_any_lines(lines: list[str]) -> None:
    """Nothing that a server sends is an error, and what is read is not over."""
    assert all(value and ends_at > NOW for value, ends_at in found(*lines).values())


@pytest.mark.parametrize("before", ["", "Cookie: ", "cookie:", "  COOKIE :\t", "'cookie: "])
@pytest.mark.parametrize("after", ["", ";", "\r\n", " ", "'"])
@pytest.mark.parametrize("between", ["; ", ";", "\n"])
def test_a_line_is_read_however_it_was_copied(before: str, after: str, between: str) -> None:
    """With and without its name, in one line or several; empty cookies are none."""
    line = Secret(before + between.join(["a=1%2C*2", "empty=", "b=x=y"]) + after)
    assert {k: v.reveal() for k, v in copied_cookies(line).items()} == {"a": "1%2C*2", "b": "x=y"}


@given(st.text())
def test_any_text_that_was_copied(text: str) -> None:
    """Nothing that can be pasted is an error."""
    assert all(value for value in copied_cookies(Secret(text)).values())
