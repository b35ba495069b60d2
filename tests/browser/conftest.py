"""What tests in a real browser share: Chromium, and the program beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.fakes.browser import CHROMIUM, FLAGS, Tab, open_tab
from tests.fakes.program import Program


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what lacks a browser, with its name; where nothing may be skipped, let it fail."""
    if CHROMIUM.exists() or os.environ.get("IMGHOST_TESTS_SKIP") == "nothing":
        return
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.skip(reason="not installed here: chromium"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A running browser with an empty profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS, chromium_sandbox=False
        )
        yield browser
        browser.close()


@pytest.fixture
def program(home: Path) -> Program:
    """The program on a free port."""
    made = Program(home / "imghost")
    made.configure()
    return made


@pytest.fixture
def url(program: Program) -> Iterator[str]:
    """Where its server answers."""
    with program.serving() as url:
        yield url


@pytest.fixture
def tab(chromium: Browser, url: str) -> Iterator[Tab]:
    """The gallery in a window of its own; nothing in it may run, fail or be refused."""
    with open_tab(chromium, url) as tab:
        yield tab
        tab.must_be_content()
