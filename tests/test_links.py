"""Links: every markup says exactly the URL and the text, whatever the picture is called."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from docutils.core import publish_doctree
from docutils.nodes import image as image_node
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from imghost.errors import ConfigError, HostRefused
from imghost.links import FORMATS, Link, alt_text, render_link, styled

URL = "https://i0.hdslb.com/bfs/new_dyn/0123abcd.png@800w_1e_1c.webp"
LINK = Link(
    url=URL,
    original="https://i0.hdslb.com/bfs/new_dyn/0123abcd.png",
    alt="a cat",
    name="a cat.png",
    width_px=1280,
    height_px=720,
    host="bilibili",
    bucket="openplatform",
    sha1="0123abcd",
    date="2026-02-03",
)

HOSTILE = [
    "](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "a\n\n# heading\n\n<script>alert(1)</script>",
    "\\",
    "\\]",
    "a\\\\]b",
    "`code` ``",
    "*a* _b_ __c__ ~~d~~ my_long_file_name a_ _b",
    "&lt; &amp;copy; &#60;",
    "<https://evil.example>",
    "[^1] [[wiki]] ![",
    "a | b",
    "{{ 7 * 7 }} {% raw %} {{< figure >}} %%hidden%% $x$",
    "\u202egnp.exe\u202c \u2066x",
    "\x1b]52;c;\x07\x00\x9b2J\r\x85\u2028\u2029\v",
    "a\udce9b\udfff",
    "图 片 (1)",
    "👩\u200d💻 ok",
    ":alt: x\n:target: javascript:alert(1)",
    ".. image:: x",
    'x", link="javascript:alert(1)", y="',
    "a, b=c, {docdir} ]",
    "https://www.example.com/a_b",
    "   ",
    "",
]
MARKS = "\\`*_{}[]()<>#+-.!|~$%^&;:'\"@=/ \n\t\0\u202ea1é图"
SYNTAX = st.text(st.sampled_from(MARKS))
TEXTS = st.one_of(st.sampled_from(HOSTILE), SYNTAX, st.text())
ONE_IMAGE = {"paragraph_open", "inline", "image", "text", "paragraph_close"}
RANDOM_CASES = 10_000
PATHS = st.one_of(SYNTAX, st.text(), st.sampled_from(HOSTILE))


def link(url: str = URL, alt: str = "", **others: Any) -> Link:
    """A link of that URL and alt text."""
    return replace(LINK, url=url, alt=alt, **others)


def images(tokens: list[Token]) -> list[tuple[str, str]]:
    """(src, alt) of every image, as a renderer writes them."""
    found = []
    for token in tokens:
        if token.type == "image":
            alt = "".join(child.content for child in token.children or [])
            assert all(child.type == "text" for child in token.children or [])
            found.append((str(token.attrs["src"]), alt))
        elif token.children:
            found += images(token.children)
    return found


def kinds(tokens: list[Token]) -> list[str]:
    """The type of every token, those of the lines inside too."""
    return [kind for t in tokens for kind in (t.type, *kinds(t.children or []))]


class Elements(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(page)
        self.close()

    def handle_starttag(  # noqa: D102 - html.parser's own name
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:  # noqa: D102 - as above
        self.found.append(data)


@settings(max_examples=1000, deadline=None)
@given(alt=TEXTS, path=PATHS)
def test_markdown_is_one_image(alt: str, path: str) -> None:
    """Whatever a picture is called, Markdown finds one image with exactly that src and text."""
    one = link(f"https://host.example/{path}", alt)
    text = render_link(one, "markdown")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    assert images(tokens) == [(one.url, one.alt)]
    assert set(kinds(tokens)) <= ONE_IMAGE


def test_markdown_is_one_image_ten_thousand_times() -> None:
    """Pieces of markup, and letters of all kinds, put together at random: ever the same image."""
    chance, parser = random.Random(20261129), MarkdownIt("gfm-like", {"linkify": False})

    def words() -> str:
        letters = [chr(chance.randrange(0x20 << chance.randrange(12))) for _ in range(4)]
        return "".join(chance.choices([*HOSTILE, *MARKS, *letters], k=chance.randrange(12)))

    for number in range(RANDOM_CASES):
        one = link(f"https://host.example/{words()}", words())
        tokens = parser.parse(render_link(one, "markdown"))
        assert images(tokens) == [(one.url, one.alt)], number
        assert set(kinds(tokens)) <= ONE_IMAGE, number


@settings(max_examples=500, deadline=None)
@given(alts=st.lists(TEXTS, min_size=2, max_size=4), path=PATHS)
def test_markdown_images_stand_among_text(alts: list[str], path: str) -> None:
    """On consecutive lines, in a sentence or in a table's cell, each image stays itself."""
    links = [link(f"https://host.example/{path}", alt) for alt in alts]
    wanted = [(one.url, one.alt) for one in links]
    texts = [render_link(one, "markdown") for one in links]
    for page in (
        "\n".join(texts),
        f"Look at {' and '.join(texts)}, said *Anna*.",
        f"|{'|'.join(texts)}|\n{'|-' * len(texts)}|",
        "".join(f"- {text}\n" for text in texts),
    ):
        assert images(MarkdownIt("gfm-like", {"linkify": False}).parse(page)) == wanted


@settings(max_examples=300, deadline=None)
@given(alt=TEXTS, path=PATHS)
def test_linked_picture_leads_to_its_original(alt: str, path: str) -> None:
    """The format "linked" is one image inside one link, which leads to the original."""
    one = link(f"https://host.example/{path}@800w", alt, original=f"https://host.example/{path}")
    tokens = MarkdownIt().parse(render_link(one, "linked"))
    assert images(tokens) == [(one.url, one.alt)]
    inside = tokens[1].children or []
    assert [token.type for token in inside] == ["link_open", "image", "link_close"]
    assert inside[0].attrs["href"] == one.original


@settings(max_examples=500, deadline=None)
@given(alt=TEXTS, path=PATHS)
def test_html_is_one_image(alt: str, path: str) -> None:
    """HTML holds one element, which sends no Referer, alone and inside a Markdown paragraph."""
    one = link(f"https://host.example/{path}", alt)
    text = render_link(one, "html")
    image = ("img", {"src": one.url, "alt": one.alt, "referrerpolicy": "no-referrer"})
    assert Elements(text).found == [image]
    assert Elements(MarkdownIt().renderInline(f"see {text} there")).found == [
        "see ",
        image,
        " there",
    ]


@settings(max_examples=200, deadline=None)
@given(alts=st.lists(TEXTS, min_size=1, max_size=3), path=PATHS)
def test_rst_is_one_image(alts: list[str], path: str) -> None:
    """Docutils finds one image a directive, also on consecutive lines, with that URI and text."""
    links = [link(f"https://host.example/{path}", alt) for alt in alts]
    page = "\n".join(render_link(one, "rst") for one in links)
    tree = publish_doctree(page, settings_overrides={"report_level": 1, "halt_level": 1})
    assert all(isinstance(node, image_node) for node in tree.children)
    found = [(node["uri"], node.get("alt", "")) for node in tree.findall(image_node)]
    assert found == [(one.url, one.alt) for one in links]


@given(alt=TEXTS, path=PATHS)
def test_asciidoc_is_one_block_macro(alt: str, path: str) -> None:
    """AsciiDoc is one line: target, and the text as one quoted value without bare syntax."""
    one = link(f"https://host.example/{path}", alt)
    text = render_link(one, "asciidoc")
    macro = re.fullmatch(r'image::([^\s\[\]{}<>"]+)\[(?:"([^"\[\]{}<>\\]+)")?\]', text)
    assert macro
    assert macro[1] == one.url
    assert Elements(macro[2] or "").found == ([one.alt] if one.alt else [])


@given(alt=TEXTS, path=PATHS)
def test_bbcode_and_org_carry_the_url_alone(alt: str, path: str) -> None:
    """BBCode and Org know no alt text; nothing in the URL ends their brackets."""
    one = link(f"https://host.example/{path}", alt)
    assert not set("[]()<>{}\"'` \\") & set(one.url)
    assert render_link(one, "bbcode") == f"[img]{one.url}[/img]"
    assert render_link(one, "org") == f"[[{one.url}]]"


def test_org_escapes_an_ipv6_address() -> None:
    """The brackets of an IPv6 host stay, escaped as Org wants them."""
    one = link("http://[::1]:36677/a.png")
    assert render_link(one, "org") == r"[[http://\[::1\]:36677/a.png]]"
    assert render_link(one, "url") == "http://[::1]:36677/a.png"


def test_each_format_by_example() -> None:
    """An ordinary picture's link reads as a person would have written it."""
    assert {name: render_link(LINK, name, "{name} {url}") for name in FORMATS} == {
        "markdown": f"![a cat]({URL})",
        "html": f'<img src="{URL}" alt="a cat" referrerpolicy="no-referrer">',
        "url": URL,
        "bbcode": f"[img]{URL}[/img]",
        "rst": f".. image:: {URL}\n   :alt: a cat",
        "asciidoc": f'image::{URL}["a cat"]',
        "org": f"[[{URL}]]",
        "linked": f"[![a cat]({URL})]({LINK.original})",
        "custom": f"a cat.png {URL}",
    }


def test_ordinary_names_are_not_cluttered() -> None:
    """Underscores inside words, dots, dashes and parentheses need no backslash in Markdown."""
    name = "Screen_Shot 2024-01-02 (3) at 10.20.30 100% v1_2"
    assert render_link(link(alt=name), "markdown") == f"![{name}]({URL})"


def test_template_language_never_runs() -> None:
    """No blog generator finds its own braces in a picture's name."""
    one = link("https://host.example/{{x}}{%y%}", "{{ secrets }} {% include x %} {{< y >}} {# z #}")
    for name in ("markdown", "html", "linked", "asciidoc"):
        text = render_link(one, name)
        assert not re.search(r"\{[{%#]", text), name


@given(text=TEXTS)
def test_alt_and_name_become_one_printable_line(text: str) -> None:
    """No line end, control or bidirectional character or lone surrogate is left in a Link."""
    one = link(alt=text, name=text)
    assert one.alt == one.name == " ".join(one.alt.split())
    assert one.alt.encode("utf-8", "replace") == one.alt.encode("utf-8")
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]", one.alt
    )
    assert replace(one) == one


def test_joined_emoji_and_persian_stay_whole() -> None:
    """The joiners that scripts and emoji need are kept."""
    text = "👩\u200d💻 \u0646\u200c\u0645"
    assert link(alt=text).alt == text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "//i0.hdslb.com/a.png",
        "file:///etc/passwd",
        "https://",
        "https:///a.png",
        "https://user:secret@host.example/a.png",
        "https://a b/c.png",
        'https://"onload=x/c.png',
        "https://a..例/x.png",
        pytest.param(f"https://{''.join(map(chr, range(0x4E00, 0x9C20)))}/x.png", id="a long name"),
        " https://host.example/",
        "ftp://host.example/a.png",
        "http\u017f://host.example/a.png",
    ],
)
def test_only_web_addresses_are_handed_on(url: str) -> None:
    """What is not plain http(s) never becomes a link."""
    with pytest.raises(HostRefused):
        link(url)
    with pytest.raises(HostRefused):
        replace(LINK, original=url)


@given(path=PATHS)
def test_url_stays_the_same_address(path: str) -> None:
    """Encoding adds no meaning, breaks no escape that is there, and is done once."""
    one = link(f"https://host.example/{path}")
    assert one.url.isascii()
    assert link(one.url).url == one.url
    if "%" not in path and not re.search("[\ud800-\udfff]", path):
        assert quote(path, safe="/?#:@!&+,=._~-") == one.url.removeprefix("https://host.example/")


def test_foreign_host_names_are_written_in_ascii() -> None:
    """A host name in another script becomes the address that every browser asks for."""
    one = link("https://图床.example:8443/猫.png")
    assert one.url == "https://xn--wcso9o.example:8443/%E7%8C%AB.png"
    assert images(MarkdownIt().parse(render_link(one, "markdown"))) == [(one.url, "")]


def test_custom_fills_every_field_once() -> None:
    """Fields are replaced plainly; other braces stay; what was put in is not looked at again."""
    template = "{url}|{original}|{alt}|{name}|{width_px}x{height_px}|{host}|{bucket}|{sha1}|{date}"
    assert render_link(LINK, "custom", template) == (
        f"{URL}|{LINK.original}|a cat|a cat.png|1280x720|bilibili|openplatform|0123abcd|2026-02-03"
    )
    template = "{{alt}} {x} {} {alt.__class__} {original}"
    assert render_link(link(alt="{url}"), "custom", template) == (
        f"{{{{url}}}} {{x}} {{}} {{alt.__class__}} {LINK.original}"
    )


@pytest.mark.parametrize("template", ["", "{alt}", "{url", "{{}}", "{ url }"])
def test_custom_needs_a_template_with_a_link(template: str) -> None:
    """The format "custom" without a link in its template is an error that names the setting."""
    with pytest.raises(ConfigError, match=r"link\.template"):
        render_link(LINK, "custom", template)


def test_unknown_format_names_the_nearest() -> None:
    """A misspelt format is answered with the one that was meant, and with all of them."""
    with pytest.raises(ConfigError, match="nearest is markdown, of markdown, html, url") as caught:
        render_link(LINK, "Markdwon")
    assert caught.value.exit_code == 3


def test_styled_writes_the_canonical_suffix() -> None:
    """A style goes behind the URL in canonical order; none leaves it alone; a wrong one is told."""
    assert styled("https://h/a.png", "@1c_1E_800W.WEBP") == "https://h/a.png@800w_1e_1c.webp"
    assert styled("https://h/a.png", "") == "https://h/a.png"
    with pytest.raises(ConfigError, match="9z"):
        styled("https://h/a.png", "@9z")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a cat.png", "a cat"),
        ("IMG_1.HEIC", "IMG_1"),
        ("release v1.2", "release v1.2"),
        ("archive.tar.jpeg", "archive.tar"),
        ("no ending", "no ending"),
        (".png", ".png"),
        ("", ""),
    ],
)
def test_alt_text_is_the_name_without_its_ending(name: str, expected: str) -> None:
    """Without a template the file's name stands for the picture; only an image's ending goes."""
    assert alt_text(replace(LINK, name=name), "") == expected


def test_alt_text_by_template() -> None:
    """A template may use every field, {alt} being the name without its ending."""
    assert alt_text(LINK, "{alt}, {date} {sha1}") == "a cat, 2026-02-03 0123abcd"
