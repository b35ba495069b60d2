"""Text in, its pictures out.

Our own scanner: markdown-it-py does not tell where in a line a picture stands, and is some eight
times slower; it is the judge of this one in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from imghost.posts.blocks import Blocks
from imghost.posts.front_matter import find_in_front_matter
from imghost.posts.inline import find_in_prose
from imghost.posts.pictures import Pictures
from imghost.posts.references import Scanned
from imghost.posts.tags import find_in_html

FRONT_MATTER_KEYS = frozenset(
    (
        *("image", "cover", "thumbnail", "banner_img", "index_img", "top_img", "featuredImage"),
        *("images", "photos", "cover.image", "image.path", "image.src", "image.url"),
    )
)
"""The keys of a front matter that name pictures; a dot leads into a table."""

_SIGN = re.compile(r"!\[|<(?:[iI][mM][gG]|[sS][oO][uU][rR][cC][eE])[\s/]|\{%|\{\{[<%]")
"""Without one of these no text has a picture."""


def scan(text: str, front_matter_keys: Collection[str] = FRONT_MATTER_KEYS) -> Scanned:
    """Find every picture that a post uses; code and comments have none."""
    if "\r" in text:  # the same length, so that all places hold
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    pictures = Pictures()
    body = find_in_front_matter(text, front_matter_keys, pictures)
    if wanted := [sign.start() for sign in _SIGN.finditer(text, body)]:
        leaves = Blocks(text, body, wanted).leaves
        for leaf in leaves.found:
            if leaf.is_html:
                find_in_html(leaf.text, leaf.start, pictures)
            else:
                find_in_prose(leaf, text, leaves.definitions, pictures)
    return pictures.scanned(text)
