"""GIF with every frame in its own colours.

Pillow takes a table of greys for no table at all, and shows coloured frames that come after such
a frame in its greys, or not at all (https://github.com/python-pillow/Pillow/issues/8921).
"""

from __future__ import annotations

from PIL import ImagePalette
from PIL.GifImagePlugin import GifImageFile


class ColourGif(GifImageFile):
    """Pillow's reader, to which greys are colours, too, and what no table says is grey."""

    global_palette = ImagePalette.raw("RGB", bytes(level for level in range(256) for _ in "RGB"))

    def _is_palette_needed(self, _: bytes) -> bool:
        return True
