"""Logging in on the gallery's page in a real Chromium, with a code that can be read off it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.fakes import pictures
from tests.fakes.bilibili import Answer, FakeBilibili, settings
from tests.fakes.bilibili_login import GENERATE, NAME, FakeLogin, address_of
from tests.fakes.browser import Tab, open_tab
from tests.fakes.camera import scanned
from tests.fakes.canaries import leaked
from tests.fakes.program import Program, eventually


@pytest.fixture
def fake(program: Program) -> Iterator[FakeBilibili]:
    """A Bilibili whose cookies are over, and that nothing goes to yet."""
    with FakeBilibili() as server:
        server.sessdata = "cafe%2Cnew"
        program.configure(hosts=settings(server)["hosts"])
        yield server


@pytest.fixture
def url(fake: FakeBilibili, program: Program) -> Iterator[str]:
    """Where the gallery answers."""
    with program.serving() as url:
        yield url


def begin(tab: Tab) -> None:
    """Open the page and ask for a code."""
    tab.go("/login")
    tab.page.get_by_role("button", name=re.compile("code to log in|Log in again")).click()
    expect(tab.page.locator("#login-code")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_code_is_read_scanned_and_used(
    chromium: Browser, url: str, program: Program, fake: FakeBilibili, scheme: str
) -> None:
    """A reader reads it off the page; its states are told; what waits is sent; a click uses it."""
    path = program.home.parent / "a.png"
    path.write_bytes(pictures.png())
    assert program.run("upload", "--host", "bilibili", path).code == 7
    with open_tab(chromium, url, color_scheme=scheme) as tab:
        begin(tab)
        page = Image.open(BytesIO(tab.page.screenshot()))
        assert scanned(page) == address_of(fake.login.keys[0])
        expect(tab.page.get_by_role("status").first).to_contain_text("Scan it with the Bilibili")
        fake.login.scan()
        expect(tab.page.locator("#login-state")).to_contain_text("confirm it on your phone")
        with tab.page.expect_navigation():
            fake.login.confirm()
        expect(tab.page.locator("#login")).to_contain_text(f"Logged in as {NAME}")
        expect(tab.page.locator("#login")).to_contain_text("180 days left")
        eventually(lambda: program.status["counts"]["done"] == 1)
        with tab.page.expect_navigation():
            tab.page.get_by_role("button", name="Use Bilibili for new pictures").click()
        assert program.status["host"] == "bilibili"
        assert leaked(tab.page.content(), fake.login.secrets) == []
        with tab.page.expect_navigation():
            tab.page.get_by_role("button", name="Log out").click()
        expect(tab.page.locator("#login")).to_contain_text("No login yet")
        tab.must_be_content()


def test_expired_codes_are_replaced_three_times(tab: Tab, fake: FakeBilibili) -> None:
    """Each by another; then it says so, and can be begun again."""
    fake.login.behave = FakeLogin.expire
    begin(tab)
    expect(tab.page.locator("#login-error")).to_contain_text("Nobody scanned the code")
    expect(tab.page.locator("#login-code")).to_be_hidden()
    assert fake.login.count(GENERATE) == 3
    expect(tab.page.get_by_role("button", name="Log in again")).to_be_enabled()


def test_a_refusal_is_told_on_the_page(tab: Tab, fake: FakeBilibili) -> None:
    """In the host's words; by keyboard alone it can be tried again."""
    fake.login.answers.append(Answer(-412, "请求被拦截"))
    tab.go("/login")
    tab.tab_to("Log in again")
    tab.press("Enter")
    expect(tab.page.locator("#login-error")).to_contain_text("请求被拦截")
    tab.complaints.clear()  # Chromium itself notes each answer that is no success
    tab.press("Enter")
    expect(tab.page.locator("#login-code")).to_be_visible()
