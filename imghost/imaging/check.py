"""Is it really an image, and not too large: bytes in, Image out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imghost.models import Image

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile


@dataclass(frozen=True, slots=True)
class Caps:
    """How much is decoded at most; the config section "limits"."""

    still_mpix: float = 120
    animation_mpix: float = 2000
    input_bytes: int = 200_000_000


def check(data: bytes, name: str, caps: Caps) -> Image:
    """Decode the bytes completely and say what image they are. Raises ImageError."""
    raise NotImplementedError


def opened(data: bytes) -> ImageFile:
    """The image that the bytes hold, its header read and its pixels not yet decoded."""
    raise NotImplementedError
