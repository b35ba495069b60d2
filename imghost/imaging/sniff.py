"""What the first bytes of a file say it is; its name and whoever sent it are not asked."""

from __future__ import annotations

from collections.abc import Mapping

from imghost.models import Message

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\1\0", "ico"),
)
_BMP_HEADER_BYTES = frozenset({12, 40, 52, 56, 64, 108, 124})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_NEUTRAL_BRANDS = frozenset({b"mif1", b"msf1"})
_HEIC_BRANDS = _NEUTRAL_BRANDS | {
    *(b"heic", b"heix", b"heim", b"heis"),
    *(b"hevc", b"hevx", b"hevm", b"hevs"),
}

_VIDEO = (b"\x1aE\xdf\xa3", b"FLV\1", b"OggS", b"\0\0\1\xba", b"\0\0\1\xb3", b"0&\xb2u")
HEAD_BYTES = 4096
"""How much of a file is looked at."""
_BINARY = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))

REFUSALS: Mapping[str, Message] = {
    "svg": Message("{name} is an SVG drawing, which may carry scripts; export it as PNG"),
    "html": Message("{name} is a web page, not an image; open it and copy the image itself"),
    "pdf": Message("{name} is a PDF or PostScript document; export the page as PNG"),
    "video": Message("{name} is a video; save it as an animated WebP or GIF, or take a still"),
    "text": Message("{name} is text, not an image; choose the image itself"),
    "": Message("{name} is of no known image format; save it again as PNG or JPEG"),
}
"""What is said of a file that is no image, by what `other_kind` finds."""


def format_of(data: bytes) -> str:
    """A key of MIME_TYPES, or nothing."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data.startswith(b"RIFF") and data.startswith(b"WEBP", 8):
        return "webp"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADER_BYTES:
        return "bmp"
    return _of_brands(data) if data.startswith(b"ftyp", 4) else ""


def other_kind(data: bytes) -> str:
    """A key of REFUSALS, for what is no image."""
    head = data[:HEAD_BYTES]
    if b"%PDF-" in head[:1024] or head.startswith(b"%!PS"):
        return "pdf"
    if head.startswith(_VIDEO) or head[8:12] == b"AVI " or _is_film(head):
        return "video"
    text = _text(head).lower()
    if b"<html" in text or b"<!doctype html" in text:
        return "html"
    if b"<svg" in text:
        return "svg"
    return "text" if text else ""


def _of_brands(data: bytes) -> str:
    """AVIF and HEIC share a container; the first brand tells, or if that is neutral, the others."""
    end = min(int.from_bytes(data[:4], "big"), HEAD_BYTES)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    telling = brands if brands[0] in _NEUTRAL_BRANDS else brands[:1]
    if _AVIF_BRANDS.intersection(telling):
        return "avif"
    return "heic" if brands[0] in _HEIC_BRANDS else ""


def _is_film(head: bytes) -> bool:
    return head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"} and head[8:12] != b"crx "


def _text(head: bytes) -> bytes:
    """The head if it reads as text, in whatever encoding: text has no control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="replace").encode()
    return b"" if head.translate(None, _BINARY) != head else head
