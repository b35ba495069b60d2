"""A phone's camera before a screen: what it sees is a little blurred and askew, and then read."""

from __future__ import annotations

import os
import shutil
import subprocess
from io import BytesIO

import pytest
from PIL import Image, ImageFilter

READER = "zbarimg"
_BLUR = 1.2
_ASKEW = 2.0


def scanned(picture: Image.Image) -> str:
    """What the code in the picture says; "" for none."""
    if not shutil.which(READER) and os.environ.get("IMGHOST_TESTS_SKIP") != "nothing":
        pytest.skip(f"not installed here: {READER}")
    grey = picture.convert("L").rotate(_ASKEW, Image.Resampling.BICUBIC, expand=True, fillcolor=90)
    file = BytesIO()
    grey.filter(ImageFilter.GaussianBlur(_BLUR)).save(file, "PNG")
    command = [READER, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "-"]
    read = subprocess.run(
        command,
        input=file.getvalue(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return read.stdout.decode().strip()
