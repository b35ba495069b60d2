"""Clipboard formats of Windows as bytes: copied files, and bitmaps without a file's header."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from io import BytesIO
from pathlib import PureWindowsPath

_DROPFILES = struct.Struct("<I12xI")  # where the names begin, and whether they are UTF-16
_FILE_HEADER = struct.Struct("<2sI4xI")  # "BM", the file's size, where the pixels begin
_INFO_HEADER = struct.Struct("<I10xHI12xI4x")  # its size, bits per pixel, compression, colours
_MASK_BYTES = {3: 12, 6: 16}  # by compression (BI_BITFIELDS, BI_ALPHABITFIELDS)
_PALETTE_BITS = 8


def paths(drop_files: bytes) -> tuple[str, ...]:
    r"""The paths of a CF_HDROP: a DROPFILES, then names that each end with NUL, then a NUL.

    None if it is broken, or in an old code page.
    """
    if len(drop_files) < _DROPFILES.size:
        return ()
    start, wide = _DROPFILES.unpack_from(drop_files)
    names = drop_files[start:] if wide else b""
    listed = names[: len(names) & ~1].decode("utf-16-le", "surrogatepass")
    found, end, _ = listed.partition("\0\0")
    return tuple(n for n in found.split("\0") if PureWindowsPath(n).is_absolute()) if end else ()


def drop_files(paths: Iterable[str]) -> bytes:
    """Paths as a CF_HDROP."""
    names = "".join(f"{path}\0" for path in paths) + "\0"
    return _DROPFILES.pack(_DROPFILES.size, 1) + names.encode("utf-16-le", "surrogatepass")


def bmp(dib: bytes) -> bytes:
    """A CF_DIB as a BMP file, which has a header more; nothing if it is broken.

    The sizes are those of BITMAPINFO: a header, masks unless it is a later header that holds
    them, colours, pixels.
    """
    if len(dib) < _INFO_HEADER.size:
        return b""
    size, bits, compression, colours = _INFO_HEADER.unpack_from(dib)
    if size < _INFO_HEADER.size:
        return b""
    masks = _MASK_BYTES.get(compression, 0) if size == _INFO_HEADER.size else 0
    if not colours and bits <= _PALETTE_BITS:
        colours = 1 << bits
    start = size + masks + 4 * colours
    if start > len(dib):
        return b""
    whole, start = (_FILE_HEADER.size + part for part in (len(dib), start))
    return _FILE_HEADER.pack(b"BM", whole, start) + dib


def dib(picture: bytes) -> bytes:
    """An image file, decoded, as a CF_DIB without transparency; nothing if Pillow knows it not."""
    from PIL import Image, UnidentifiedImageError

    file = BytesIO()
    try:
        with Image.open(BytesIO(picture)) as image:
            image.convert("RGB").save(file, "BMP")
    except UnidentifiedImageError:
        return b""
    return file.getvalue()[_FILE_HEADER.size :]


def text(data: str) -> bytes:
    """A text as CF_UNICODETEXT, whose lines end with CR and LF."""
    lines = data.replace("\r\n", "\n").replace("\n", "\r\n")
    return f"{lines}\0".encode("utf-16-le", "surrogatepass")
