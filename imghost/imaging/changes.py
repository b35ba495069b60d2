"""What a conversion changed, in words."""

from __future__ import annotations

from collections.abc import Iterator

from imghost.imaging.check import decode_errors, opened
from imghost.imaging.colour import is_transparent
from imghost.models import Image, Limits, Message


def changes(image: Image, made: Image, wanted: str, limits: Limits) -> Iterator[Message]:
    """What became of `image`, apart from its size; `wanted` is the format that was to be."""
    yield _of_format(image, made)
    if made.frames != image.frames:
        yield Message(
            "{frames} frames showed nothing new: those before them are shown longer",
            {"frames": image.frames - made.frames},
        )
    if image.frames == 1 and made.format != wanted:
        yield _of_choice(made, wanted, limits)
    if made.format == "jpeg" and _is_transparent(image):
        yield Message("what was transparent is white now")


def _of_format(image: Image, made: Image) -> Message:
    before, after = image.format.upper(), made.format.upper()
    if before == after:
        return Message("written anew as {after}", {"after": after})
    if image.frames == 1:
        return Message("converted from {before} to {after}", {"before": before, "after": after})
    return Message(
        "animated {before} became an animated {after} of {frames} frames",
        {"before": before, "after": after, "frames": made.frames},
    )


def _of_choice(made: Image, wanted: str, limits: Limits) -> Message:
    formats = {"wanted": wanted.upper(), "after": made.format.upper()}
    if wanted in limits.formats:
        return Message("{wanted} cannot hold that many pixels: {after} instead", formats)
    return Message("its host takes no {wanted}: {after} instead", formats)


def _is_transparent(image: Image) -> bool:
    if image.format == "jpeg":
        return False
    with decode_errors(image.name), opened(image.data) as source:
        return is_transparent(source)
