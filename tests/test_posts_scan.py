"""Pictures in posts: found where a reader sees them, and nowhere else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imghost.posts.references import Form
from imghost.posts.scan import FRONT_MATTER_KEYS, scan
from tests.fakes.growth import is_linear
from tests.fakes.markdown import JUDGE, documents, pictures

_JUDGED = (Form.MARKDOWN, Form.DEFINITION, Form.HTML)


def targets(text: str) -> list[str]:
    """What is found, in the order of the text."""
    return [reference.target for reference in scan(text).references]


@settings(max_examples=400, deadline=None)
@given(documents())
def test_finds_what_markdown_it_finds(text: str) -> None:
    """The pictures of any Markdown are those that markdown-it-py sees in it."""
    found = [one.target for one in scan(text).references if one.form in _JUDGED]
    assert {JUDGE.normalizeLink(target) for target in found} == pictures(text)


@settings(max_examples=200, deadline=None)
@given(documents(), st.sampled_from(["\r\n", "\r"]))
def test_line_ends_change_nothing(text: str, line_end: str) -> None:
    """The same pictures in the same lines are found in the files of every system."""
    as_there = text.replace("\n", line_end)
    found = scan(as_there)
    assert [(one.form, one.line) for one in found.references] == [
        (one.form, one.line) for one in scan(text).references
    ]
    assert found.left == scan(text).left


@given(st.text())
def test_bears_any_text(text: str) -> None:
    """Whatever a file holds, scanning it ends, and what is found stands in it, in order."""
    found = scan(text).references
    places = [place for one in found for place in (one.start, one.end)]
    assert places == sorted(places)
    assert all(0 <= place <= len(text) for place in places)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("![a](a.png)", ["a.png"]),
        ('![a]( <my pic.png> "title")', ["my pic.png"]),
        ("![a](a%20b.png 'x')", ["a%20b.png"]),
        ("![a](a(1)(2).png)", ["a(1)(2).png"]),
        (r"![a](a\(1.png)", ["a(1.png"]),
        ("![图片](图/猫🐱.png)", ["图/猫🐱.png"]),
        ("![a](a&amp;b.png)", ["a&b.png"]),
        (r"![a](..\img\a.png)", [r"..\img\a.png"]),
        ("![a](my pic.png)", ["my pic.png"]),
        ('![a](my pic (1).png "t")', ["my pic (1).png"]),
        ("![a](a.png =300x200) ![a](b c.png 't' =50%)", ["a.png", "b c.png"]),
        ("![a](see below) and (b.png)", []),
        ("![a]()", []),
        ("[a](a.png)", []),
        (r"\![a](a.png)", []),
        ("`![a](a.png)` ``![`](b.png)``", []),
        ("[![a](a.png)](b.png)", ["a.png"]),
        ("![a ![b](b.png)](a.png)", ["a.png"]),
        ("![a\nb](a.png)", ["a.png"]),
        ("![a][r] ![r][] ![R]\n\n[r]: <a b.png>", ["a b.png"]),
        ("[r]: a.png\n\n[r] [x][r]", []),
        ("![r]\n\n[r]:\n  a.png\n  'title'", ["a.png"]),
        ("![r]\n\n> - [r]: a.png\n\n[r]: b.png", ["a.png"]),
        ("note[^1]\n\n[^1]: ![a](a.png)", ["a.png"]),
        ("<img alt='a'\n  src='a.png'\n  width=3>", ["a.png"]),
        ("<IMG SRC=a.png/>", ["a.png"]),
        ('<div>\n<img alt=\'it\n<img src="a.png">', ["a.png"]),
        ("<div>\n<img alt=<img src='\n{% asset_img a.png %}", ["a.png"]),
        ("<div>\n<a|b\n<img src=no.png>\n<img src=a.png>", ["a.png"]),
        ("<div>\n<a title='<img src=no.png>'>it's</a> <img src=a.png>", ["a.png"]),
        ("<div>\n<p it's><img src=a.png> it's</p>", ["a.png"]),
        ("<div>\n<a title='{% asset_img a.png %}'><img src=b.png>", ["a.png", "b.png"]),
        ("<div>\n<p =title='<img src=no.png>'><img src=a.png = alt=x>", ["a.png"]),
        ("<div>\n<img src='a.png' onError={(e) => { e.target.src = 'no.png' }} />", ["a.png"]),
        ("<div>\n<Card icon={<img src='a.png' />}>", ["a.png"]),
        (
            "<div>\n<Card icon={\n ok && <img src='a.png' />\n} b={`<img src='b.png'>`}/>",
            ["a.png", "b.png"],
        ),
        ("<div>\n<img alt={n < 3 ? 'a' : 'b'} style={{ width: '50%' }} src='a.png' />", ["a.png"]),
        ("<div>\n<img alt='x'title=' src=no.png ' src=a.png?w=1>", ["a.png?w=1"]),
        ("<div>\n<img alt= src=no.png>\n<img/src=a.png>", ["a.png"]),
        ("<div>\n<style-guide><img src=a.png></style-guide>", ["a.png"]),
        ("<div>\n<img src= ><img src><img src src=no.png>", []),
        ('<div>\n<a href="{{< ref "x" >}}"><img src="a.png"></a>', ["a.png"]),
        ("<img src='a&amp;b.png'> <img data-src='x.png'>", ["a&b.png"]),
        ("<div>\n<p><img src=a.png></p>\n![no](b.png)\n</div>", ["a.png"]),
        ("a <!-- ![no](a.png) --> ![b](b.png)", ["b.png"]),
        ("<!--\n\n![no](a.png)\n-->\n![b](b.png)", ["b.png"]),
        ("<script>\n\ndocument.write('<img src=a.png>')\n</script>", []),
        ("```\n![no](a.png)\n```\n![b](b.png)", ["b.png"]),
        ("~~~~\n![no](a.png)\n~~~\n~~~~~\n![b](b.png)", ["b.png"]),
        ("    ![no](a.png)\n\n\t![no](b.png)", []),
        ("text\n    ![a](a.png)", ["a.png"]),
        ("- a\n\n  ![a](a.png)\n\n      ![no](b.png)", ["a.png"]),
        ("1. ```\n   ![no](a.png)\n   ```\n   ![b](b.png)", ["b.png"]),
        ("- ```\n  ![no](a.png)\n\nout ![b](b.png)", ["b.png"]),
        ("> ```\n> ![no](a.png)\n\n![b](b.png)", ["b.png"]),
        (">     ![no](a.png)\n> - > ![b](b.png)", ["b.png"]),
        ("> ![a\n> b](a.png)", ["a.png"]),
        ("| a | b |\n|---|---|\n| ` | ![a](a.png) | ![no](b.png)\n", ["a.png"]),
        ("# ![a](a.png) #\n![b](b.png)\n===", ["a.png", "b.png"]),
        ("<video>\n<source src='a.mp4'>\n</video>\n\n<audio><source src=a.ogg></audio>", []),
    ],
)
def test_markdown(text: str, found: list[str]) -> None:
    """Every way of Markdown to show a picture is read, and code and comments are not."""
    assert targets(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("![[a.png]] ![[sub/图.png|300]] ![[b.png|alt|300x200]]", ["a.png", "sub/图.png", "b.png"]),
        ("![[note]] ![[note#part]] ![[song.mp3]] `![[a.png]]`", []),
        ("|a|\n|-|\n|![[a.png\\|300]]|", ["a.png"]),
        ("![[a b.png#center]]", ["a b.png#center"]),
        ("%% ![[a.png]] ![b](b.png) %% ![[c.png]]", ["c.png"]),
        ("%%\n![a](a.png)\n\n![[b.png]]\n%%\n\n![c](c.png)", ["c.png"]),
        ("```\n%%\n```\n\n![a](a.png)\n\n```\n%%\n```\n\n![b](b.png)", ["a.png", "b.png"]),
        ("![a](a.png)\n%%\n```\n%%\n![b](b.png)\n\n%%", ["a.png", "b.png"]),
        ("%%\n\n![a](a.png)", ["a.png"]),
        ("a\n\n%%\n[r]: a.png\n%%\n\n![r]", []),
        ("5 %% of ![a](a.png)\n\n![b](b.png) %% `%%`", ["a.png", "b.png"]),
        ("{% asset_img a.png %}", ["a.png"]),
        ('{% asset_img left big "a b.png" 300 200 "title.png" %}', ["a b.png"]),
        ("{% img right /img/a.png 300 %}", ["/img/a.png"]),
        ("<p>{% asset_img a.png %}</p>", ["a.png"]),
        ("`{% asset_img a.png %}`", []),
        ('{{< figure src="a b.png" title="x.png" >}}', ["a b.png"]),
        ("{{% figure\n  title='x'\n  src='a.png'\n%}}", ["a.png"]),
        ("{{< figure\n  src='a.png'\n>}}\n> ![b](b.png)", ["a.png", "b.png"]),
        ("{{< figure src=a.png >}} {{< figure src=`b.png` >}}", ["a.png", "b.png"]),
        ('{{< figure caption="write src=a.png there" src="b.png" >}}', ["b.png"]),
        ("{{< figure alt=`a src=\"a.png\"` data-src=c.png src = 'b.png' src=d.png >}}", ["b.png"]),
        ("![a]({{ site.baseurl }}/a.png)", ["{{ site.baseurl }}/a.png"]),
        ('![a]({{ "/a.png" | relative_url }})', ['{{ "/a.png" | relative_url }}']),
        ("![a]({% asset_path a.png %})", ["{% asset_path a.png %}"]),
        ("[a]({% link a.png %}) {% post_link a.png %}", []),
        ("{% highlight html %}\n\n![no](a.png)\n\n{% endhighlight %}\n![b](b.png)", ["b.png"]),
        ("{% codeblock %}\n![no](a.png)\n{% endcodeblock %}", []),
        ("{{< highlight go >}}\n\n![no](a.png)\n{{< /highlight >}}", []),
    ],
)
def test_generators_own_markup(text: str, found: list[str]) -> None:
    """Obsidian's embedded files, and the tags of Hexo, Jekyll and Hugo are read."""
    assert targets(text) == found


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a\n\n![a](x/a.svg?v=2)", 3, "x/a.svg?v=2 is SVG, which imghost does not upload"),
        ("![a](data:image/png;base64,AA==)", 1, "the picture is part of the post itself"),
        ("a\n<img src='a.png'\nsrcset='b.png 2x'>", 3, "srcset names several pictures"),
        ("<picture>\n<source srcset='b.webp'>\n</picture>", 2, "srcset names several pictures"),
        ("<div>\n<img src={logo} />", 2, "{logo} is code"),
        ("{% asset_img some-name %}", 1, "{% asset_img some-name %} names no picture"),
        (
            '{{< gallery "a.png" >}}',
            1,
            '{{< gallery "a.png" >}} is no tag that imghost knows',
        ),
        (
            "{% include figure.html\n{% include figure.html src='/a.png' %}",
            2,
            "{% include figure.html src='/a.png' %} is no tag that imghost knows",
        ),
        ("---\ncover: [a.png\n---\n", 2, "the front matter cannot be read: "),
        (f"<img src='&#{'1' * 4301};.png'>", 1, "its address has more than 4096 characters"),
        (f"![a](<{'a' * 4097}.png>)", 1, "its address has more than 4096 characters"),
        (f"+++\n{'a.' * 9999}image = 'x'\n+++\n", 2, "the front matter cannot be read: "),
        (f"---\nimage: {'[' * 9999}\n---\n", 2, "the front matter cannot be read: "),
        (f"---\nimage: {'- ' * 9999}\n---\n", 2, "the front matter cannot be read: "),
        (f"---\nimage: {'a' * 300_000}\n---\n", 2, "the front matter has more than"),
    ],
)
def test_says_what_is_left(text: str, line: int, reason: str) -> None:
    """What cannot be moved is named with its line and the reason."""
    found = [(one.line, str(one.what)) for one in scan(text).left]
    assert [line] == [at for at, _ in found]
    assert found[0][1].startswith(reason)


def test_what_is_left_leaves_the_rest() -> None:
    """Of a tag with several pictures the plain one is found all the same."""
    text = "<img src='a.png' srcset='b.png 2x'>"
    assert targets(text) == ["a.png"]
    assert len(scan(text).left) == 1


def test_a_label_that_several_pictures_use_is_one_reference() -> None:
    """A definition is named once, with its own place and line."""
    text = "![r] ![a][r]\n\n[r]: a.png 't'\n"
    (found,) = scan(text).references
    assert (found.form, found.line) == (Form.DEFINITION, 3)
    assert text[found.start : found.end] == "a.png"


@pytest.mark.parametrize(
    ("piece", "other"),
    [
        *(
            ("[", "]"),
            ("![ ", "]"),
            ("[", "](x)"),
            ("![a ", "](x.png y)"),
            ("[[", "]]"),
            ("[[x](y)", ""),
        ),
        *(
            ("![a](", " "),
            ("![a](", ".png?"),
            ("![a](", '.png "a" '),
            ("![a](", "{{}}"),
            ("![", ""),
        ),
        *(("<!a ", "]"), ("<img src='", ""), ("<img ", ""), ("<img src={", ">"), ("<a ", "")),
        *(("<!-- ", ""), ("`` ` ", ""), ("{% a ", " "), ("{{<a", ".png"), ("{{< x ", '"a"')),
        *(('\\{{%a \\"', ""), ('{{<a `\\"`\\""`', "")),
        *(('{{<a \\"', ""), ('\\"', "`>}}"), ("<a b='", ""), ("<a b={<", ""), ("a= ", ">")),
        *(("\n- ", "- "), ("- ", "\n"), ("\n", "\n"), ("\n{% highlight %}\n", "")),
        *(("\n\n%%\n\n%%\n\n![a](a.png)", ""), ("*[`(<", "]*")),
    ],
)
@pytest.mark.parametrize("begin", ["![a](b.png) ", "<div> ", "<div> <img ", "{{<figure '`'"])
def test_no_text_takes_long(begin: str, piece: str, other: str) -> None:
    """What never is closed is read through once, however long it goes on."""
    assert is_linear(
        lambda signs: scan(
            begin + piece * (signs // len(piece)) + other * (signs // (len(other) or 1))
        )
    )


@pytest.mark.parametrize(
    "post",
    [
        lambda n: '+++\nimage = "' + '\\"' * n + "\n+++\n",
        lambda n: "+++\nimage = " + '"\\\n\\' * n + "\n+++\n",
        lambda n: ';;;\n"image": "' + '\\"' * n + "\n;;;\n",
        lambda n: ';;;\n"image' + "k" * n + '": [' + '"",' * n + '""]\n;;;\n',
        lambda n: "---\nimage: " + "[" * n + "\n---\n",
        lambda n: "+++\n" + "a." * n + "image = 1\n+++\n",
    ],
    ids=[
        "open TOML",
        "TOML with escaped line ends",
        "open JSON",
        "a long key",
        "nested",
        "a key of many names",
    ],
)
def test_no_front_matter_takes_long(post: Callable[[int], str]) -> None:
    """Nor does one that no generator would read."""
    assert is_linear(lambda size: scan(post(size)))


def test_a_label_costs_its_length_once() -> None:
    """However many pictures name one long destination, it is not kept for each of them."""
    text = f"[a]: {'x' * 4000}\n\n" + "![a]" * 5000
    tracemalloc.start()
    try:
        (found,) = scan(text).references
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert found.target == "x" * 4000


def test_the_readme_names_the_keys() -> None:
    """Every key of a front matter that is looked at stands in the README."""
    readme = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
    (row,) = (line for line in readme.splitlines() if line.startswith("| YAML, TOML or JSON"))
    assert sorted(row.split("`")[1].split()) == sorted(FRONT_MATTER_KEYS)
