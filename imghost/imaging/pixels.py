"""Whether two files show the same picture: a digest of what is seen, not of how it is written."""

from __future__ import annotations

import hashlib

from imghost.imaging.check import decode_errors, opened
from imghost.imaging.deadline import time_limit

_MAX_S = 20.0


def pixels_digest(data: bytes, name: str) -> str:
    """The SHA-256 of a still image's size and pixels; "" for an animation.

    For bytes that were checked. Raises ImageError.
    """
    with decode_errors(name), time_limit(_MAX_S):
        picture = opened(data)
        if getattr(picture, "n_frames", 1) > 1:
            return ""
        from PIL.ImageOps import exif_transpose

        seen = exif_transpose(picture).convert("RGBA")
        return hashlib.sha256(repr(seen.size).encode() + seen.tobytes()).hexdigest()
