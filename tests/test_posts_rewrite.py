"""New links in posts: where the old ones were, and nothing besides."""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Callable

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from imghost.errors import HostRefused
from imghost.posts.references import Form, Reference
from imghost.posts.rewrite import rewrite
from imghost.posts.scan import scan
from tests.fakes.growth import is_linear
from tests.fakes.markdown import PIECES, documents, outline, pictures, posts

URL = "https://i.example/bfs/a,b(1)&c=_d.png@800w_1e_1c.webp"
SLOW_BYTES, SLOW_S = 100_000, 10.0
_JUDGED = (Form.MARKDOWN, Form.DEFINITION, Form.HTML)


def rewritten(text: str) -> str:
    """The text with a link of its own for each picture that is found."""
    found = scan(text).references
    return rewrite(text, {one: f"https://i.example/{n}.png" for n, one in enumerate(found)})


def strict(text: str) -> list[Reference]:
    """What CommonMark, too, takes for a picture."""
    found = (one for one in scan(text).references if one.form in _JUDGED)
    return [one for one in found if one.form is Form.HTML or not _is_loose(text, one)]


def _is_loose(text: str, one: Reference) -> bool:
    written = text[one.start : one.end]
    return " " in written and not written.startswith("<")


@settings(max_examples=400, deadline=None)
@given(documents(), st.sampled_from(["\n", "\r\n"]))
@example("<b>\n<a|b\n-|-\n<img src=12.png>\n<img src=13.png>", "\n")
def test_changes_destinations_only(text: str, line_end: str) -> None:
    """A parser sees the same document before and after, with the new pictures in it."""
    text = text.replace("\n", line_end)
    found = strict(text)
    assume(found)
    links = {one: f"https://i.example/{n}.png" for n, one in enumerate(found)}
    after = rewrite(text, links)
    shown = pictures(text) | pictures(after)
    assert outline(after, shown) == outline(text, shown)
    assert pictures(after) >= set(links.values())


@settings(max_examples=200, deadline=None)
@given(documents(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_leaves_every_other_byte(text: str, line_end: str) -> None:
    """With the old destinations put back in their places the text is what it was."""
    text = text.replace("\n", line_end)
    back, done = [], 0
    after = rewrite(text, dict.fromkeys(scan(text).references, URL))
    for one in scan(text).references:
        before = text[done : one.start]
        assert after.startswith(before)
        after = after.removeprefix(before)
        back += [before, text[one.start : one.end]]
        after = after[after.index("webp") + len("webp") :]
        done = one.end
        if one.form is Form.HTML and text[one.start - 1] not in "\"'":
            after = after.removeprefix('"')
    assert "".join(back) + after == text


@settings(max_examples=500, deadline=None)
@given(st.text() | st.text(st.sampled_from("![]()<>`*_{}%|\\\"'=-+:#@/ \t\r\n\f\0a1é\u2028\ud800")))
def test_any_text_keeps_its_other_bytes(text: str) -> None:
    """Places are in their order and inside, and around them nothing changes, whatever it is."""
    found = scan(text).references
    places = [place for one in found for place in (one.start, one.end)]
    assert places == sorted(places)
    assert all(0 <= place <= len(text) for place in places)
    assert rewrite(text, {}) == text
    after = rewrite(text, dict.fromkeys(found, URL))
    done = 0
    for one in found:
        assert text[done : one.start] in after
        done = one.end
    assert after.endswith(text[done:])


@pytest.mark.parametrize(
    "post",
    [lambda n: "![[a.png|" + "\\" * n + "x]]", lambda n: "{% asset_img " + "a" * n + " b.png %}"],
    ids=["Obsidian", "Hexo"],
)
def test_no_tag_is_slow_however_long(post: Callable[[int], str]) -> None:
    """Its words are read once."""
    assert is_linear(lambda size: rewritten(post(size)))


@pytest.mark.parametrize("piece", PIECES)
def test_no_piece_is_slow_however_often_it_comes(piece: str) -> None:
    """A post of 100 KB made of one piece of markup is read and rewritten at once."""
    text = piece * (SLOW_BYTES // len(piece))
    began = time.monotonic()
    rewritten(text)
    assert time.monotonic() - began < SLOW_S, piece


@settings(max_examples=400, deadline=None)
@given(posts(), st.sampled_from(["\n", "\r\n"]))
@example("{{% raw %}![a]({{ site.url }}/m.png) >}}", "\n")
def test_twice_is_once(text: str, line_end: str) -> None:
    """What was rewritten is found again in its lines, and rewriting it so changes nothing."""
    text = text.replace("\n", line_end)
    first, once = scan(text), rewritten(text)
    again = scan(once)
    assert [one.target for one in again.references] == [
        f"https://i.example/{n}.png" for n in range(len(first.references))
    ]
    assert [one.line for one in again.references] == [one.line for one in first.references]
    assert again.left == first.left
    assert rewritten(once) == once


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('![a]( <my pic.png>  "t")', '![a]( URL  "t")'),
        ("![a](my pic (1).png 't')", "![a](URL 't')"),
        ("![r]\n\n [r]:  <a b.png> 't'", "![r]\n\n [r]:  URL 't'"),
        ("<img src='a.png' alt=x>", "<img src='URL&amp;' alt=x>"),
        ("<img src=a.png/>", '<img src="URL&amp;"/>'),
        ("![[a b.png]]", "![](URL)"),
        ("![[a.png|300]]", "![|300](URL)"),
        ("![[a.png|300x200]]", "![|300x200](URL)"),
        ("![[a.png|a cat]]", "![a cat](URL)"),
        ("![[a.png|a cat|300]]", "![a cat|300](URL)"),
        ("|a|\n|-|\n|![[a.png\\|300]]|", "|a|\n|-|\n|![\\|300](URL)|"),
        ('{% asset_img left "a b.png" 300 "t" %}', '{% img left URL 300 "t" %}'),
        ("{%- asset_img a.png -%}", "{%- img URL -%}"),
        ("{% img big '/a b.png' 300 %}", "{% img big URL 300 %}"),
        ('{{< figure title="x" src="a.png" >}}', '{{< figure title="x" src="URL" >}}'),
        ("{{< figure src=a.png >}}", '{{< figure src="URL" >}}'),
        ("![a]({{ site.baseurl }}/a.png)", "![a](URL)"),
        ('<img src="{{ site.url }}/a.png">', '<img src="URL&amp;">'),
    ],
)
def test_each_form_has_its_own_escapes(text: str, after: str) -> None:
    """A new link stands in each markup as that wants it, the rest of which stays."""
    url = "https://i.example/a(b)&c d.png"
    (found,) = scan(text).references
    encoded = "https://i.example/a%28b%29&c%20d.png"
    escaped = after.replace("URL&amp;", encoded.replace("&", "&amp;")).replace("URL", encoded)
    assert rewrite(text, {found: url}) == escaped


_YAML = """title: 图 🐱
cover: a b.png
image: 'c.png' # one
photos: [d.png, "e.png", https://x.example/f]
images:
  - &same g.png
  - *same
thumbnail: >-
  h.png
banner_img: transparent
other: no.png
"""
_TOML = """title = "x"
images = [
  "a.png", # "no.png"
  'b.png',
]
banner = "no.png"
[cover]
image = \"\"\"c.png\"\"\"
"thumbnail" = "no.png"
"""
_JSON = '{"title": "x", "cover": {"image": "a.png", "alt": "b.png"}, "images": ["c\\u0020d.png"]}'


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("url", [URL, "https://[::1]/a.png", "https://i.example/a:"])
def test_front_matter_in_yaml(url: str, line_end: str) -> None:
    """YAML with new links is YAML with these texts, and the rest of it is as it was."""
    text = f"---\n{_YAML}---\n![a](z.png)\n".replace("\n", line_end)
    found = scan(text).references
    assert [one.target for one in found] == [
        *("a b.png", "c.png", "d.png", "e.png", "https://x.example/f", "g.png", "h.png", "z.png")
    ]
    after = rewrite(text, dict.fromkeys(found, url)).split("---")[1]
    links = yaml.safe_load(after)
    former = yaml.safe_load(_YAML)
    assert links.pop("photos") == [rewrite_url(url)] * 3
    assert links.pop("images") == [rewrite_url(url)] * 2
    for key in ("cover", "image", "thumbnail"):
        assert links.pop(key) == rewrite_url(url)
    assert links == {key: former[key] for key in ("title", "banner_img", "other")}


def rewrite_url(url: str) -> str:
    """The URL as it stands in posts."""
    return re.sub(r"[()]", lambda sign: f"%{ord(sign[0]):02X}", url)


def test_front_matter_in_toml() -> None:
    """TOML with new links is TOML with these texts; its comments and tables are as they were."""
    text = f"+++\n{_TOML}+++\n"
    found = scan(text).references
    assert [one.target for one in found] == ["a.png", "b.png", "c.png"]
    after = tomllib.loads(rewritten(text).split("+++")[1])
    assert after == tomllib.loads(_TOML) | {
        "images": ["https://i.example/0.png", "https://i.example/1.png"],
        "cover": {"image": "https://i.example/2.png", "thumbnail": "no.png"},
    }


@pytest.mark.parametrize("form", ["{}\n![a](z.png)", ";;;\n{}\n;;;\n![a](z.png)"])
def test_front_matter_in_json(form: str) -> None:
    """JSON, with or without its outer braces as Hexo has it, is read and rewritten."""
    inside = _JSON if form.startswith("{") else _JSON[1:-1]
    text = form.replace("{}", inside)
    assert [one.target for one in scan(text).references] == ["a.png", "c d.png", "z.png"]
    after = re.search(r'"title.*\]', rewritten(text))
    assert after
    assert json.loads(f"{{{after[0]}}}") == {
        "title": "x",
        "cover": {"image": "https://i.example/0.png", "alt": "b.png"},
        "images": ["https://i.example/1.png"],
    }


def test_front_matter_by_keys_of_ones_own() -> None:
    """The keys are those that are asked for, with dots into tables, in any case."""
    text = "---\nhero:\n  SRC: a.png\ncover: b.png\n---\n"
    found = scan(text, ["Hero.src"]).references
    assert [one.target for one in found] == ["a.png"]


@pytest.mark.parametrize("text", ["{{< x >}}\n![a](a.png)", "{a}\n![a](a.png)", "---\n![a](a.png)"])
def test_what_only_looks_like_a_front_matter_is_text(text: str) -> None:
    """A shortcode, a brace or a rule in the first line hides no picture."""
    assert [one.target for one in scan(text).references] == ["a.png"]


def test_refuses_what_is_no_web_address() -> None:
    """A link that no browser would open is not written into a post."""
    (found,) = scan("![a](a.png)").references
    with pytest.raises(HostRefused):
        rewrite("![a](a.png)", {found: "javascript:alert(1)"})
