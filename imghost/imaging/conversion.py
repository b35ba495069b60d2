"""What a person wants changed in images before they are sent."""

from __future__ import annotations

from imghost.setting import setting
from imghost.values import dataclass


@dataclass(frozen=True, slots=True)
class Conversion:
    """The config section "convert".

    `to` is for stills; animations become webp. `quality` is that of lossy formats. What is wider
    than `max_width_px` is scaled down, 0 for nothing; with `shrink` so is what is larger than its
    host takes. `strip_metadata`: also of what is not converted.
    """

    when: str = setting("needed", choices=("needed", "always"))
    to: str = setting("webp", choices=("webp", "png", "jpeg", "avif"))
    quality: int = setting(85, least=1, most=100)
    max_width_px: int = setting(0, least=0)
    shrink: bool = True
    strip_metadata: bool = True
