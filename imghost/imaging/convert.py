"""An image made to fit its host: another format, a smaller size, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a person wants changed; the config section "convert".

    `when`: "needed" or "always". `to`: webp, png, jpeg or avif. `quality`: 1..100, of lossy formats.
    `max_width_px`: wider stills and animations are scaled down; 0 for none. `shrink`: also scale
    what is larger than its host takes.
    """

    when: str = "needed"
    to: str = "webp"
    quality: int = 85
    max_width_px: int = 0
    shrink: bool = True
    strip_metadata: bool = True
