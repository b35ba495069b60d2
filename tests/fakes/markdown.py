"""Random Markdown, and what markdown-it-py, the judge of our scanner, sees in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from html.parser import HTMLParser

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

PIECES = (
    *("![a](1.png)", "![a](<2.png>)", '![图](3.png "t")', "![](4.png 't\n\\'t')", "![a](5(1).png)"),
    *("![r]", "![R][]", "![a][r]", "![b][q ]", "![no][none]", "[r][q]", "![a\\]](6.png)"),
    *("[![a](7.png)](8.png)", "![a ![b](9.png) c](10.png)", "[a [b](c) ![d](11.png)](e)"),
    *(
        "![x](",
        '"t")',
        "![",
        "](",
        "[",
        "]",
        "(",
        ")",
        "!",
        "\\",
        "&amp;",
        "&copy;",
        "![&](&amp;.png)",
    ),
    *("`", "``", "```", "~~~", "<b>", "</b>", "<a href='\n'>", "<", "<!--", "-->", "<?", "?>"),
    *("<div>", "</div>", "<pre>", "</pre>", "<script>", "</script>", "<http://a.b>", "<a@b.c>"),
    *("<img src=12.png>", '<img alt="a"\nsrc="13.png">', "<IMG SRC='14.png'/>"),
    *("> ", ">", "- ", "* ", "+ ", "1. ", "2) ", "-\n", "# ", "---\n", "===\n", "***\n"),
    *("| a | b |\n|---|:-:|\n", "a|b\n-|-\n", "| ", "|", "\\|", " ", "  ", "   ", "    ", "\t"),
    *("\n", "\n", "\n", "\n\n", "\n\n", "\n\n", "text", "中文。", "🎉", "*", "_", "1"),
    *("\n\n[r]: 20.png\n\n", '\n\n> [q]: <21.png>\n> "t"\n\n', "\n\n[none]:\n\n"),
)

_TAGS = (
    *(
        "![[a.png]]",
        "![[b c.png|300]]",
        "![[d.png|a cat|300x200]]",
        "![[note]]",
        "|![[e.png\\|30]]|",
    ),
    *('{% asset_img left "f g.png" 300 "t" %}', "{% asset_img h.png %}", "{% img /i.png %}"),
    *('{{< figure title="t" src="j k.png" >}}', "{{% figure src=l.png %}}", "{{< figure src='"),
    *("{% img ", " %}", "{{< ", " >}}", "{% raw %}", "{% include a.png %}", "![[", "]]", "{", "}"),
    *("![a]({{ site.url }}/m.png)", "![a](n o.png)", "![a](p.png =3x4)", "{%", "%}", "\n\n", "\n"),
)
_HEADS = (
    *("", "", "---\ncover: a b.png\nphotos: [c.png, 'd.png']\n---\n", "---\ncover: {\n---\n"),
    *("+++\nimages = ['a.png']\n+++\n", '{"image": "a.png"}\n', "---\n", "{", "+++\n"),
)
_OTHERWISE = re.compile(
    r"\A---"  # a front matter is no Markdown
    r"|\]!?\[[^\]]*\["  # a label with brackets in it is none
    r"|!\[[rR]\]\("  # what is no destination leaves the label
    r"|\]\([^()]*\[[rRq] ?\]"  # nor does a label in it count for what is before
    r"|--->"  # what ends a comment may follow a dash
    r"|<!\["  # Python's HTML parser takes it for SGML
    r"|(?:[-+*]|[0-9][.)])(?: *\t| {3})"  # less than the list's indent, but four blanks, is text
)
"""Where the judge does not see what CommonMark 0.31 says, and what we see."""

_SOURCE = re.compile(r"\bsrc\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)


def documents() -> st.SearchStrategy[str]:
    """Markdown of all kinds, well formed or not, with line ends as on Unix."""
    pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=30)
    return pieces.map("".join).filter(lambda text: not _OTHERWISE.search(text))


def posts() -> st.SearchStrategy[str]:
    """Posts with a front matter and the tags of generators, well formed or not."""
    pieces = st.lists(st.sampled_from((*PIECES, *_TAGS)), max_size=20)
    texts = st.builds(lambda head, pieces: head + "".join(pieces), st.sampled_from(_HEADS), pieces)
    return texts.filter(lambda text: not re.search(r"\]\([^)]*!\[", text))


def judge() -> MarkdownIt:
    """CommonMark with GitHub's tables, whose first line is one of a paragraph, as it is there."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    rules = markdown.block.ruler.__rules__
    names = [rule.name for rule in rules]
    late = [rules.pop(names.index(name)) for name in ("reference", "table")]
    at = [rule.name for rule in rules].index("lheading")
    rules[at:at] = reversed(late)
    return markdown


def pictures(text: str) -> set[str]:
    """The destinations of the pictures that Markdown and HTML show, as the judge writes them."""
    return {source for token in _shown(JUDGE.parse(text)) for source in _sources(token) if source}


def outline(text: str, shown: Collection[str]) -> list[tuple[str, ...]]:
    """All that the judge sees in a text, but not where it leads to what is shown."""
    return [_outlined(token, shown) for token in _all(JUDGE.parse(text))]


def _outlined(token: Token, shown: Collection[str]) -> tuple[str, ...]:
    attributes = {key: "" if value in shown else value for key, value in token.attrs.items()}
    content = "" if token.children else token.content
    if token.type.startswith("html"):
        content = _SOURCE.sub("src", content)
    return token.type, token.tag, token.markup, token.info, str(attributes), content


def _sources(token: Token) -> list[str]:
    if token.type == "image":
        return [str(token.attrs["src"])]
    seen = _Images()
    seen.feed(token.content if token.type.startswith("html") else "")
    return [JUDGE.normalizeLink(source) for source in seen.sources]


class _Images(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.sources += [value for name, value in attrs if name == "src" and value][:1]


def _shown(tokens: Iterable[Token]) -> Iterator[Token]:
    """Those that are seen: nobody sees a picture in the text of another."""
    for token in tokens:
        yield token
        if token.children and token.type != "image":
            yield from _shown(token.children)


def _all(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


JUDGE = judge()
