"""What the tests of attacks share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from imghost.imaging.prepare import prepare
from tests.fakes.needs import linux_alone
from tests.fakes.wild import pillow_images
from tests.security import outcomes
from tests.security.outcomes import SEED, Wild, judged

DAMAGED = 400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Attacks use Linux's names of files and users, and look into /proc."""
    linux_alone(items, Path(__file__).parent, "attacks are made by the means of Linux")


@pytest.fixture(scope="session")
def wild(pytestconfig: pytest.Config) -> Wild:
    """The files of Pillow's own tests; fetched once for a checkout."""
    if not shutil.which("exiftool") and os.environ.get("IMGHOST_TESTS_SKIP") != "nothing":
        pytest.skip("exiftool is not installed here")
    return judged(pillow_images(pytestconfig.cache.mkdir("pillow")), prepare)


@pytest.fixture(scope="session")
def hurt(wild: Wild, tmp_path_factory: pytest.TempPathFactory) -> Wild:
    """Files of theirs, good and bad, each damaged in another way."""
    numbers = range(SEED, SEED + DAMAGED)
    return outcomes.hurt(wild, numbers, tmp_path_factory.mktemp("hurt"))
