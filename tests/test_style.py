"""The style suffix: text to value and back, the sizes it asks for, and what it refuses."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imghost.errors import ConfigError
from imghost.imaging.style import Style, split_style

ORDER = "pwhecqsof"
HIGHEST = 2**63 - 1
RANGES = {
    "p": (1, 1000),
    "w": (1, HIGHEST),
    "h": (1, HIGHEST),
    "e": (0, 2),
    "c": (0, 3),
    "q": (1, 100),
    "s": (0, HIGHEST),
    "o": (0, HIGHEST),
    "f": (0, HIGHEST),
}
FORMATS = ["", "webp", "png", "jpg", "jpeg", "gif", "avif"]

edges = st.integers(1, 20_000)


@st.composite
def canonical(draw: st.DrawFn) -> str:
    """A suffix in the order in which imghost writes it, each item at most once."""
    letters = draw(st.sets(st.sampled_from(ORDER)))
    values = {letter: draw(st.integers(*RANGES[letter])) for letter in letters}
    assume("c" not in values or ("p" not in values and values.get("e") != 2))
    items = [f"{values[letter]}{letter}" for letter in ORDER if letter in values]
    items += draw(st.sampled_from([[], ["progressive"]]))
    items += draw(st.sampled_from([[], ["!Web-Home-1"]]))
    ending = draw(st.sampled_from(FORMATS))
    assume(items or ending)
    return f"@{'_'.join(items)}{'.' if ending else ''}{ending}"


@st.composite
def written_freely(draw: st.DrawFn) -> tuple[str, str]:
    """A suffix as anyone may write it, and the same in imghost's order."""
    text = draw(canonical())
    items, _, ending = text[1:].partition(".")
    shuffled = draw(st.permutations([item for item in items.split("_") if item]))
    cased = [
        item if "!" in item else draw(st.sampled_from([item, item.upper()])) for item in shuffled
    ]
    repeated = [f"1{item[-1]}" for item in cased if item[-1] in "wWhHqQ"]
    gap = "_" if "!" in items else draw(st.sampled_from(["", "_"]))
    dot = f".{draw(st.sampled_from([ending, ending.upper()]))}" if ending else ""
    return "@" + gap.join(repeated + cased) + draw(st.sampled_from(["", "_"])) * bool(
        items
    ) + dot, text


@given(text=canonical())
def test_canonical_text_is_kept(text: str) -> None:
    """What imghost writes it reads back as the same value and writes the same again."""
    assert str(Style.parse(text)) == text


@given(pair=written_freely())
def test_order_case_and_repeats_do_not_matter(pair: tuple[str, str]) -> None:
    """Any order and case, with or without underscores, the last of a letter winning: one value."""
    free, text = pair
    assert Style.parse(free) == Style.parse(text)
    assert str(Style.parse(free)) == text


@pytest.mark.parametrize(
    ("original", "text", "result"),
    [
        ((200, 400), "@100w_100h_0e", (50, 100)),
        ((200, 400), "@100w_100h_1e", (100, 200)),
        ((200, 400), "@100w_100h_2e", (100, 100)),
        ((200, 400), "@100w_100h_1e_1c", (100, 100)),
        ((1920, 1080), "@960w", (960, 540)),
        ((1920, 1080), "@540h", (960, 540)),
        ((1920, 1080), "@480w_480h", (480, 270)),
        ((1920, 1080), "@1e_1c.webp", (1920, 1080)),
        ((1920, 1080), "@3840w", (1920, 1080)),
        ((1920, 1080), "@1921w_1080h_2e", (1920, 1080)),
        ((400, 100), "@200w_200h_2e", (200, 200)),
        ((1920, 1080), "@100w_960w", (960, 540)),
        ((1920, 1080), "@960W", (960, 540)),
        ((1920, 1080), "@480w_270h_200p", (960, 540)),
        ((1920, 1080), "@.webp", (1920, 1080)),
        ((1920, 1080), "@50p", (960, 540)),
        ((1920, 1080), "@200p", (1920, 1080)),
        ((1920, 1080), "@100h_50p_2e", (89, 50)),
        ((1920, 1080), f"@{HIGHEST}w_{HIGHEST}h_2e", (1920, 1080)),
        ((1920, 1080), f"@{HIGHEST}w_1p", (1920, 1080)),
        ((3, 1), "@1w", (1, 1)),
        ((10_000, 1), "@1w", (1, 1)),
        ((100, 25), "@50w_50p", (25, 6)),
        ((100, 26), "@25w", (25, 7)),
        ((100, 10), "@50w_20h_1c", (50, 20)),
        ((100, 10), "@50w_21h_1c", (100, 10)),
        ((100, 50), "@50w_1c", (50, 25)),
        ((100, 50), "@40w_40h_0c", (40, 20)),
        ((100, 50), "@40w_40h_3c", (40, 40)),
    ],
)
def test_resulting_size(original: tuple[int, int], text: str, result: tuple[int, int]) -> None:
    """Each row of the table of resulting sizes holds, and so do its borders."""
    assert Style.parse(text).size(*original) == result


@given(text=canonical(), width=edges, height=edges)
def test_never_more_pixels(text: str, width: int, height: int) -> None:
    """Whatever is asked, the result is an image, and has no more pixels than the original."""
    across, down = Style.parse(text).size(width, height)
    assert across >= 1
    assert down >= 1
    assert across * down <= width * height


@given(width=edges, height=edges, asked=edges)
def test_one_edge_keeps_the_ratio(width: int, height: int, asked: int) -> None:
    """One edge alone comes out exactly, the other by ratio, halves rounded up, exactly computed."""
    assume(asked < width)
    across, down = Style(width_px=asked).size(width, height)
    assert across == asked
    exact = Fraction(height * asked, width)
    assert down == max(1, int(exact + Fraction(1, 2)))
    assert Style(height_px=asked).size(height, width) == (down, across)


@given(width=edges, height=edges, asked=st.tuples(edges, edges))
def test_crop_shows_the_middle(width: int, height: int, asked: tuple[int, int]) -> None:
    """A crop takes the largest part of that shape, from the middle, within the original."""
    style = Style(width_px=asked[0], height_px=asked[1], crop=1)
    across, down = style.size(width, height)
    left, top, right, bottom = style.box(width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert left + right == pytest.approx(width)
    assert top + bottom == pytest.approx(height)
    assert left == 0 or top == 0
    assert (right - left) * down == pytest.approx((bottom - top) * across, rel=1e-6)


@given(text=canonical())
def test_all_is_shown_without_a_crop(text: str) -> None:
    """Only a crop with both edges leaves anything of the original out."""
    style = Style.parse(text)
    assume(not style.crop)
    assert style.box(640, 480) == (0, 0, 640, 480)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("800w", "800w"),
        ("webp", "webp"),
        ("@0w", "0w"),
        ("@0h", "0h"),
        ("@800w_3e", "3e"),
        ("@4c", "4c"),
        ("@0q", "0q"),
        ("@101Q", "101q"),
        ("@0p", "0p"),
        ("@1001p", "1001p"),
        (f"@{HIGHEST + 1}w", f"{HIGHEST + 1}w"),
        ("@2e_1c", "2e"),
        ("@2e_0c", "2e"),
        ("@50p_1c", "50p"),
        ("@800w_9z_1e", "9z"),
        ("@800x", "800x"),
        ("@w", "w"),
        ("@800", "800"),
        ("@-1w", "-1w"),
        ("@1.5w", ".5w"),
        ("@_800w", "_"),
        ("@800w__1e", "_"),
        ("@!", "!"),
        ("@!a.b", ".b"),
        ("@.bmp", ".bmp"),
        ("@.webp.webp", ".webp.webp"),
        ("@800w ", " "),
        ("@800w\n", "\n"),
        ("@\u0663w", "\u0663w"),
        ("@progre\u017f\u017five", "progre\u017f\u017five"),
        ("@\uff10w", "\uff10w"),
        ("@800w@400w", "@400w"),
    ],
)
def test_the_offending_part_is_named(text: str, part: str) -> None:
    """What cannot be is refused by a config error that names just the part that is wrong."""
    with pytest.raises(ConfigError) as caught:
        Style.parse(text)
    assert caught.value.message.fields["part"] == part


@given(text=st.one_of(st.text(), st.text("@0123456789wheqcpsof_.!-webpjgnavi").map("@{}".format)))
def test_any_text_is_a_style_or_a_config_error(text: str) -> None:
    """Text of any kind is either read, and then written so that it means the same, or refused."""
    try:
        style = Style.parse(text)
    except ConfigError:
        return
    assert Style.parse(str(style)) == style


def test_hostile_lengths_are_refused_at_once() -> None:
    """Megabytes of digits, names or dots cost no time and are not repeated in the error."""
    start = time.perf_counter()
    for hostile in ("9" * 5_000_000, "1w" * 2_000_000, "!" + "a" * 5_000_000, "." * 5_000_000):
        with pytest.raises(ConfigError) as caught:
            Style.parse("@" + hostile)
        assert len(str(caught.value)) < 200
        assert split_style(f"a.png{hostile}")[1] == ""
        assert split_style(("a.png@" + hostile[:9]) * 100_000 + "/")[1] == ""
    assert time.perf_counter() - start < 2


def test_no_style_is_nothing() -> None:
    """The empty text is a style that changes nothing and is written as nothing."""
    assert Style.parse("") == Style.parse("@") == Style.parse("@.") == Style()
    assert str(Style()) == ""
    assert Style().size(7, 5) == (7, 5)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@!a.webp", "@.webp"),
        ("@1s_2o_3f_progressive_80w", "@80w"),
        ("@0e_0c_80w", "@80w"),
        ("@80w_60h_3c", "@80w_60h_1c"),
        ("@.jpg", "@.jpeg"),
        ("@!a", ""),
        ("@100p", "@100p"),
        ("@80w_60h_1e_1c_75q.webp", "@80w_60h_1e_1c_75q.webp"),
    ],
)
def test_styles_that_draw_alike_are_one(text: str, same: str) -> None:
    """What only Bilibili's server understands does not make another picture here."""
    assert str(Style.parse(text).effective) == same


@given(
    st.builds(
        Style,
        width_px=st.none() | st.integers(1, 999),
        height_px=st.none() | st.integers(1, 999),
        mode=st.none() | st.integers(0, 1),
        crop=st.none() | st.integers(0, 3),
        s=st.none() | st.integers(0, 9),
    )
)
def test_the_effective_style_has_the_same_size_and_box(style: Style) -> None:
    """Nothing that can be seen is lost."""
    assert style.effective.size(400, 300) == style.size(400, 300)
    assert style.effective.box(400, 300) == style.box(400, 300)
    assert style.effective.effective == style.effective


def test_values_made_in_code_are_checked_too() -> None:
    """Whoever holds a Style holds one that an image server takes."""
    assert str(Style(width_px=800, mode=1, crop=1, ending="webp")) == "@800w_1e_1c.webp"
    with pytest.raises(ConfigError):
        Style(quality=0)
    with pytest.raises(ConfigError):
        Style(mode=2, crop=1)


@pytest.mark.parametrize(
    ("ending", "name"),
    [("", ""), ("jpg", "jpeg"), ("jpeg", "jpeg"), ("webp", "webp"), ("avif", "avif")],
)
def test_format_is_a_name_that_images_have(ending: str, name: str) -> None:
    """Both spellings of JPEG are one format; each is written back as it was."""
    style = Style.parse(f"@800w.{ending}")
    assert style.format == name
    assert style.ending == ending


@pytest.mark.parametrize(
    ("link", "parts"),
    [
        ("https://h/a.png@800w_1e_1c.webp", ("https://h/a.png", "@800w_1e_1c.webp")),
        ("https://h/a.JPG@.webp", ("https://h/a.JPG", "@.webp")),
        ("0a1b.jpeg@672w_!web-home.avif", ("0a1b.jpeg", "@672w_!web-home.avif")),
        ("a.png@", ("a.png", "@")),
        ("a.png@9z", ("a.png", "@9z")),
        ("a.png@b.png@800w", ("a.png@b.png", "@800w")),
        ("https://h/a.png", ("https://h/a.png", "")),
        ("https://h/icon@2x.png", ("https://h/icon@2x.png", "")),
        ("https://medium.example/@anna/a.png", ("https://medium.example/@anna/a.png", "")),
        ("https://user@h/a.png", ("https://user@h/a.png", "")),
        ("https://h/a.png@800w?x=1", ("https://h/a.png@800w?x=1", "")),
        ("", ("", "")),
    ],
)
def test_split_style(link: str, parts: tuple[str, str]) -> None:
    """A suffix is taken off only where it follows an image's own ending."""
    assert split_style(link) == parts


@given(text=canonical(), stem=st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_split_style_undoes_styling(text: str, stem: str) -> None:
    """What a style was put behind comes back whole, with the style."""
    assert split_style(f"https://h/{stem}.png{text}") == (f"https://h/{stem}.png", text)


@given(
    st.text()
    | st.text(st.sampled_from("@019wheqcp_!.-aWH\u0661\n"))
    | st.lists(st.sampled_from(["@", "1w", "_", "9" * 30 + "h", "!x", ".webp", "1c", "0p"])).map(
        "".join
    )
)
def test_any_text_is_a_style_or_refused(text: str) -> None:
    """What is taken is written in one way, is never larger than the original, and is no path."""
    try:
        style = Style.parse(text)
        size = style.size(1920, 1080)
    except ConfigError:
        return
    assert Style.parse(str(style)) == style
    assert 1 <= size[0] * size[1] <= 1920 * 1080
    assert not set(str(style)) & set("/\\\0\n %?#")


def test_random_bytes_of_the_alphabet_never_hang() -> None:
    """Ten thousand strings near the grammar are each answered within a moment."""
    chance = random.Random(0)
    start = time.perf_counter()
    for _ in range(10_000):
        text = "@" + "".join(chance.choices("019wheqcp_!.-a", k=chance.randrange(1, 255)))
        try:
            Style.parse(text).size(1920, 1080)
        except ConfigError:
            continue
    assert time.perf_counter() - start < 5


def test_reading_a_style_loads_no_image_library() -> None:
    """The command line may check a style without importing Pillow."""
    code = "import sys, imghost.links; sys.exit('PIL' in sys.modules)"
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
