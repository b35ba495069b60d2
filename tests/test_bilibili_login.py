"""Logging in at Bilibili: each state, each way to say no, and no secret anywhere."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.hosts.bilibili import BilibiliConfig
from imghost.hosts.bilibili_login import Code, Passport, Scan
from imghost.login import Login, end_of
from imghost.secret import Secret
from imghost.transport import Http
from imghost.transport.web import Reply, Request
from tests.fakes import bilibili_login
from tests.fakes.bilibili import Answer, FakeBilibili
from tests.fakes.bilibili_login import MID, NAME, Session, usual_cookies
from tests.fakes.canaries import CANARY, leaked, shown

NOW = 1_800_000_000.0
DAY_S = 86_400.0


@pytest.fixture
def fake() -> Iterator[FakeBilibili]:
    """A fake Bilibili."""
    with FakeBilibili() as fake:
        yield fake


@pytest.fixture
def passport(fake: FakeBilibili) -> Passport:
    """Its login."""
    config = BilibiliConfig(api=fake.url, passport=f"{fake.url}/")
    return Passport(config, Http(timeout_s=5), lambda: NOW)


def done(passport: Passport, fake: FakeBilibili) -> Login:
    """A login by a code that somebody scans and confirms."""
    code = passport.new_code()
    fake.login.confirm()
    login = passport.poll(code).login
    assert login
    return login


class TestStates:
    """What becomes of a code."""

    def test_a_code_is_scanned_and_confirmed(self, fake: FakeBilibili, passport: Passport) -> None:
        """Not scanned, scanned, done, and then of no use any more."""
        code = passport.new_code()
        assert code.address.reveal() == bilibili_login.address_of(code.key.reveal())
        assert passport.poll(code).scan is Scan.WAITING
        fake.login.scan()
        assert passport.poll(code).scan is Scan.SCANNED
        fake.login.confirm()
        polled = passport.poll(code)
        assert polled.scan is Scan.DONE
        (session,) = fake.login.sessions
        assert polled.login
        assert polled.login.sessdata.reveal() == session.sessdata
        assert polled.login.bili_jct.reveal() == session.bili_jct
        assert polled.login.ends_at == NOW + bilibili_login.DAYS * DAY_S
        assert passport.poll(code).scan is Scan.EXPIRED

    def test_an_unscanned_code_expires(self, fake: FakeBilibili, passport: Passport) -> None:
        """Then it is expired, and the next one waits."""
        code = passport.new_code()
        fake.login.expire()
        assert passport.poll(code).scan is Scan.EXPIRED
        assert passport.poll(passport.new_code()).scan is Scan.WAITING

    @pytest.mark.parametrize("state", [86039, -1, 1, None, "0", 0.0, True, [], {"code": 0}])
    def test_an_unknown_state_is_told(
        self, fake: FakeBilibili, passport: Passport, state: object
    ) -> None:
        """What the state may be beside those that are known, the person hears of it."""
        code = passport.new_code()
        body = json.dumps({"code": 0, "data": {"code": state, "message": "新状态"}}).encode()
        fake.login.answers.append(Answer(body=body))
        with pytest.raises(HostRefused, match=r"新状态|\?"):
            passport.poll(code)

    def test_cookies_that_just_came_are_not_told(
        self, fake: FakeBilibili, passport: Passport
    ) -> None:
        """A server that repeats them in its words has them masked."""
        code = passport.new_code()
        body = json.dumps({"code": 0, "data": {"code": 7, "message": f"so {CANARY}"}}).encode()
        cookie = {"Set-Cookie": f"SESSDATA={CANARY}; Path=/"}
        fake.login.answers.append(Answer(body=body, headers=cookie))
        with pytest.raises(HostRefused) as raised:
            passport.poll(code)
        assert CANARY not in str(raised.value)

    @pytest.mark.parametrize(
        "data",
        [
            *(None, [], {}, {"url": "https://x.example/a"}, {"qrcode_key": "abc"}),
            {"url": "javascript:alert(1)", "qrcode_key": "abc"},
            {"url": "https://x.example/\x1b]52;c;", "qrcode_key": "abc"},
            {"url": "https://x.example/" + 500 * "a", "qrcode_key": "abc"},
            {"url": "https://x.example/a", "qrcode_key": "a b"},
            {"url": "https://x.example/a", "qrcode_key": 7},
        ],
    )
    def test_what_is_no_code_is_not_drawn(
        self, fake: FakeBilibili, passport: Passport, data: object
    ) -> None:
        """An answer without an address and a key, or with one that steers a terminal, is none."""
        fake.login.answers.append(Answer(body=json.dumps({"code": 0, "data": data}).encode()))
        with pytest.raises(HostRefused, match="no code to scan"):
            passport.new_code()


OUTER = [
    (Answer(-412, "请求被拦截"), HostUnavailable),
    (Answer(status=412, body=b"<!DOCTYPE html><html>"), HostUnavailable),
    (Answer(-352, "风控"), HostUnavailable),
    (Answer(-509, "请求过于频繁"), HostUnavailable),
    (Answer(status=429, headers={"Retry-After": "7"}), HostUnavailable),
    (Answer(-500, "服务器错误"), HostUnavailable),
    (Answer(status=502, body=b"<html>"), HostUnavailable),
    (Answer(body=b"<!DOCTYPE html><title>wifi login</title>"), HostUnavailable),
    (Answer(body=b""), HostUnavailable),
    (Answer(body=b'{"code": 0, "data": {"ur'), HostUnavailable),
    (Answer(cut="reply"), HostUnavailable),
    (Answer(-400, "请求错误"), HostRefused),
    (Answer(status=404, body=b"not found"), HostRefused),
    (Answer(status=302, headers={"Location": "/elsewhere"}), HostRefused),
    (Answer(86000, "?"), HostRefused),
    (Answer(-101, "账号未登录"), LoginExpired),
]


class TestRefusals:
    """What else may be answered."""

    @pytest.mark.parametrize(("answer", "kind"), OUTER)
    @pytest.mark.parametrize("asked", ["new_code", "poll", "named"])
    def test_each_way_to_say_no(
        self,
        fake: FakeBilibili,
        passport: Passport,
        caplog: pytest.LogCaptureFixture,
        answer: Answer,
        kind: type[HostError],
        asked: str,
    ) -> None:
        """Each is an error of its kind, that speaks of no image, and shows no secret."""
        caplog.set_level(logging.DEBUG)
        ask: dict[str, Callable[[], object]] = {
            "new_code": passport.new_code,
            "poll": partial(passport.poll, passport.new_code()),
            "named": partial(passport.named, done(passport, fake)),
        }
        fake.login.answers.append(answer)
        with pytest.raises(kind) as caught:
            ask[asked]()
        assert type(caught.value) is kind
        assert "image" not in str(caught.value)
        logged = [one.getMessage() for one in caplog.records if one.name.startswith("imghost")]
        assert not leaked(shown(caught.value) + "".join(logged), fake.login.secrets)

    def test_a_message_that_repeats_the_key_is_masked(
        self, fake: FakeBilibili, passport: Passport
    ) -> None:
        """What is sent is not shown again, whoever repeats it."""
        code = passport.new_code()
        fake.login.answers.append(Answer(-400, f"bad key {code.key.reveal()}"))
        with pytest.raises(HostRefused, match="bad key") as caught:
            passport.poll(code)
        assert not leaked(shown(caught.value), fake.login.secrets)

    def test_an_answer_leads_nowhere_else(self, fake: FakeBilibili, passport: Passport) -> None:
        """A redirect is not followed, and no cookie crosses it."""
        login = done(passport, fake)
        with FakeBilibili() as other:
            target = f"{other.url}{bilibili_login.NAV}"
            fake.login.answers.append(Answer(status=302, headers={"Location": target}))
            with pytest.raises(HostRefused):
                passport.named(login)
            assert other.login.asked == []
            assert other.fetches == []

    @given(st.binary() | st.text().map(str.encode), st.integers(100, 599))
    def test_any_answer(self, body: bytes, status: int) -> None:
        """No bytes and no status make it fail in any other way."""
        passport = Passport(BilibiliConfig(), _Fixed(Reply(status, {}, body)))
        with suppress(HostUnavailable, HostRefused, LoginExpired):
            passport.new_code()
        with suppress(HostUnavailable, HostRefused, LoginExpired):
            passport.poll(Code(Secret("https://x.example/"), Secret("key")))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_any_json(self, content: object) -> None:
        """No shape of JSON does either, in any place of an answer."""
        for data in (content, {"code": content}, {"url": content, "qrcode_key": content}):
            for whole in (content, {"code": 0, "data": data}):
                reply = Reply(200, {}, json.dumps(whole).encode())
                passport = Passport(BilibiliConfig(), _Fixed(reply))
                with suppress(HostUnavailable, HostRefused, LoginExpired):
                    passport.new_code()
                with suppress(HostUnavailable, HostRefused, LoginExpired):
                    passport.poll(Code(Secret("https://x.example/"), Secret("key")))
                with suppress(HostUnavailable, HostRefused, LoginExpired):
                    passport.named(Login(Secret("a"), Secret("b")))


class TestCookies:
    """What a login brings."""

    @pytest.mark.parametrize("change", ["lower", "crowded", "unended", "twice"])
    def test_odd_attributes(self, fake: FakeBilibili, passport: Passport, change: str) -> None:
        """However the lines are written, the two cookies are read as they are."""

        def lines(it: Session) -> tuple[str, ...]:
            usual = usual_cookies(it)
            match change:
                case "lower":
                    return tuple(line.replace("Max-Age", "max-age") for line in usual)
                case "crowded":
                    return tuple(line.replace("; ", ";;") + ";Partitioned;x=y;=" for line in usual)
                case "unended":
                    return tuple(line.split(";")[0] for line in usual)
            gone = tuple(f"{line.split('=')[0]}=; Max-Age=0; Domain=other" for line in usual)
            return (*usual, *gone)

        fake.login.cookie_lines = lines
        login = done(passport, fake)
        (session,) = fake.login.sessions
        assert (login.sessdata.reveal(), login.bili_jct.reveal(), login.mid) == (
            session.sessdata,
            session.bili_jct,
            MID,
        )

    @pytest.mark.parametrize(
        "lines", [(), ("SESSDATA=abc",), ("bili_jct=abc",), ("SESSDATA=a b", "bili_jct=abc")]
    )
    def test_done_without_cookies_is_an_error(
        self, fake: FakeBilibili, passport: Passport, lines: tuple[str, ...]
    ) -> None:
        """A success that brings no usable pair is told."""
        fake.login.cookie_lines = lambda _: lines
        with pytest.raises(HostRefused, match="sent no cookies"):
            done(passport, fake)

    def test_its_name_is_asked_for(self, fake: FakeBilibili, passport: Passport) -> None:
        """Whose login it is, is known by its cookies alone."""
        login = passport.named(done(passport, fake))
        assert (login.name, login.mid) == (NAME, MID)
        fake.login.sessions.clear()
        with pytest.raises(LoginExpired):
            passport.named(login)

    def test_a_copied_line(self, passport: Passport) -> None:
        """A browser's line gives the pair, its number, and its end as far as that is told."""
        ends_at = int(NOW + 90 * DAY_S)
        line = f"Cookie: buvid3=X; SESSDATA=ab%2C{ends_at}%2Ccd*1; bili_jct=ef; DedeUserID={MID}"
        login = passport.copied(Secret(line))
        assert (login.sessdata.reveal(), login.bili_jct.reveal(), login.mid, login.ends_at) == (
            *(f"ab%2C{ends_at}%2Ccd*1", "ef", MID, ends_at),
        )

    @pytest.mark.parametrize("line", ["", "SESSDATA=a", "hello", "sessdata=a; bili_jct=b", "\x00"])
    def test_a_line_without_the_pair(self, passport: Passport, line: str) -> None:
        """It is told what to copy."""
        with pytest.raises(LoginExpired, match="copy the whole Cookie line"):
            passport.copied(Secret(line))

    @pytest.mark.parametrize(
        ("sessdata", "ends_at"),
        [
            ("ab%2C1800086400%2Ccd*1", 1_800_086_400),
            ("ab,1700000000,cd", 1_700_000_000),
            *((odd, math.inf) for odd in ("ab%2C1999999999%2Ccd", "ab%2C7%2Ccd", "ab", "")),
            *((odd, math.inf) for odd in ("ab%2C18000864001%2Ccd", "ab%2C-180008640%2Ccd")),
        ],
    )
    def test_the_moment_in_a_cookie(self, sessdata: str, ends_at: float) -> None:
        """What can be the end of a login counts as it; anything else is unknown."""
        assert end_of(Secret(sessdata), NOW) == ends_at


class _Fixed(Http):
    """Gives always the same reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(timeout_s=1)
        self._reply = reply

    def send(self, request: Request, **_: object) -> Reply:
        """That reply."""
        return self._reply


def test_the_clock_is_the_walls() -> None:
    """Unless it is handed in: ends of logins are compared with a calendar."""
    assert Passport(BilibiliConfig(), Http(timeout_s=1))._clock is time.time  # noqa: SLF001
