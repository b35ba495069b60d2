"""The pages' HTML: templates in which whatever is put in is escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from imghost.models import Message
from imghost.server.gallery.words import script_words
from imghost.text import printable, size_text

if TYPE_CHECKING:
    from jinja2 import Environment

    from imghost.secret import Secret
    from imghost.text import Speaker

_HERE = Path(__file__).parent
_SCRIPTS = (
    *("bench", "dropping", "formats", "gallery", "images", "keys", "leaving", "login", "page"),
    *("previewing", "queue", "remembered", "renewing", "sending", "server", "settings"),
    *("telling", "uploads"),
)
STATIC: Mapping[str, str] = {
    "gallery.css": "text/css",
    **{f"{name}.js": "text/javascript" for name in _SCRIPTS},
}


class Pages:
    """Renders the templates in one language; `token` is what the pages show to change things."""

    def __init__(self, say: Speaker, token: Secret) -> None:
        self._say = say
        self._token = token

    def render(self, template: str, **values: object) -> str:
        """The page as text."""
        return self._templates.get_template(template).render(values)

    @cached_property
    def _templates(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        made = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        made.filters |= {"bytes": size_text, "minute": minute, "printable": printable}
        made.globals |= {
            "say": self._said,
            "token": self._token.reveal(),
            "lang": self._say.language.replace("_", "-"),
            "words": script_words(self._say),
            "version": static_version(),
        }
        return made

    def _said(self, message: Message | str, **fields: str | float) -> str:
        return self._say(message, **fields)


def static_file(name: str) -> bytes:
    """A file of STATIC."""
    return (_HERE / "static" / name).read_bytes()


def static_version() -> str:
    """What stands in the addresses of the files of STATIC, which browsers keep for good."""
    content = b"".join(map(static_file, STATIC))
    return hashlib.sha256(content).hexdigest()[:12]


def minute(seconds: float) -> str:
    """A time since the epoch, in local time, to the minute."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")
