"""Metadata out, pixels untouched: places, names and times do not travel with a picture."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from imghost.imaging.check import decode_errors
from imghost.imaging.containers import bare
from imghost.models import Image, Message

METADATA_REMOVED = Message("metadata removed: {kinds}")
_ORDER = ("GPS", "EXIF", "XMP", "IPTC", "C2PA")


def strip(image: Image) -> tuple[Image, tuple[Message, ...]]:
    """The image without metadata, losslessly, and what was removed, in words.

    How it is turned, its colours and its timing stay. What has nothing to strip is returned itself;
    so are the formats that are always converted: HEIC, TIFF, BMP, ICO. Raises ImageError if the
    container cannot be followed, which `check` has made sure of.
    """
    with decode_errors(image.name):
        left = bare(image.data, image.format)
    if not left.removed:
        return image, ()
    stripped = replace(image, data=left.data, sha256=hashlib.sha256(left.data).hexdigest())
    kinds = [name for name in _ORDER if name in left.removed]
    kinds += sorted(left.removed.difference(_ORDER))
    return stripped, (replace(METADATA_REMOVED, fields={"kinds": ", ".join(kinds)}),)
