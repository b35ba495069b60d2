"""New links in the place of old ones, and not a byte besides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape

from imghost.links import web_address
from imghost.posts.references import Form, Reference
from imghost.posts.tags import WORD

_EMBED = re.compile(r"!\[\[[^|\\\]]*(?P<bar>\\?\|)?(?P<rest>.*)\]\]")
_SIZE = re.compile(r"[ \t]*[0-9]+(?:x[0-9]+)?[ \t]*")
_ASSET = "asset_img"


def rewrite(text: str, links: Mapping[Reference, str]) -> str:
    """The text with a new URL in the place of each of these references, escaped for its form.

    They are some of those that `scan` found in this very text. Raises HostRefused for a URL that
    is no web address.
    """
    pieces = []
    done = 0
    for reference in sorted(links, key=lambda reference: reference.start):
        write = _WRITERS[reference.form]
        pieces.append(text[done : reference.start])
        pieces.append(write(web_address(links[reference]), reference, text))
        done = reference.end
    return "".join((*pieces, text[done:]))


def _markdown(url: str, _reference: Reference, _text: str) -> str:
    return url


def _html(url: str, reference: Reference, text: str) -> str:
    return _quoted(escape(url), reference, text)


def _front_matter(url: str, reference: Reference, text: str) -> str:
    needs_quotes = "," in url or "[" in url or url.endswith(":")  # as a plain text of YAML
    return _quoted(url, reference, text) if needs_quotes else url


def _hugo(url: str, reference: Reference, text: str) -> str:
    return _quoted(url, reference, text)


def _quoted(url: str, reference: Reference, text: str) -> str:
    return url if text[reference.start - 1] in "\"'`" else f'"{url}"'


def _obsidian(url: str, reference: Reference, text: str) -> str:
    """Of `![[a.png|300]]` the size stays where Obsidian reads it: `![|300](url)`."""
    embed = _EMBED.fullmatch(text, reference.start, reference.end)
    rest = embed["rest"].rstrip("\\") if embed else ""
    bar = embed["bar"] if embed and _SIZE.fullmatch(rest) else ""
    return f"![{bar}{rest}]({url})"


def _hexo(url: str, reference: Reference, text: str) -> str:
    """`asset_img` takes files alone, `img` also URLs, with the same words around."""
    words = list(WORD.finditer(text, reference.start, reference.end))
    if words[0][0] != _ASSET:
        return url
    return f"img{text[words[0].end() : words[-1].start()]}{url}"


_WRITERS: Mapping[Form, Callable[[str, Reference, str], str]] = {
    Form.MARKDOWN: _markdown,
    Form.DEFINITION: _markdown,
    Form.HTML: _html,
    Form.FRONT_MATTER: _front_matter,
    Form.OBSIDIAN: _obsidian,
    Form.HEXO: _hexo,
    Form.HUGO: _hugo,
}
