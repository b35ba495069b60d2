"""Text in, its pictures out."""

from __future__ import annotations

from collections.abc import Collection

from imghost.posts.references import Scanned

FRONT_MATTER_KEYS = frozenset(
    ("image", "cover", "thumbnail", "banner_img", "index_img", "top_img")
    + ("featuredImage", "images", "cover.image", "photos")
)
"""The keys of a front matter that name pictures; a dot goes into a table."""


def scan(text: str, front_matter_keys: Collection[str] = FRONT_MATTER_KEYS) -> Scanned:
    """Find every picture that a post uses; code and comments have none."""
    raise NotImplementedError
