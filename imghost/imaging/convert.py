"""An image made to fit its host: another format, a smaller size, or nothing at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from imghost.errors import ImageError
from imghost.imaging.check import Caps, check, decode_errors, opened
from imghost.imaging.colour import is_transparent
from imghost.imaging.encode import MAX_EDGE_PX
from imghost.imaging.smallest import redraw_smallest
from imghost.imaging.style import Style
from imghost.models import Image, Limits, Message

_PHOTOS = frozenset({"jpeg", "heic"})
_AVIF_MPIX = 40  # a larger one would take its encoder more than 1.1 GB
_LEAST_PERCENT = 5
_LEAST_STEP, _GREATEST_STEP = 0.7, 0.9  # of an edge: little is given away, and tries are few


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a person wants changed; the config section "convert".

    `when`: "needed" or "always". `to`: webp, png, jpeg or avif; animations become webp. `quality`:
    1..100, of lossy formats. `max_width_px`: what is wider is scaled down, 0 for nothing. `shrink`:
    so is what is larger than its host takes. `strip_metadata`: also of what is not converted.
    """

    when: str = "needed"
    to: str = "webp"
    quality: int = 85
    max_width_px: int = 0
    shrink: bool = True
    strip_metadata: bool = True


def convert(
    image: Image, limits: Limits, settings: Conversion
) -> tuple[Image, tuple[Message, ...]]:
    """The image as the host takes it, and what had to change, in words.

    What the host takes as it is comes back itself, unless it is too wide, or `when` is "always"
    and another format makes it smaller. Whatever is converted is decoded again to the last pixel.
    Raises ImageError if the host cannot be suited.
    """
    if image.frames > 1 and not limits.animated:
        raise ImageError(
            "{name} is an animation, and its host shows only stills; save one frame of it, or "
            "choose another host",
            name=image.name,
        )
    wide = 0 < settings.max_width_px < image.width_px
    if wide or image.format not in limits.formats:
        return _fitted(image, limits, settings)
    if len(image.data) > limits.max_bytes:
        if not settings.shrink:
            raise _too_large(image, image, limits)
        return _fitted(image, limits, settings)
    if settings.when == "always":
        return _smaller(image, limits, settings)
    return image, ()


def _smaller(
    image: Image, limits: Limits, settings: Conversion
) -> tuple[Image, tuple[Message, ...]]:
    """An acceptable image in the format that is wanted, if that makes it smaller."""
    style = _style(image, limits, settings)
    if style.format in ("", image.format):
        return image, ()
    made = redraw_smallest(image, style)
    if len(made.data) >= len(image.data):
        return image, ()
    return _checked(made), _notes(image, made, settings)


def _fitted(
    image: Image, limits: Limits, settings: Conversion
) -> tuple[Image, tuple[Message, ...]]:
    """An image that must change, scaled down step by step until it is small enough."""
    made, percent = _redrawn(image, limits, settings, 100), 100
    steps: tuple[Message, ...] = ()
    while len(made.data) > limits.max_bytes:
        if not settings.shrink:
            raise _too_large(image, made, limits)
        percent = _next_percent(percent, made, limits)
        smaller = _redrawn(image, limits, settings, percent)
        steps += (
            Message(
                "scaled from {before} to {after} pixels to fit {max_mb} MB",
                {"before": _size(made), "after": _size(smaller), "max_mb": _mb(limits.max_bytes)},
            ),
        )
        made = smaller
    return _checked(made), _notes(image, made, settings) + steps


def _redrawn(image: Image, limits: Limits, settings: Conversion, percent: int) -> Image:
    style = _style(image, limits, settings, percent)
    if style.format:
        return redraw_smallest(image, style)
    if image.frames > 1 and "webp" not in limits.formats:
        raise ImageError(
            "{name} is an animation that its host does not take as it is, nor as WebP; save it "
            "smaller or as one of {formats}, or choose another host",
            name=image.name,
            formats=", ".join(sorted(limits.formats)),
        )
    raise ImageError(
        "{name} has {size} pixels, too many for what its host takes: {formats}; make it smaller, "
        "or choose another host",
        name=image.name,
        size=_size(image),
        formats=", ".join(sorted(limits.formats)),
    )


def _style(image: Image, limits: Limits, settings: Conversion, percent: int = 100) -> Style:
    """How the image is drawn: its size, and the first format that can be, "" if none can."""
    wide = 0 < settings.max_width_px < image.width_px
    width_px = settings.max_width_px if wide else None
    style = Style(percent=percent, width_px=width_px, quality=settings.quality)
    size = style.size(image.width_px, image.height_px)
    choice = ("webp",) if image.frames > 1 else (settings.to, *_others(image))
    fit = (name for name in choice if name in limits.formats and _holds(name, *size))
    return replace(style, ending=next(fit, ""))


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
    """A size at which the bytes should fit: about as many a pixel as now."""
    step = math.sqrt(limits.max_bytes / len(made.data))
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


def _notes(image: Image, made: Image, settings: Conversion) -> tuple[Message, ...]:
    """What became of the image, apart from the steps that made it fit."""
    return (
        *_of_format(image, made),
        *_of_choice(image, made, settings),
        *_of_width(image, settings),
        *_of_transparency(image, made),
    )


def _of_format(image: Image, made: Image) -> Iterator[Message]:
    before, after = image.format.upper(), made.format.upper()
    if image.frames > 1:
        yield Message(
            "animated {before} became an animated {after} of {frames} frames",
            {"before": before, "after": after, "frames": made.frames},
        )
        if made.frames != image.frames:
            yield Message(
                "{frames} frames showed nothing new: the ones before them are shown longer",
                {"frames": image.frames - made.frames},
            )
    elif before == after:
        yield Message("written anew as {after}", {"after": after})
    else:
        yield Message("converted from {before} to {after}", {"before": before, "after": after})


def _of_choice(image: Image, made: Image, settings: Conversion) -> Iterator[Message]:
    if image.frames == 1 and made.format != settings.to:
        yield Message(
            "its host takes no {wanted} of that size: {after} instead",
            {"wanted": settings.to.upper(), "after": made.format.upper()},
        )


def _of_width(image: Image, settings: Conversion) -> Iterator[Message]:
    if 0 < settings.max_width_px < image.width_px:
        yield Message(
            "scaled down to {width_px} pixels in width, as convert.max_width_px asks",
            {"width_px": settings.max_width_px},
        )


def _of_transparency(image: Image, made: Image) -> Iterator[Message]:
    if made.format != "jpeg" or image.format == "jpeg":
        return
    with decode_errors(image.name), opened(image.data) as source:
        if is_transparent(source):
            yield Message("what was transparent is white now")


def _too_large(image: Image, made: Image, limits: Limits) -> ImageError:
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
