"""Images drawn anew until their host takes them: another format, then a smaller size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from imghost.errors import ImageError
from imghost.imaging.changes import changes
from imghost.imaging.check import Caps, check
from imghost.imaging.conversion import Conversion
from imghost.imaging.encode import MAX_EDGE_PX
from imghost.imaging.smallest import redraw_smallest
from imghost.imaging.style import Style
from imghost.models import Image, Limits, Message

_PHOTOS = frozenset({"jpeg", "heic"})
_AVIF_MPIX = 40  # a larger one would take its encoder more than 1.1 GB
_LEAST_PERCENT = 5
_LEAST_STEP, _GREATEST_STEP = 0.5, 0.9  # of an edge
_WHOLE_MPIX = 120  # what was larger was let in as a JPEG because half of it can be drawn


def smaller(
    image: Image, limits: Limits, settings: Conversion
) -> tuple[Image, tuple[Message, ...]]:
    """An acceptable image in the format that is wanted, if that makes it smaller."""
    style = _style(image, limits, settings)
    if style.format in ("", image.format) or style.width_px:
        return image, ()
    made = redraw_smallest(image, style)
    if len(made.data) >= len(image.data):
        return image, ()
    return _checked(made), (*changes(image, made, settings.to, limits),)


def fitted(image: Image, limits: Limits, settings: Conversion) -> tuple[Image, tuple[Message, ...]]:
    """An image that must change, scaled down step by step until it is small enough."""
    made, percent = _redrawn(image, limits, settings, 100), 100
    steps = [*_narrowed(image, settings)]
    while len(made.data) > limits.max_bytes:
        if not settings.shrink:
            raise too_large(image, made, limits)
        percent = _next_percent(percent, made, limits)
        smaller = _redrawn(image, limits, settings, percent)
        steps.append(
            Message(
                "scaled from {before} to {after} pixels to fit {max_mb} MB",
                {"before": _size(made), "after": _size(smaller), "max_mb": _mb(limits.max_bytes)},
            )
        )
        made = smaller
    return _checked(made), (*changes(image, made, settings.to, limits), *steps)


def _redrawn(image: Image, limits: Limits, settings: Conversion, percent: int) -> Image:
    style = _style(image, limits, settings, percent)
    if style.format:
        return redraw_smallest(image, style)
    raise ImageError(
        "{name} ({format}, {size} pixels, {frames} frames) cannot become any of what its host "
        "takes: {formats}; save it as one of them, make it smaller, or choose another host",
        name=image.name,
        format=image.format,
        size=_size(image),
        frames=image.frames,
        formats=", ".join(sorted(limits.formats)),
    )


def _style(image: Image, limits: Limits, settings: Conversion, percent: int = 100) -> Style:
    """How the image is drawn: its size, and the first format that can be, "" if none can."""
    width_px = _widest_px(image, settings)
    style = Style(
        percent=percent,
        width_px=width_px if width_px < image.width_px else None,
        quality=settings.quality,
    )
    size = style.size(image.width_px, image.height_px)
    choice = ("webp",) if image.frames > 1 else (settings.to, *_others(image))
    fit = (name for name in choice if name in limits.formats and _holds(name, *size))
    return replace(style, ending=next(fit, ""))


def _widest_px(image: Image, settings: Conversion) -> int:
    whole = image.width_px * image.height_px <= _WHOLE_MPIX * 1e6
    width_px = image.width_px if whole else image.width_px // 2
    return min(width_px, settings.max_width_px or width_px)


def _narrowed(image: Image, settings: Conversion) -> Iterator[Message]:
    width_px = _widest_px(image, settings)
    if width_px < image.width_px:
        yield Message(
            "scaled from {before_px} to {after_px} pixels in width",
            {"before_px": image.width_px, "after_px": width_px},
        )


def _others(image: Image) -> tuple[str, ...]:
    """What stills become when they cannot become what is wanted."""
    if image.format in _PHOTOS:
        return "webp", "jpeg", "avif", "png"
    return "webp", "png", "avif", "jpeg"


def _holds(format_name: str, width_px: int, height_px: int) -> bool:
    if format_name == "avif" and width_px * height_px > _AVIF_MPIX * 1e6:
        return False
    return max(width_px, height_px) <= MAX_EDGE_PX[format_name]


def _next_percent(percent: int, made: Image, limits: Limits) -> int:
    """A size at which the bytes should fit: they shrink slower than the pixels."""
    step = (limits.max_bytes / len(made.data)) ** (2 / 3)
    percent = int(percent * min(max(step, _LEAST_STEP), _GREATEST_STEP))
    if percent < _LEAST_PERCENT:
        raise ImageError(
            "{name} has {size_mb} MB however small it is drawn, and its host takes {max_mb}; "
            "choose another host",
            name=made.name,
            size_mb=_mb(len(made.data)),
            max_mb=_mb(limits.max_bytes),
        )
    return percent


def _checked(made: Image) -> Image:
    return check(made.data, made.name, Caps(math.inf, math.inf, len(made.data)))


def too_large(image: Image, made: Image, limits: Limits) -> ImageError:
    """What to say of an image that became `made` and is still too large, shrinking being off."""
    return ImageError(
        "{name} has {size_mb} MB as {format}, and its host takes {max_mb}; make it smaller, or "
        "set convert.shrink to true",
        name=image.name,
        size_mb=_mb(len(made.data)),
        format=made.format,
        max_mb=_mb(limits.max_bytes),
    )


def _size(image: Image) -> str:
    return f"{image.width_px}x{image.height_px}"


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.4g}"
