"""Metadata out, pixels untouched."""

from __future__ import annotations

from imghost.models import Image, Message


def strip(image: Image) -> tuple[Image, tuple[Message, ...]]:
    """The image without metadata, losslessly, and what was removed. Raises ImageError."""
    raise NotImplementedError
