"""The text that a person pastes: one link, in the writer's own markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import PurePath

from imghost.errors import ConfigError, HostRefused
from imghost.models import EXTENSIONS, MIME_TYPES
from imghost.values import dataclass

REFERRER_TAG = '<meta name="referrer" content="no-referrer">'
"""What a page has in its head to show the pictures of hosts that refuse other pages' Referer."""


@dataclass(frozen=True, slots=True)
class Link:
    """An image on the web, and what may be said of it.

    `url` carries the style's suffix, `original` does not; both are http(s), and percent-encoded
    here so that they break no markup. `alt` and `name` may come from anyone: here they become one
    line without control and bidirectional characters, not yet escaped for a markup. `width_px` and
    `height_px` are the original's. `date` is YYYY-MM-DD. Raises HostRefused for any other URL.
    """

    url: str
    original: str
    alt: str
    name: str
    width_px: int
    height_px: int
    host: str
    bucket: str
    sha1: str
    date: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", web_address(self.url))
        object.__setattr__(self, "original", web_address(self.original))
        object.__setattr__(self, "alt", _one_line(self.alt))
        object.__setattr__(self, "name", _one_line(self.name))


def render_link(link: Link, format_name: str, template: str = "") -> str:
    """The link in one of FORMATS; `template` is what "custom" fills in. Raises ConfigError."""
    check_format(format_name, template)
    return FORMATS[format_name](link, template)


def check_format(name: str, template: str) -> None:
    """Raise ConfigError unless FORMATS has this name, and a template if that needs one."""
    if name not in FORMATS:
        import difflib

        raise ConfigError(
            "{name} is no link format; the nearest is {nearest}, of {known}",
            name=name,
            nearest=difflib.get_close_matches(name, FORMATS, n=1, cutoff=0)[0],
            known=", ".join(FORMATS),
        )
    if FORMATS[name] is _custom and not template:
        raise ConfigError("link.template is empty; write one, or choose another link.format")
    if FORMATS[name] is _custom and not _LINKS.search(template):
        raise ConfigError(
            "link.template {written} has no link in it; write {{url}} or {{original}} where it is "
            "to stand",
            written=template,
        )


def is_web_address(url: str) -> bool:
    """Whether the URL can be handed on as a link."""
    try:
        return bool(web_address(url))
    except HostRefused:
        return False


def web_address(url: str) -> str:
    """The URL, percent-encoded so that it breaks no markup. Raises HostRefused if it is none."""
    parts = _WEB.fullmatch(url)
    authority = _ascii(parts[2]) if parts else ""
    if not parts or not _AUTHORITY.fullmatch(authority):
        raise HostRefused(
            "{url} is no web address (http or https) that can be handed on; look at the host's "
            "settings in the config",
            url=url,
        )
    return parts[1] + authority + _UNSAFE.sub(_percent_encoded, parts[3])


def styled(url: str, style: str) -> str:
    """The URL with the style behind it, in its canonical order. Raises ConfigError."""
    if not style:
        return url
    from imghost.imaging.style import Style

    return url + str(Style.parse(style))


def alt_text(link: Link, template: str) -> str:
    """What stands for the image where it is not seen: the template, filled in from the link.

    Without a template, and for its {alt}, that is the file's name without its ending.
    """
    path = PurePath(link.name)
    name = path.stem if path.suffix[1:].lower() in _ENDINGS else link.name
    return _filled(template or "{alt}", replace(link, alt=name))


def _markdown(link: Link, _template: str) -> str:
    return f"![{_MARKDOWN_SYNTAX.sub(_backslashed, link.alt)}]({link.url})"


def _html(link: Link, _template: str) -> str:
    # Some hosts refuse a page's Referer; width and height would be those of the original.
    from html import escape

    url, alt = escape(link.url), _as_references(link.alt)
    return f'<img src="{url}" alt="{alt}" referrerpolicy="no-referrer">'


def _url(link: Link, _template: str) -> str:
    return link.url


def _bbcode(link: Link, _template: str) -> str:
    return f"[img]{link.url}[/img]"


def _rst(link: Link, _template: str) -> str:
    alt = f"\n   :alt: {link.alt}" if link.alt else ""
    return f".. image:: {link.url}{alt}"


def _asciidoc(link: Link, _template: str) -> str:
    alt = f'"{_as_references(link.alt)}"' if link.alt else ""
    return f"image::{link.url}[{alt}]"


def _org(link: Link, _template: str) -> str:
    # A link with a description is no picture, so Org has no place for the alt text.
    return f"[[{re.sub(r'[][]', _backslashed, link.url)}]]"


def _linked(link: Link, template: str) -> str:
    return f"[{_markdown(link, template)}]({link.original})"


def _custom(link: Link, template: str) -> str:
    return _filled(template, link)


FORMATS: Mapping[str, Callable[[Link, str], str]] = {
    "markdown": _markdown,
    "html": _html,
    "url": _url,
    "bbcode": _bbcode,
    "rst": _rst,
    "asciidoc": _asciidoc,
    "org": _org,
    "linked": _linked,
    "custom": _custom,
}
"""Every markup, by its name in the config: a link and the config's template in, text out."""

_ENDINGS = frozenset({*EXTENSIONS.values(), *MIME_TYPES})
_FIELD = re.compile(rf"\{{({'|'.join(field.name for field in fields(Link))})\}}")
_LINKS = re.compile(r"\{(?:url|original)\}")
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
_JOINERS = "\u200c\u200d"

# An underscore inside a word is plain text. Braces, dollars and percent signs mean nothing to
# Markdown, but much to what stands around it: Liquid, Nunjucks, Hugo, math, Obsidian's comments.
_MARKDOWN_SYNTAX = re.compile(r"[]\\`*[<&|~${]|%(?=%)|(?<=\{)[%#]|(?<![^\W_])_|_(?![^\W_])")
_REFERENCE_SYNTAX = re.compile(r"""[&<>"'{}[\]\\]""")

_WEB = re.compile(r"(https?://)([^/?#]+)(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_LONGEST_AUTHORITY = 300  # a name has at most 253 characters (RFC 1035, 2.3.4)
_AUTHORITY = re.compile(r"[0-9A-Za-z.:\[\]-]+")
_UNSAFE = re.compile(r"%(?![0-9A-Fa-f]{2})|[^0-9A-Za-z%/?#:@!&+,=._~-]")


def _filled(template: str, link: Link) -> str:
    return _FIELD.sub(lambda field: str(getattr(link, field[1])), template)


def _one_line(text: str) -> str:
    kept = (c for c in text if c.isspace() or c in _JOINERS or not _is_hidden(c))
    return " ".join("".join(kept).split())


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _ascii(authority: str) -> str:
    if len(authority) > _LONGEST_AUTHORITY:
        return ""
    try:
        return authority if authority.isascii() else authority.encode("idna").decode()
    except UnicodeError:
        return ""


def _percent_encoded(unsafe: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in unsafe[0].encode("utf-8", "replace"))


def _backslashed(syntax: re.Match[str]) -> str:
    return f"\\{syntax[0]}"


def _as_references(text: str) -> str:
    return _REFERENCE_SYNTAX.sub(lambda syntax: f"&#{ord(syntax[0])};", text)
