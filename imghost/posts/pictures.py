"""The pictures of one text, as they are come upon."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

from imghost.models import Message
from imghost.posts.references import Form, Left, Reference, Scanned
from imghost.sources.candidates import looks_like_an_image

_LONGEST_TARGET = 4096
"""In characters; Linux opens no longer path."""


class _Named(NamedTuple):
    start: int
    end: int
    form: Form
    target: str


class _Unfit(NamedTuple):
    start: int
    what: Message


class Pictures:
    """Collects them; what cannot be moved is left, with the reason."""

    def __init__(self) -> None:
        self._found: list[_Named | _Unfit] = []

    def add(
        self,
        form: Form,
        start: int,
        end: int,
        written: str,
        decode: Callable[[str], str] = lambda text: text,
    ) -> None:
        """A picture whose destination stands at `text[start:end]`; one without is none.

        `decode` takes the markup's escapes out of it.
        """
        target = (written if len(written) > _LONGEST_TARGET else decode(written)).strip()
        if target.lower().startswith("data:"):
            self.leave(start, Message("the picture is part of the post itself"))
        elif len(target) > _LONGEST_TARGET:
            most = {"most": _LONGEST_TARGET}
            self.leave(start, Message("its address has more than {most} characters", most))
        elif path_of(target).lower().endswith(".svg"):
            self.leave(
                start, Message("{name} is SVG, which imghost does not upload", {"name": target})
            )
        elif target:
            self._found.append(_Named(start, end, form, sys.intern(target)))

    def leave(self, start: int, what: Message) -> None:
        """Something at this place that cannot be moved."""
        self._found.append(_Unfit(start, what))

    def __len__(self) -> int:
        return len(self._found)

    def take_back(self, count: int) -> None:
        """Forget all but the first ones: they stand where nobody sees them."""
        del self._found[count:]

    def scanned(self, text: str) -> Scanned:
        """All of them with their lines, which line feeds end; each once."""
        references: list[Reference] = []
        left: list[Left] = []
        line, counted = 1, 0
        by_start = {found.start: found for found in self._found}
        for _, found in sorted(by_start.items()):
            line += text.count("\n", counted, found.start)
            counted = found.start
            if isinstance(found, _Named):
                references.append(Reference(found.form, found.start, found.end, line, found.target))
            else:
                left.append(Left(line, found.what))
        return Scanned(tuple(references), tuple(left))


def path_of(target: str) -> str:
    """A path or URL without query and fragment."""
    return target.partition("?")[0].partition("#")[0]


def names_image(target: str) -> bool:
    """Whether a path or URL has the ending of an image."""
    return looks_like_an_image(path_of(target))


def in_one_line(text: str) -> str:
    """A piece of a post as it is shown."""
    return " ".join(text.split())
