"""Pictures as phones write them: with a maker, a place, and words about it."""

from __future__ import annotations

from PIL.Image import Exif

from tests.fakes.pictures import encoded, picture

SECRET = b"51 degrees 30 minutes north"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>exif:GPSLatitude " + SECRET + b"</x:xmpmeta>"
ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")


def phone_exif() -> Exif:
    """EXIF as a phone writes it: a maker, a place, and how it was held."""
    tags = Exif()
    tags[MAKER] = SECRET.decode()
    tags[ORIENTATION] = 6
    tags.get_ifd(GPS).update({1: "N", 2: (51.0, 30.0, 26.0), 3: "E", 4: (0.0, 7.0, 39.0)})
    return tags


def photo(format_name: str, seed: int) -> bytes:
    """A file of that format which tells where it was taken, in every way that it has."""
    data = encoded(picture(seed=seed), format_name, exif=phone_exif(), xmp=XMP)
    assert SECRET in data
    return data
