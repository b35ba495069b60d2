"""Which files can be images: by their names, and by their first bytes."""

from __future__ import annotations

from enum import Enum, auto

from imghost.imaging.sniff import format_of

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif", ".ico", ".svg"),
)
_UNFINISHED = (
    *(".part", ".partial", ".crdownload", ".download", ".opdownload"),
    *(".tmp", ".temp", "~"),
)


class Verdict(Enum):
    """What a file's first bytes say."""

    IMAGE = auto()
    OTHER = auto()
    UNSURE = auto()


def looks_like_an_image(name: str) -> bool:
    """Whether a file with this name is meant to be an image."""
    return name.lower().endswith(ENDINGS)


def is_passed_over(name: str) -> bool:
    """Whether a file or folder is hidden, or has the name of an unfinished one."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def judge(name: str, head: bytes) -> Verdict:
    """What a file is; one that is empty, or begins with nothing, is perhaps still to be written."""
    if not head.strip(b"\0"):
        return Verdict.UNSURE
    if format_of(head) or looks_like_an_image(name):
        return Verdict.IMAGE
    return Verdict.OTHER
