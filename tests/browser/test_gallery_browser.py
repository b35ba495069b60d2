"""The gallery in a real Chromium: dropped, shown, sent, copied, styled, forgotten; also by keys."""

from __future__ import annotations

import re
import threading
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.fakes import bilibili, pictures
from tests.fakes.browser import Tab, open_tab
from tests.fakes.many import copy_rows
from tests.fakes.program import Program, eventually

HOSTILE = '"><img src=x onerror=alert(1)>.png'
MANY = 10_000
PER_PAGE = 48
WIDTHS_PX = (375, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FAINT = (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")


class _Slow(bilibili.FakeBilibili):
    """Answers once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()

    def judge(self, upload: bilibili.Upload, host: str) -> bilibili.Answer:
        """As ever, but later."""
        self.may_answer.wait()
        return super().judge(upload, host)

    def close(self) -> None:
        """End, whoever waits."""
        self.may_answer.set()
        super().close()


def _upload(program: Program, folder: Path, name: str = "a.png", seed: int = 0) -> str:
    path = folder / name
    path.write_bytes(pictures.png(1280, 720, seed=seed))
    return program.run("upload", path).lines[0]


def test_a_dropped_picture_is_shown_sent_and_copied(tab: Tab, program: Program) -> None:
    """First it is only shown, with destination and sizes; then it is sent, and its link copied."""
    tab.go()
    expect(tab.page.get_by_text("Copy an image, paste a link")).to_be_visible()
    tab.drop("sun and moon.png", pictures.png(300, 200))
    dialog = tab.page.locator("#upload")
    expect(dialog).to_contain_text("local/images")
    expect(dialog).to_contain_text("300 × 200 · png")
    expect(dialog).to_contain_text("nothing has left this computer")
    expect(dialog.locator("img")).to_be_visible()
    assert program.history == []
    assert program.originals == []
    dialog.get_by_role("button", name="Upload", exact=True).click()
    link = dialog.get_by_label("Its link")
    expect(link).to_have_value(
        re.compile(r"!\[sun and moon\]\(http://127\.0\.0\.1:\d+/bfs/images/")
    )
    dialog.get_by_role("button", name="Copy", exact=True).click()
    expect(tab.page.locator("#toast")).to_contain_text("Copied")
    assert tab.copied == link.input_value()
    dialog.get_by_role("button", name="Close").click()
    expect(tab.cards).to_have_count(1)
    expect(tab.cards.first).to_contain_text("sun and moon.png")
    tab.cards.first.get_by_role("button", name="Copy link").click()
    expect(tab.cards.first).to_contain_text("Copied")
    assert [row["name"] for row in program.history] == ["sun and moon.png"]


def test_what_is_not_sent_leaves_no_trace(tab: Tab, program: Program) -> None:
    """Closed without Upload, and refused as no picture: nothing is kept of either."""
    tab.go()
    tab.paste("pasted.png", pictures.png())
    expect(tab.page.locator("#upload")).to_contain_text("nothing has left this computer")
    tab.drop("notes.png", b"only text")
    expect(tab.page.locator(".item.failed")).to_contain_text("notes.png is text")
    tab.complaints.clear()  # Chromium itself notes each answer that is no success
    tab.page.locator(".item.failed").get_by_role("button", name="Remove").click()
    expect(tab.page.locator(".item")).to_have_count(1)
    tab.press("Escape")
    expect(tab.page.locator("#upload")).to_be_hidden()
    assert program.history == []
    assert program.originals == []


def test_send_at_once_is_remembered(tab: Tab, program: Program) -> None:
    """Ticked, a picture is sent without a question; also after the page was loaded again."""
    tab.go()
    tab.page.get_by_label("Send at once").check()
    tab.go()
    expect(tab.page.get_by_label("Send at once")).to_be_checked()
    tab.drop("a.png", pictures.png())
    tab.drop("b.png", pictures.png(seed=1))
    expect(tab.page.locator(".item.done")).to_have_count(2)
    assert {row["name"] for row in program.history} == {"a.png", "b.png"}


@pytest.mark.parametrize(
    "broken",
    [
        "localStorage.setItem('imghost-copy', '{')",
        "Object.defineProperty(window, 'localStorage', { get() { throw Error('no'); } })",
    ],
)
def test_a_browser_that_remembers_nothing_will_do(tab: Tab, program: Program, broken: str) -> None:
    """Where sites may keep nothing, or something else stands there, all works but that."""
    tab.page.add_init_script(broken)
    tab.go()
    tab.page.get_by_label("Send at once").check()
    tab.drop("a.png", pictures.png())
    expect(tab.page.locator(".item.done")).to_have_count(1)
    tab.page.locator("#upload").get_by_role("button", name="Close").click()
    tab.page.get_by_label("Copy as").select_option("html")
    expect(tab.cards.first).to_have_attribute("data-text", re.compile("<img"))
    assert len(program.history) == 1


def test_closing_asks_while_pictures_wait_to_be_sent(chromium: Browser, program: Program) -> None:
    """What waits its turn says so, and is left out only by who says so; what is sent goes on."""
    with _Slow() as host:
        program.configure(**bilibili.settings(host))
        with program.serving() as url, open_tab(chromium, url) as tab:
            tab.go()
            upload, question = tab.page.locator("#upload"), tab.page.locator("#leaving")
            for seed in range(3):
                tab.drop(f"{seed}.png", pictures.png(seed=seed))
            upload.get_by_role("button", name="Upload 3 pictures").click()
            expect(tab.page.locator(".item.sending")).to_have_count(2)
            expect(tab.page.locator(".item.waiting")).to_contain_text("Waiting its turn")
            tab.press("Escape")
            expect(question).to_contain_text("left out")
            question.get_by_role("button", name="Go on sending").click()
            expect(tab.page.locator(".item")).to_have_count(3)
            upload.get_by_role("button", name="Close").click()
            question.get_by_role("button", name="Leave them out").click()
            expect(upload).to_be_hidden()
            eventually(lambda: len(host.uploads) == 2)
            with tab.page.expect_navigation():
                host.may_answer.set()
            expect(tab.cards).to_have_count(2)
            tab.must_be_content()
    assert {row["name"] for row in program.history} == {"0.png", "1.png"}
    assert {row["state"] for row in program.history} == {"done"}


def test_what_failed_behind_a_closed_dialog_is_shown(chromium: Browser, program: Program) -> None:
    """It comes back with the reason; the list behind it is as it is now once that is closed."""
    with _Slow() as host:
        program.configure(**bilibili.settings(host))
        host.answers.append(bilibili.Answer(-400, "not today", after=host.may_answer))
        with program.serving() as url, open_tab(chromium, url) as tab:
            tab.go()
            tab.drop("a.png", pictures.png())
            upload = tab.page.locator("#upload")
            upload.get_by_role("button", name="Upload", exact=True).click()
            expect(tab.page.locator(".item.sending")).to_contain_text("Waiting for the host")
            upload.get_by_role("button", name="Close").click()
            tab.page.get_by_role("button", name="Leave them out").click()
            expect(upload).to_be_hidden()
            host.may_answer.set()
            expect(upload).to_contain_text("not today")
            with tab.page.expect_navigation():
                upload.get_by_role("button", name="Close").click()
            expect(tab.cards.first).to_contain_text("not today")
            tab.must_be_content()


def test_links_are_copied_as_chosen(tab: Tab, program: Program, tmp_path: Path) -> None:
    """In another format and style, which the browser remembers."""
    link = _upload(program, tmp_path)
    tab.go()
    with tab.page.expect_response("**/gallery/texts?*"):
        tab.page.get_by_label("Copy as").select_option("html")
    with tab.page.expect_response("**/gallery/texts?*"):
        tab.page.get_by_label("in the style").select_option("@800w_1e_1c.webp")
    tab.page.reload()
    expect(tab.cards.first).to_have_attribute("data-text", re.compile("<img"))
    tab.cards.first.get_by_role("button", name="Copy link").click()
    expect(tab.cards.first).to_contain_text("Copied")
    assert tab.copied.startswith(f'<img src="{link}@800w_1e_1c.webp"')


@pytest.mark.parametrize("kept", ["{bad", "7", '{"format": 7}', "null"])
def test_what_else_was_remembered_harms_nothing(
    tab: Tab, program: Program, tmp_path: Path, kept: str
) -> None:
    """Whatever stands where the last choice does, the page works."""
    _upload(program, tmp_path)
    tab.go()
    tab.page.evaluate("kept => localStorage.setItem('imghost-copy', kept)", kept)
    tab.go()
    with tab.page.expect_response("**/gallery/texts?*"):
        tab.page.get_by_label("Copy as").select_option("html")
    expect(tab.cards.first).to_have_attribute("data-text", re.compile("^<img "))
    tab.cards.first.get_by_role("button", name="Copy link").click()
    expect(tab.cards.first).to_contain_text("Copied")
    assert tab.copied.startswith("<img ")


def test_a_style_is_tried_and_its_link_copied(tab: Tab, program: Program, tmp_path: Path) -> None:
    """Before and after with pixels and bytes, a word when it is no use, the link with it."""
    link = _upload(program, tmp_path)
    tab.go()
    tab.cards.first.get_by_role("link", name="Styles").click()
    expect(tab.page.locator("#after-facts")).to_contain_text("1280 × 720")
    tab.page.get_by_role("button", name="Width 800, WebP").click()
    expect(tab.page.locator("#after-facts")).to_have_text(
        re.compile(r"800 × 450 · [\d.]+ kB · webp")
    )
    expect(tab.page.locator("#after img")).to_be_visible()
    expect(tab.page.get_by_label("Width", exact=True)).to_have_value("800")
    tab.page.get_by_label("Width", exact=True).fill("300")
    expect(tab.page.get_by_label("Suffix")).to_have_value("@300w_1e_1c.webp")
    expect(tab.page.locator("#after-facts")).to_contain_text("300 × 169")
    row = tab.page.locator('#links [data-format="url"]')
    expect(row.locator("code")).to_have_text(f"{link}@300w_1e_1c.webp")
    row.get_by_role("button").click()
    expect(tab.page.locator("#toast")).to_contain_text("Copied")
    assert tab.copied == f"{link}@300w_1e_1c.webp"
    tab.page.get_by_label("Suffix").fill("@4000w.png")
    expect(tab.page.locator("#after-warn")).to_contain_text("more pixels than there are")
    tab.page.get_by_role("button", name="Use this style for new links").click()
    expect(tab.page.locator("#toast")).to_contain_text("Counts from the next picture on")
    assert program.status["style"] == "@4000w.png"


def test_a_style_that_makes_no_sense_is_named(tab: Tab, program: Program, tmp_path: Path) -> None:
    """The part that is wrong is said beside the field; nothing of the former style is offered."""
    _upload(program, tmp_path)
    tab.go("/picture/1")
    use = tab.page.get_by_role("button", name="Use this style for new links")
    links = tab.page.locator("#links li:visible")
    tab.page.get_by_label("Suffix").fill("@300w")
    expect(tab.page.locator("#after-facts")).to_contain_text("300 × 169")
    expect(use).to_be_enabled()
    tab.page.get_by_label("Suffix").fill("@7x")
    expect(tab.page.locator("#style-error")).to_contain_text("7x")
    expect(tab.page.locator("#after img")).to_be_hidden()
    expect(links).to_have_count(0)
    expect(use).to_be_disabled()
    tab.complaints.clear()  # Chromium itself notes each answer that is no success
    tab.page.get_by_label("Suffix").fill("@200w")
    expect(tab.page.locator("#after-facts")).to_contain_text("200 × 113")
    expect(tab.page.locator("#after img")).to_be_visible()
    expect(links).not_to_have_count(0)
    expect(use).to_be_enabled()


def test_a_name_that_hides_something_shows_it(tab: Tab) -> None:
    """Before it is sent too: what turns the text round or steers a terminal is spelled out."""
    tab.go()
    tab.drop("a\u202egnp.exe\x1b.png", b"only text")
    expect(tab.page.locator(".item .name")).to_have_text("a\\u202egnp.exe\\x1b.png")
    expect(tab.page.locator(".item.failed")).to_contain_text("is text")
    tab.complaints.clear()  # Chromium itself notes each answer that is no success
    tab.drop("b\u202egnp.exe.png", pictures.png())
    expect(tab.page.locator(".item.ready .name")).to_have_text("b\\u202egnp.exe.png")


def test_the_count_follows(tab: Tab, program: Program, tmp_path: Path) -> None:
    """Forgotten, a picture is not counted any more, of a search either."""
    for seed in range(3):
        _upload(program, tmp_path, f"{seed}.png", seed=seed)
    tab.go("/?q=png")
    expect(tab.page.locator("#count")).to_contain_text("Found: 3 of 3")
    tab.page.wait_for_load_state("networkidle")  # what is forgotten has its thumbnail by then
    tab.cards.first.get_by_role("button", name=re.compile("^Forget ")).click()
    tab.page.locator("#forget").get_by_role("button", name="Forget").click()
    expect(tab.page.locator("#count")).to_contain_text("Found: 2 of 2")
    expect(tab.cards).to_have_count(2)


def test_what_is_being_sent_is_shown_as_it_ends(
    chromium: Browser, program: Program, tmp_path: Path
) -> None:
    """Its card, in the gallery and on its own page, is that of what it has become by then."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png(1280, 720))
    with _Slow() as host:
        program.configure(**bilibili.settings(host))
        with program.serving() as url, ExitStack() as stack:
            process = stack.enter_context(program.start("upload", str(picture)))
            eventually(lambda: bool(host.uploads))
            tab, bench = (stack.enter_context(open_tab(chromium, url)) for _ in range(2))
            tab.go()
            tab.page.get_by_label("Copy as").select_option("html")
            bench.go("/picture/1")
            expect(tab.cards.first).to_contain_text("uploading")
            expect(tab.page.locator("#count")).to_contain_text("1 uploading")
            host.may_answer.set()
            expect(tab.cards.first.get_by_role("button", name="Copy link")).to_be_visible()
            expect(tab.cards.first).to_have_attribute("data-text", re.compile("<img"))
            expect(tab.page.locator("#count")).not_to_contain_text("uploading")
            expect(bench.page.get_by_role("button", name="Copy link")).to_be_visible()
            process.communicate()
            tab.must_be_content()
            bench.must_be_content()


def test_a_hostile_name_is_only_a_name(tab: Tab, program: Program, tmp_path: Path) -> None:
    """In the gallery, on its page, in the questions and while it is uploaded nothing of it runs."""
    tab.go()
    tab.drop(HOSTILE, pictures.png(1280, 720))
    expect(tab.page.locator(".item .name")).to_have_text(HOSTILE)
    tab.page.locator("#upload").get_by_role("button", name="Upload", exact=True).click()
    expect(tab.page.locator(".item.done")).to_have_count(1)
    tab.page.locator("#upload").get_by_role("button", name="Close").click()
    expect(tab.cards.first.locator(".name")).to_have_text(HOSTILE)
    tab.cards.first.get_by_role("button", name=re.compile("^Forget ")).click()
    expect(tab.page.locator("#forget-name")).to_have_text(HOSTILE)
    tab.page.get_by_role("button", name="Keep it").click()
    tab.go("/picture/1")
    expect(tab.page.locator("h1")).to_have_text(HOSTILE)
    expect(tab.page.locator("#after-facts")).to_contain_text("1280 × 720")
    tab.page.wait_for_load_state("networkidle")
    assert program.history[0]["name"] == HOSTILE


def test_everything_goes_by_keyboard(tab: Tab, program: Program, tmp_path: Path) -> None:
    """Choose and upload, walk, copy, style, forget, with visible focus and a list of the keys."""
    path = tmp_path / "keys.png"
    path.write_bytes(pictures.png(1280, 720))
    tab.page.on("filechooser", lambda _: None)  # else the first one comes too early to be seen
    tab.go()
    with tab.page.expect_file_chooser() as chooser:
        tab.press("u")
    chooser.value.set_files(path)
    expect(
        tab.page.locator("#upload").get_by_role("button", name="Upload", exact=True)
    ).to_be_focused()
    tab.press("Enter")
    expect(tab.page.locator(".item").get_by_role("button", name="Copy", exact=True)).to_be_focused()
    tab.press("Enter")
    expect(tab.page.locator("#toast")).to_contain_text("Copied")
    with tab.page.expect_navigation():
        tab.press("Escape")
    tab.press("ArrowRight")
    assert tab.focused == "keys.png"
    ring = tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    tab.press("c")
    expect(tab.cards.first).to_contain_text("Copied")
    assert tab.copied.startswith("![keys](")
    tab.press("?")
    expect(tab.page.locator("#help")).to_contain_text("copy its link")
    tab.press("Escape")
    tab.press("/")
    assert tab.focused == "q"
    with tab.page.expect_navigation():
        tab.press("k", "e", "y", "s", "Enter")
    expect(tab.cards).to_have_count(1)
    tab.tab_to("keys.png")
    with tab.page.expect_navigation():
        tab.press("Enter")
    tab.tab_to("Width 800, WebP")
    tab.press("Enter")
    expect(tab.page.locator("#after-facts")).to_contain_text("800 × 450")
    tab.press("3")
    expect(tab.page.locator("#toast")).to_contain_text("@800w_1e_1c.webp")
    assert tab.copied.endswith("@800w_1e_1c.webp")
    tab.press("Delete")
    expect(tab.page.locator("#forget")).to_be_visible()
    tab.tab_to("Forget")
    with tab.page.expect_navigation():
        tab.press("Enter")
    expect(tab.page.get_by_text("Copy an image, paste a link")).to_be_visible()
    assert program.history == []


def test_one_walks_through_ten_thousand_uploads(
    chromium: Browser, program: Program, tmp_path: Path
) -> None:
    """Page by page by a key, from the newest and to the oldest; a word finds one of them."""
    with program.serving():
        _upload(program, tmp_path)
    copy_rows(program.home / "data" / "journal.db", MANY - 1)
    with program.serving() as url, open_tab(chromium, url) as tab:
        tab.go()
        expect(tab.page.locator(".count")).to_contain_text("10,000")
        expect(tab.cards.first.locator("img")).to_have_js_property("complete", value=True)
        assert tab.page.evaluate("document.querySelector('.thumb img').naturalWidth") > 0
        _walk(tab, MANY, pages=8)
        tab.go("/?before=200")
        _walk(tab, 199, pages=4)
        assert tab.cards.count() == 199 - 4 * PER_PAGE
        assert not tab.page.locator('[rel="next"]').count()
        with tab.page.expect_navigation():
            tab.press("p")
        expect(tab.cards).to_have_count(PER_PAGE)
        tab.page.get_by_label("Name or link").fill("-4095.png")
        with tab.page.expect_navigation():
            tab.press("Enter")
        expect(tab.cards).to_have_count(1)
        tab.must_be_content()


def _walk(tab: Tab, newest: int, pages: int) -> None:
    for page in range(pages):
        first = newest - page * PER_PAGE
        ids = tab.cards.evaluate_all("cards => cards.map((card) => Number(card.dataset.id))")
        assert ids == [*range(first, first - PER_PAGE, -1)]
        with tab.page.expect_navigation(wait_until="domcontentloaded"):
            tab.press("n")


def test_what_fails_is_tried_again(chromium: Browser, program: Program, tmp_path: Path) -> None:
    """The reason stands there; a press sends it again, and the page shows that."""
    with bilibili.FakeBilibili() as host:
        program.configure(**bilibili.settings(host))
        with program.serving() as url, open_tab(chromium, url) as tab:
            host.answers.append(bilibili.Answer(-400, "not today"))
            _upload(program, tmp_path)
            tab.go("/?state=failed")
            expect(tab.cards.first).to_contain_text("not today")
            with tab.page.expect_navigation():
                tab.cards.first.get_by_role("button", name="Retry").click()
            eventually(lambda: program.history[0]["state"] == "done")
            tab.go()
            expect(tab.cards.first.get_by_role("button", name="Copy link")).to_be_visible()
            tab.must_be_content()


def test_settings_are_chosen(tab: Tab, program: Program) -> None:
    """A click or a typed name counts at once; what cannot be is said, and changes nothing."""
    tab.go("/settings")
    tab.page.get_by_label("album").check()
    expect(tab.page.locator("#toast")).to_contain_text("Counts from the next picture on")
    assert program.status["bucket"] == "album"
    with tab.page.expect_navigation():
        tab.page.get_by_label("Another one").fill("travel")
        tab.press("Enter")
    expect(tab.page.get_by_label("travel")).to_be_checked()
    tab.page.get_by_label("Custom suffix").fill("@0w")
    tab.press("Enter")
    expect(tab.page.locator("#settings-error")).to_contain_text("0w")
    tab.complaints.clear()  # Chromium itself notes each answer that is no success
    assert program.status["bucket"] == "travel"
    assert program.status["style"] == ""


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_it_fits_every_window(
    chromium: Browser, program: Program, tmp_path: Path, language: str
) -> None:
    """Narrow, wide, light, dark, in both languages: nothing sticks out, all can be read."""
    program.configure(language=language)
    with program.serving() as url:
        _upload(program, tmp_path, "a-name-without-any-blank-that-is-much-longer-than-a-card.png")
        with open_tab(chromium, url) as tab:
            for path in ("/", "/picture/1", "/settings", "/login", "/?q=nothing"):
                tab.go(path)
                tab.page.wait_for_load_state("networkidle")
                for width, scheme in product(WIDTHS_PX, SCHEMES):
                    tab.page.set_viewport_size({"width": width, "height": 800})
                    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                    sticks_out = "document.documentElement.scrollWidth - innerWidth"
                    assert tab.page.evaluate(sticks_out) <= 0, (path, width)
                    assert _faint(tab) == [], (path, width, scheme)
            tab.must_be_content()


def _faint(tab: Tab) -> list[str]:
    """Texts whose contrast with what is behind them is below 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    found: list[str] = tab.page.evaluate(FAINT)
    return found
