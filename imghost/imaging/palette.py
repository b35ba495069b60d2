"""Pictures in 255 colours and one that is none, as GIF has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_COLOURS = 255
_CLEAR = 255
_THERE = [255] * 128 + [0] * 128
_SAMPLE_PX = 400


def common_palette(pictures: Sequence[Picture]) -> Picture:
    """The colours that suit them all, as a picture that has them in its palette."""
    from PIL import Image

    sheet = Image.new("RGB", (_SAMPLE_PX, _SAMPLE_PX * len(pictures)))
    for number, picture in enumerate(pictures):
        sample = picture.convert("RGB").resize((_SAMPLE_PX, _SAMPLE_PX), Image.Resampling.NEAREST)
        sheet.paste(sample, (0, _SAMPLE_PX * number))
    return sheet.quantize(_COLOURS)


def indexed(picture: Picture, palette: Picture) -> Picture:
    """The picture in these colours, undithered; what is less than half there is left out."""
    from PIL import Image

    flat = picture.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    if picture.mode == "RGBA":
        flat.paste(_CLEAR, mask=picture.getchannel("A").point(_THERE))
        flat.info["transparency"] = _CLEAR
    return flat
