"""The gallery's login page: a code for who may change things, followed while somebody looks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import pytest
import segno

from imghost.dirs import Dirs
from imghost.login import LoginFile
from imghost.models import State
from imghost.server.gallery.access import PAGE_HEADER
from tests.fakes import pictures
from tests.fakes.bilibili import Answer, FakeBilibili, settings
from tests.fakes.bilibili_login import GENERATE, NAME, POLL, FakeLogin, address_of
from tests.fakes.canaries import leaked
from tests.fakes.gallery import Read, Visitor, visiting
from tests.fakes.program import eventually

BEGIN, ASK, FORGET = "/gallery/login/begin", "/gallery/login/poll", "/gallery/login/forget"


@pytest.fixture
def fake() -> Iterator[FakeBilibili]:
    """A fake Bilibili."""
    with FakeBilibili() as fake:
        yield fake


@pytest.fixture
def visitor(dirs: Dirs, fake: FakeBilibili) -> Iterator[Visitor]:
    """Somebody at a gallery whose host has cookies that are over."""
    fake.sessdata = "cafe%2Cnew"
    with visiting(dirs, **settings(fake)) as visitor:
        yield visitor


def asked(visitor: Visitor, number: int) -> dict[str, Any]:
    """What became of a code, once that may be asked again."""
    found: list[dict[str, Any]] = []
    before = _polls(visitor)

    def is_fresh() -> bool:
        found.append(visitor.change(ASK, {"number": number}))
        return _polls(visitor) > before or found[-1]["state"] in ("done", "expired")

    eventually(is_fresh)
    return found[-1]


def _polls(visitor: Visitor) -> int:
    return FAKES[visitor.file.load().of_host("bilibili").api].login.count(POLL)


FAKES: dict[str, FakeBilibili] = {}


@pytest.fixture(autouse=True)
def known(fake: FakeBilibili) -> Iterator[None]:
    """The server by its address."""
    FAKES[fake.url] = fake
    yield
    FAKES.clear()


def test_a_code_is_scanned_and_what_was_held_is_sent(
    visitor: Visitor, fake: FakeBilibili, dirs: Dirs
) -> None:
    """The page shows the very code and its states; then the login counts at once, and is told."""
    held = visitor.uploaded(pictures.png())
    assert visitor.state(held) is State.QUEUED
    assert fake.login.asked == []  # nobody is asked before somebody wants it
    code = visitor.change(BEGIN)
    assert _drawn(code["image"]) == _svg(address_of(fake.login.keys[0]))
    assert asked(visitor, code["number"])["state"] == "waiting"
    fake.login.scan()
    scanned = asked(visitor, code["number"])
    assert (scanned["state"], scanned["said"]) == ("scanned", "Scanned: confirm it on your phone")
    fake.login.confirm()
    assert asked(visitor, code["number"])["state"] == "done"
    assert visitor.sent == ["queued"]  # what is queued is sent now
    assert not visitor.app.outbox.is_held("bilibili")
    assert visitor.state(visitor.uploaded(pictures.png(seed=2), "b.png")) is State.DONE
    login = LoginFile(dirs.login).load()
    assert login
    assert login.name == NAME
    page = visitor.page("/login")
    assert f"Logged in as {NAME}" in Read(page).texts
    assert any("180 days left" in text for text in Read(page).texts)
    assert any("emptied" in text for text in Read(page).texts)
    assert leaked(page + visitor.page("/settings"), fake.login.secrets) == []


def test_it_is_asked_no_more_than_once_a_second(visitor: Visitor, fake: FakeBilibili) -> None:
    """However many pages ask, and however often, also at the same time."""
    number, start = visitor.change(BEGIN)["number"], time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        told = [*pool.map(lambda _: visitor.change(ASK, {"number": number}), range(12))]
    assert {one["state"] for one in told} == {"waiting"}
    assert 1 <= fake.login.count(POLL) <= 1 + time.monotonic() - start


def test_the_latest_code_is_followed(visitor: Visitor, fake: FakeBilibili) -> None:
    """An earlier one, and one that never was, count as expired, and are not asked about."""
    first, second = (visitor.change(BEGIN)["number"] for _ in range(2))
    for number in (first, second + 1, -1, 1 << 70):
        assert visitor.change(ASK, {"number": number})["state"] == "expired"
    assert fake.login.count(POLL) == 0
    assert visitor.change(ASK, {"number": second})["state"] == "waiting"
    assert visitor.post(ASK, {"number": "1"}).status == 400


def test_trouble_is_told(visitor: Visitor, fake: FakeBilibili) -> None:
    """Who does not answer is asked again later; a refusal is said in words, and ends it."""
    number = visitor.change(BEGIN)["number"]
    fake.login.answers.append(Answer(-500, "服务器错误"))
    waits = visitor.change(ASK, {"number": number})
    assert waits["state"] == "waiting"
    assert waits["rest_s"] > 1.5
    assert "服务器错误" in waits["said"]
    for answer in (Answer(-412, "风控"), Answer(-400, "不行")):
        fake.login.answers.append(answer)
        refused = visitor.post(BEGIN)
        assert refused.status == 500
        assert answer.message in json.loads(refused.body)["error"]


def test_logging_out(visitor: Visitor, fake: FakeBilibili, dirs: Dirs) -> None:
    """It is forgotten, the page says what that means, and what comes then is held."""
    fake.login.behave = FakeLogin.confirm
    number = visitor.change(BEGIN)["number"]
    assert asked(visitor, number)["state"] == "done"
    assert {"data-do": "logout"}.items() <= _button(visitor, "logout").items()
    visitor.change(FORGET)
    assert LoginFile(dirs.login).load() is None
    texts = Read(visitor.page("/login")).texts
    assert any("security settings" in text for text in texts)
    assert any("No login yet" in text for text in texts)
    assert not Read(visitor.page("/login")).all("button", data_do="logout")
    assert visitor.state(visitor.uploaded(pictures.png(seed=3), "c.png")) is State.QUEUED


def test_only_the_page_may_begin(visitor: Visitor, fake: FakeBilibili) -> None:
    """Without its token nothing is asked, drawn or forgotten."""
    for path in (BEGIN, ASK, FORGET):
        assert visitor.post(path, {"number": 1}, headers={PAGE_HEADER: "guessed"}).status == 403
        assert visitor.see(path).status == 405
    assert fake.login.asked == []


def test_warnings_stand_there_before_and_after(visitor: Visitor) -> None:
    """Whoever begins to use it has read what to expect."""
    page = " ".join(Read(visitor.page("/login")).texts)
    for warning in ("official API", "cannot delete", "died before", "restricted", "no-referrer"):
        assert warning in page


def test_the_count_of_codes(visitor: Visitor, fake: FakeBilibili) -> None:
    """A page that is only opened asks for none."""
    visitor.page("/login")
    visitor.page("/settings")
    assert fake.login.count(GENERATE) == 0


def _button(visitor: Visitor, name: str) -> dict[str, str]:
    (button,) = Read(visitor.page("/login")).all("button", data_do=name)
    return button


def _drawn(image: str) -> str:
    head, _, data = image.partition(",")
    assert head.startswith("data:image/svg+xml")
    return unquote(data).replace("'", '"')


def _svg(address: str) -> str:
    file = BytesIO()
    segno.make_qr(address).save(file, "svg", border=4, light="#fff", xmldecl=False, nl=False)
    return file.getvalue().decode()
