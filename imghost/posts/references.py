"""A post's pictures: where each one stands in the text, and what it names."""

from __future__ import annotations

from enum import StrEnum

from imghost.models import Message
from imghost.values import dataclass


class Form(StrEnum):
    """The markup in which a picture is named."""

    MARKDOWN = "markdown"
    DEFINITION = "definition"
    HTML = "html"
    FRONT_MATTER = "front matter"
    OBSIDIAN = "obsidian"
    HEXO = "hexo"
    HUGO = "hugo"


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that a post uses: a new link replaces `text[start:end]`.

    `line` counts from 1. `target` is the path or URL, without the markup's escapes; whether %20 in
    it is a blank is seen when it is looked for.
    """

    form: Form
    start: int
    end: int
    line: int
    target: str


@dataclass(frozen=True, slots=True)
class Left:
    """What looks like a picture and is not touched: on which line, and why."""

    line: int
    what: Message


@dataclass(frozen=True, slots=True)
class Scanned:
    """All pictures of a text, each in the order of the text."""

    references: tuple[Reference, ...]
    left: tuple[Left, ...]
