"""Images as values, for tests of what only carries them."""

from __future__ import annotations

import hashlib

from imghost.keep.journal import Entry
from imghost.models import Image, Message, Target

TARGET = Target("local", "images")


def image(seed: int = 0, name: str = "a.png") -> Image:
    """An Image whose bytes nobody will decode."""
    data = f"image {seed}".encode()
    return Image(data, "png", 4, 3, 1, hashlib.sha256(data).hexdigest(), name)


def entry(seed: int = 0, *, original: str = "", target: Target = TARGET) -> Entry:
    """What is accepted of it; the original is the image itself unless given."""
    made = image(seed)
    note = Message("scaled to {n}", {"n": 3})
    return Entry(original or made.sha256, made, "recipe", target, "command", (note,))
