"""What the tests of attacks share."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from imghost.errors import ImageError
from imghost.imaging.check import Caps
from imghost.imaging.conversion import Conversion
from imghost.imaging.prepare import Prepared, Recipe, prepare
from imghost.models import Limits
from tests.fakes.needs import linux_alone
from tests.fakes.wild import pillow_images

WEB = Limits(1 << 30, frozenset({"png", "jpeg", "webp", "gif", "avif"}))
SLOW_S = 10.0
RECIPE = Recipe(Caps(), WEB, Conversion(), "")


@dataclass(frozen=True)
class Wild:
    """Files good and bad; of each what is made of it, or why it is refused, and the time taken."""

    files: tuple[Path, ...]
    made: dict[Path, Prepared]
    refused: dict[Path, ImageError]
    slowest_s: float


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Attacks use Linux's names of files and users, and look into /proc."""
    linux_alone(items, Path(__file__).parent, "attacks are made by the means of Linux")


@pytest.fixture(scope="session")
def wild(pytestconfig: pytest.Config) -> Wild:
    """The files of Pillow's own tests; fetched once for a checkout."""
    if not shutil.which("exiftool") and os.environ.get("IMGHOST_TESTS_SKIP") != "nothing":
        pytest.skip("exiftool is not installed here")
    files = pillow_images(pytestconfig.cache.mkdir("pillow"))
    wild = Wild(tuple(files), made := {}, refused := {}, 0.0)
    slowest_s = 0.0
    for path in files:
        began = time.monotonic()
        try:
            made[path] = prepare(path.read_bytes(), path.name, RECIPE)
        except ImageError as exc:
            refused[path] = exc
        slowest_s = max(slowest_s, time.monotonic() - began)
    return Wild(wild.files, made, refused, slowest_s)
